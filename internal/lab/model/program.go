package model

import (
	"strings"
	"time"
)

// Exit codes of installers (winerror.h, wuerror.h). wusa's HRESULTs come back as signed 32 bits.
const (
	successRestart          = 3010
	successRestartInitiated = 1641
	wusaRestart             = 2359301     // 0x00240005 WU_S_REBOOT_REQUIRED
	wusaAlreadyInstalled    = 2359302     // 0x00240006 WU_S_ALREADY_INSTALLED
	wusaNotApplicable       = -2145124329 // 0x80240017
	wusaBusy                = -2145124330 // 0x80240016 INSTALL_NOT_ALLOWED
	badPathname             = 161         // several .msu in one folder, Server 2025
	invalidParameter        = 87
	msiBusy                 = 1618
	msiCannotOpen           = 1619
	msiInvalid              = 1620
	mspCannotOpen           = 1635
	mspInvalid              = 1636
	msiVersionInstalled     = 1638
	msiUsage                = 1639
	mspTargetNotFound       = 1642
	msiFailed               = 1603
)

// programKind is which program ran an update.
type programKind int

const (
	byItself programKind = iota
	byWusa
	byMsiexec
)

// ending is how an installer's process will end.
type ending struct {
	code     int64
	takes    time.Duration
	restarts bool
	// forever: it waits for somebody at a desktop that nobody sees.
	forever bool
	by      programKind
	// jobDies, if not 0, is when the job's own process goes without a result; installs tells whether the
	// installer, which goes on, installs its update.
	jobDies  time.Duration
	installs bool
	// update is set where the program got as far as running an update.
	update *updateFile
}

// atOnce is a program that ends without having done anything.
func atOnce(code int64) ending { return ending{code: code, takes: time.Second} }

func succeeded(code int64) bool {
	switch code {
	case 0, successRestart, successRestartInitiated, wusaRestart, wusaAlreadyInstalled:
		return true
	}
	return false
}

// execute starts a program with its parameters, as CreateProcess does; it reports false when there is no
// such program.
func (n *Node) execute(j *job, program, parameters string) (ending, bool) {
	args := split(parameters)
	program = strings.Trim(program, `"`)
	switch key(program) {
	case "wusa.exe", `c:\windows\system32\wusa.exe`:
		if j.networkLogon() != nil {
			return atOnce(errAccessDenied), true
		}
		return n.wusa(args), true
	case "msiexec.exe", `c:\windows\system32\msiexec.exe`:
		return n.msiexec(args), true
	}
	f, ok := n.disk[key(program)]
	if !ok || !strings.HasSuffix(key(f.path), ".exe") {
		return ending{}, false
	}
	if len(n.atWork) > 0 {
		return atOnce(msiBusy), true
	}
	u := readUpdate(f)
	e := ending{code: u.exit, takes: u.takes, by: byItself, update: u}
	if !n.hasAll(u.requires) {
		e.code, e.update = 4, nil
	}
	return e, true
}

// wusa is the Windows Update Standalone Installer. It takes one file, and shows a window without /quiet.
func (n *Node) wusa(args []string) ending {
	var files []string
	quiet, keep, force := false, false, false
	for _, a := range args {
		switch name, _, _ := strings.Cut(strings.ToLower(a), ":"); {
		case name == "/quiet":
			quiet = true
		case name == "/norestart":
			keep = true
		case name == "/forcerestart":
			force = true
		case name == "/log" || name == "/warnrestart" || name == "/promptrestart":
		case strings.HasPrefix(a, "/"):
			return atOnce(invalidParameter)
		default:
			files = append(files, a)
		}
	}
	if !quiet {
		return ending{forever: true}
	}
	if len(files) == 0 {
		return atOnce(invalidParameter)
	}
	f, ok := n.disk[key(files[0])]
	switch {
	case !ok:
		return atOnce(errFileNotFound)
	case len(files) > 1 || !strings.HasSuffix(key(f.path), ".msu"):
		return atOnce(invalidParameter)
	case n.packagesBeside(f) > 1:
		return atOnce(badPathname)
	case len(n.atWork) > 0:
		return atOnce(wusaBusy)
	}
	u := readUpdate(f)
	switch {
	case n.installed[u.id]:
		return ending{code: wusaAlreadyInstalled, takes: time.Second, by: byWusa, update: u}
	case !n.hasAll(u.requires):
		return atOnce(wusaNotApplicable)
	}
	restarts := force || !keep && (u.exit == successRestart || u.exit == wusaRestart)
	return ending{code: u.exit, takes: u.takes, by: byWusa, update: u, restarts: restarts}
}

// packagesBeside counts the .msu files in a file's folder.
func (n *Node) packagesBeside(f file) int {
	folder := key(f.path[:len(f.path)-len(baseName(f.path))])
	count := 0
	for k := range n.disk {
		if rest, ok := strings.CutPrefix(k, folder); ok && !strings.Contains(rest, `\`) && strings.HasSuffix(rest, ".msu") {
			count++
		}
	}
	return count
}

// msiexec is the Windows Installer: one package or patch, silent or not.
func (n *Node) msiexec(args []string) ending {
	var path string
	patch, quiet, keep := false, false, false
	for i := 0; i < len(args); i++ {
		a := strings.ToLower(args[i])
		switch {
		case a == "/i" || a == "/package" || a == "/p" || a == "/update":
			patch = a == "/p" || a == "/update"
			if i++; i >= len(args) || path != "" {
				return atOnce(msiUsage)
			}
			path = args[i]
		case a == "/qn" || a == "/quiet":
			quiet = true
		case a == "/norestart" || a == "reboot=reallysuppress":
			keep = true
		case strings.HasPrefix(a, "/l"):
			i++ // the log's name follows
		case strings.HasPrefix(a, "/"):
			return atOnce(msiUsage)
		case !strings.Contains(a, "="):
			return atOnce(msiUsage)
		}
	}
	if !quiet {
		return ending{forever: true}
	}
	f, ok := n.disk[key(path)]
	missing, wrong, suffix := int64(msiCannotOpen), int64(msiInvalid), ".msi"
	if patch {
		missing, wrong, suffix = mspCannotOpen, mspInvalid, ".msp"
	}
	switch {
	case path == "":
		return atOnce(msiUsage)
	case !ok:
		return atOnce(missing)
	case !strings.HasSuffix(key(f.path), suffix):
		return atOnce(wrong)
	case len(n.atWork) > 0:
		return atOnce(msiBusy)
	}
	u := readUpdate(f)
	switch {
	case patch && (n.installed[u.id] || !n.hasAll(u.requires)):
		return atOnce(mspTargetNotFound)
	case n.installed[u.id]:
		return atOnce(msiVersionInstalled)
	case !n.hasAll(u.requires):
		return atOnce(msiFailed)
	}
	e := ending{code: u.exit, takes: u.takes, by: byMsiexec, update: u}
	if !keep && u.exit == successRestart {
		e.code, e.restarts = successRestartInitiated, true
	}
	return e
}

func (n *Node) hasAll(ids []string) bool {
	for _, id := range ids {
		if !n.installed[id] {
			return false
		}
	}
	return true
}
