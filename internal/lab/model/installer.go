package model

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// Install is one start of an installer, as the node's history has it.
type Install struct {
	Run        string    `json:"run"`
	Job        string    `json:"job"`
	Update     string    `json:"update"`
	File       string    `json:"file"`
	Program    string    `json:"program"`
	Parameters string    `json:"parameters"`
	Start      time.Time `json:"start"`
	// End is zero while it runs, or when a restart ended it.
	End  time.Time `json:"end,omitzero"`
	Code int64     `json:"code"`
	// Overlap: another installer was running when this one was started.
	Overlap bool `json:"overlap,omitempty"`
	// Installed: this start is the one that installed the update.
	Installed bool `json:"installed,omitempty"`
	// Agent: the update agent installed it; Update is its id, File its title and Code the HRESULT.
	Agent bool `json:"agent,omitempty"`
	// windows: one of Windows' own programs installs, which others can see.
	windows bool
}

// selfRestart is how long an installer that restarts the node by itself waits before it does.
const selfRestart = 5 * time.Second

// fullProgram is a program on a local drive: Windows would look for any other in the job's folder first.
var fullProgram = regexp.MustCompile(`^[A-Za-z]:\\[^"\x00-\x1f]+$`)

// install runs an installer's command line as the job says.
func (n *Node) install(j *job, in agent.InstallerInput) error {
	if !validName(in.Run) || !validName(in.Update) {
		return errName()
	}
	if !validRelative(in.Target) {
		return &refusal{"refused", "a file path is not a plain path below its folder"}
	}
	if err := firstOf(n.planted(`runs\`+in.Run+`\`+in.Update), n.verify(in)); err != nil {
		return err
	}
	if err := n.alone(in); err != nil {
		return err
	}
	path := stagedPath(in.Run, in.Update, in.Target)
	out := agent.InstallerOutput{}
	var err error
	if out.Signature, err = checkSignature(j, n.disk[key(path)], in.Signature); err != nil {
		return err
	}
	if j.cancelled {
		return errCancelled()
	}
	own := map[string]string{"cau_update": path[:strings.LastIndex(path, `\`)], "cau_log": j.file("installer.log")}
	program, parameters := expand(in.Program, own), expand(in.Parameters, own)
	if !fullProgram.MatchString(program) {
		return &refusal{"refused", program + " is not the full path of a program on this node"}
	}
	j.event("starting", program+" "+parameters, 0, 0)
	e, ok := n.execute(j, program, parameters)
	if !ok {
		return win32(errFileNotFound, "The system cannot find the file specified.")
	}
	if e.update != nil {
		n.comesLater(in.Target, &e)
	}
	if e.update != nil && strings.Contains(parameters, own["cau_log"]) {
		out.Log = own["cau_log"]
	}
	entry := &Install{
		Run: in.Run, Job: j.id, Update: in.Update, File: in.Target, Program: program, Parameters: parameters,
		Start: n.world.now,
	}
	entry.windows = e.by != byItself
	n.begins(entry)
	j.child = &child{pid: n.pid(), entry: entry}
	j.event("running", fmt.Sprintf("process %d", j.child.pid), 0, 0)
	if e.update != nil && !entry.Overlap {
		n.world.scenario.disturb(n.name, entry.File, &e)
	}
	if e.jobDies > 0 {
		n.during(e.jobDies, func() { j.stop(resultTerminated) })
	}
	if !e.forever {
		running := j.child
		n.during(e.takes, func() {
			if j.child == running {
				n.ended(j, entry, e, out)
			}
		})
	}
	return nil
}

// begins notes that an installer was started, and whether another one was at work.
func (n *Node) begins(entry *Install) {
	entry.Overlap = len(n.atWork) > 0
	n.installs = append(n.installs, entry)
	if entry.Overlap {
		n.world.incident(n.name, "overlap", entry.File+" was started while another installer was running")
	}
	n.atWork[entry] = true
}

// over notes that an installer is gone.
func (n *Node) over(entry *Install, code int64) {
	delete(n.atWork, entry)
	entry.End, entry.Code = n.world.now, code
}

// ended is the moment at which an installer's process is gone.
func (n *Node) ended(j *job, entry *Install, e ending, out agent.InstallerOutput) {
	if e.update != nil && !entry.Overlap {
		if code, ok := n.world.scenario.exit(n.name, baseName(entry.File)); ok {
			e.code, e.restarts = code, code == successRestartInitiated && e.by != byItself
		}
		if e.jobDies == 0 && succeeded(e.code) && e.code != wusaAlreadyInstalled || e.jobDies > 0 && e.installs {
			n.installed[e.update.id] = true
			entry.Installed = true
			n.pends(e)
		}
		n.reports(entry, e)
	}
	n.over(entry, e.code)
	j.child = nil
	if j.process {
		j.event("exited", fmt.Sprintf("exit code %d", e.code), 0, 0)
		out.ExitCode = e.code
		j.finish(out, nil)
	}
	if e.restarts {
		n.world.incident(n.name, "self-restart", entry.File+" restarts the node by itself")
		n.during(selfRestart, n.shutDown)
	}
}

// reports writes what Windows' own logs say of an installation.
func (n *Node) reports(entry *Install, e ending) {
	file := baseName(entry.File)
	switch e.by {
	case byWusa:
		if !entry.Installed {
			n.addHistory(file, resultFailed, e.code&0xFFFFFFFF)
			n.note(logSystem, "Microsoft-Windows-WindowsUpdateClient", 20, levelError, fmt.Sprintf("Installation Failure: Windows failed to install the following update with error 0x%08X: %s.", uint32(e.code), file))
			return
		}
		n.addHotfix([]string{packageKB(e.update.id)}, "Update")
		n.addHistory(file, resultSucceeded, 0)
		n.note(logSystem, "Microsoft-Windows-WindowsUpdateClient", 19, levelInformation, "Installation Successful: Windows successfully installed the following update: "+file)
	case byMsiexec:
		id, level := 1033, levelInformation
		n.note(logApplication, "MsiInstaller", id, level, fmt.Sprintf("Windows Installer installed the product. Product Name: %s. Installation success or error status: %d.", file, e.code))
	case byItself:
	}
}

// pends sets the signals of a pending restart that an installer leaves.
func (n *Node) pends(e ending) {
	if e.code != successRestart && e.code != successRestartInitiated && e.code != wusaRestart {
		return
	}
	switch e.by {
	case byWusa:
		n.pending.CBSRebootPending = true
		n.pending.WURebootRequired = true
	case byMsiexec:
		n.pending.PendingFileRename = true
	case byItself:
		n.pending.UpdateExeVolatile = true
	}
}

// Installer is how the installation of a file, by its name, goes on Node; an empty Node means all.
type Installer struct {
	Node string `json:"node,omitempty"`
	File string `json:"file"`
	// Hangs: it never ends.
	Hangs bool `json:"hangs,omitempty"`
	// Seconds is how long it takes, if it is not 0.
	Seconds float64 `json:"seconds,omitempty"`
	// Lost: its job dies before it ends, and no result is ever known. Installs tells whether the installer, which
	// goes on, installs its update nevertheless.
	Lost     bool `json:"lost,omitempty"`
	Installs bool `json:"installs,omitempty"`
	// Needs is the name of a file whose update must be installed first, and with Restarted the node restarted after that:
	// before it, File does not apply. Only .msu and .msp say so with a code of their own.
	Needs     string `json:"needs,omitempty"`
	Restarted bool   `json:"restarted,omitempty"`
}

// comesLater takes the update from an installation whose scenario says that another one must come first.
func (n *Node) comesLater(path string, e *ending) {
	for _, i := range n.world.scenario.Installers {
		if i.Node != "" && !is(i.Node, n.name) || !is(i.File, baseName(path)) {
			continue
		}
		if i.Needs == "" || n.has(i.Needs, i.Restarted) {
			return
		}
		switch e.by {
		case byWusa:
			*e = atOnce(wusaNotApplicable)
		default:
			*e = atOnce(mspTargetNotFound)
		}
		return
	}
}

// has tells whether a file's update was installed here, and the node restarted since where that is asked.
func (n *Node) has(name string, restarted bool) bool {
	for _, done := range n.installs {
		if done.Installed && is(baseName(done.File), name) && (!restarted || done.End.Before(n.bootTime)) {
			return true
		}
	}
	return false
}

// disturb makes an installation go as the scenario says.
func (s *Scenario) disturb(node, file string, e *ending) {
	for _, i := range s.Installers {
		if i.Node != "" && !is(i.Node, node) || !is(i.File, baseName(file)) {
			continue
		}
		e.forever = e.forever || i.Hangs
		if i.Seconds > 0 {
			e.takes = seconds(i.Seconds)
		}
		if i.Lost {
			e.jobDies, e.installs = max(e.takes/2, time.Millisecond), i.Installs
		}
		return
	}
}

// exit is the code that the scenario gives an installation instead of its own.
func (s *Scenario) exit(node, file string) (int64, bool) {
	for _, e := range s.Exits {
		if (e.Node == "" || is(e.Node, node)) && is(e.File, file) {
			return e.Code, true
		}
	}
	return 0, false
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// is compares names as Windows does.
func is(a, b string) bool { return strings.EqualFold(a, b) }
