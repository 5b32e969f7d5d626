package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cau/engine"
	"cau/internal/check"
)

type gateFunc func(q engine.GateQuestion) (engine.GateAnswer, error)

func (g gateFunc) Ask(_ context.Context, q engine.GateQuestion) (engine.GateAnswer, error) {
	return g(q)
}

func gated(t *testing.T, answer gateFunc) *bench {
	t.Helper()
	b := twoNodes(t, with(func(o *engine.Options) { o.Gate, o.GateStatus = "https://gate.example/ok", 204 }))
	if answer != nil {
		b.gate = answer
	}
	return b
}

func TestR14_NoNodeIsTakenWhileTheAdministratorsOwnGateIsClosed(t *testing.T) {
	for name, closed := range map[string]gateFunc{
		"closed": func(engine.GateQuestion) (engine.GateAnswer, error) {
			return engine.GateAnswer{Said: "status 503: \x1b[2Jfrozen"}, nil
		},
		"no answer": func(engine.GateQuestion) (engine.GateAnswer, error) {
			return engine.GateAnswer{Open: true}, errors.New("frozen")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := gated(t, nil)
				b.gate = gateFunc(func(q engine.GateQuestion) (engine.GateAnswer, error) {
					if q.Gate.URL != "https://gate.example/ok" || q.Status != 204 || q.Run != b.plan.Run || q.Cluster != "CONTOSO-FC1" {
						t.Errorf("%+v", q)
					}
					if q.Node == "NODE2" && time.Since(b.w.began) < time.Hour {
						return closed(q)
					}
					return engine.GateAnswer{Open: true}, nil
				})
				b.journal.on = func(f engine.Fact) {
					if f.Kind == engine.FactGateWaiting && (f.Node != "NODE2" || f.Data.Checks[0].ID != "run.gate" || !strings.Contains(f.Data.Message, "frozen") || strings.Contains(f.Data.Message, "\x1b")) {
						t.Errorf("%+v", f)
					}
				}
				if s := b.toEnd(); s.Status != engine.RunSucceeded {
					t.Errorf("%s", s.Status)
				}
				if at := b.when(engine.FactPauseIntent, "NODE2"); at < time.Hour || at > time.Hour+2*time.Minute {
					t.Errorf("NODE2 is taken after %s", at)
				}
				b.wantKind(engine.FactGateWaiting, true)
			})
		})
	}
}

func TestR14_AnOwnGateThatStaysClosedOrThatNobodyCanAskHoldsTheRun(t *testing.T) {
	for _, answer := range []gateFunc{nil, func(engine.GateQuestion) (engine.GateAnswer, error) { return engine.GateAnswer{}, nil }} {
		synctest.Test(t, func(t *testing.T) {
			b := gated(t, answer)
			b.askOn(engine.FactRunHeld, "", engine.VerbStop)
			s := b.toEnd()
			if at := b.when(engine.FactRunHeld, "") - b.when(engine.FactGateWaiting, "NODE1"); at < 2*time.Hour || at > 2*time.Hour+time.Minute || b.w.count("pause NODE1") != 0 {
				t.Errorf("held after %s, %s", at, s.Status)
			}
		})
	}
}

func TestTheOwnGateIsAskedOnlyWhenNothingElseIsInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b := gated(t, func(engine.GateQuestion) (engine.GateAnswer, error) {
			asked++
			return engine.GateAnswer{Open: true}, nil
		})
		b.w.backups = []string{"Volume1"}
		b.askOn(engine.FactRunHeld, "", engine.VerbStop)
		b.toEnd()
		if asked != 0 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestAGateIsACommandOrAnAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]engine.OwnGate{
		"/usr/bin/test -e /run/go":            {Command: []string{"/usr/bin/test", "-e", "/run/go"}},
		`/opt/gate "with space" 'it "is"' ""`: {Command: []string{"/opt/gate", "with space", `it "is"`, ""}},
		`gate C:\x\y $HOME;id`:                {Command: []string{"gate", `C:\x\y`, "$HOME;id"}},
		"HTTPS://gate.example/may?x=1":        {URL: "https://gate.example/may?x=1"},
	} {
		got, err := engine.ParseGate(text)
		if err != nil || !slices.Equal(got.Command, want.Command) || got.URL != want.URL {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		" ": "names no command", `"open`: "quote without its end", "a\x1bb": "control character", "./gate": "relative path",
		"https://ann:secret@gate.example/": "a user or a password", "ftp://x/": "neither an http or https URL", "http:///x": "names no host",
	} {
		o := engine.DefaultOptions()
		o.Gate = text
		if p := o.Validate(nil); len(p) != 1 || p[0].Name != "Gate" || !strings.Contains(p[0].Problem, want) || strings.Contains(p[0].Problem, "secret") {
			t.Errorf("%q: %v", text, p)
		}
	}
}

func TestThePreviewSaysThatAGateIsAsked(t *testing.T) {
	t.Parallel()
	for gate, want := range map[string]check.Outcome{"": "", "gate --fast": check.Pass, "https://gate.example/": check.Pass, "http://gate.example/": check.Warn, "http://127.0.0.1:8/": check.Pass} {
		o := engine.DefaultOptions()
		o.Gate = gate
		var got check.Outcome
		for _, r := range engine.ClusterChecks(healthy(), o, time.Now()) {
			if r.ID == "run.gate" {
				got = r.Outcome
			}
		}
		if got != want {
			t.Errorf("%q: %q", gate, got)
		}
	}
}
