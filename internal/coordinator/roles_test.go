//go:build unix

package coordinator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"cau/engine"
)

// The test binary plays the other processes too, as these variables say.
const (
	roleVariable  = "CAU_TEST_ROLE"
	homeVariable  = "CAU_TEST_HOME"
	worldVariable = "CAU_TEST_WORLD"
)

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		goleak.VerifyTestMain(m)
	case "starter":
		os.Exit(asStarter())
	default:
		os.Exit(asCoordinator(role))
	}
}

// asCoordinator is what the program's hidden command does.
func asCoordinator(role string) int {
	if role == "crash" {
		fmt.Fprintln(os.Stderr, "the disk\x1b[31m of this test is on fire")
		return 3
	}
	child, err := Enter()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	w := &world{dir: os.Getenv(worldVariable)}
	if err := os.WriteFile(w.path("self.json"), aboutSelf(child.Secrets()), 0o600); err != nil {
		child.Fail(err)
		return 1
	}
	child.Forget()
	switch role {
	case "refuse":
		child.Fail(errors.New("no node answers"))
		return 1
	case "slow":
		time.Sleep(time.Hour)
	}
	home, err := OpenHome(os.Getenv(homeVariable))
	if err != nil {
		child.Fail(err)
		return 1
	}
	if _, err := Serve(context.Background(), w.serve(home, os.Args[len(os.Args)-1], child)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// about is what the coordinator of a test saw of itself.
type about struct {
	PID     int
	Secrets string
	Core    uint64
	Dumps   int
	Session int
	Env     []string
}

func aboutSelf(secrets []byte) []byte {
	sum := sha256.Sum256(secrets)
	a := about{PID: os.Getpid(), Secrets: hex.EncodeToString(sum[:]), Env: os.Environ()}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err == nil {
		a.Core = core.Max
	}
	a.Session, _ = unix.Getsid(0)
	a.Dumps = dumpable()
	data, err := json.Marshal(a)
	if err != nil {
		return []byte(err.Error())
	}
	return data
}

// asStarter starts a run like the program does, says so and stays until it is killed.
func asStarter() int {
	home, err := OpenHome(os.Getenv(homeVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	s, err := Start(context.Background(), startInput(home, testPlan("00000001", "TESTCLUSTER"), os.Getenv(worldVariable)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sid, err := unix.Getsid(0)
	if err != nil {
		return 1
	}
	_, _ = fmt.Fprintln(os.Stdout, s.PID, sid)
	time.Sleep(time.Hour)
	return 0
}

func startInput(home *Home, plan *engine.Plan, worldDir string) StartInput {
	in := StartInput{Home: home, Plan: plan, Program: os.Args[0], Secrets: []byte(`{"password":"hunter2-` + plan.Run + `"}`)}
	in.Args = []string{"coordinate", plan.Run}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "CAU_") {
			in.Env = append(in.Env, v)
		}
	}
	in.Env = append(in.Env, roleVariable+"=coordinator", homeVariable+"="+home.Dir(), worldVariable+"="+worldDir)
	return in
}

func withRole(in StartInput, role string) StartInput {
	for i, v := range in.Env {
		if strings.HasPrefix(v, roleVariable+"=") {
			in.Env[i] = roleVariable + "=" + role
		}
	}
	return in
}

// start starts a run; its coordinator is ended and reaped with the test.
func start(t *testing.T, in StartInput) Started {
	t.Helper()
	s, err := Start(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, s.PID) })
	return s
}

// kill ends a process at once and returns when it is gone.
func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Error(err)
	}
	reap(pid)
}

// reap waits for the end of our own child; of a child that was reaped before there is nothing left.
func reap(pid int) (status syscall.WaitStatus) {
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			return status
		}
	}
}

// until waits for something that other processes bring about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (w *world) release(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(w.path("go"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *world) self(t *testing.T) about {
	t.Helper()
	var a about
	data, err := os.ReadFile(w.path("self.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func state(t *testing.T, h *Home, run string) engine.State {
	t.Helper()
	_, s, _, err := h.Load(run)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func alive(t *testing.T, h *Home, run string) bool {
	t.Helper()
	is, err := h.Alive(run)
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// untilInstalling waits until the first update has begun, which without release does not end.
func untilInstalling(t *testing.T, h *Home, run string) {
	t.Helper()
	until(t, "the first update begins", func() bool {
		s := state(t, h, run)
		return !s.Nodes[0].Updates[0].Started.IsZero()
	})
}

func installed(t *testing.T, w *world) string {
	t.Helper()
	data, err := os.ReadFile(w.path("installed"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wantSucceeded(t *testing.T, h *Home, w *world, run string) {
	t.Helper()
	if s := state(t, h, run); s.Status != engine.RunSucceeded {
		t.Fatalf("the run ended %s, cause %v", s.Status, s.Cause)
	}
	if got := installed(t, w); got != "N1 u1\nN2 u2\n" {
		t.Fatalf("installed:\n%s", got)
	}
}
