package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

const (
	// outputLines are kept in the outcome, each of outputRunes at most; outputReported are passed on as telemetry.
	outputLines    = 20
	outputRunes    = 300
	outputReported = 1000
)

// scriptOpen tells whether the script of the phase has begun and has no outcome.
func (n *NodeRun) scriptOpen(phase string) bool {
	s := n.PostScript
	if phase == plugins.PhasePre {
		s = n.PreScript
	}
	return s != nil && s.Ended.IsZero()
}

// scriptRunsOn tells whether a script may be running there: then its folder is not removed (R18).
func (n *NodeRun) scriptRunsOn() bool {
	return (n.PreScript != nil && n.PreScript.RunsOn) || (n.PostScript != nil && n.PostScript.RunsOn)
}

func (r *run) scriptIntent(np NodePlan, phase string, s *Script, checks []check.Result) Fact {
	return Fact{Kind: FactScriptIntent, Node: np.Name, Data: FactData{
		Job: r.scriptJob(np, phase), Checks: checks,
		Script: &ScriptFact{Phase: phase, Name: s.Name, SHA256: s.SHA256, As: r.Plan.Options.ScriptAs},
	}}
}

func (r *run) scriptJob(np NodePlan, phase string) string {
	nr := r.node(np.Name)
	return jobID(r.Plan.Run, np.Name, inPass("script-"+phase, nr.Pass), nr.Attempt)
}

// preScript runs on a node that is in service. When it fails the node stays so, and has failed.
func (r *run) preScript(ctx context.Context, np NodePlan) error {
	return r.script(ctx, np, plugins.PhasePre, r.Plan.PreScript, LeaveInService)
}

func (r *run) postScriptDue(nr NodeRun) bool {
	return r.Plan.PostScript != nil && (nr.PostScript == nil || nr.scriptOpen(plugins.PhasePost))
}

// postScript runs on a node that is back in service. When it fails the node has failed, or partially, and stays there.
func (r *run) postScript(ctx context.Context, np NodePlan) error {
	if r.node(np.Name).PostScript == nil {
		if err := r.record(r.scriptIntent(np, plugins.PhasePost, r.Plan.PostScript, nil)); err != nil {
			return err
		}
	}
	return r.script(ctx, np, plugins.PhasePost, r.Plan.PostScript, "")
}

// script runs a pinned script as a job whose id is the same after a crash, so that repeating it attaches (R26). It
// is never ended by us: one that takes too long has failed, runs on, and is watched (R18).
func (r *run) script(ctx context.Context, np NodePlan, phase string, s *Script, leave Leave) error {
	job, err := r.scriptAsJob(np, phase, s)
	if err != nil {
		return err
	}
	r.checkpoint(ctx, np.Name)
	tail := &outputTail{report: r.report(np.Name), name: s.Name}
	output, err := r.Nodes(np.Name).RunJob(ctx, job, tail.event)
	again := r.retryCredential(ctx, np.Name, err)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case again:
		return nil // it is attached to, as after a crash
	}
	var done plugins.ScriptJobResult
	if err == nil {
		if err = json.Unmarshal(output, &done); err != nil {
			err = fmt.Errorf("%w that can be read: %w", plugins.ErrJobLost, err)
		}
	}
	said := ScriptFact{Phase: phase, Name: s.Name, Output: tail.lines()}
	if err == nil {
		said.ExitCode, said.Account, said.Truncated, said.Log = &done.ExitCode, done.Account, done.Truncated, done.Log
		if done.ExitCode != 0 {
			err = fmt.Errorf("exit code %d", done.ExitCode)
		}
	} else {
		said.RunsOn = !errors.Is(err, plugins.ErrJobFailed) && !errors.Is(err, plugins.ErrJobLost)
	}
	if errors.Is(err, plugins.ErrJobStillRunning) {
		r.sawRunning(np.Name)
	}
	data := FactData{Job: job.ID, Script: &said}
	if err != nil {
		data.Leave, data.Cause = leave, scriptCause(np.Name, &said, err)
	}
	return r.record(Fact{Kind: FactScriptDone, Node: np.Name, Data: data})
}

// scriptAsJob is the script as a job on the node.
func (r *run) scriptAsJob(np NodePlan, phase string, s *Script) (plugins.Job, error) {
	input, err := json.Marshal(plugins.ScriptJob{Run: r.Plan.Run, Name: s.Name, SHA256: s.SHA256, Cluster: r.Plan.Cluster, Phase: phase, Text: s.Text})
	if err != nil {
		return plugins.Job{}, fmt.Errorf("write the script job: %w", err)
	}
	o := r.Plan.Options
	return plugins.Job{
		ID: r.scriptJob(np, phase), Kind: plugins.JobScript, Input: input,
		Limit: time.Duration(o.ScriptTimeoutMinutes) * time.Minute, AsCaller: o.ScriptAs == ScriptAsCaller,
	}, nil
}

// scriptCause says which script it was, why it failed, what it said last, and how the node is.
func scriptCause(node string, s *ScriptFact, err error) *fault.Cause {
	if n := len(s.Output); n > 0 {
		err = fmt.Errorf("%w; its last line: %s", err, s.Output[n-1])
	}
	state := node + " was not paused and stays in service."
	if s.Phase == plugins.PhasePost {
		state = node + " is back in service."
	}
	hint := ""
	switch {
	case s.Log != "":
		hint = "Read what it printed on the node, in " + s.Log + "; it stays there until cau node clean. "
	case s.RunsOn:
		hint = "It is not ended: see on the node whether it still runs; its late end is journalled. "
	}
	return causeOfStep(s.Phase+"-update script "+s.Name, node, err, hint+state)
}

// outputTail passes a script's lines on as telemetry, up to a bound, and keeps the last ones.
type outputTail struct {
	report func(plugins.Progress)
	name   string

	mu   sync.Mutex
	seen int
	kept []string
}

func (t *outputTail) event(e plugins.JobEvent) {
	if e.Kind != "output" {
		return
	}
	line := plainLine(e.Message)
	t.mu.Lock()
	t.seen++
	seen := t.seen
	t.kept = append(t.kept, line)
	if len(t.kept) > outputLines {
		t.kept = t.kept[1:]
	}
	t.mu.Unlock()
	switch {
	case seen <= outputReported:
		t.report(plugins.Progress{Message: t.name + ": " + line, Percent: -1})
	case seen == outputReported+1:
		t.report(plugins.Progress{Message: t.name + ": more lines are only in its log on the node", Percent: -1})
	}
}

func (t *outputTail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept
}

// plainLine is a line of a script without what a terminal would obey (R33), cut to a bound.
func plainLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if invisible(r) {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > outputRunes {
		return string(runes[:outputRunes])
	}
	return s
}
