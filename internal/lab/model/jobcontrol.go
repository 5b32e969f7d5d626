package model

import (
	"slices"
	"strings"

	"cau/internal/winnode/agent"
)

// child is a process that a job started: an installer or a script.
type child struct {
	pid   int
	entry *Install
}

// listJobs gives a run's jobs, or all.
func (n *Node) listJobs(a agent.JobListArgs) (agent.JobList, error) {
	out := agent.JobList{Jobs: []agent.JobEntry{}}
	if a.Run != "" && !validName(a.Run) {
		return out, errName()
	}
	if err := firstOf(n.planted("jobs"), n.plantedTasks()); err != nil {
		return out, err
	}
	for _, j := range n.jobs {
		if a.Run != "" && a.Run != j.run {
			continue
		}
		out.Jobs = append(out.Jobs, agent.JobEntry{
			Run: j.run, ID: j.id, Kind: j.kind, TaskState: j.state, LastResult: j.last, ProcessAlive: j.alive(),
			HeartbeatUTC: j.heartbeat(), Finished: j.result != "",
		})
	}
	slices.SortFunc(out.Jobs, func(a, b agent.JobEntry) int { return strings.Compare(a.Run+`\`+a.ID, b.Run+`\`+b.ID) })
	return out, nil
}

// find looks a job up for an operation on it; nil when there is none.
func (n *Node) find(a agent.JobArgs) (*job, error) {
	if !validName(a.ID) || !validName(a.Run) {
		return nil, errName()
	}
	if err := n.plantedJob(a.Run, a.ID); err != nil {
		return nil, err
	}
	return n.jobs[a.Run+`\`+a.ID], nil
}

// cancelJob leaves a note that the job looks for before it starts something. What runs goes on (R18).
func (n *Node) cancelJob(a agent.JobArgs) (agent.JobCancel, error) {
	j, err := n.find(a)
	if err != nil || j == nil {
		return agent.JobCancel{}, err
	}
	j.cancelled = true
	return agent.JobCancel{Exists: true}, nil
}

const errWasCancelled = 1223 // ERROR_CANCELLED

func errCancelled() error {
	return &coded{"refused", "the job was cancelled before it began this", errWasCancelled}
}

// killJob ends what a job started, and then the job, which never has a result. What the update agent installs goes
// on without it.
func (n *Node) killJob(a agent.JobArgs) (agent.JobKill, error) {
	out := agent.JobKill{Ended: []int{}}
	j, err := n.find(a)
	if err != nil || j == nil {
		return out, err
	}
	out.Exists = true
	if c := j.child; c != nil {
		out.Ended = append(out.Ended, c.pid)
		j.child = nil
		if c.entry != nil {
			n.over(c.entry, 1)
			n.world.incident(n.name, "killed", c.entry.File+" was ended while it was being installed")
		}
	}
	if j.process {
		out.Ended = append(out.Ended, jobPID)
		j.stop(resultTerminated)
	}
	return out, nil
}

// jobPID stands for the process of a job's own PowerShell.
const jobPID = 3980

// deleteJob removes a job's task and files.
func (n *Node) deleteJob(a agent.JobArgs) (agent.JobDelete, error) {
	j, err := n.find(a)
	switch {
	case err != nil || j == nil:
		return agent.JobDelete{}, err
	case j.works():
		return agent.JobDelete{}, &refusal{"refused", "job " + j.id + " still works"}
	}
	delete(n.jobs, a.Run+`\`+a.ID)
	return agent.JobDelete{Removed: true}, nil
}

const errAccessDenied = 5

// runHere runs a script in the caller's own logon and ends with it. What is read of it is read by job.poll. It gives
// the job to wait for, or the answer when there is nothing to wait for.
func (n *Node) runHere(a agent.JobRunHereArgs) (any, error) {
	if a.Kind != agent.JobScript {
		return nil, &refusal{"refused", "only a script runs in the logon of its caller"}
	}
	j, _, err := n.job(agent.JobStartArgs(a), true)
	if err != nil {
		return nil, err
	}
	if j.claimed {
		return agent.JobStart{Existed: true}, nil
	}
	j.started()
	return j, nil
}

// networkLogon is why the update agent, wusa and shares refuse what runs in the logon of a caller who came over the
// network: the token counts, not who calls (KB2773898 and the update agent's page on remote computers).
func (j *job) networkLogon() error {
	if !j.here {
		return nil
	}
	return &hresult{0x80070000 | errAccessDenied, "Access is denied. (0x80070005 E_ACCESSDENIED)"}
}
