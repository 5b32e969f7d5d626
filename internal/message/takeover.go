package message

// Keys of the takeover of a run from a host that is lost.
const (
	CLITakeoverShort      Key = "takeover.short"
	CLITakeoverLong       Key = "takeover.long"
	CLIFlagTakeoverRun    Key = "takeover.flag.run"
	CLIFlagTakeoverTyped  Key = "takeover.flag.typed"
	CLITakeoverFree       Key = "takeover.free"
	CLITakeoverHeld       Key = "takeover.held"
	CLITakeoverRun        Key = "takeover.run"
	CLITakeoverNone       Key = "takeover.none"
	CLITakeoverNoneHint   Key = "takeover.none.hint"
	CLITakeoverMany       Key = "takeover.many"
	CLITakeoverManyHint   Key = "takeover.many.hint"
	CLITakeoverHere       Key = "takeover.here"
	CLITakeoverHereHint   Key = "takeover.here.hint"
	CLITakeoverEnded      Key = "takeover.ended"
	CLITakeoverEndedHint  Key = "takeover.ended.hint"
	CLITakeoverOther      Key = "takeover.other"
	CLITakeoverAsk        Key = "takeover.ask"
	CLITakeoverAlive      Key = "takeover.alive"
	CLITakeoverAliveHint  Key = "takeover.alive.hint"
	CLITakeoverNotRead    Key = "takeover.not-read"
	CLITakeoverUnseen     Key = "takeover.unseen"
	CLITakeoverUnseenHint Key = "takeover.unseen.hint"
	CLITakeoverUnseenAsk  Key = "takeover.unseen.ask"
	CLITakenOverHint      Key = "takeover.taken.hint"
)

// Texts of the takeover.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var takeoverTexts = map[Key]string{
	CLITakeoverShort: "go on here with a run whose host is lost",
	CLITakeoverLong: "Finds the plan and the state of runs on the cluster's nodes, and goes on with one of them on this host. What the run's own\n" +
		"coordinator may still ask of the nodes is refused from then on. While that one lives, only the cluster's typed name replaces it.",
	CLIFlagTakeoverRun:    "the run to take over, where several are found",
	CLIFlagTakeoverTyped:  "the cluster's name: replaces a coordinator that may still be alive",
	CLITakeoverFree:       "No run holds %s.",
	CLITakeoverHeld:       "%s is held by run %s, %s, renewed %s ago.",
	CLITakeoverRun:        "Run %s: %s, as of %s on %s.",
	CLITakeoverNone:       "no run of the cluster's lease lies on its nodes",
	CLITakeoverNoneHint:   "Resume the run on its own host, or make a new plan with cau apply.",
	CLITakeoverMany:       "several runs lie on its nodes",
	CLITakeoverManyHint:   "Say which with --run.",
	CLITakeoverHere:       "run %s is this host's own",
	CLITakeoverHereHint:   "Go on with cau resume %s.",
	CLITakeoverEnded:      "the run gave the cluster's lease back: it has ended",
	CLITakeoverEndedHint:  "What is left of it on the nodes is removed by cau node clean --run %s.",
	CLITakeoverOther:      "the cluster is held by another run, %s, %s",
	CLITakeoverAsk:        "Its coordinator may still be alive and would be replaced. Type the cluster's name, %s, to do that:",
	CLITakeoverAlive:      "its coordinator (%s, renewed %s ago) may still be alive",
	CLITakeoverAliveHint:  "Use it where it runs. If its host is lost, wait until the lease was not renewed for %s, or say with --typed %s that it is to be replaced.",
	CLITakeoverNotRead:    "Not read: %s",
	CLITakeoverUnseen:     "not every node could be read: a later state of the run may lie where it was not",
	CLITakeoverUnseenHint: "Wait until they answer. To go on from what was found: --typed %s.",
	CLITakeoverUnseenAsk:  "A later state of the run may lie where it could not be read. Type the cluster's name, %s, to go on from what was found:",
	CLITakenOverHint:      "Follow it on the host that has it now. To bring it back here: cau takeover.",
}
