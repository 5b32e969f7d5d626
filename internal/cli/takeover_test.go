package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"cau/engine"
)

// left answers with what lies on the nodes, and keeps which run was taken over.
type left struct {
	fake
	found LeftRuns
	taken []string
}

func (l *left) LeftRuns(context.Context, Target, func(string)) (LeftRuns, error) {
	return l.found, nil
}

func (l *left) TakeOver(_ context.Context, _ Target, run string, _ engine.Lease) (Started, error) {
	l.taken = append(l.taken, run)
	return Started{Run: run}, nil
}

func TestR27_ATakeoverReplacesNobodyUntilTheClustersNameIsTyped(t *testing.T) {
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	held := func(age time.Duration) engine.Lease {
		return engine.Lease{Epoch: 4, Run: "7f3c0001", Holder: "adm@hosta", Renewed: now.Add(-age), Now: now, LastEpoch: 4, LastRun: "7f3c0001"}
	}
	mine := LeftRun{Run: "7f3c0001", Node: "NODE3", State: engine.State{Run: "7f3c0001", Status: engine.RunRunning}}
	other := LeftRun{Run: "8a000001", Node: "NODE2"}
	with := func(change func(*LeftRun)) LeftRun {
		r := mine
		change(&r)
		return r
	}
	stale := engine.LeaseStale + time.Minute
	for name, c := range map[string]struct {
		lease    engine.Lease
		runs     []LeftRun
		unseen   string
		line     string
		terminal bool
		typed    string
		// want is the exit code, says a part of what is said on the way.
		want int
		says string
	}{
		"left behind":                                 {lease: held(stale), runs: []LeftRun{mine, other}, says: "as of"},
		"alive, perhaps":                              {lease: held(time.Minute), runs: []LeftRun{mine}, want: ExitRefused, says: "may still be alive"},
		"alive, replaced":                             {lease: held(time.Minute), runs: []LeftRun{mine}, line: "--typed lab-fc1"},
		"alive, another name":                         {lease: held(time.Minute), runs: []LeftRun{mine}, line: "--typed lab-fc2", want: ExitRefused, says: "--typed LAB-FC1"},
		"alive, typed at a terminal":                  {lease: held(time.Minute), runs: []LeftRun{mine}, terminal: true, typed: "LAB-FC1\n", says: "would be replaced"},
		"alive, nothing typed at the terminal":        {lease: held(time.Minute), runs: []LeftRun{mine}, terminal: true, typed: "\n", want: ExitRefused},
		"renewed nobody knows when":                   {lease: engine.Lease{Epoch: 4, Run: "7f3c0001"}, runs: []LeftRun{mine}, want: ExitRefused, says: "renewed ? ago"},
		"a node was not read":                         {lease: held(stale), runs: []LeftRun{mine}, unseen: "NODE1: the node is down", want: ExitRefused, says: "a later state"},
		"a node was not read, and that is accepted":   {lease: held(stale), runs: []LeftRun{mine}, unseen: "NODE1: the node is down", line: "--typed LAB-FC1", says: "NODE1: the node is down"},
		"a node was not read, accepted at a terminal": {lease: held(stale), runs: []LeftRun{mine}, unseen: "NODE1", terminal: true, typed: "lab-fc1\n", says: "to go on from what was found"},
		"it has ended":                                {lease: engine.Lease{LastEpoch: 4, LastRun: "7f3c0001"}, runs: []LeftRun{mine}, line: "--typed LAB-FC1", want: ExitRefused, says: "it has ended"},
		"another run works":                           {lease: held(stale), runs: []LeftRun{mine, other}, line: "--run 8a --typed LAB-FC1", want: ExitRefused, says: "held by another run"},
		"this host's own":                             {lease: held(stale), runs: []LeftRun{with(func(r *LeftRun) { r.Here = true })}, want: ExitRefused, says: "cau resume 7f3c0001"},
		"cannot be read":                              {lease: held(stale), runs: []LeftRun{with(func(r *LeftRun) { r.Problem = "it has version 9" })}, want: ExitRefused, says: "version 9"},
		"nothing is there":                            {lease: held(stale), want: ExitRefused, says: "cau apply"},
		"several, and nobody holds the cluster":       {runs: []LeftRun{mine, other}, want: ExitUsage, says: "--run"},
	} {
		t.Run(name, func(t *testing.T) {
			l := &left{found: LeftRuns{Cluster: "LAB-FC1", Lease: c.lease, Runs: c.runs, Unseen: c.unseen}}
			var o, e bytes.Buffer
			code := Run(t.Context(), l, Streams{In: strings.NewReader(c.typed), Out: &o, Err: &e, Terminal: c.terminal}, "dev",
				append([]string{"takeover", "--lab"}, strings.Fields(c.line)...))
			if code != c.want || !strings.Contains(o.String()+e.String(), c.says) {
				t.Errorf("exit code %d, not %d, and %q\n%s%s", code, c.want, c.says, o.String(), e.String())
			}
			if took := len(l.taken) == 1; took != (c.want == 0) {
				t.Errorf("taken over: %v", l.taken)
			}
		})
	}
}
