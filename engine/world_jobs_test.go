package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cau/engine"
	"cau/plugins"
)

// scripted is how a script behaves on a machine.
type scripted struct {
	code  int64
	lines []string
	takes time.Duration
	// err is how the job ends instead of a result.
	err error
}

// scriptJob is a script on a machine; it goes on whoever watches it.
type scriptJob struct {
	ends   time.Time
	script scripted
}

// RunJob runs what is no installer; those are the fake plug-in's own, which only asks here that it may.
func (h *handle) RunJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	switch job.Kind {
	case plugins.JobScript:
		return h.script(ctx, job, onEvent)
	case plugins.JobShareProbe:
		return h.probe(ctx, job)
	default:
		if job.Limit == 0 {
			return nil, errAttached
		}
		return nil, ctx.Err()
	}
}

// attachable is a machine whose jobs can be waited for without starting them.
type attachable struct{ *handle }

// AttachJob marks that the installer is waited for and not started.
func (a attachable) AttachJob(ctx context.Context, job plugins.Job, _ func(plugins.JobEvent)) (json.RawMessage, error) {
	if job.Limit != 0 {
		return nil, fmt.Errorf("%s is waited for with a limit", job.ID)
	}
	if job.Kind == plugins.JobScript {
		return a.attachScript(ctx, job)
	}
	return nil, errors.Join(errAttached, ctx.Err())
}

// attachScript waits for a script that is there.
func (a attachable) attachScript(ctx context.Context, job plugins.Job) (json.RawMessage, error) {
	var there bool
	a.w.locked(func(*world) { there = a.m.scriptRuns[job.ID] != nil })
	if !there {
		return nil, plugins.ErrJobLost
	}
	return a.script(ctx, job, func(plugins.JobEvent) {})
}

var errAttached = errors.New("attached")

func (h *handle) script(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	var in plugins.ScriptJob
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return nil, err
	}
	j, err := h.beginScript(ctx, job, in)
	if err != nil {
		return nil, err
	}
	for i, l := range j.script.lines {
		onEvent(plugins.JobEvent{Seq: i, Kind: "output", Message: l})
	}
	wait := time.Until(j.ends)
	if job.Limit > 0 && wait > job.Limit {
		if err := (bubbleClock{}).Sleep(ctx, job.Limit); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w after %s", plugins.ErrJobStillRunning, job.Limit)
	}
	if err := (bubbleClock{}).Sleep(ctx, wait); err != nil {
		return nil, err
	}
	if j.script.err != nil {
		return nil, j.script.err
	}
	account := `NT AUTHORITY\SYSTEM`
	if job.AsCaller {
		account = `CONTOSO\ann`
	}
	return json.Marshal(plugins.ScriptJobResult{ExitCode: j.script.code, Account: account, Log: `C:\Program Files\cau\script.log`})
}

func (h *handle) beginScript(ctx context.Context, job plugins.Job, in plugins.ScriptJob) (*scriptJob, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "script-"+in.Phase); err != nil {
		return nil, err
	}
	h.w.jobsAsked = append(h.w.jobsAsked, job)
	if sum := sha256.Sum256(in.Text); hex.EncodeToString(sum[:]) != in.SHA256 {
		h.w.broken = append(h.w.broken, in.Name+" is not what was pinned")
	}
	if j := h.m.scriptRuns[job.ID]; j != nil {
		return j, nil
	}
	if h.m.state != engine.NodeUp {
		h.w.broken = append(h.w.broken, fmt.Sprintf("the %s-update script was started while %s is %s", in.Phase, h.m.name, h.m.state))
	}
	s, ok := h.w.scripts[h.m.name+"/"+in.Phase]
	if !ok {
		s.lines = []string{in.Phase + " on " + h.m.name}
	}
	if s.takes == 0 {
		s.takes = time.Minute
	}
	j := &scriptJob{ends: time.Now().Add(s.takes), script: s}
	h.m.scriptRuns[job.ID] = j
	h.w.did("script-"+in.Phase, h.m.name)
	return j, nil
}

func (h *handle) probe(ctx context.Context, job plugins.Job) (json.RawMessage, error) {
	h.w.locked(func(w *world) {
		w.jobsAsked = append(w.jobsAsked, job)
		w.probing++
		w.probers = max(w.probers, w.probing)
		h.m.files = true
	})
	defer h.w.locked(func(w *world) { w.probing-- })
	if err := (bubbleClock{}).Sleep(ctx, 20*time.Second); err != nil {
		return nil, err
	}
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "probe"); err != nil {
		return nil, err
	}
	if err := h.w.shares[h.m.name]; err != nil {
		return nil, err
	}
	return json.Marshal(plugins.ShareProbeJobResult{Connection: plugins.ShareConnection{Dialect: "3.1.1", Signed: true, Account: h.m.name + "$"}, Entries: 3})
}

// Push takes nothing and says how it is connected.
func (h *handle) Push(ctx context.Context, req plugins.PushRequest, _ func(plugins.Progress)) (plugins.ShareConnection, error) {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	if err := h.enter(ctx, "push"); err != nil {
		return plugins.ShareConnection{}, err
	}
	h.m.files = true
	h.w.did("push-"+req.Run, h.m.name)
	if err := h.w.pushes[h.m.name]; err != nil {
		return plugins.ShareConnection{}, err
	}
	return plugins.ShareConnection{Dialect: "3.1.1", Encrypted: true, Account: `CONTOSO\ann`}, nil
}

// waitLate is an installer that outlived its limit, waited for without one.
func (p *fakePlugin) waitLate(ctx context.Context, node string, req plugins.InstallRequest) (plugins.Result, error) {
	unlock := p.lock()
	j := p.w.machine(node).jobs[req.JobID]
	unlock()
	if j == nil {
		return plugins.Result{}, plugins.ErrJobLost
	}
	if j.script.runsOn == 0 {
		<-ctx.Done()
		return plugins.Result{}, ctx.Err()
	}
	if err := (bubbleClock{}).Sleep(ctx, time.Until(j.ends.Add(j.script.runsOn))); err != nil {
		return plugins.Result{}, err
	}
	return j.script.late, nil
}
