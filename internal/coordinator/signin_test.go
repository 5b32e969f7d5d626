//go:build unix

package coordinator

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"cau/engine"
)

func TestR05_ALiveRunTakesAnotherSignInThatIsProvenAndJournalsNothingOfIt(t *testing.T) {
	h, plan, ended := newHome(t), testPlan("ab000002", "TESTCLUSTER"), &ticket{}
	w := &world{dir: t.TempDir(), credential: ended}
	w.release(t)
	var seen []string
	w.signIn = func(_ context.Context, secret []byte) error {
		seen = append(seen, string(secret))
		if string(secret) != "hunter2" {
			return errors.New("the node refuses it")
		}
		ended.renewed.Store(true)
		return nil
	}
	inProcess(t, h, w, plan)
	until(t, "the run is held", func() bool { return state(t, h, plan.Run).HeldFor == "winrm.credential" })
	if err := h.SignInAs(t.Context(), plan.Run, []byte("hunter1")); err == nil || !strings.Contains(err.Error(), "the node refuses it") {
		t.Fatalf("%v", err)
	}
	if got := controls(t, h, plan.Run); len(got) > 0 {
		t.Errorf("what was refused is journalled: %q", got)
	}
	if err := h.SignInAs(t.Context(), plan.Run, []byte("hunter2")); err != nil {
		t.Fatal(err)
	}
	until(t, "the run goes on by itself and ends", func() bool { return state(t, h, plan.Run).Status == engine.RunSucceeded })
	if got := controls(t, h, plan.Run); len(got) != 1 || !strings.HasPrefix(got[0], "credential by ") || len(seen) != 2 {
		t.Errorf("%q %d", got, len(seen))
	}
	if text, err := os.ReadFile(h.in(plan.Run, journalFile)); err != nil || strings.Contains(string(text), "hunter") {
		t.Errorf("the journal holds a secret: %v", err)
	}
	if err := h.SignInAs(t.Context(), plan.Run, []byte("hunter2")); !errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
}

func TestASignInThatCannotBeChangedIsRefused(t *testing.T) {
	h, plan := newHome(t), testPlan("ab000003", "TESTCLUSTER")
	w := &world{dir: t.TempDir()}
	inProcess(t, h, w, plan)
	if err := h.SignInAs(t.Context(), plan.Run, []byte("hunter2")); err == nil || !strings.Contains(err.Error(), "cannot change how it signs in") {
		t.Errorf("%v", err)
	}
	w.release(t)
}
