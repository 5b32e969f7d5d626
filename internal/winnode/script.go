package winnode

import (
	"context"
	"fmt"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

// runHere is a script that runs in the logon of whoever is connected, in a WinRS shell of its own: the node's other
// operations go on beside it.
type runHere struct {
	// ended is done when the request came back; err says how, then.
	ended context.Context //nolint:containedctx // a signal that a wait can be made to follow
	err   error
}

// startHere asks for the script, unless the node knows of it already. Whatever may be repeated comes first: the look
// whether it is there, the connection, the bundle. The request itself leaves at most once.
func (w *jobWatch) startHere(ctx context.Context) error {
	side := w.node.link.side()
	for {
		known, err := w.prepareHere(ctx, side)
		switch {
		case err == nil && known:
			side.close()
			w.heard()
			w.patience = w.node.fleet.cfg.LostContact
			return nil
		case err == nil:
			w.heard()
			w.patience = w.node.fleet.cfg.LostContact
			w.launch(side)
			return nil
		}
		if err = w.missed(ctx, err); err == nil {
			err = w.wait(ctx)
		}
		if err != nil {
			side.close()
			return err
		}
	}
}

// prepareHere looks whether the node knows of the script, and makes a shell for it if not.
func (w *jobWatch) prepareHere(ctx context.Context, side *link) (known bool, err error) {
	f := w.node.fleet
	if f.ending.Err() != nil {
		return false, &fault.Error{Op: what(agent.OpJobRunHere), Node: w.node.Name(), Err: errClosed}
	}
	var p agent.JobPoll
	if _, err := w.node.link.call(ctx, agent.OpJobPoll, agent.JobPollArgs{ID: w.args.ID, Run: w.args.Run}, &p); err != nil || p.Exists {
		return p.Exists, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.OperationLimit, fmt.Errorf("no answer within %s", f.cfg.OperationLimit))
	defer cancel()
	_, err = side.prepared(ctx, agent.OpJobRunHere)
	if err != nil && isTransport(err) {
		side.reset()
	}
	return false, err
}

// launch runs the script. It outlives the watch, as a job as SYSTEM would, and ends with the fleet at the latest.
func (w *jobWatch) launch(side *link) {
	f := w.node.fleet
	ended, end := context.WithCancel(context.Background())
	here := &runHere{ended: ended}
	w.here = here
	args := agent.JobRunHereArgs{ID: w.args.ID, Run: w.args.Run, Kind: w.args.Kind, Input: w.args.Input}
	f.closing.Go(func() {
		defer end()
		defer side.close()
		_, here.err = side.call(f.ending, agent.OpJobRunHere, args, nil)
	})
}

// judgeHere decides what a look means that does not find the script at work after it was asked for.
func (w *jobWatch) judgeHere() error {
	if w.here.ended.Err() == nil { // the request is under way, and has not come to its script yet
		w.dead = 0
		return nil
	}
	if err := w.here.err; err != nil && !isTransport(err) { // the node refused it
		return err
	}
	if w.dead++; w.dead < lostPolls {
		return nil
	}
	if w.here.err != nil {
		return w.fail(fmt.Errorf("%w: the connection that it ran in is gone: %w", plugins.ErrJobLost, w.here.err))
	}
	return w.fail(plugins.ErrJobLost)
}
