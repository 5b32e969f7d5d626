package message

// Keys of the line-by-line renderer and of the main window's actions.
const (
	LinesHelp          Key = "lines.help"
	LinesChoose        Key = "lines.choose"
	LinesChooseRun     Key = "lines.choose-run"
	LinesNotANumber    Key = "lines.not-a-number"
	LinesChange        Key = "lines.change"
	LinesNoSuchField   Key = "lines.no-such-field"
	LinesLastRun       Key = "lines.last-run"
	LinesNode          Key = "lines.node"
	LinesError         Key = "lines.error"
	LinesPage          Key = "lines.page"
	LinesChoiceProblem Key = "lines.choice-problem"
	LinesYes           Key = "lines.yes"
	LinesNo            Key = "lines.no"
	LinesBlocked       Key = "lines.blocked"
	LinesContinue      Key = "lines.continue"
	LinesConfirm       Key = "lines.confirm"
	LinesWatchHelp     Key = "lines.watch-help"

	ActionApply   Key = "action.apply"
	ActionPreview Key = "action.preview"
	ActionRuns    Key = "action.runs"
	ActionQuit    Key = "action.quit"
)

// Texts of the line-by-line renderer.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var linesTexts = map[Key]string{
	LinesHelp:          "Answer each prompt and press Enter. Enter alone keeps what stands in brackets. :b goes back, :q quits; a run goes on.",
	LinesChoose:        "Choose an action by number:",
	LinesChooseRun:     "Choose a run by number:",
	LinesChange:        "Change which? Its name, or Enter to go on:",
	LinesNoSuchField:   "There is no %s here, or it could be several.",
	LinesNotANumber:    "Type a number from 1 to %d.",
	LinesLastRun:       ", last run %s at %s",
	LinesNode:          "Node %s: %s, roles: %d",
	LinesError:         "Error: %s",
	LinesPage:          "%s (page %d of %d)",
	LinesChoiceProblem: "Answer one of: %s.",
	LinesYes:           "yes",
	LinesNo:            "no",
	LinesBlocked:       "Press Enter to answer again, or type :b to go back:",
	LinesContinue:      "Press Enter for %s:",
	LinesConfirm:       "Type yes to start the run; anything else goes back:",
	LinesWatchHelp:     "Type pause, resume, stop, stop now or detach and press Enter; the run goes on when you leave. For a node: hold, release, skip, retry, take or give-back NODE; mark NODE UPDATE installed, not-applicable or failed; follow-ups NODE install or leave.",

	ActionApply:   "Apply updates to this cluster",
	ActionPreview: "Preview updates for this cluster",
	ActionRuns:    "Past and current Updating Runs",
	ActionQuit:    "Quit",
}
