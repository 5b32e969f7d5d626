package chaos_test

import (
	"fmt"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/lab/model"
	"cau/plugins"
)

// outcome is what a run came to, without its times: what must be the same however often the coordinator died.
type outcome struct {
	Status engine.RunStatus
	Nodes  []nodeOutcome
}

// nodeOutcome is one node's part: by the run's state, and in the world.
type nodeOutcome struct {
	Name     string
	Status   engine.NodeStatus
	Restarts int
	Updates  []string
	// Boots, Installs, Up and Paused are the world's; Installs are the starts of installers that belong to the run.
	Boots    int
	Installs []string
	Up       bool
	Paused   bool
	Pending  bool
}

const nodePaused = 2 // CLUSTER_NODE_STATE

func outcomeOf(s engine.State, w model.State) outcome {
	out := outcome{Status: s.Status}
	for _, n := range s.Nodes {
		o := nodeOutcome{Name: n.Name, Status: n.Status, Restarts: n.Restarts}
		for _, u := range n.Updates {
			code := "none"
			if u.ExitCode != nil {
				code = fmt.Sprint(*u.ExitCode)
			}
			o.Updates = append(o.Updates, fmt.Sprintf("%s %s, exit code %s", u.Name, u.Outcome, code))
		}
		for _, m := range w.Nodes {
			if m.Name != n.Name {
				continue
			}
			o.Boots, o.Up = m.Boots, m.Up
			o.Pending = m.Pending.CBSRebootPending || m.Pending.WURebootRequired || m.Pending.UpdateExeVolatile
			for _, in := range m.Installs {
				o.Installs = append(o.Installs, fmt.Sprintf("%s ended with %d, installed %t", in.File, in.Code, in.Installed))
			}
		}
		for _, m := range w.Cluster.Nodes {
			if m.Name == n.Name {
				o.Paused = m.State == nodePaused
			}
		}
		out.Nodes = append(out.Nodes, o)
	}
	slices.SortFunc(out.Nodes, func(a, b nodeOutcome) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// judge fails the test for whatever must not be.
func (tr *trial) judge(s engine.State) {
	tr.t.Helper()
	if bad := tr.never(s); len(bad) > 0 {
		tr.fatalf("%s", strings.Join(bad, "\n"))
	}
}

// never are what must not be in any run, whatever went wrong: in the world's own log, in the facts, and in the end.
func (tr *trial) never(s engine.State) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	w := tr.world.State()
	for _, i := range w.Incidents {
		say("%s: %s: %s", i.Node, i.Kind, i.Text)
	}
	for _, m := range w.Nodes {
		once := map[string]int{}
		var open []model.Install
		for _, in := range m.Installs {
			if in.Overlap {
				say("%s: %s began while another installer ran", m.Name, in.File)
			}
			if in.Installed {
				once[in.Update]++
			}
			open = append(open, in)
		}
		for i := 1; i < len(open); i++ {
			if open[i-1].End.After(open[i].Start) {
				say("%s: %s and %s overlap", m.Name, open[i-1].File, open[i].File)
			}
		}
		for u, n := range once {
			if n > 1 {
				say("%s: %s was installed %d times", m.Name, u, n)
			}
		}
		if n := s.Node(m.Name); n != nil {
			for _, u := range n.Updates {
				if (u.Outcome == plugins.Installed) != (once[u.ID] == 1) {
					say("%s: %s is %q and was installed %d times", m.Name, u.Name, u.Outcome, once[u.ID])
				}
			}
			if !n.PausedByUs && !n.Status.Ended() {
				say("%s is %s", n.Name, n.Status)
			}
		}
		if m.Maintenance {
			say("%s is left in storage maintenance mode", m.Name)
		}
	}
	for _, m := range w.Cluster.Nodes {
		n := s.Node(m.Name)
		if m.State != 0 && (n == nil || !n.PausedByUs) {
			say("%s is in state %d, and the run does not say that it left it so", m.Name, m.State)
		}
	}
	return append(out, oneAway(tr.facts())...)
}

// oneAway finds nodes that were taken while another was out of service.
func oneAway(facts []engine.Fact) []string {
	var out []string
	away := ""
	for _, f := range facts {
		switch f.Kind {
		case engine.FactPauseIntent:
			if away != "" && away != f.Node {
				out = append(out, fmt.Sprintf("%s was taken while %s is away", f.Node, away))
			}
			away = f.Node
		case engine.FactUndoDone, engine.FactResumeDone:
			if away == f.Node {
				away = ""
			}
		default:
		}
	}
	return out
}
