package winnode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

const (
	// taskStartLimit is how long a task may stay queued before its job begins: minutes after a boot.
	taskStartLimit = 5 * time.Minute
	// stageContact is how long a node is tried before its staging counts as failed.
	stageContact = 5 * time.Minute
	// lostPolls is how many looks in a row must find a job dead without a result.
	lostPolls = 2
	// stumbles is how long a node may answer that it cannot look now: an anti-virus program has a file, or
	// its own services are busy. What is under way there goes on.
	stumbles = 5 * time.Minute
	// overslept bounds what one gap between two answers counts: this host may have slept.
	overslept = 5 * time.Minute
)

// Task states (Task Scheduler, TASK_STATE).
const (
	taskQueued  = 2
	taskRunning = 4
)

// RunJob starts the job or attaches to it, and waits for its end. The loss of WinRM while the job runs is
// waited out, up to Config.LostContact.
//
// Errors: one that wraps plugins.ErrJobStillRunning when job.Limit is over (R18); one that wraps
// plugins.ErrJobLost when the job began and died without a result, or never began; otherwise a *fault.Error,
// with the job's own number when the job failed. When contact stays lost, the job may still be running. When
// ctx ends the job goes on, and RunJob returns ctx's error.
//
// A script in the caller's own logon (job.AsCaller) runs in a shell of its own, which the fleet keeps until it ends or
// the fleet is closed; it is asked for at most once, and after that only looked at.
func (n *Node) RunJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	w, err := n.watch(job, onEvent)
	if err != nil {
		return nil, err
	}
	if slices.Contains([]plugins.JobKind{plugins.JobStage, plugins.JobShareProbe, plugins.JobShareHash, plugins.JobUpdatesScan, plugins.JobUpdatesDownload, plugins.JobCauScan}, job.Kind) {
		// Before the first answer nothing is under way here, and nothing is drained that could be harmed.
		w.patience = min(w.patience, stageContact)
	}
	start := w.start
	if job.AsCaller {
		start = w.startHere
	}
	if err := start(ctx); err != nil {
		return nil, err
	}
	return w.follow(ctx)
}

var _ engine.Attacher = (*Node)(nil)

// AttachJob waits for the end of a job that is there, and never starts it (R19). The answers are those of RunJob; where
// the node has no such job, or one that does not begin, the error wraps plugins.ErrJobLost. Only job's ID, Kind, Input
// and Limit count.
func (n *Node) AttachJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	w, err := n.watch(job, onEvent)
	if err != nil {
		return nil, err
	}
	return w.follow(ctx)
}

// watch checks the job as one that leaves for the node, and asks for nothing yet.
func (n *Node) watch(job plugins.Job, onEvent func(plugins.JobEvent)) (*jobWatch, error) {
	args, err := n.order(job)
	if err != nil {
		return nil, &fault.Error{Op: jobWords(job.Kind), Node: n.Name(), Err: err}
	}
	now := n.fleet.cfg.Clock.Now()
	return &jobWatch{
		node: n, job: job, args: args, onEvent: onEvent, begun: now, asked: now, pause: n.fleet.cfg.PollMin, patience: n.fleet.cfg.LostContact,
	}, nil
}

// follow looks until the job has ended.
func (w *jobWatch) follow(ctx context.Context) (json.RawMessage, error) {
	for {
		result, err := w.poll(ctx)
		if result != nil {
			w.tidy(ctx)
		}
		if result != nil || err != nil {
			return result, err
		}
		if err := w.wait(ctx); err != nil {
			return nil, err
		}
	}
}

func jobWords(kind plugins.JobKind) string {
	switch kind {
	case plugins.JobStage:
		return "stage"
	case plugins.JobInstaller:
		return "install"
	case plugins.JobShareProbe:
		return "read the share"
	case plugins.JobShareHash:
		return "hash files of the share"
	case plugins.JobScript:
		return "run the script"
	case plugins.JobFileRead:
		return "read the file"
	case plugins.JobFileWrite:
		return "write the file"
	case plugins.JobUpdatesScan:
		return "scan for updates"
	case plugins.JobUpdatesDownload:
		return "download updates"
	case plugins.JobUpdatesInstall:
		return "install updates"
	case plugins.JobCauScan:
		return "ask CAU's provider for updates"
	case plugins.JobUpdatesRestart:
		return "ask whether a restart is required"
	}
	return string(kind)
}

// jobWatch follows one job. Times are the run's.
type jobWatch struct {
	node    *Node
	job     plugins.Job
	args    agent.JobStartArgs
	onEvent func(plugins.JobEvent)

	begun  time.Time
	asked  time.Time     // of the last question
	silent time.Duration // for how long no answer came to any
	lost   error         // the first error of that time
	// patience is how long the node may be out of reach now.
	patience time.Duration
	pause    time.Duration
	offset   int64
	active   bool     // the job has begun
	dead     int      // looks in a row that found it dead without a result
	here     *runHere // the script in a shell of its own, if it was started by us
}

func (w *jobWatch) now() time.Time { return w.node.fleet.cfg.Clock.Now() }

func (w *jobWatch) fail(err error) *fault.Error {
	return &fault.Error{Op: jobWords(w.job.Kind), Node: w.node.Name(), Err: err}
}

// start asks until the node has answered; asking again finds the job that an unanswered request started.
func (w *jobWatch) start(ctx context.Context) error {
	for {
		var s agent.JobStart
		_, err := w.node.link.call(ctx, agent.OpJobStart, w.args, &s)
		if err == nil {
			w.heard()
			w.patience = w.node.fleet.cfg.LostContact
			return nil
		}
		if err := w.missed(ctx, err); err != nil {
			return err
		}
		if err := w.wait(ctx); err != nil {
			return err
		}
	}
}

// missed takes note of an unanswered question. It returns an error when there is no point in asking again.
func (w *jobWatch) missed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	limit := w.patience
	switch {
	case rejected(err), errors.Is(err, engine.ErrCredential):
		// Waiting would only keep it from whoever can give another one. The job goes on.
		return err
	case isTransport(err):
	case passing(err):
		limit = min(limit, stumbles)
	default:
		return err
	}
	if w.lost == nil {
		w.lost = err
	}
	w.silent += min(max(w.now().Sub(w.asked), 0), overslept)
	w.asked = w.now()
	if w.silent >= limit {
		return w.fail(fmt.Errorf("contact was lost for %s and the job may still be running: %w", w.silent.Round(time.Second), w.lost))
	}
	return nil
}

// heard takes note of an answer.
func (w *jobWatch) heard() { w.asked, w.silent, w.lost = w.now(), 0, nil }

// wait lets time pass, longer and longer while there is no news. It ends the watch when the job's limit is over.
func (w *jobWatch) wait(ctx context.Context) error {
	if w.job.Limit > 0 {
		left := w.job.Limit - w.now().Sub(w.begun)
		if left <= 0 {
			return w.stillRunning()
		}
		w.pause = min(w.pause, max(left, time.Millisecond))
	}
	if err := w.sleep(ctx); err != nil {
		return err
	}
	w.pause = min(w.pause*3/2, w.node.fleet.cfg.PollMax)
	return nil
}

// sleep waits for the pause, or until a script in a shell of its own has ended.
func (w *jobWatch) sleep(ctx context.Context) error {
	if w.here == nil || w.here.ended.Err() != nil {
		return w.node.fleet.cfg.Clock.Sleep(ctx, w.pause)
	}
	early, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(w.here.ended, cancel)
	defer stop()
	if err := w.node.fleet.cfg.Clock.Sleep(early, w.pause); err != nil && ctx.Err() != nil {
		return err
	}
	return nil
}

func (w *jobWatch) stillRunning() error {
	err := fmt.Errorf("%w after %s", plugins.ErrJobStillRunning, w.job.Limit)
	if w.lost != nil {
		err = fmt.Errorf("%w; contact to the node is lost: %w", err, w.lost)
	}
	return w.fail(err)
}

// poll looks once, or as often as there is more to read. Nothing and no error means: not yet.
func (w *jobWatch) poll(ctx context.Context) (json.RawMessage, error) {
	for {
		var p agent.JobPoll
		_, err := w.node.link.call(ctx, agent.OpJobPoll, agent.JobPollArgs{ID: w.args.ID, Run: w.args.Run, Offset: w.offset}, &p)
		if err != nil {
			return nil, w.missed(ctx, err)
		}
		w.heard()
		more := w.deliver(&p)
		if p.Result != "" && !more {
			return w.finish(p.Result)
		}
		if !more {
			return nil, w.judge(ctx, &p)
		}
		w.dead = 0
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// deliver passes the events on and tells whether there may be more. An event that is not understood is
// skipped: events decide nothing.
func (w *jobWatch) deliver(p *agent.JobPoll) bool {
	if p.NextOffset <= w.offset {
		return false
	}
	w.offset, w.active = p.NextOffset, true
	w.pause = w.node.fleet.cfg.PollMin
	for _, line := range p.Events {
		var e agent.JobEvent
		if len(line) > 1<<16 || json.Unmarshal([]byte(line), &e) != nil || w.onEvent == nil {
			continue
		}
		at, _ := time.Parse(time.RFC3339Nano, e.UTC) // zero where the node gave none
		w.onEvent(plugins.JobEvent{
			Seq: e.Seq, Time: at, Kind: agent.Printable(e.Kind, 40), Message: agent.Printable(e.Message, maxMessage), Done: e.Done, Total: e.Total,
		})
	}
	return true
}

// judge decides what a look without news and without a result means.
func (w *jobWatch) judge(ctx context.Context, p *agent.JobPoll) error {
	switch {
	case p.ProcessAlive:
		w.active, w.dead = true, 0
		return nil
	case w.here != nil && !w.active:
		return w.judgeHere()
	case p.Exists && (p.TaskState == taskQueued || p.TaskState == taskRunning):
		w.dead = 0
	case p.Exists && !w.active:
		w.dead = 0 // registered, and not begun yet
	default:
		if w.dead++; w.dead >= lostPolls {
			if !p.Exists && !w.active {
				return w.fail(fmt.Errorf("%w: %w", plugins.ErrJobLost, ErrNoJob))
			}
			if !p.Exists {
				return w.fail(fmt.Errorf("%w: its folder is gone from the node", plugins.ErrJobLost))
			}
			return w.fail(plugins.ErrJobLost)
		}
		return nil
	}
	if !w.active && w.now().Sub(w.begun) >= taskStartLimit {
		w.forestall(ctx)
		return w.fail(fmt.Errorf("%w: its task did not begin within %s (task state %d)", plugins.ErrJobLost, taskStartLimit, p.TaskState))
	}
	return nil
}

// forestall keeps a job that has not begun in time from beginning later, when nobody counts with it any more (R18). One
// that begins just now goes on: the note is not looked for after the start.
func (w *jobWatch) forestall(ctx context.Context) {
	if err := w.node.CancelJob(ctx, w.args.Run, w.args.ID); err != nil && w.onEvent != nil {
		w.onEvent(plugins.JobEvent{Time: w.now(), Kind: "warning", Message: agent.Printable("it may still begin: "+err.Error(), maxMessage)})
	}
}

// jobFailedError is a job's own error: it ended, and says that it could not do its work.
type jobFailedError struct{ cause *fault.Error }

// Error is the job's reason.
func (e *jobFailedError) Error() string { return e.cause.Error() }

// Unwrap gives the fault with the job's number.
func (e *jobFailedError) Unwrap() error { return e.cause }

// Is makes errors.Is(err, plugins.ErrJobFailed) true, and ErrJobRefused where the job refused of its own accord: a
// refusal with a number came from Windows, and may pass.
func (e *jobFailedError) Is(target error) bool {
	if target == plugins.ErrJobRefused {
		var o *OperationError
		return errors.As(e.cause, &o) && o.Kind == kindRefused && e.cause.Code == 0
	}
	return target == plugins.ErrJobFailed
}

// finish reads the result, which is written once.
func (w *jobWatch) finish(text string) (json.RawMessage, error) {
	var r agent.JobResult
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, w.fail(fmt.Errorf("%w that can be read: %w", plugins.ErrJobLost, err))
	}
	if !r.OK {
		if r.Err == nil {
			return nil, &jobFailedError{w.fail(errors.New("the job failed and does not say why"))}
		}
		return nil, &jobFailedError{refusal(jobWords(w.job.Kind), w.node.Name(), r.Err)}
	}
	data, err := output(w.job, r.Data)
	if err != nil {
		return nil, w.fail(fmt.Errorf("%w that can be read: %w", plugins.ErrJobLost, err))
	}
	return data, nil
}
