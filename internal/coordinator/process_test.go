//go:build unix

package coordinator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cau/engine"
)

func TestR28_TheRunOutlivesItsStarter(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), roleVariable+"=starter", homeVariable+"="+h.Dir(), worldVariable+"="+w.dir)
	var trouble bytes.Buffer
	c.Stderr = &trouble
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var pid, starterSession int
	if _, err := fmt.Fscan(out, &pid, &starterSession); err != nil {
		t.Fatalf("%v: %s", err, trouble.String())
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if sid, err := unix.Getsid(pid); err != nil || sid == starterSession {
		t.Fatalf("coordinator in session %d, starter in %d, %v", sid, starterSession, err)
	}
	untilInstalling(t, h, "00000001")
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if !alive(t, h, "00000001") {
		t.Fatal("the coordinator went with its starter")
	}
	w.release(t)
	until(t, "the run ends", func() bool { s := state(t, h, "00000001"); return s.Status.Ended() })
	wantSucceeded(t, h, w, "00000001")
}

func TestR26_AKilledCoordinatorLeavesARunThatAnotherFinishes(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	in := startInput(h, testPlan("00000002", "TESTCLUSTER"), w.dir)
	s := start(t, in)
	if s.Run != "00000002" || !strings.Contains(s.Where, fmt.Sprint(s.PID)) {
		t.Errorf("%+v", s)
	}
	if _, err := Resume(t.Context(), s.Run, in); !errors.Is(err, ErrAlive) {
		t.Errorf("resuming a run that is alive: %v", err)
	}
	untilInstalling(t, h, s.Run)
	kill(t, s.PID)
	if alive(t, h, s.Run) {
		t.Fatal("alive after SIGKILL")
	}
	if st := state(t, h, s.Run); st.Status.Ended() {
		t.Fatalf("ended as %s", st.Status)
	}
	if err := h.Control(t.Context(), s.Run, engine.Control{Verb: engine.VerbPause}); !errors.Is(err, ErrNotAlive) {
		t.Errorf("control of a run without coordinator: %v", err)
	}
	// A record that the crash tore, and half a line of telemetry.
	for _, name := range []string{journalFile, telemetryFile} {
		f, err := os.OpenFile(h.in(s.Run, name), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(`{"n":99,"prev":"`); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	again, err := Resume(t.Context(), s.Run, in)
	if err != nil {
		t.Fatal(err)
	}
	defer kill(t, again.PID)
	w.release(t)
	reap(again.PID)
	wantSucceeded(t, h, w, s.Run)
	if _, err := Resume(t.Context(), s.Run, in); !errors.Is(err, ErrEnded) {
		t.Errorf("resuming a run that has ended: %v", err)
	}
	if err := h.Control(t.Context(), s.Run, engine.Control{Verb: engine.VerbPause}); !errors.Is(err, ErrEnded) {
		t.Errorf("control of a run that has ended: %v", err)
	}
	if _, err := os.Stat(h.in(s.Run, socketFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's note is left: %v", err)
	}
}

func TestR27_ASecondRunOnTheSameClusterIsRefusedWithTheFirstOnesName(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	first := start(t, startInput(h, testPlan("00000003", "TESTCLUSTER"), w.dir))
	var busy *ClusterBusyError
	_, err := Start(t.Context(), startInput(h, testPlan("00000004", "TestCluster"), w.dir))
	if !errors.As(err, &busy) || !errors.Is(err, ErrClusterBusy) || busy.Run != first.Run || busy.PID != first.PID {
		t.Fatalf("%v", err)
	}
	if _, err := h.Plan("00000004"); !errors.Is(err, ErrNoRun) {
		t.Errorf("the refused run left a folder: %v", err)
	}
	other := start(t, startInput(h, testPlan("00000005", "OTHERCLUSTER"), w.dir))
	if !alive(t, h, other.Run) {
		t.Error("a run on another cluster is not alive")
	}
	kill(t, first.PID)
	kill(t, other.PID)
	if err := h.ClusterBusy(testPlan("00000004", "TESTCLUSTER")); err != nil {
		t.Errorf("after the holder was killed: %v", err)
	}
}

func TestR27_ACoordinatorThatFindsTheClusterTakenSaysSoToItsStarter(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	l, err := h.lockCluster(t.Context(), testPlan("00000006", "TESTCLUSTER"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	plan := testPlan("00000007", "TESTCLUSTER")
	if err := h.NewRun(plan); err != nil {
		t.Fatal(err)
	}
	var busy *ClusterBusyError
	if _, err := spawn(t.Context(), startInput(h, plan, w.dir), plan.Run, decision{}); !errors.As(err, &busy) || busy.Run != "00000006" {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(busy.Error(), "00000006") {
		t.Errorf("%v does not name the run", busy)
	}
}

func TestR28_AProcessThatIsNotProvenDetachedGetsNoSecretsAndNoRun(t *testing.T) {
	cases := map[string]decision{
		// The process that works is not the one that was looked at.
		"another process": {wrap: []string{"/bin/sh", "-c", `"$@" & wait`, "sh"}},
	}
	if runtime.GOOS == "linux" {
		// As if systemd-run had not moved it.
		cases["not in its unit"] = decision{scope: true}
	}
	for name, d := range cases {
		h, w := newHome(t), &world{dir: t.TempDir()}
		plan := testPlan("0000000e", "TESTCLUSTER")
		if err := h.NewRun(plan); err != nil {
			t.Fatal(err)
		}
		if _, err := spawn(t.Context(), startInput(h, plan, w.dir), plan.Run, d); !errors.Is(err, ErrWouldNotSurvive) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(w.path("self.json")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: it got the secrets, %v", name, err)
		}
		until(t, "it is gone", func() bool { return !alive(t, h, plan.Run) })
		if s := state(t, h, plan.Run); s.Facts != 0 {
			t.Errorf("%s: it did %d things", name, s.Facts)
		}
	}
}

func TestR29_HangUpAndInterruptDoNotStopACoordinatorAndTermLeavesTheRunToBeResumed(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	s := start(t, startInput(h, testPlan("00000008", "TESTCLUSTER"), w.dir))
	untilInstalling(t, h, s.Run)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if err := syscall.Kill(s.PID, sig); err != nil {
			t.Fatal(err)
		}
		if err := h.Control(t.Context(), s.Run, engine.Control{Verb: engine.VerbPause}); err != nil {
			t.Fatalf("after %v: %v", sig, err)
		}
	}
	if err := syscall.Kill(s.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := reap(s.PID); !status.Exited() || status.ExitStatus() != 1 {
		t.Fatalf("ended by SIGTERM: %+v", status)
	}
	st := state(t, h, s.Run)
	if alive(t, h, s.Run) || st.Status.Ended() || !st.PauseAsked {
		t.Fatalf("after SIGTERM the run is %s, pause asked %v", st.Status, st.PauseAsked)
	}
}

func TestR04_SecretsReachTheCoordinatorAndNothingElse(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	in := startInput(h, testPlan("00000009", "TESTCLUSTER"), w.dir)
	s := start(t, in)
	untilInstalling(t, h, s.Run)
	self := w.self(t)
	sum := sha256.Sum256(in.Secrets)
	if self.Secrets != hex.EncodeToString(sum[:]) {
		t.Fatal("the coordinator got other bytes")
	}
	if self.Core != 0 || self.Dumps != 0 {
		t.Errorf("core limit %d, dumpable %d; want 0 and 0", self.Core, self.Dumps)
	}
	if strings.Contains(strings.Join(self.Env, "\n"), pipeVariable) {
		t.Error("the starter's pipe is in the environment that children would get")
	}
	secret := []byte("hunter2-" + s.Run)
	for _, name := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.PID, name))
		if runtime.GOOS == "linux" && err != nil && !errors.Is(err, os.ErrPermission) {
			t.Error(err)
		}
		if bytes.Contains(data, secret) {
			t.Errorf("the secret is in /proc/PID/%s", name)
		}
	}
	w.release(t)
	reap(s.PID)
	wantSucceeded(t, h, w, s.Run)
	files := 0
	err := filepath.WalkDir(h.Dir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if bytes.Contains(data, secret) {
			t.Errorf("the secret is in %s", path)
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("looked at %d files, %v", files, err)
	}
}

func TestTheCoordinatorKeepsNothingOpenOfItsStarter(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil { // without close-on-exec, like one that a shell hands over
		t.Fatal(err)
	}
	r := os.NewFile(uintptr(ends[0]), "r")
	defer func() { _ = r.Close() }()
	h, w := newHome(t), &world{dir: t.TempDir()}
	start(t, startInput(h, testPlan("0000000a", "TESTCLUSTER"), w.dir))
	if err := syscall.Close(ends[1]); err != nil {
		t.Fatal(err)
	}
	read := make(chan error, 1)
	go func() { _, err := r.Read(make([]byte, 1)); read <- err }()
	select {
	case err := <-read:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the coordinator holds the pipe open")
	}
}

func TestAStartThatFailsSaysWhyAndLeavesNothing(t *testing.T) {
	for role, want := range map[string]string{"refuse": "no node answers", "crash": "on fire"} {
		h, w := newHome(t), &world{dir: t.TempDir()}
		_, err := Start(t.Context(), withRole(startInput(h, testPlan("0000000b", "TESTCLUSTER"), w.dir), role))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", role, err)
		}
		if list, err := h.List(); err != nil || len(list) != 0 {
			t.Errorf("%s: left %+v, %v", role, list, err)
		}
	}
	h := newHome(t)
	in := startInput(h, testPlan("0000000c", "TESTCLUSTER"), t.TempDir())
	in.Program = filepath.Join(t.TempDir(), "missing")
	if _, err := Start(t.Context(), in); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestACoordinatorThatIsNotReadyInTimeIsEnded(t *testing.T) {
	h, w := newHome(t), &world{dir: t.TempDir()}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := make(chan error, 1)
	go func() {
		_, err := Start(ctx, withRole(startInput(h, testPlan("0000000d", "TESTCLUSTER"), w.dir), "slow"))
		started <- err
	}()
	until(t, "the coordinator has its secrets", func() bool { data, err := os.ReadFile(w.path("self.json")); return err == nil && json.Valid(data) })
	cancel()
	if err := <-started; !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if err := syscall.Kill(w.self(t).PID, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("it still lives: %v", err)
	}
}

func TestTheInsideOfTheProcessIsNotForPeople(t *testing.T) {
	t.Setenv(pipeVariable, "")
	if _, err := Enter(); err == nil {
		t.Fatal("Enter without a starter")
	}
}
