package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"cau/internal/fault"
	"cau/plugins"
)

// An installer or a script that outlived its limit is not ended (R18): what it ends with is waited for beside the rest.

// sawRunning keeps that a job was seen here that outlived its limit.
func (r *run) sawRunning(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ranHere[node] = true
}

// lateNode lets a plug-in wait for an installer without its limit, and never start it where the node can do that.
type lateNode struct{ plugins.Node }

// RunJob waits for the job that is there.
func (n lateNode) RunJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	job.Limit = 0
	if a, ok := n.Node.(Attacher); ok {
		return a.AttachJob(ctx, job, onEvent)
	}
	return n.Node.RunJob(ctx, job, onEvent)
}

// watchJob waits for the end of a job that outlived its limit and records what look makes of it, unless the watch is over
// before. look waits until the job has ended; what it cannot say yet it is asked again.
func (r *run) watchJob(ctx context.Context, np NodePlan, look func(ctx context.Context, node plugins.Node) (Fact, bool)) error {
	bound := r.lateBound(np)
	limited, cancel := context.WithCancel(ctx)
	var timer sync.WaitGroup
	defer timer.Wait()
	defer cancel()
	// Waiting for the job has no end of its own; that of the watch is counted here.
	timer.Go(func() {
		defer cancel()
		for !bound.wait.over(r.Clock.Now()) && r.sleepUntilStop(limited) == nil && r.stopped.Err() == nil {
		}
	})
	for {
		end, ended := look(limited, lateNode{r.Nodes(np.Name)})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case ended:
			return r.record(end)
		}
		if limited.Err() == nil && r.sleepUntilStop(limited) == nil && r.stopped.Err() == nil {
			continue // contact was lost, and may come back
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		cancel()
		timer.Wait()
		_, err := bound.over()
		return err
	}
}

// watchInstaller journals how an installer ended that outlived its limit. The node stays held, paused (R18).
func (r *run) watchInstaller(ctx context.Context, np NodePlan, update string) error {
	nr := r.node(np.Name)
	job := r.updateJob(nr, update)
	u := findUpdate(np, nr, update)
	plugin, _ := r.plugin(*u)
	return r.watchJob(ctx, np, func(ctx context.Context, node plugins.Node) (Fact, bool) {
		res, err := plugin.Install(ctx, node, r.installRequest(job, *u), r.report(np.Name))
		switch {
		case err == nil && known(res.Outcome):
			return r.endedLate(np, u, job, res), true
		case errors.Is(err, plugins.ErrJobLost):
			return r.endedLate(np, u, job, plugins.Result{Outcome: plugins.Unknown, Cause: causeFrom(err)}), true
		}
		return Fact{}, false
	})
}

// endedLate says how the installer ended. The update stays failed and the node held: it was judged when its time was over.
func (r *run) endedLate(np NodePlan, u *plugins.Update, job string, res plugins.Result) Fact {
	said := "its installer ended late: " + string(res.Outcome)
	if res.ExitCode != nil {
		said += fmt.Sprintf(", exit code %d", res.ExitCode.Int32())
	}
	data := FactData{Job: job, Result: &res, Message: u.Name + ": " + said + ".", Cause: r.lateCause(np.Name, said)}
	if res.RestartRequired {
		data.Cause.Hint = "It asks for a restart: restart " + np.Name + " by hand, then resume it with Resume-ClusterNode."
	} else {
		data.Cause.Hint = np.Name + " stays paused: look at it, then resume it with Resume-ClusterNode."
	}
	return Fact{Kind: FactInstallerEndedLate, Node: np.Name, Update: u.ID, Data: data}
}

// lateCause is the node's first cause with what happened since (R30).
func (r *run) lateCause(node, said string) *fault.Cause {
	c := fault.Cause{Op: "watch", Node: node, Message: node}
	if first := r.node(node).Cause; first != nil {
		c = *first
	}
	c.Message += "; " + said
	return &c
}

// watchScript journals how a script ended that outlived its limit. Its node stays as it was judged then (R18).
func (r *run) watchScript(ctx context.Context, np NodePlan) error {
	nr := r.node(np.Name)
	phase, s := plugins.PhasePre, r.Plan.PreScript
	if nr.PreScript == nil || !nr.PreScript.RunsOn {
		phase, s = plugins.PhasePost, r.Plan.PostScript
	}
	job, err := r.scriptAsJob(np, phase, s)
	if err != nil {
		return err
	}
	return r.watchJob(ctx, np, func(ctx context.Context, node plugins.Node) (Fact, bool) {
		output, err := node.RunJob(ctx, job, func(plugins.JobEvent) {})
		said := ScriptFact{Phase: phase, Name: s.Name}
		var done plugins.ScriptJobResult
		how := "without a result"
		switch {
		case err == nil && json.Unmarshal(output, &done) == nil:
			said.ExitCode, said.Account, said.Truncated, said.Log = &done.ExitCode, done.Account, done.Truncated, done.Log
			how = fmt.Sprintf("exit code %d", done.ExitCode)
		case err == nil, errors.Is(err, plugins.ErrJobLost):
		case errors.Is(err, plugins.ErrJobFailed):
			how = oneLine(err)
		default:
			return Fact{}, false
		}
		how = s.Name + " ended late: " + how
		return Fact{Kind: FactScriptEndedLate, Node: np.Name, Data: FactData{Job: job.ID, Script: &said, Message: how + ".", Cause: r.lateCause(np.Name, how)}}, true
	})
}
