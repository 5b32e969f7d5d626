package winnode_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
	"cau/plugins"
)

// script is a fake job: each poll answers the next step, and the last one forever.
type script struct {
	start agent.JobStart
	steps []agent.JobPoll
	polls []agent.JobPollArgs
	began []agent.JobStartArgs
}

func (j *script) on(s *site) {
	s.on(agent.OpJobStart, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.JobStartArgs
		if err := json.Unmarshal(args, &a); err != nil {
			s.t.Error(err)
		}
		j.began = append(j.began, a)
		return j.start, nil
	})
	s.on(agent.OpJobPoll, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.JobPollArgs
		if err := json.Unmarshal(args, &a); err != nil {
			s.t.Error(err)
		}
		j.polls = append(j.polls, a)
		step := j.steps[min(len(j.polls), len(j.steps))-1]
		step.NextOffset = max(step.NextOffset, a.Offset)
		return step, nil
	})
}

var (
	installer = plugins.Job{ID: "r1-n1-u1", Kind: plugins.JobInstaller, Input: json.RawMessage(`{
		"run":"r1","update":"u1","target":"a.msu","files":[{"update":"u1","path":"x\\a.msu","size":3,"sha256":"ab","target":"a.msu"}],
		"command":{"program":"%SystemRoot%\\System32\\wusa.exe","parameters":"%CAU_UPDATE%\\a.msu /quiet"}}`)}
	queued  = agent.JobPoll{Exists: true, TaskState: 2}
	ready   = agent.JobPoll{Exists: true, TaskState: 3}
	running = agent.JobPoll{Exists: true, TaskState: 4, ProcessAlive: true}
	started = agent.JobPoll{Exists: true, TaskState: 4, ProcessAlive: true, NextOffset: 10, Events: []string{`{"seq":1,"utc":"2026-11-20T10:00:01Z","kind":"started","message":"installer"}`}}
	dead    = agent.JobPoll{Exists: true, TaskState: 3}
	done    = agent.JobPoll{Exists: true, TaskState: 3, Result: `{"ok":true,"data":{"exit_code":3010,"log":"C:\\x.log"}}`}
)

func TestAnInstallerJobFromStartToResult(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{
		queued, started, running,
		{Exists: true, ProcessAlive: true, TaskState: 4, NextOffset: 30, Events: []string{
			`{"seq":2,"utc":"2026-11-20T10:00:02Z","kind":"co\u001bpying","message":"a.msu\r\n","done":5,"total":9}`, `{"seq":3,`,
		}},
		done,
	}}
	j.on(s)
	var events []plugins.JobEvent
	got, err := f.Node("N1").RunJob(t.Context(), installer, func(e plugins.JobEvent) { events = append(events, e) })
	if err != nil || string(got) != `{"exit_code":3010,"log":"C:\\x.log"}` {
		t.Fatalf("%s %v", got, err)
	}
	want := []plugins.JobEvent{
		{Seq: 1, Time: time.Date(2026, 11, 20, 10, 0, 1, 0, time.UTC), Kind: "started", Message: "installer"},
		{Seq: 2, Time: time.Date(2026, 11, 20, 10, 0, 2, 0, time.UTC), Kind: "co pying", Message: "a.msu", Done: 5, Total: 9},
	}
	if d := cmp.Diff(want, events); d != "" {
		t.Error(d)
	}
	order := agent.JobStartArgs{ID: "r1-n1-u1", Run: "r1", Kind: "installer", Input: string(raw(t, agent.InstallerInput{
		Run: "r1", Update: "u1", Target: "a.msu", Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `%CAU_UPDATE%\a.msu /quiet`,
		Files: []agent.StageFile{{Update: "u1", Path: `x\a.msu`, Size: 3, SHA256: "ab", Target: "a.msu"}},
	}))}
	if d := cmp.Diff([]agent.JobStartArgs{order}, j.began); d != "" {
		t.Error(d)
	}
	var offsets []int64
	for _, p := range j.polls {
		offsets = append(offsets, p.Offset)
	}
	if !slices.Equal(offsets, []int64{0, 0, 10, 10, 30}) {
		t.Errorf("offsets %v", offsets)
	}
}

func TestAStageJobCarriesFilesAndReportsTheConnection(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{{Exists: true, Result: `{"ok":true,"data":{"connection":{"dialect":"3.1.1","signed":true,"encrypted":true,"account":"FC\\N1$"},"bytes":7}}`}}}
	j.on(s)
	in := plugins.StageJob{Run: "r1", Root: `\\fs\root`, RequireEncryption: true, Files: []plugins.StageFile{
		{Update: "u1", File: plugins.File{Path: `a\b.msu`, Size: 7, SHA256: "cd"}, Target: "b.msu"},
	}}
	got, err := f.Node("N1").RunJob(t.Context(), plugins.Job{ID: "stage-1", Kind: plugins.JobStage, Input: raw(t, in)}, nil)
	if err != nil || string(got) != `{"connection":{"dialect":"3.1.1","signed":true,"encrypted":true,"account":"FC\\N1$"},"bytes":7}` {
		t.Fatalf("%s %v", got, err)
	}
	want := `{"run":"r1","root":"\\\\fs\\root","require_encryption":true,"reserve_bytes":2147483648,"files":[{"update":"u1","path":"a\\b.msu","size":7,"sha256":"cd","target":"b.msu"}]}`
	if j.began[0].Input != want || j.began[0].Kind != "stage" {
		t.Errorf("%+v", j.began[0])
	}
}

func TestR18_AJobOverItsLimitGoesOn(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{started, running}}
	j.on(s)
	job := installer
	job.Limit = 30 * time.Minute
	_, err := f.Node("N1").RunJob(t.Context(), job, nil)
	var e *fault.Error
	if !errors.Is(err, plugins.ErrJobStillRunning) || !errors.As(err, &e) || e.Node != "N1" {
		t.Fatal(err)
	}
	if waited := s.clock.Now().Sub(time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)); waited < job.Limit || waited > job.Limit+time.Minute {
		t.Errorf("waited %s", waited)
	}
	for _, op := range s.at("N1").calls() {
		if op != "upload" && op != agent.OpJobStart && op != agent.OpJobPoll {
			t.Errorf("the job was met with %s", op)
		}
	}
}

func TestR19_AJobThatDiedWithoutAResultIsLost(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []agent.JobPoll
		want  string
	}{
		{"died", []agent.JobPoll{started, dead}, "ended without a result"},
		{"folder gone", []agent.JobPoll{started, {}}, "folder is gone"},
		{"never began", []agent.JobPoll{queued}, "did not begin"},
		{"never began and ready", []agent.JobPoll{ready}, "did not begin"},
		{"result unreadable", []agent.JobPoll{started, {Exists: true, Result: `{"ok":tru`}}, "without a result that can be read"},
		{"no exit code", []agent.JobPoll{started, {Exists: true, Result: `{"ok":true,"data":{}}`}}, "exit code is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := newSite(t, "N1")
			j := &script{steps: c.steps}
			j.on(s)
			_, err := f.Node("N1").RunJob(t.Context(), installer, nil)
			if !errors.Is(err, plugins.ErrJobLost) || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
			if len(j.began) != 1 {
				t.Errorf("started %d times", len(j.began))
			}
		})
	}
}

func TestR19_OneLookThatFindsAJobDeadIsNotEnough(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{started, dead, running, dead, done}}
	j.on(s)
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); err != nil {
		t.Error(err)
	}
}

func TestEventsAreReadToTheirEndBeforeTheResult(t *testing.T) {
	s, f := newSite(t, "N1")
	first, last := done, done
	first.NextOffset, first.Events = 10, []string{`{"seq":1,"kind":"a"}`}
	last.NextOffset, last.Events = 20, []string{`{"seq":2,"kind":"b"}`}
	j := &script{steps: []agent.JobPoll{first, last, done}}
	j.on(s)
	n := 0
	if _, err := f.Node("N1").RunJob(t.Context(), installer, func(plugins.JobEvent) { n++ }); err != nil || n != 2 {
		t.Error(n, err)
	}
	if len(s.clock.slept) != 0 {
		t.Error("it waited although there was more to read")
	}
}

func TestR30_AFailedJobKeepsItsNumberAndReason(t *testing.T) {
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{{Exists: true, Result: `{"ok":false,"err":{"kind":"win32","message":"Update1.msu: Access is denied.","code":5}}`}}}
	j.on(s)
	_, err := f.Node("N1").RunJob(t.Context(), plugins.Job{ID: "s", Kind: plugins.JobStage, Input: json.RawMessage(`{"run":"r1"}`)}, nil)
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != 5 || e.Op != "stage" || !strings.Contains(err.Error(), "Update1.msu: Access is denied.") || fault.Hint(err) == "" {
		t.Error(err)
	}
	if errors.Is(err, plugins.ErrJobLost) || !errors.Is(err, plugins.ErrJobFailed) {
		t.Error("a known failure counts as unknown")
	}
}

func TestARefusalOfTheJobItselfIsToldFromAFailure(t *testing.T) {
	for text, want := range map[string]bool{
		`{"kind":"refused","message":"the signature of the update is not valid"}`:               true,
		`{"kind":"refused","message":"the job was cancelled before it began this","code":1223}`: false,
		`{"kind":"win32","message":"the disk is full","code":112}`:                              false,
		`{"kind":"script","message":"a variable is null"}`:                                      false,
	} {
		s, f := newSite(t, "N1")
		j := &script{steps: []agent.JobPoll{{Exists: true, Result: `{"ok":false,"err":` + text + `}`}}}
		j.on(s)
		_, err := f.Node("N1").RunJob(t.Context(), installer, nil)
		if !errors.Is(err, plugins.ErrJobFailed) || errors.Is(err, plugins.ErrJobRefused) != want {
			t.Errorf("%s: %v, refused %v", text, err, errors.Is(err, plugins.ErrJobRefused))
		}
	}
}

func TestAJobSurvivesTheLossOfContact(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, running, done}}
	j.on(s)
	cut := &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: errors.New("reset")}
	m.lose = []error{cut, nil, cut}                                 // the start is done, its answer is lost; so is a poll's
	m.fail = []error{nil, nil, nil, nil, errAway, errAway, errAway} // and later it is away for a while
	got, err := f.Node("N1").RunJob(t.Context(), installer, nil)
	if err != nil || got == nil {
		t.Fatalf("%v %v", err, m.calls())
	}
	if len(j.began) != 2 || j.began[0] != j.began[1] {
		t.Errorf("asking again must be the same request: %+v", j.began)
	}
	if m.count("failed") != 3 {
		t.Error(m.calls())
	}
}

func TestContactThatStaysLostIsNoResult(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, running}}
	j.on(s)
	m.fail = append([]error{nil, nil, nil}, slices.Repeat([]error{errAway}, 1000)...)
	_, err := f.Node("N1").RunJob(t.Context(), installer, nil)
	if err == nil || errors.Is(err, plugins.ErrJobLost) || !strings.Contains(err.Error(), "contact was lost for 30m") || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}

	m.fail = slices.Repeat([]error{errAway}, 1000)
	begun := s.clock.Now()
	_, err = f.Node("N1").RunJob(t.Context(), plugins.Job{ID: "s", Kind: plugins.JobStage, Input: json.RawMessage(`{"run":"r1"}`)}, nil)
	if waited := s.clock.Now().Sub(begun); err == nil || waited > 6*time.Minute {
		t.Errorf("staging waited %s for a node that is away: %v", waited, err)
	}
}

func TestR02_ARejectedLogonEndsTheWatch(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, running}}
	j.on(s)
	m.fail = append([]error{nil, nil, nil}, slices.Repeat([]error{errRejected}, 10)...)
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); !errors.Is(err, errRejected) {
		t.Error(err)
	}
	if m.count("failed") != 1 {
		t.Errorf("sent %d times", m.count("failed"))
	}
}

func TestARefusedStartIsReportedAtOnce(t *testing.T) {
	s, f := newSite(t, "N1")
	s.on(agent.OpJobStart, refuse("refused", 0))
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); err == nil || len(s.clock.slept) != 0 {
		t.Error(err, s.clock.slept)
	}
}

func TestR33_AJobWithABadNameNeverLeaves(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, job := range []plugins.Job{
		{ID: `..\x`, Kind: plugins.JobStage, Input: json.RawMessage(`{"run":"r1"}`)},
		{ID: "x", Kind: plugins.JobStage, Input: json.RawMessage(`{"run":"R 1"}`)},
		{ID: "x", Kind: plugins.JobInstaller, Input: json.RawMessage(`{`)},
		{ID: "x", Kind: plugins.JobStage, Input: json.RawMessage(`{`)},
		{ID: "x", Kind: "other", Input: json.RawMessage(`{"run":"r1"}`)},
		{ID: strings.Repeat("x", 101), Kind: plugins.JobStage, Input: json.RawMessage(`{"run":"r1"}`)},
	} {
		if _, err := f.Node("N1").RunJob(t.Context(), job, nil); err == nil {
			t.Errorf("%+v", job)
		}
	}
	if n := s.at("N1").shells; n != 0 {
		t.Errorf("%d shells", n)
	}
}

func TestACancelledWatchLeavesTheJobAlone(t *testing.T) {
	s, f := newSite(t, "N1")
	ctx, cancel := context.WithCancel(t.Context())
	j := &script{steps: []agent.JobPoll{started, running}}
	j.on(s)
	_, err := f.Node("N1").RunJob(ctx, installer, func(plugins.JobEvent) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if last := s.at("N1").calls(); last[len(last)-1] != agent.OpJobPoll {
		t.Error(last)
	}
}

func raw(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestR19_ANodeThatCannotLookForAMomentDoesNotLoseTheJob(t *testing.T) {
	for code, ends := range map[int64]bool{32: false, 0x80070020: false, 1722: false, 5: true} {
		s, f := newSite(t, "N1")
		j := &script{steps: []agent.JobPoll{started, running, done}}
		j.on(s)
		poll, n := s.at("N1").ops[agent.OpJobPoll], 0
		s.on(agent.OpJobPoll, func(args json.RawMessage) (any, *agent.OpError) {
			if n++; n == 2 || n == 3 {
				return nil, &agent.OpError{Kind: "win32", Code: code, Message: "used by another process"}
			}
			return poll(args)
		})
		if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); (err != nil) != ends {
			t.Errorf("%d: %v", code, err)
		}
	}
	s, f := newSite(t, "N1")
	s.on(agent.OpJobStart, refuse("win32", 32))
	begun := s.clock.Now()
	if _, err := f.Node("N1").RunJob(t.Context(), installer, nil); err == nil || s.clock.Now().Sub(begun) > 6*time.Minute {
		t.Errorf("%v after %s", err, s.clock.Now().Sub(begun))
	}
}

func TestR27_AHostThatSleptAsksTheNodeAgainBeforeItGivesUp(t *testing.T) {
	s, f := newSite(t, "N1")
	m := s.at("N1")
	j := &script{steps: []agent.JobPoll{started, done}}
	j.on(s)
	poll := m.ops[agent.OpJobPoll]
	s.on(agent.OpJobPoll, func(args json.RawMessage) (any, *agent.OpError) {
		if len(j.polls) == 1 { // the connection does not survive the night
			s.clock.mu.Lock()
			s.clock.now = s.clock.now.Add(8 * time.Hour)
			s.clock.mu.Unlock()
			m.lose = []error{errAway}
		}
		return poll(args)
	})
	job := installer
	job.Limit = 24 * time.Hour
	j.steps = []agent.JobPoll{started, running, done}
	if _, err := f.Node("N1").RunJob(t.Context(), job, nil); err != nil {
		t.Error(err)
	}
}
