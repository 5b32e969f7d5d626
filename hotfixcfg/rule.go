package hotfixcfg

import (
	"slices"
	"strings"

	"cau/internal/fault"
)

// Kind tells what a rule's name names.
type Kind string

// The two kinds of rule.
const (
	// ExtensionRule is for every file with the extension in CAUHotfix_All or a node folder.
	ExtensionRule Kind = "extension"
	// FolderRule is for every file in a sub-folder of that name.
	FolderRule Kind = "folder"
)

// Rule says how updates of one kind are installed and what their exit codes mean.
type Rule struct {
	Kind Kind `json:"kind"`
	// Name is the extension without its dot, or the folder's name, spelt as in the file. It matches
	// without regard to case.
	Name     string         `json:"name"`
	Template Template       `json:"template"`
	Exit     ExitConditions `json:"exit"`
	// AlwaysReboot turns a Success code into InstalledRestart. Only a folder rule has it.
	AlwaysReboot bool `json:"always_reboot,omitempty"`
}

// Template is the installer's command line before the update's path is put in.
type Template struct {
	// Path is the installing program: a full path, which may begin with an environment variable that
	// the node expands; a bare name, which means %SystemRoot%\System32 (R09); or $update$.
	Path string `json:"path"`
	// Parameters may hold $update$ any number of times.
	Parameters string `json:"parameters,omitempty"`
}

// ExitConditions lists the exit codes that mean something. A code stands in one list at most.
type ExitConditions struct {
	Success               []fault.Code `json:"success"`
	SuccessRebootRequired []fault.Code `json:"success_reboot_required,omitempty"`
	FailRebootRequired    []fault.Code `json:"fail_reboot_required,omitempty"`
	AlreadyInstalled      []fault.Code `json:"already_installed,omitempty"`
	NotApplicable         []fault.Code `json:"not_applicable,omitempty"`
}

// Outcome is what an exit code says about an update.
type Outcome string

// The outcomes. Nothing but InstalledRestart and FailedRestart asks for a restart.
const (
	Installed        Outcome = "installed"
	InstalledRestart Outcome = "installed-restart"
	Failed           Outcome = "failed"
	FailedRestart    Outcome = "failed-restart"
	AlreadyInstalled Outcome = "already-installed"
	NotApplicable    Outcome = "not-applicable"
)

// Restart tells whether the node must restart.
func (o Outcome) Restart() bool { return o == InstalledRestart || o == FailedRestart }

// Failed tells whether the update counts as failed. An outcome that this package never gave does.
func (o Outcome) Failed() bool {
	switch o {
	case Installed, InstalledRestart, AlreadyInstalled, NotApplicable:
		return false
	default:
		return true
	}
}

// Classify says what code means under the rule. A code that the rule does not list is a failure
// without restart (R20; "How CAU plug-ins work", Customize the hotfix configuration file).
func (r Rule) Classify(code fault.Code) Outcome {
	switch {
	case slices.Contains(r.Exit.Success, code):
		if r.AlwaysReboot {
			return InstalledRestart
		}
		return Installed
	case slices.Contains(r.Exit.SuccessRebootRequired, code):
		return InstalledRestart
	case slices.Contains(r.Exit.FailRebootRequired, code):
		return FailedRestart
	case slices.Contains(r.Exit.AlreadyInstalled, code):
		return AlreadyInstalled
	case slices.Contains(r.Exit.NotApplicable, code):
		return NotApplicable
	default:
		return Failed
	}
}

// Warning says what the administrator should know about code besides its outcome, or "". Codes 1641
// and 3018 mean that the installer restarts the node by itself, whatever the rule says about them.
func (r Rule) Warning(code fault.Code) string {
	if code != codeSuccessRebootInitiated && code != codeFailRebootInitiated {
		return ""
	}
	return "the installer of rule " + printable(r.Name) + " restarts the node itself; give it an option such as /norestart"
}

// winerror.h: ERROR_SUCCESS_REBOOT_INITIATED and ERROR_FAIL_REBOOT_INITIATED.
const (
	codeSuccessRebootInitiated fault.Code = 1641
	codeFailRebootInitiated    fault.Code = 3018
)

// fold makes names comparable the way a Windows file system compares them: character by character,
// in upper case.
func fold(name string) string { return strings.ToUpper(name) }
