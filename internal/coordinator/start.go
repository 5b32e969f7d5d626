package coordinator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/fault"
)

// readyWithin bounds how long a coordinator may take until it works on the run: it signs in to all nodes before.
const readyWithin = 2 * time.Minute

// StartInput says what is started.
type StartInput struct {
	Home *Home
	// Plan is the plan of a new run; Resume reads it from the run's folder.
	Plan *engine.Plan
	// Program is the absolute path of the executable (see Executable); Args lead it to call Enter and Serve.
	Program string
	Args    []string
	// Env is the coordinator's environment; nil means this process's own. Secrets never go there (R04). On Linux it
	// keeps XDG_RUNTIME_DIR, which systemd-run needs.
	Env []string
	// Secrets go to Child.Secrets over a pipe: at most 1 MiB.
	Secrets []byte
}

// Started says where a run lives.
type Started struct {
	Run string
	PID int
	// Where says in words where the run lives and what would still stop it (R28).
	Where string
}

// Start makes the run's folder and starts its coordinator in a process of its own, and returns once that works on the
// run. It refuses with ErrWouldNotSurvive where the run would not outlive this session, ErrClusterBusy where another
// run has the cluster, ErrNoRoom where the home's disk is nearly full, engine.ErrBlocked where a check does. After an error nothing of the run is left. When ctx ends
// before the coordinator is ready, it is ended; afterwards nothing that happens to this process matters to it.
func Start(ctx context.Context, in StartInput) (Started, error) {
	if blocking := in.Plan.Blocking(); len(blocking) > 0 {
		return Started{}, fmt.Errorf("%w: %s", engine.ErrBlocked, blocking[0].ID)
	}
	if err := in.Home.ClusterBusy(in.Plan); err != nil {
		return Started{}, err
	}
	if err := checkRoom(in.Home.runs(), 0); err != nil {
		return Started{}, err
	}
	d, err := decide(survey(ctx))
	if err != nil {
		return Started{}, err
	}
	if err := in.Home.NewRun(in.Plan); err != nil {
		return Started{}, err
	}
	s, err := spawn(ctx, in, in.Plan.Run, d)
	if err != nil {
		return Started{}, errors.Join(err, in.Home.dropUnbegun(ctx, in.Plan.Run))
	}
	return s, nil
}

// Resume starts a coordinator again for a run whose own is gone and which has not ended (R26): ErrAlive and ErrEnded
// otherwise. in.Plan is not used.
func Resume(ctx context.Context, run string, in StartInput) (Started, error) {
	plan, state, alive, err := in.Home.Load(run)
	switch {
	case err != nil:
		return Started{}, err
	case state.Status == engine.RunTakenOver:
		return Started{}, fmt.Errorf("run %s: %w", run, ErrTakenOver)
	case state.Status.Ended():
		return Started{}, fmt.Errorf("run %s: %w", run, ErrEnded)
	case alive:
		return Started{}, fmt.Errorf("run %s: %w", run, ErrAlive)
	}
	if err := in.Home.ClusterBusy(plan); err != nil {
		return Started{}, err
	}
	if err := in.Home.checkRoomOf(run); err != nil {
		return Started{}, err
	}
	d, err := decide(survey(ctx))
	if err != nil {
		return Started{}, err
	}
	return spawn(ctx, in, run, d)
}

// dropUnbegun removes the folder of a run of which nothing happened.
func (h *Home) dropUnbegun(ctx context.Context, run string) error {
	ctx = context.WithoutCancel(ctx)
	l, err := h.lockRun(ctx, run)
	if err != nil {
		return err
	}
	_, state, _, err := h.Load(run)
	if closing := l.Close(); err != nil || closing != nil || state.Facts > 0 {
		return errors.Join(err, closing)
	}
	return os.RemoveAll(h.RunDir(run))
}

// spawn starts the process, proves that it outlives this one, hands it the secrets and waits for its answer.
func spawn(ctx context.Context, in StartInput, run string, d decision) (Started, error) {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	cmd, ends, err := prepare(in, run, d)
	if err != nil {
		return Started{}, err
	}
	err = cmd.Start()
	ends.closeTheirs()
	if err != nil {
		ends.closeOurs()
		return Started{}, &fault.Error{Op: "start the coordinator", Err: err, Hint: startHint(err)}
	}
	defer ends.closeOurs()
	// Killing it ends the reads and writes below. It has begun nothing: the secrets or its answer are still to come.
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	err = negotiate(in, ends, cmd.Process.Pid, d)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was ended; how does not matter
		if ctx.Err() != nil {
			err = fmt.Errorf("the coordinator was not ready: %w", ctx.Err())
		}
		return Started{}, withLog(err, in.Home.LogPath(run))
	}
	s := Started{Run: run, PID: cmd.Process.Pid, Where: d.where(cmd.Process.Pid)}
	// From here on it is nobody's child: it belongs to init once this process ends.
	return s, cmd.Process.Release()
}

// pipes are the two ends of what starter and coordinator say to each other.
type pipes struct {
	secrets, answers *os.File
	theirs           []*os.File
}

func (p *pipes) closeTheirs() { closeAll(p.theirs) }
func (p *pipes) closeOurs()   { closeAll([]*os.File{p.secrets, p.answers}) }

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

func prepare(in StartInput, run string, d decision) (*exec.Cmd, *pipes, error) {
	if err := keepDescriptors(); err != nil {
		return nil, nil, err
	}
	p := &pipes{}
	fail := func(err error) (*exec.Cmd, *pipes, error) {
		p.closeTheirs()
		p.closeOurs()
		return nil, nil, fmt.Errorf("start the coordinator: %w", err)
	}
	log, err := os.OpenFile(in.Home.LogPath(run), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fail(err)
	}
	p.theirs = append(p.theirs, log)
	stdin, secrets, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	p.secrets, p.theirs = secrets, append(p.theirs, stdin)
	answers, tell, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	p.answers, p.theirs = answers, append(p.theirs, tell)

	line := slices.Concat(d.wrap, []string{in.Program}, in.Args)
	cmd := exec.Command(line[0], line[1:]...) //nolint:noctx // the coordinator must outlive every context of its starter
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, log, log
	cmd.Dir = rootDir(in.Home.Dir())
	cmd.SysProcAttr = Detached()
	extra, name := inherit(cmd.SysProcAttr, tell)
	cmd.ExtraFiles = extra
	cmd.Env = in.Env
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.Clip(cmd.Env), pipeVariable+"="+name)
	return cmd, p, nil
}

// negotiate leads the coordinator to its work. Secrets are sent only to a process that is proven to be detached.
func negotiate(in StartInput, p *pipes, pid int, d decision) error {
	answers := bufio.NewReaderSize(io.LimitReader(p.answers, 1<<20), 1<<16)
	first, err := readReport(answers)
	if err != nil {
		return err
	}
	if first.PID != pid {
		return fmt.Errorf("%w: process %d was started and process %d answered", ErrWouldNotSurvive, pid, first.PID)
	}
	if first.JobEnds {
		return &fault.Error{Op: "start the coordinator", Err: fmt.Errorf("%w: its job object ends it with the session", ErrWouldNotSurvive), Hint: jobHint}
	}
	if err := errors.Join(proveSession(pid), d.prove(pid)); err != nil {
		return fmt.Errorf("%w: %w", ErrWouldNotSurvive, err)
	}
	// A coordinator that ended meanwhile has said why, or its end says it.
	_ = writeSecrets(p.secrets, in.Secrets)
	_ = p.secrets.Close()
	last, err := readReport(answers)
	if err != nil {
		return err
	}
	if !last.Ready {
		return errors.New("the coordinator gave an answer out of turn")
	}
	return nil
}

// readReport reads one report; one that says why not becomes the error it was.
func readReport(answers *bufio.Reader) (report, error) {
	line, err := answers.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return report{}, errors.New("the coordinator ended before it was ready")
	}
	if err != nil {
		return report{}, fmt.Errorf("read the coordinator's answer: %w", err)
	}
	var r report
	if err := json.Unmarshal(line, &r); err != nil {
		return report{}, fmt.Errorf("read the coordinator's answer: %w", err)
	}
	if r.Cause == nil {
		return r, nil
	}
	return report{}, r.failure()
}

// startError keeps a message as the coordinator gave it, and what callers branch on.
type startError struct {
	message string
	kind    error
}

func (e *startError) Error() string { return e.message }
func (e *startError) Unwrap() error { return e.kind }

func (r report) failure() error {
	e := &startError{message: r.Cause.Message}
	switch r.Kind {
	case kindBusy:
		busy := &ClusterBusyError{}
		if r.Busy != nil {
			busy.Run, busy.PID, busy.Host = r.Busy.Run, r.Busy.PID, r.Busy.Host
		}
		e.kind = busy
	case kindAlive:
		e.kind = ErrAlive
	case kindEnded:
		e.kind = ErrEnded
	case kindNotAlive:
		e.kind = ErrNotAlive
	case kindTakenOver:
		e.kind = ErrTakenOver
	case kindNoRoom:
		e.kind = ErrNoRoom
	case kindOther, kindRefused:
	}
	if r.Cause.Hint != "" {
		return &fault.Error{Op: "start the coordinator", Err: e, Hint: r.Cause.Hint}
	}
	return e
}

// withLog adds the end of what the coordinator wrote to its log, for there may be nothing else to go by.
func withLog(err error, path string) error {
	text := lastLines(path, 2000)
	if text == "" {
		return err
	}
	return fmt.Errorf("%w (its log: %s)", err, oneLine(strings.Join(strings.Fields(text), " ")))
}
