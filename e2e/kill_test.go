package e2e_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"cau/engine"
)

// More of it: go test ./e2e -run SIGKILL -kill.n=20 -kill.seed=100. Package chaos does the same at exact points and in
// virtual time; here the process, its locks and its sockets are real, and the moments are whatever comes.
var (
	killRounds = flag.Int("kill.n", 1, "how many runs to go through whose coordinator is killed again and again")
	killSeed   = flag.Uint64("kill.seed", 1, "the seed of the first of them; the others follow")
)

func TestR26_SIGKILLAtAnyMomentLosesNothing(t *testing.T) {
	t.Parallel()
	for i := range *killRounds {
		seed := *killSeed + uint64(i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { killedAgainAndAgain(t, seed) })
	}
}

// killedAgainAndAgain kills a run's coordinator at moments drawn from the seed, and resumes it each time until its end.
func killedAgainAndAgain(t *testing.T, seed uint64) {
	t.Helper()
	w := quickly(t)
	info := w.lab("--speed", "100")
	w.want(0, apply(info, "--detach")...)
	run := w.status().Run
	moments := rand.New(rand.NewPCG(seed, 0))
	killed := 0
	for range 12 {
		time.Sleep(time.Duration(moments.IntN(1500)) * time.Millisecond)
		if kill(t, w, run) {
			killed++
		}
		s := w.status()
		if s.Status.Ended() {
			break
		}
		w.want(0, "resume", run)
	}
	w.until("the run's end", func() bool { return w.status().Status.Ended() })
	t.Logf("killed %d times", killed)
	if killed == 0 {
		t.Error("it was never killed")
	}
	s, r := w.status(), w.inspect(info)
	checkSucceeded(t, s)
	checkNodes(t, r)
	for _, n := range r.State.Nodes {
		of := s.Node(n.Name)
		if len(n.Installs) != len(of.Updates) {
			t.Errorf("%s: %d installers were started for %d updates: %+v", n.Name, len(n.Installs), len(of.Updates), n.Installs)
		}
		for i := 1; i < len(n.Installs); i++ {
			if n.Installs[i].Start.Before(n.Installs[i-1].End) {
				t.Errorf("%s: %s began before %s had ended", n.Name, n.Installs[i].File, n.Installs[i-1].File)
			}
		}
		if n.Boots != 1+of.Restarts || n.Maintenance {
			t.Errorf("%s: %d boots for %d restarts, in maintenance %t", n.Name, n.Boots, of.Restarts, n.Maintenance)
		}
	}
	for _, m := range r.State.Cluster.Nodes {
		if m.State != int(engine.NodeUp) {
			t.Errorf("%s is left %s", m.Name, engine.NodeState(m.State))
		}
	}
}

// kill ends the run's own process, which its command line tells, by SIGKILL, and waits until it is gone. It is false when
// there is none.
func kill(t *testing.T, w *world, run string) bool {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Skip("needs /proc to find the coordinator")
	}
	for _, e := range entries {
		line, err := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		if err != nil || !strings.Contains(string(line), "coordinate\x00"+run) {
			continue
		}
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		coordinator, err := os.FindProcess(pid)
		if err == nil {
			err = coordinator.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
		w.until("its end", func() bool { return strings.Contains(w.cau("runs", "--json").out, `"alive":false`) })
		return true
	}
	return false
}
