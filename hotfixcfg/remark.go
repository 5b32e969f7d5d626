package hotfixcfg

import (
	"fmt"
	"slices"
	"strings"
)

// remark says of a rule that is right as it stands what an administrator may not expect of it.
func (r *reader) remark(e, exit *element, rule Rule) {
	note := func(at int, text string) {
		if len(r.cfg.Remarks) < maxNotes {
			r.cfg.Remarks = append(r.cfg.Remarks, *r.doc.errorAt(at, "%s", text))
		}
	}
	if rule.AlwaysReboot {
		note(e.at, "rule "+printable(rule.Name)+" has alwaysReboot: the node restarts after every update of this folder that succeeds")
	}
	if SuppressesRestart(rule.Template.Parameters) {
		return
	}
	for _, code := range slices.Concat(rule.Exit.Success, rule.Exit.SuccessRebootRequired, rule.Exit.FailRebootRequired) {
		if w := rule.Warning(code); w != "" {
			note(exit.at, fmt.Sprintf("exit code %d (%s): %s", code.Int32(), code.Name(), w))
			return
		}
	}
}

// SuppressesRestart tells whether parameters themselves forbid an installer to restart the node (wusa and
// msiexec /norestart, and the REBOOT property; "Windows Installer command-line options").
func SuppressesRestart(parameters string) bool {
	p := fold(parameters)
	return strings.Contains(p, "/NORESTART") || strings.Contains(p, "REBOOT=REALLYSUPPRESS")
}
