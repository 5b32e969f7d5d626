package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

func probeOf(w *world, d plugins.Delivery, nodes ...string) engine.DeliveryProbe {
	return engine.DeliveryProbe{Run: "0123abcd", Delivery: d, Nodes: nodes, Node: w.node, Root: `\\fs1\updates\root`, File: `a\u.msu`, AtOnce: 3}
}

// no is a node's own refusal.
type no struct{}

func (no) Error() string       { return "its folder is a reparse point" }
func (no) RefusedByNode() bool { return true }

func TestR24_EachNodeIsAskedHowFilesComeToIt(t *testing.T) {
	noRead := fmt.Errorf("%w: %w", plugins.ErrJobFailed, &fault.Error{Op: "read the root", Node: "NODE1", Code: 5, Err: errors.New("access is denied")})
	for _, c := range []struct {
		name        string
		delivery    plugins.Delivery
		share, push error
		want        plugins.Delivery
		outcome     check.Outcome
		says        []string
		job         check.Outcome
		notAsked    string
	}{
		{"auto, both work", plugins.DeliveryAuto, nil, nil, plugins.DeliveryPull, check.Pass, []string{"NODE1$ reads the root itself", "signed"}, check.Pass, "push-0123abcd NODE1"},
		{"auto, it cannot read", plugins.DeliveryAuto, noRead, nil, plugins.DeliveryPush, check.Warn, []string{"pushed over SMB 3.1.1, encrypted", "access is denied"}, check.Pass, ""},
		{"auto, neither works", plugins.DeliveryAuto, noRead, errors.New("ADMIN$ is closed"), "", check.Fail, []string{"access is denied", "ADMIN$ is closed"}, check.Pass, ""},
		{"pull, it cannot read", plugins.DeliveryPull, noRead, nil, "", check.Fail, []string{"access is denied"}, check.Pass, "push-0123abcd NODE1"},
		{"push", plugins.DeliveryPush, noRead, nil, plugins.DeliveryPush, check.Pass, []string{"as was asked for"}, "", "probe"},
		{"push does not work", plugins.DeliveryPush, nil, errors.New("ADMIN$ is closed"), "", check.Fail, []string{"cannot be pushed", "ADMIN$ is closed"}, "", "probe"},
		{"no job can be started", plugins.DeliveryPull, fmt.Errorf("%w: its task did not begin", plugins.ErrJobLost), nil, "", check.Fail, []string{"did not begin"}, check.Fail, ""},
		{"auto, no job can be started", plugins.DeliveryAuto, fmt.Errorf("%w: its task did not begin", plugins.ErrJobLost), nil, "", check.Fail, []string{"did not begin"}, check.Fail, "push-0123abcd NODE1"},
		{"auto, the node starts no job", plugins.DeliveryAuto, &fault.Error{Op: "start the job", Node: "NODE1", Err: no{}}, nil, "", check.Fail, []string{"a reparse point"}, check.Fail, "push-0123abcd NODE1"},
		{"the node is not reached", plugins.DeliveryPull, errors.New("connection refused"), nil, "", check.Fail, []string{"connection refused"}, check.CannotVerify, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(numbered(2)...)
				w.shares["NODE1"], w.pushes["NODE1"] = c.share, c.push
				choices, results, err := engine.ProbeDelivery(t.Context(), probeOf(w, c.delivery, "NODE1"))
				if err != nil || choices["NODE1"].Delivery != c.want || (c.want == "") != (choices["NODE1"].Reason == "") {
					t.Errorf("%v %+v", err, choices)
				}
				got := map[string]check.Result{}
				for _, r := range results {
					got[r.ID] = r
				}
				share := got["node.share-read"]
				for _, s := range c.says {
					if share.Outcome != c.outcome || share.Subject != "NODE1" || !strings.Contains(share.Evidence, s) || (c.outcome == check.Fail && share.Remedy == "") {
						t.Errorf("%+v", share)
					}
				}
				if got["node.job"].Outcome != c.job {
					t.Errorf("%+v", got["node.job"])
				}
				if c.notAsked != "" && w.count(c.notAsked) != 0 || c.notAsked == "probe" && len(w.jobsAsked) != 0 {
					t.Errorf("%v %v", w.acts, w.jobsAsked)
				}
				if w.machine("NODE1").files || w.count("clean-0123abcd NODE1") != 1 {
					t.Errorf("the probe left something: %v", w.acts)
				}
			})
		})
	}
}

func TestR24_AnUnsafeConnectionIsNoWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(numbered(2)...)
		p := probeOf(w, plugins.DeliveryAuto, "NODE1")
		p.RequireEncryption = true // the node's own connection is signed only, the push is encrypted
		choices, _, err := engine.ProbeDelivery(t.Context(), p)
		if err != nil || choices["NODE1"].Delivery != plugins.DeliveryPush || !strings.Contains(choices["NODE1"].Reason, "the connection is signed") {
			t.Errorf("%v %+v", err, choices)
		}
	})
}

func TestR24_ProbesAreBoundedAndCleanUpEvenWhenGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(numbered(8)...)
		ctx, cancel := context.WithCancel(t.Context())
		if _, _, err := engine.ProbeDelivery(ctx, probeOf(w, plugins.DeliveryAuto, numbered(8)...)); err != nil || w.probers != 3 {
			t.Errorf("%v, %d at once", err, w.probers)
		}
		go func() {
			time.Sleep(5 * time.Second)
			cancel()
		}()
		if _, _, err := engine.ProbeDelivery(ctx, probeOf(w, plugins.DeliveryAuto, "NODE1")); !errors.Is(err, context.Canceled) || w.machine("NODE1").files {
			t.Errorf("%v, files left %v", err, w.machine("NODE1").files)
		}
	})
}

func TestR24_ThePlanSaysHowFilesComeToEachNodeAndTheRunObeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, newWorld(numbered(4)...), each(numbered(3), "u"), func(in *engine.PlanInput) {
			in.Delivery = map[string]engine.DeliveryChoice{"NODE1": {Delivery: plugins.DeliveryPush, Reason: "it cannot read the root"}, "NODE2": {Delivery: plugins.DeliveryPull, Reason: "it reads"}}
			in.Options.SignaturePolicy = plugins.SignatureRequire
		})
		want := map[string]plugins.Delivery{"NODE1": plugins.DeliveryPush, "NODE2": plugins.DeliveryPull, "NODE3": plugins.DeliveryPull, "NODE4": ""}
		for _, n := range b.plan.Nodes {
			if n.Delivery != want[n.Name] || n.Name == "NODE1" && n.DeliveryReason != "it cannot read the root" {
				t.Errorf("%+v", n)
			}
		}
		b.toEnd()
		for n, d := range want {
			if b.p.deliveries[n] != d {
				t.Errorf("%s was staged by %q", n, b.p.deliveries[n])
			}
		}
		if b.p.signatures["NODE1/u"] != plugins.SignatureRequire {
			t.Errorf("%v", b.p.signatures)
		}
	})
}

func TestASignatureThatIsNotValidIsInTheStateAndInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := twoNodes(t)
		b.p.scripts["NODE1/u"] = script{result: plugins.Result{Outcome: plugins.Installed, Signature: &plugins.Signature{Status: "NotSigned"}, Log: `C:\u.log`}}
		c := &collector{}
		s, err := engine.Run(t.Context(), engine.RunInput{Plan: b.plan, Plugin: b.p, Cluster: b.w, Nodes: b.w.node, Recorder: b.journal, Telemetry: c, Clock: bubbleClock{}})
		if err != nil {
			t.Fatal(err)
		}
		if u := s.Node("NODE1").Update("u"); u.Signature == nil || u.Signature.Status != "NotSigned" || u.Log != `C:\u.log` || u.Outcome != plugins.Installed {
			t.Errorf("%+v", u)
		}
		said := 0
		for _, p := range c.got {
			if strings.Contains(p.Message, "not valid: NotSigned") && p.Node == "NODE1" && p.Update == "u" {
				said++
			}
		}
		if said != 1 || b.p.signatures["NODE1/u"] != plugins.SignatureWarn {
			t.Errorf("said %d times, policies %v", said, b.p.signatures)
		}
	})
}
