package model

import (
	"slices"
	"strings"

	"cau/internal/winnode/agent"
)

// The node's folders (R17, R24).
const (
	workFolder       = `C:\Program Files\cau`
	runsFolder       = workFolder + `\runs\`
	jobsFolder       = workFolder + `\jobs\`
	agentFolder      = workFolder + `\agent\`
	checkpointFolder = "checkpoints"
	taskFolder       = `\cau\`
	pushRoot         = `C:\Windows\cau-push`
)

func runFolder(run string) string { return runsFolder + run }

// runOf is the run that a path of our working folder belongs to, or empty.
func runOf(path string) string {
	for _, below := range []string{runsFolder, pushRoot + `\`} {
		if rest, ok := strings.CutPrefix(path, below); ok {
			run, _, _ := strings.Cut(rest, `\`)
			return run
		}
	}
	return ""
}

// clean removes what a run left on the node, or every trace; nothing while one of its jobs works.
func (n *Node) clean(a agent.CleanArgs) (agent.Clean, error) {
	out := agent.Clean{Removed: []string{}}
	if a.Run != "" && !validName(a.Run) {
		return out, errName()
	}
	if err := firstOf(n.planted("jobs"), n.planted(`jobs\`+a.Run), n.planted(`runs\`+a.Run), n.planted(checkpointFolder), n.plantedTasks(), n.plantedPush()); err != nil {
		return out, err
	}
	mine := func(run string) bool { return a.Run == "" || run == a.Run }
	for _, j := range n.jobs {
		if mine(j.run) && j.works() {
			return out, &refusal{"refused", "job " + j.id + " still works"}
		}
	}
	gone := map[string]bool{}
	if a.Run == "" {
		// The script removes the roots, whatever lies in them.
		n.everything(gone)
	}
	for name, j := range n.jobs {
		if mine(j.run) {
			if !j.here {
				gone[taskFolder+j.run+"."+j.id] = true
			}
			n.removes(gone, a.Run, jobsFolder+j.run)
			delete(n.jobs, name)
		}
	}
	for name, f := range n.disk {
		if run := runOf(f.path); mine(run) {
			if strings.HasPrefix(f.path, runsFolder) {
				n.removes(gone, a.Run, runFolder(run))
			}
			n.free += f.size
			delete(n.disk, name)
		}
	}
	for run := range n.pushes {
		if mine(run) {
			n.removes(gone, a.Run, pushRoot+`\`+run)
			delete(n.pushes, run)
		}
	}
	if a.Run != "" && len(n.pushes) == 0 && gone[pushRoot+`\`+a.Run] {
		gone[pushRoot] = true
	}
	for run := range n.checkpoints {
		if mine(run) {
			n.removes(gone, a.Run, workFolder+`\`+checkpointFolder+`\`+run+".json")
			delete(n.checkpoints, run)
		}
	}
	for folder := range gone {
		out.Removed = append(out.Removed, folder)
	}
	slices.Sort(out.Removed)
	return out, nil
}

// removes notes what goes with one run.
func (n *Node) removes(gone map[string]bool, run, path string) {
	if run != "" {
		gone[path] = true
	}
}

// everything notes the roots that go when every trace does: the scripts and what the node knew of leases with them.
func (n *Node) everything(gone map[string]bool) {
	gone[workFolder] = true
	if len(n.pushes) > 0 {
		gone[pushRoot] = true
	}
	for _, j := range n.jobs {
		if !j.here {
			gone[strings.TrimSuffix(taskFolder, `\`)] = true
		}
	}
	n.agentHash, n.knownEpoch = "", 0
}
