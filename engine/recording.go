package engine

import (
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// record makes a fact durable and folds it. After one failure nothing is recorded any more.
func (r *run) record(f Fact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recordLocked(f)
}

func (r *run) recordLocked(f Fact) error {
	if r.broken != nil {
		return r.broken
	}
	if r.fencedLocked() {
		return r.takenOverLocked("")
	}
	if r.state.StopNowBy != "" && f.Kind.begins() {
		return errStopNow
	}
	f.Time = r.now()
	f.MayIgnore = f.Kind.Ignorable()
	if err := r.Recorder.Record(f); err != nil {
		r.broken = &fault.Error{Op: "record " + string(f.Kind), Node: f.Node, Err: err, Hint: "The run stops here; resume it when its folder can be written again."}
		return r.broken
	}
	if err := r.state.Apply(f); err != nil {
		r.broken = err
		return r.broken
	}
	return r.stopWhenFull()
}

// now is the run's time as facts hold it: it must read back from JSON as the same value.
func (r *run) now() time.Time { return r.Clock.Now().UTC().Truncate(time.Millisecond) }

// node is a copy of the node's state.
func (r *run) node(name string) NodeRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	nr := r.state.Node(name)
	if nr == nil {
		return NodeRun{Name: name, Status: NodeCanceled}
	}
	return nr.clone()
}

// brokenErr is why nothing can be recorded any more, nil while it can.
func (r *run) brokenErr() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.broken
}

func (r *run) stopAsked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.StopAsked
}

// waitAsked tells whether somebody wants a pause or a stop: no further node is started then.
func (r *run) waitAsked() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.beginsNothing() || r.state.PauseAsked
}

// overBudget tells whether one node more than the budget has failed.
func (r *run) overBudget() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Failures() > r.state.FailureBudget
}

func (r *run) report(node string) func(plugins.Progress) {
	return func(p plugins.Progress) {
		if r.Telemetry != nil {
			r.Telemetry.Report(Progress{Time: r.now(), Node: node, Update: p.Update, Message: p.Message, Percent: p.Percent})
		}
	}
}
