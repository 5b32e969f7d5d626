package message

// AskTitle is what the live view asks before it asks a run for something. It is filled in with the node's name; the text
// of stop-now with the cluster's.
func AskTitle(verb string) Key { return Key("ask." + verb + ".title") }

// AskText says what will happen.
func AskText(verb string) Key { return Key("ask." + verb + ".text") }

// AskYes is the button that asks for it.
func AskYes(verb string) Key { return Key("ask." + verb + ".yes") }

// AskDone says that the run took what was asked about a node, whose name it is filled in with, or to stop now.
func AskDone(verb string) Key { return Key("ask." + verb + ".done") }

// MarkAs is the button for an outcome, as plugins names it.
func MarkAs(outcome string) Key { return Key("ask.mark." + outcome) }

// Keys of what is asked of a run in the live view.
const (
	AskRefused      Key = "ask.refused"
	AskPending      Key = "ask.pending"
	AskEnded        Key = "ask.ended"
	AskLost         Key = "ask.lost"
	AskTriedAgain   Key = "ask.retry.already"
	AskSkipped      Key = "ask.skip.already"
	AskAllKnown     Key = "ask.mark.none"
	AskWhich        Key = "ask.mark.which"
	AskWhichTitle   Key = "ask.mark.which.title"
	AskFollowUps    Key = "ask.follow-ups"
	AskInstall      Key = "ask.follow-ups.install"
	AskLeave        Key = "ask.follow-ups.leave"
	AskNotNow       Key = "ask.not-now"
	NodeWordHeld    Key = "node-word.held-back"
	NodeWordTaken   Key = "node-word.taken"
	NodeWordSkipped Key = "node-word.skipped"
	KeyHold         Key = "key.hold"
	KeyRelease      Key = "key.release"
	KeySkip         Key = "key.skip"
	KeyRetry        Key = "key.retry"
	KeyTake         Key = "key.take"
	KeyGiveBack     Key = "key.give-back"
	KeyMark         Key = "key.mark"
	KeyFollowUps    Key = "key.follow-ups"
	KeyStopNow      Key = "key.stop-now"
)

//nolint:gochecknoglobals // a constant table; Go has no constant maps
var askTexts = map[Key]string{
	AskRefused: "The run does not do this now",
	AskPending: "The run has not answered the last request yet.",
	AskEnded:   "The run has ended; nothing more is done in it.",
	AskLost:    "Nobody works on the run, and nothing can be asked of it. Go on with: cau resume %s",

	"ask.hold.done":  "%s is held back until it is released.",
	"ask.hold.title": "Hold %s back?",
	"ask.hold.text":  "%[1]s is not begun until you release it. The run goes on with the other nodes and waits at the end until %[1]s is released.",
	"ask.hold.yes":   "Hold it back",

	"ask.release.done":  "%s is released.",
	"ask.release.title": "Release %s?",
	"ask.release.text":  "%s is taken in its turn, after the node that is under way.",
	"ask.release.yes":   "Release it",

	"ask.skip.done":  "%s is skipped.",
	"ask.skip.title": "Leave %s out of the run?",
	"ask.skip.text":  "%s is not begun in this run any more and ends without its updates. You can try it again while the run goes on.",
	"ask.skip.yes":   "Skip it",
	AskSkipped:       "%s is skipped already, by %s.",

	"ask.retry.done":  "%s is tried again.",
	"ask.retry.title": "Try %s again?",
	"ask.retry.text":  "%s is taken again in its turn, also when its attempts were used up. What is installed is not installed again. If it was left paused, the run goes on from there.",
	"ask.retry.yes":   "Try it again",
	AskTriedAgain:     "%s is being tried again already: %s.",

	"ask.take.done":  "%s is yours from the next safe point on.",
	"ask.take.title": "Take %s over by hand?",
	"ask.take.text":  "The current step, an update or a restart, is finished; then nothing more is begun on %s, and it stays paused or in service as it is then. No other node is begun until you give it back.",
	"ask.take.yes":   "Take it over",

	"ask.give-back.done":  "%s is given back to the run.",
	"ask.give-back.title": "Give %s back to the run?",
	"ask.give-back.text":  "The run looks at %s first. Still paused and drained, it goes on where it was and scans again; in service again, it goes through its gate anew.",
	"ask.give-back.yes":   "Give it back",

	"ask.mark.done":           "The update on %s is marked.",
	"ask.mark.title":          "How did %s end on %s?",
	"ask.mark.text":           "Look on %s first: the run believes what you say. The node goes on once no update's end is unknown any more.",
	"ask.mark.installed":      "It is installed",
	"ask.mark.not-applicable": "It does not apply",
	"ask.mark.failed":         "It failed",
	AskWhich:                  "Nobody knows how these updates ended on %s. Which one do you know?",
	AskWhichTitle:             "Updates on %s that ended unseen",
	AskAllKnown:               "There is no update on %s whose end nobody knows.",

	"ask.follow-ups.done":  "The run has the answer for %s.",
	"ask.follow-ups.title": "Updates beyond the plan on %s",
	AskFollowUps:           "What was installed makes more updates applicable, which were not in the preview: %s. They are installed once the other nodes are done, and %s is taken out of service for it again where that is needed; or they are left and named in the report.",
	AskInstall:             "Install them",
	AskLeave:               "Leave them",
	AskNotNow:              "Not now",

	"ask.stop-now.done":  "The run stops now. The result says what is left to do by hand.",
	"ask.stop-now.title": "Stop now?",
	"ask.stop-now.text":  "Nothing more is begun, and a node that is under way stays as it is: paused, with roles elsewhere, its installer running on. The run ends and says what is to be done by hand. Type the cluster's name, %s, to stop now.",
	"ask.stop-now.yes":   "Stop now",

	NodeWordHeld: "Held back", NodeWordTaken: "Taken over", NodeWordSkipped: "Skipped",

	KeyHold: "hold node", KeyRelease: "release node", KeySkip: "skip node", KeyRetry: "try again", KeyTake: "take over", KeyGiveBack: "give back",
	KeyMark: "mark update", KeyFollowUps: "follow-ups", KeyStopNow: "stop now",
}
