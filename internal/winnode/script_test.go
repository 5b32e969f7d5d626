package winnode_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
	"cau/plugins"
)

func scriptJob(t *testing.T, text string) plugins.Job {
	t.Helper()
	sum := sha256.Sum256([]byte(text))
	return plugins.Job{ID: "pre-1", Kind: plugins.JobScript, Input: raw(t, plugins.ScriptJob{
		Run: "r1", Name: "pre.ps1", SHA256: hex.EncodeToString(sum[:]), Cluster: "FC1", Phase: plugins.PhasePre, Text: []byte(text),
	})}
}

func TestAScriptAsSystemIsAJobLikeAnyOther(t *testing.T) {
	got, order, err := ended(t, scriptJob(t, "exit 3"), `{"exit_code":3,"account":"NT AUTHORITY\\SYSTEM\u001b","truncated":true,"log":"C:\\x"}`)
	if err != nil || string(got) != `{"exit_code":3,"account":"NT AUTHORITY\\SYSTEM","truncated":true,"log":"C:\\x"}` {
		t.Errorf("%s %v", got, err)
	}
	var in agent.ScriptInput
	if err := json.Unmarshal([]byte(order), &in); err != nil || in.Text != "ZXhpdCAz" || in.Phase != "pre" || in.Cluster != "FC1" || in.Name != "pre.ps1" {
		t.Errorf("%s %v", order, err)
	}
}

// realClock lets time pass in a bubble of testing/synctest.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// callerNode is a node on which a script runs in the caller's logon: each shell is a connection of its own.
type callerNode struct {
	*machine
	mu      sync.Mutex
	polls   int
	asked   []agent.JobRunHereArgs
	exists  bool
	alive   bool
	result  string
	release chan struct{} // closed when the script may end
	refuse  *agent.OpError
	cut     error // what run-here's connection breaks with, at once
	nothing bool  // and the request did not come through
}

func newCallerNode(t *testing.T) (*callerNode, *winnode.Fleet) {
	t.Helper()
	n := &callerNode{machine: &machine{t: t, name: "N1", ops: map[string]operation{}}, release: make(chan struct{})}
	n.ops[agent.OpJobPoll] = func(json.RawMessage) (any, *agent.OpError) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.polls++
		return agent.JobPoll{Exists: n.exists, ProcessAlive: n.alive, Result: n.result}, nil
	}
	n.ops[agent.OpBootInfo] = give(agent.BootInfo{BootFileTime: "1"})
	f, err := winnode.New(winnode.Config{Dialer: n, Clock: realClock{}, Nodes: []winnode.NodeAddress{{Name: "N1", Address: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	return n, f
}

func (n *callerNode) Shell(string, string) (winnode.Shell, error) {
	n.machine.mu.Lock()
	defer n.machine.mu.Unlock()
	n.shells++
	return n, nil
}

func (n *callerNode) set(do func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do()
}

// Run answers job.run-here when the script has ended; other operations go on meanwhile.
func (n *callerNode) Run(ctx context.Context, command string, stdin []byte) ([]byte, []byte, int32, error) {
	p, err := agent.ParseCommand(command)
	if err != nil || p.Upload {
		return n.machine.Run(ctx, command, stdin)
	}
	req, err := p.Request(stdin)
	if err != nil || req.Op != agent.OpJobRunHere {
		return n.machine.Run(ctx, command, stdin)
	}
	var a agent.JobRunHereArgs
	if err := json.Unmarshal(req.Args, &a); err != nil {
		n.t.Error(err)
	}
	refused := false
	n.set(func() {
		n.asked = append(n.asked, a)
		refused = n.refuse != nil
		began := !refused && !n.nothing
		n.exists, n.alive = n.exists || began, began
	})
	if refused {
		return n.answer(nil, n.refuse), nil, 0, nil
	}
	if n.cut != nil {
		return nil, nil, 0, n.cut
	}
	select {
	case <-n.release:
	case <-ctx.Done():
		n.set(func() { n.alive = false })
		return nil, nil, 0, ctx.Err()
	}
	n.set(func() { n.alive, n.result = false, `{"ok":true,"data":{"exit_code":3,"account":"FC\\admin"}}` })
	return n.answer(struct{}{}, nil), nil, 0, nil
}

func callerJob(t *testing.T) plugins.Job {
	t.Helper()
	job := scriptJob(t, "exit 3")
	job.AsCaller = true
	return job
}

func TestAScriptInTheCallersLogonLeavesTheNodeFreeForOtherOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newCallerNode(t)
		var got json.RawMessage
		var err error
		done := make(chan struct{})
		go func() { got, err = f.Node("N1").RunJob(t.Context(), callerJob(t), nil); close(done) }()
		time.Sleep(time.Minute) // while it runs
		if _, err := f.Node("N1").Boot(t.Context()); err != nil {
			t.Error(err)
		}
		begun := time.Now()
		close(n.release)
		<-done
		if err != nil || string(got) != `{"exit_code":3,"account":"FC\\admin"}` || len(n.asked) != 1 {
			t.Errorf("%s %v, asked %d times", got, err, len(n.asked))
		}
		if waited := time.Since(begun); waited > time.Second {
			t.Errorf("its end was noticed %s later", waited)
		}
		if n.shells != 2 || n.asked[0].Kind != "script" || n.asked[0].ID != "pre-1" || n.asked[0].Run != "r1" {
			t.Errorf("%d shells, %+v", n.shells, n.asked)
		}
		f.Close()
		if n.closed != 2 {
			t.Errorf("%d of 2 shells closed", n.closed)
		}
	})
}

func TestR18_AScriptOverItsLimitGoesOnAndIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newCallerNode(t)
		defer f.Close()
		job := callerJob(t)
		job.Limit = 10 * time.Minute
		begun := time.Now()
		if _, err := f.Node("N1").RunJob(t.Context(), job, nil); !errors.Is(err, plugins.ErrJobStillRunning) || time.Since(begun) > 11*time.Minute {
			t.Fatalf("%v after %s", err, time.Since(begun))
		}
		if !n.alive || n.closed != 0 {
			t.Error("it was ended")
		}
		close(n.release)
		job.Limit = 0
		if _, err := f.Node("N1").RunJob(t.Context(), job, nil); err != nil || len(n.asked) != 1 {
			t.Errorf("%v, asked %d times", err, len(n.asked))
		}
	})
}

func TestR19_AScriptWhoseConnectionBreaksIsLookedAtAndNeverStartedTwice(t *testing.T) {
	cut := &wsman.ConnError{Op: "Receive", Stage: wsman.Maybe, Err: errors.New("reset")}
	for _, c := range []struct {
		name  string
		after func(*callerNode) // what the node is like a little later
		lost  bool
		want  string
	}{
		{"it goes on and ends", func(n *callerNode) {
			n.alive, n.result = false, `{"ok":true,"data":{"exit_code":0,"account":"x"}}`
		}, false, ""},
		{"it died with its connection", func(n *callerNode) { n.alive = false }, true, "without a result"},
		{"it never began", nil, true, "the connection that it ran in is gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, f := newCallerNode(t)
				defer f.Close()
				n.cut, n.nothing = cut, c.after == nil
				if c.after != nil {
					time.AfterFunc(30*time.Second, func() { n.set(func() { c.after(n) }) })
				}
				_, err := f.Node("N1").RunJob(t.Context(), callerJob(t), nil)
				if errors.Is(err, plugins.ErrJobLost) != c.lost || (err == nil) == c.lost || (err != nil && !strings.Contains(err.Error(), c.want)) || len(n.asked) != 1 {
					t.Errorf("%v, asked %d times", err, len(n.asked))
				}
				time.Sleep(time.Minute)
			})
		})
	}
}

func TestR19_AScriptThatTheNodeKnowsOfIsOnlyLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newCallerNode(t)
		defer f.Close()
		n.exists, n.result = true, `{"ok":true,"data":{"exit_code":0,"account":"x"}}`
		if _, err := f.Node("N1").RunJob(t.Context(), callerJob(t), nil); err != nil || len(n.asked) != 0 || n.shells != 1 {
			t.Errorf("%v, asked %d times, %d shells", err, len(n.asked), n.shells)
		}
	})
}

func TestARefusedScriptSaysWhyAndIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newCallerNode(t)
		defer f.Close()
		n.refuse = &agent.OpError{Kind: "fenced", Message: "another run"}
		begun := time.Now()
		if _, err := f.Node("N1").RunJob(t.Context(), callerJob(t), nil); !errors.Is(err, winnode.ErrFenced) || time.Since(begun) > time.Minute {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

func TestAClosedFleetEndsItsScriptsAndStartsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newCallerNode(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := f.Node("N1").RunJob(ctx, callerJob(t), nil); done <- err }()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || !n.alive {
			t.Errorf("%v, alive %v", err, n.alive)
		}
		f.Close()
		if n.alive || n.closed != 2 {
			t.Errorf("alive %v, %d shells closed", n.alive, n.closed)
		}
		if _, err := f.Node("N1").RunJob(t.Context(), callerJob(t), nil); err == nil || len(n.asked) != 1 {
			t.Errorf("%v, asked %d times", err, len(n.asked))
		}
	})
}
