//go:build unix

package coordinator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"cau/engine"
)

// inProcess serves a run in this process until the test ends; stop ends it as SIGTERM would.
func inProcess(t *testing.T, h *Home, w *world, plan *engine.Plan) (stop func() (engine.State, error)) {
	t.Helper()
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	type end struct {
		state engine.State
		err   error
	}
	ended := make(chan end, 1)
	go func() {
		s, err := Serve(ctx, w.serve(h, plan.Run, nil))
		ended <- end{s, err}
	}()
	stop = sync.OnceValues(func() (engine.State, error) {
		cancel()
		e := <-ended
		return e.state, e.err
	})
	t.Cleanup(func() { _, _ = stop() })
	until(t, "it works on the run", func() bool { _, err := h.socketPath(plan.Run); return err == nil })
	return stop
}

// ticket is a credential with an end until it is renewed.
type ticket struct{ renewed atomic.Bool }

func (c *ticket) Ends() (time.Time, bool) { return time.Now(), !c.renewed.Load() }

func TestR05_TheCredentialsEndReachesTheRun(t *testing.T) {
	h, plan, signIn := newHome(t), testPlan("ab000001", "TESTCLUSTER"), &ticket{}
	w := &world{dir: t.TempDir(), credential: signIn}
	w.release(t)
	inProcess(t, h, w, plan)
	until(t, "the run is held", func() bool { return state(t, h, plan.Run).HeldFor == "winrm.credential" })
	signIn.renewed.Store(true)
	until(t, "the run goes on by itself and ends", func() bool { return state(t, h, plan.Run).Status == engine.RunSucceeded })
}

func facts(t *testing.T, h *Home, run string) []engine.Fact {
	t.Helper()
	var out []engine.Fact
	if err := h.eachFact(run, func(f engine.Fact) error { out = append(out, f); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func controls(t *testing.T, h *Home, run string) []string {
	t.Helper()
	var out []string
	for _, f := range facts(t, h, run) {
		if f.Kind == engine.FactControl {
			out = append(out, string(f.Data.Verb)+" by "+f.Data.By)
		}
	}
	return out
}

// say sends one raw line to a run's control socket.
func say(t *testing.T, h *Home, run, line string) controlAnswer {
	t.Helper()
	path, err := h.socketPath(run)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(c).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var a controlAnswer
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestR06_WhoAskedIsWhatTheSocketSays(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	inProcess(t, h, w, testPlan("00000010", "TESTCLUSTER"))
	if err := h.Control(t.Context(), "00000010", engine.Control{Verb: engine.VerbPause}); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("pause by %s (uid %d)", me.Username, os.Getuid())
	if got := controls(t, h, "00000010"); len(got) != 1 || got[0] != want {
		t.Fatalf("journalled %q when Control returned, want %q", got, want)
	}
	for _, line := range []string{
		`{"verb":"stop","by":"mallory"}` + "\n", `{"verb":"stop","uid":0}` + "\n", `{"verb":"reboot"}` + "\n",
		"stop\n", "\n", strings.Repeat("x", maxControlLine) + "\n",
	} {
		if a := say(t, h, "00000010", line); a.OK || a.Error == "" {
			t.Errorf("%.40q was answered %+v", line, a)
		}
	}
	if got := controls(t, h, "00000010"); len(got) != 1 {
		t.Errorf("journalled %q", got)
	}
	// Of every verb, also where the client claims to be somebody.
	asked := engine.Control{Verb: engine.VerbHold, Node: "n2", By: "mallory"}
	if err := h.Control(t.Context(), "00000010", asked); err != nil {
		t.Fatal(err)
	}
	if got := controls(t, h, "00000010"); len(got) != 2 || got[1] != strings.Replace(want, "pause", "hold", 1) {
		t.Errorf("journalled %q", got)
	}
}

func TestWhatARunCannotObeyIsAnsweredWithTheReasonAndNotRecorded(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000017", "TESTCLUSTER")
	inProcess(t, h, w, plan)
	untilInstalling(t, h, plan.Run)
	for _, c := range []struct {
		asked       engine.Control
		why, advice string
	}{
		{engine.Control{Verb: engine.VerbSkip, Node: "N1"}, "under way", "cau take " + plan.Run},
		{engine.Control{Verb: engine.VerbHold, Node: "N9"}, "not a node of this run", "N1, N2, N3"},
		{engine.Control{Verb: engine.VerbStopNow, Typed: "OTHER"}, "not the name of the cluster", "TESTCLUSTER"},
		{engine.Control{Verb: engine.VerbMark, Node: "N1", Update: "u1", Outcome: "installed"}, "is known", ""},
		{engine.Control{Verb: engine.VerbFollowUps, Node: "N1", Install: true}, "Nothing beyond the plan", ""},
	} {
		var refused *engine.RefusedError
		if err := h.Control(t.Context(), plan.Run, c.asked); !errors.As(err, &refused) || !strings.Contains(refused.Why, c.why) || !strings.Contains(refused.Advice, c.advice) {
			t.Errorf("%+v: %v %+v", c.asked, err, refused)
		}
	}
	if got := controls(t, h, plan.Run); len(got) != 0 {
		t.Errorf("journalled %q", got)
	}
	for _, line := range []string{
		`{"verb":"hold","node":"` + strings.Repeat("n", maxControlWord+1) + `"}` + "\n", `{"verb":"hold","node":"N1\u001b[2J"}` + "\n",
	} {
		if a := say(t, h, plan.Run, line); a.OK || a.Kind == kindRefused || !strings.Contains(a.Error, "too long or not printable") {
			t.Errorf("%.40q was answered %+v", line, a)
		}
	}
	// Whoever asks after a refusal gets the answer to what was asked.
	if err := h.Control(t.Context(), plan.Run, engine.Control{Verb: engine.VerbHold, Node: "n2"}); err != nil {
		t.Error(err)
	}
	s := state(t, h, plan.Run)
	if n := s.Node("N2"); n.HeldBackBy == "" {
		t.Errorf("%+v", n)
	}
}

func TestPauseResumeAndStopReachTheRun(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000011", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	untilInstalling(t, h, plan.Run)
	for _, v := range []engine.Verb{engine.VerbPause, engine.VerbResume, engine.VerbStop, engine.VerbStop} {
		if err := h.Control(t.Context(), plan.Run, engine.Control{Verb: v}); err != nil {
			t.Fatal(err)
		}
	}
	w.release(t)
	until(t, "the run ends", func() bool { s := state(t, h, plan.Run); return s.Status.Ended() })
	if s, err := stop(); err != nil || s.Status != engine.RunCanceled {
		t.Fatalf("%s, %v", s.Status, err)
	}
	if got := installed(t, w); got != "N1 u1\n" {
		t.Errorf("installed:\n%s", got)
	}
	if alive(t, h, plan.Run) {
		t.Error("alive after Serve returned")
	}
	if err := h.Control(t.Context(), "99999999", engine.Control{Verb: engine.VerbStop}); !errors.Is(err, ErrNoRun) {
		t.Errorf("%v", err)
	}
}

func TestManyAskAtOnceAndEachAnswerIsAFact(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000012", "TESTCLUSTER")
	inProcess(t, h, w, plan)
	var asking sync.WaitGroup
	for range 3 * maxControllers {
		asking.Go(func() {
			if err := h.Control(t.Context(), plan.Run, engine.Control{Verb: engine.VerbPause}); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if got := controls(t, h, plan.Run); len(got) != 3*maxControllers {
		t.Errorf("%d facts for %d answers", len(got), 3*maxControllers)
	}
}

func TestASilentPeerDoesNotKeepTheCoordinator(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000013", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	path, err := h.socketPath(plan.Run)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	// Connections are accepted in turn: once this one is answered, the silent one is being listened to.
	if err := h.Control(t.Context(), plan.Run, engine.Control{Verb: engine.VerbPause}); err != nil {
		t.Fatal(err)
	}
	if _, err := stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestR27_ARunHasOneCoordinator(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	plan := testPlan("00000014", "TESTCLUSTER")
	inProcess(t, h, w, plan)
	if _, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); !errors.Is(err, ErrAlive) {
		t.Fatalf("%v", err)
	}
}

func TestR25_ADamagedJournalOrAnUnknownFactIsNotGoneOnWith(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, h *Home, run string){
		"damaged": func(t *testing.T, h *Home, run string) {
			t.Helper()
			path := h.in(run, journalFile)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			data[len(data)/2] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"from the future": func(t *testing.T, h *Home, run string) {
			t.Helper()
			p := &post{desk: newDesk()}
			if err := p.take(t.Context(), ServeInput{Home: h, Run: run}); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(p.Record(engine.Fact{Kind: "node.cloned", Node: "N1"}), p.leave()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h, w := newHome(t), &world{dir: t.TempDir()}
		plan := testPlan("00000015", "TESTCLUSTER")
		stop := inProcess(t, h, w, plan)
		untilInstalling(t, h, plan.Run)
		_, _ = stop()
		damage(t, h, plan.Run)
		before := len(installedNothing(w))
		if _, err := Serve(t.Context(), w.serve(h, plan.Run, nil)); err == nil {
			t.Errorf("%s: gone on with", name)
		}
		if list, err := h.List(); err != nil || len(list) != 1 || list[0].Err == nil || list[0].Cluster != plan.Cluster {
			t.Errorf("%s: listed as %+v, %v", name, list, err)
		}
		if len(installedNothing(w)) != before {
			t.Errorf("%s: something was installed", name)
		}
	}
}

func installedNothing(w *world) []byte {
	data, err := os.ReadFile(w.path("installed"))
	if err != nil {
		return nil
	}
	return data
}

func TestASocketWhoseFolderHasALongNameIsFoundByItsNote(t *testing.T) {
	t.Setenv("TMPDIR", shortTemp(t))
	h, err := OpenHome(filepath.Join(t.TempDir(), strings.Repeat("long/", 30)))
	if err != nil {
		t.Fatal(err)
	}
	w, plan := &world{dir: t.TempDir()}, testPlan("00000016", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	if err := h.Control(t.Context(), plan.Run, engine.Control{Verb: engine.VerbPause}); err != nil {
		t.Fatal(err)
	}
	path, err := h.socketPath(plan.Run)
	if err != nil || len(path) > maxSocketPath || strings.HasPrefix(path, h.Dir()) {
		t.Errorf("%q, %v", path, err)
	}
	_, _ = stop()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestAPlantedFolderForSocketsIsRefused(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"open to others": func(path string) error { return errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o777)) },
		"a link":         func(path string) error { return os.Symlink(t.TempDir(), path) },
		"a file":         func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		tmp := shortTemp(t)
		t.Setenv("TMPDIR", tmp)
		if err := plant(filepath.Join(tmp, fmt.Sprintf("cau-%d", os.Getuid()))); err != nil {
			t.Fatal(err)
		}
		if dir, err := shortDir(); err == nil {
			t.Errorf("%s: took %s", name, dir)
		}
	}
}

// shortTemp is a folder whose path leaves room for a socket's name; t.TempDir holds the test's whole name.
func shortTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"verb":"pause"}` + "\n"))
	f.Add([]byte(`{"verb":"stop","by":"root"}` + "\n"))
	f.Add([]byte(`{"verb":"pause"} {"verb":"stop"}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		req, err := readRequest(bufio.NewReader(strings.NewReader(string(data))))
		if err == nil && (!slices.Contains(verbs(), req.Verb) || len(req.Node) > maxControlWord || strings.ContainsFunc(req.Node+req.Update+req.Typed, unicode.IsControl)) {
			t.Fatalf("let %q through", req.Verb)
		}
	})
}
