package winnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// ErrNoJob says that a node knows no job of that name.
var ErrNoJob = errors.New("there is no such job on the node")

// JobInfo is one job as it lies on a node, of this run or an earlier one.
type JobInfo struct {
	Run, ID, Kind string
	// TaskState is the Task Scheduler's (2 queued, 4 running), 0 where there is no task any more; LastResult its
	// LastTaskResult.
	TaskState  int
	LastResult fault.Code
	// Alive: its process, or an installer that it started, still runs.
	Alive bool
	// Heartbeat is its last sign of life by the node's clock, zero where there is none.
	Heartbeat time.Time
	// Finished: it has written a result.
	Finished bool
}

// Jobs lists the jobs of a run, or all jobs with an empty run, as the node has them.
func (n *Node) Jobs(ctx context.Context, run string) ([]JobInfo, error) {
	if run != "" && !idShape.MatchString(run) {
		return nil, &fault.Error{Op: what(agent.OpJobList), Node: n.Name(), Err: errBadID}
	}
	var list agent.JobList
	if _, err := n.link.call(ctx, agent.OpJobList, agent.JobListArgs{Run: run}, &list); err != nil {
		return nil, err
	}
	out := make([]JobInfo, 0, min(len(list.Jobs), maxFacts))
	for _, j := range list.Jobs[:min(len(list.Jobs), maxFacts)] {
		beat, _ := time.Parse(time.RFC3339Nano, j.HeartbeatUTC) // zero where there is none
		out = append(out, JobInfo{
			Run: agent.Printable(j.Run, 100), ID: agent.Printable(j.ID, 100), Kind: agent.Printable(j.Kind, 40), TaskState: j.TaskState,
			LastResult: fault.CodeOf(j.LastResult), Alive: j.ProcessAlive, Heartbeat: beat, Finished: j.Finished,
		})
	}
	return out, nil
}

// onJob performs one operation on one job and reads its answer into out.
func (n *Node) onJob(ctx context.Context, op, run, id string, out any) error {
	if !idShape.MatchString(run) || !idShape.MatchString(id) {
		return &fault.Error{Op: what(op), Node: n.Name(), Err: errBadID}
	}
	_, err := n.link.call(ctx, op, agent.JobArgs{ID: id, Run: run}, out)
	return err
}

// CancelJob asks a job to stop before its next update, or before it starts its installer. What is being installed is
// never interrupted (R18). The error is ErrNoJob where there is no such job.
func (n *Node) CancelJob(ctx context.Context, run, id string) error {
	var c agent.JobCancel
	if err := n.onJob(ctx, agent.OpJobCancel, run, id, &c); err != nil {
		return err
	}
	if !c.Exists {
		return n.noJob(agent.OpJobCancel, id)
	}
	return nil
}

// KillJob ends the process tree of a job's installer or script, and then the job, and returns the ids of the processes
// that were ended. It is for `cau job kill` with a typed confirmation alone (R18).
func (n *Node) KillJob(ctx context.Context, run, id string) (ended []int, err error) {
	var k agent.JobKill
	if err := n.onJob(ctx, agent.OpJobKill, run, id, &k); err != nil {
		return nil, err
	}
	if !k.Exists {
		return nil, n.noJob(agent.OpJobKill, id)
	}
	for _, pid := range k.Ended[:min(len(k.Ended), maxFacts)] {
		if pid <= 0 {
			return nil, &fault.Error{Op: what(agent.OpJobKill), Node: n.Name(), Err: &transportError{fmt.Errorf("%d is no process id", pid)}}
		}
		ended = append(ended, pid)
	}
	return ended, nil
}

// DeleteJob removes a job's task and files; the node refuses while it still works. removed is false where there was none.
func (n *Node) DeleteJob(ctx context.Context, run, id string) (removed bool, err error) {
	var d agent.JobDelete
	if err := n.onJob(ctx, agent.OpJobDelete, run, id, &d); err != nil {
		return false, err
	}
	return d.Removed, nil
}

func (n *Node) noJob(op, id string) error {
	return &fault.Error{Op: what(op), Node: n.Name(), Err: fmt.Errorf("%w: %s", ErrNoJob, id)}
}
