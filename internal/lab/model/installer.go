package model

import (
	"fmt"
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
}

// selfRestart is how long an installer that restarts the node by itself waits before it does.
const selfRestart = 5 * time.Second

// install runs an installer's command line as the job says.
func (n *Node) install(j *job, in agent.InstallerInput) error {
	if !validName(in.Run) || !validName(in.Update) {
		return errName()
	}
	if !validRelative(in.Target) {
		return &refusal{"refused", "a file path is not a plain path below its folder"}
	}
	if err := n.verify(in); err != nil {
		return err
	}
	path := stagedPath(in.Run, in.Update, in.Target)
	folder := path[:strings.LastIndex(path, `\`)]
	program, parameters := expand(in.Program, folder), expand(in.Parameters, folder)
	j.event("starting", program+" "+parameters, 0, 0)
	e, ok := n.execute(program, parameters)
	if !ok {
		return win32(errFileNotFound, "The system cannot find the file specified.")
	}
	entry := &Install{
		Run: in.Run, Job: j.id, Update: in.Update, File: in.Target, Program: program, Parameters: parameters,
		Start: n.world.now, Overlap: n.busy > 0,
	}
	n.installs = append(n.installs, entry)
	if entry.Overlap {
		n.world.incident(n.name, "overlap", in.Target+" was started while another installer was running")
	}
	j.event("running", fmt.Sprintf("process %d", 4000+4*len(n.installs)), 0, 0)
	n.busy++
	if !e.forever {
		n.during(e.takes, func() {
			n.busy--
			n.ended(j, entry, e)
		})
	}
	return nil
}

// ended is the moment at which an installer's process is gone.
func (n *Node) ended(j *job, entry *Install, e ending) {
	if e.update != nil && !entry.Overlap {
		if code, ok := n.world.scenario.exit(n.name, baseName(entry.File)); ok {
			e.code, e.restarts = code, false
		}
		if succeeded(e.code) && e.code != wusaAlreadyInstalled {
			n.installed[e.update.id] = true
			entry.Installed = true
			n.pends(e)
		}
	}
	entry.End, entry.Code = n.world.now, e.code
	j.event("exited", fmt.Sprintf("exit code %d", e.code), 0, 0)
	j.finish(agent.InstallerOutput{ExitCode: e.code}, nil)
	if e.restarts {
		n.world.incident(n.name, "self-restart", entry.File+" restarts the node by itself")
		n.during(selfRestart, n.shutDown)
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

// exit is the code that the scenario gives an installation instead of its own.
func (s Scenario) exit(node, file string) (int64, bool) {
	for _, e := range s.Exits {
		if (e.Node == "" || strings.EqualFold(e.Node, node)) && strings.EqualFold(e.File, file) {
			return e.Code, true
		}
	}
	return 0, false
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }
