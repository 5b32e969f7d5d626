package e2e_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cau/engine"
)

// elsewhere is another host's home, which knows the same labs and none of the runs.
func (w *world) elsewhere() *world {
	w.t.Helper()
	other := *w
	other.home = filepath.Join(w.t.TempDir(), "state")
	if err := os.MkdirAll(other.home, 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(w.home, "labs"), filepath.Join(other.home, "labs")); err != nil {
		w.t.Fatal(err)
	}
	other.env = append(slices.Clone(w.env), "CAU_HOME="+other.home)
	return &other
}

func TestR27_AnotherHostTakesARunOverWhoseCoordinatorWasKilled(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab("--speed", "50") // an installation must last until somebody has looked
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	w.until("an installation", func() bool {
		s := w.status()
		return slices.ContainsFunc(s.Nodes, func(n engine.NodeRun) bool { return n.Phase == engine.PhaseInstalling })
	})
	killCoordinator(t, w, run)

	other := w.elsewhere()
	// Nobody knows yet that the holder is gone.
	r := other.want(3, "takeover", "--lab="+info.ID)
	if !strings.Contains(r.errOut, "may still be alive") || !strings.Contains(r.errOut, run) || !strings.Contains(r.errOut, "NODE1") {
		t.Errorf("without a typed name: %s", r.errOut)
	}
	if r := other.want(3, "takeover", "--lab="+info.ID, "--typed", "another"); !strings.Contains(r.errOut, "may still be alive") {
		t.Errorf("with another name: %s", r.errOut)
	}
	if r := w.want(3, "takeover", "--lab="+info.ID, "--typed", info.Cluster); !strings.Contains(r.errOut, "cau resume "+run) {
		t.Errorf("on the run's own host: %s", r.errOut)
	}
	other.want(0, "takeover", "--lab="+info.ID, "--typed", info.Cluster)
	if r := w.want(3, "resume", run); !strings.Contains(r.errOut, "taken over") {
		t.Errorf("the old host resumes with: %s", r.errOut)
	}
	if s := w.status(); s.Status != engine.RunTakenOver || !strings.Contains(s.Waiting, "taken over") {
		t.Errorf("the old host says %s, %q", s.Status, s.Waiting)
	}
	other.until("the run's end", func() bool { return other.status().Status.Ended() })
	checkSucceeded(t, other.status())
	checkNodes(t, w.inspect(info))
	if r := other.want(3, "takeover", "--lab="+info.ID); !strings.Contains(r.errOut, "No run holds") {
		t.Errorf("after its end: %s", r.errOut)
	}
}
