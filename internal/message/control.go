package message

// CLIControlLong says what a control command does and when it is refused.
func CLIControlLong(verb string) Key { return Key("cli.control." + verb + ".long") }

// Keys of the commands that control a run.
const (
	CLIWords                Key = "cli.words"
	CLIFlagNow              Key = "cli.flag.now"
	CLIFlagTyped            Key = "cli.flag.typed"
	CLITypedNeedsNow        Key = "cli.typed-needs-now"
	CLIStopNowNeedsName     Key = "cli.stop-now.name"
	CLIStopNowNeedsNameHint Key = "cli.stop-now.name.hint"
	CLIStopNowAsk           Key = "cli.stop-now.ask"
	CLIFollowUpsAnswer      Key = "cli.follow-ups.answer"
	CLIHeldBack             Key = "cli.held-back"
	CLITaken                Key = "cli.taken"
	CLILook                 Key = "cli.look"
	CLIMarked               Key = "cli.marked"
	CLIStopNowAsked         Key = "cli.stop-now.asked"
)

// Texts of the commands that control a run.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var controlTexts = map[Key]string{
	CLIWords:                "these are needed, in this order: %s",
	CLIFlagNow:              "begin nothing more at all, and leave a node that is under way as it is",
	CLIFlagTyped:            "the cluster's name, for --now without a terminal",
	CLITypedNeedsNow:        "--typed answers the question of --now",
	CLIStopNowNeedsName:     "the cluster's name is typed at a terminal, and there is none",
	CLIStopNowNeedsNameHint: "Give it with --typed NAME.",
	CLIStopNowAsk:           "Nothing more is begun, and a node that is under way stays as it is: paused, with roles elsewhere, its installer running on.\nType the cluster's name, %s, to stop now:",
	CLIFollowUpsAnswer:      "%q is no answer: install or leave",
	CLIHeldBack:             "held back by %s",
	CLITaken:                "in the hands of %s",
	CLILook:                 "given back, is looked at",
	CLIMarked:               "marked by %s",
	CLIStopNowAsked:         "Stop now was asked by %s: nothing more is begun.",

	"cli.control.stop.long":     "The current update finishes, a due restart is done and the node is resumed; then the run ends.\nWith --now nothing more is begun at all: a node that is under way stays as it is, installers run on, and the run says what is\nto be done by hand. That needs the cluster's typed name.",
	"cli.control.stop-now.done": "Run %s stops now. See what is left to do: cau status.",

	"cli.control.hold.short": "Do not begin a node until it is released",
	"cli.control.hold.long":  "The run goes on with the other nodes and comes back to it. Refused while the node is under way. Exit code 3: refused.",
	"cli.control.hold.done":  "%s is held back in run %s until cau release.",

	"cli.control.release.short": "Let a node be begun that was held back",
	"cli.control.release.long":  "Takes back cau hold. The node is taken in its turn, after the one that is under way.",
	"cli.control.release.done":  "%s is released in run %s.",

	"cli.control.skip.short": "Leave a node out of a run",
	"cli.control.skip.long":  "The node ends as Canceled; cau retry takes it after all. Refused while the node is under way. Exit code 3: refused.",
	"cli.control.skip.done":  "%s is skipped in run %s.",

	"cli.control.retry.short": "Try a node again that failed or was skipped",
	"cli.control.retry.long":  "The node waits for its turn with a new attempt, also when its attempts were used up. What succeeded is not started again. A node\nthat was left paused goes on from there. Refused while an installer or a script may still run there, and while nobody knows how\nan update ended (cau mark). Exit code 3: refused.",
	"cli.control.retry.done":  "%s is tried again in run %s.",

	"cli.control.take.short": "Take a node over by hand",
	"cli.control.take.long":  "Nothing more is begun on the node from the next safe point on: the current step, an update or a restart, is finished. It stays\npaused or in service as it is then, and no other node is begun before cau give-back.",
	"cli.control.take.done":  "%s is yours in run %s from the next safe point on; cau status says when that is reached.",

	"cli.control.give-back.short": "Give a node back that was taken over",
	"cli.control.give-back.long":  "The run looks at the node. Still paused and drained, it goes on where it was and scans again; in service again, it goes through\nits gate anew.",
	"cli.control.give-back.done":  "%s is given back to run %s.",

	"cli.control.mark.short": "Say how an update ended where nobody knows it",
	"cli.control.mark.long":  "Look on the node how the update ended, then say so: its node goes on from there. UPDATE is the update's name or id. Refused where\nthe outcome is known, and while the installer is still watched. Exit code 3: refused.",
	"cli.control.mark.done":  "The update on %s is marked in run %s, and the node goes on.",

	"cli.control.follow-ups.short": "Answer what a run asks about updates beyond its plan",
	"cli.control.follow-ups.long":  "With --follow-ups ask a run waits for an answer when what it installed makes more updates applicable. Exit code 3: nothing is asked.",
	"cli.control.follow-ups.done":  "The answer for %s is with run %s.",
}
