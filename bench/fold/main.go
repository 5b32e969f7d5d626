package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"cau/engine"
	"cau/internal/coordinator"
	"cau/internal/journal"
	"cau/internal/winnode"
)

func main() {
	count := flag.Int("facts", 1_000_000, "how many facts, at least 10000")
	flag.Parse()
	if err := run(os.Stdout, *count); err != nil {
		fmt.Fprintln(os.Stderr, "fold:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, count int) (err error) {
	dir, err := os.MkdirTemp("", "cau-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	home, err := coordinator.OpenHome(filepath.Join(dir, "home"))
	if err != nil {
		return err
	}
	plan := longPlan()
	facts := longRun(plan, count)
	if err := home.NewRun(plan); err != nil {
		return err
	}
	size, err := write(filepath.Join(home.RunDir(plan.Run), "journal.jsonl"), facts)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%d facts of %d nodes, a journal of %d MB\ttime\tfacts a second\tallocated\n", len(facts), len(plan.Nodes), size>>20)
	load := func() (int, error) {
		_, s, _, err := home.Load(plan.Run)
		return s.Facts, err
	}
	err = errors.Join(
		row(w, "in memory, no disk and no JSON", len(facts), func() (int, error) {
			s, err := engine.Fold(plan, facts)
			return s.Facts, err
		}),
		row(w, "from the journal, every record verified", len(facts), load),
		snapshot(home, plan),
		row(w, "with the newest snapshot", len(facts)+1, load), // whoever wrote it said that it goes on
	)
	return errors.Join(err, w.Flush())
}

// row measures one way to the state. A state of another number of facts is no measurement.
func row(w io.Writer, name string, want int, do func() (int, error)) error {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	got, err := do()
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err == nil && got != want {
		err = fmt.Errorf("%s: %d facts, not %d", name, got, want)
	}
	_, _ = fmt.Fprintf(w, "%s\t%s\t%.0f\t%d MB\n", name, took.Round(100*time.Microsecond), float64(want)/took.Seconds(), (after.TotalAlloc-before.TotalAlloc)>>20)
	return err
}

// snapshot lets a coordinator come and go, which writes one.
func snapshot(home *coordinator.Home, plan *engine.Plan) error {
	cfg := winnode.Config{Dialer: nobody{}, Clock: clock{}}
	for _, n := range plan.Nodes {
		cfg.Nodes = append(cfg.Nodes, winnode.NodeAddress{Name: n.Name, Address: n.Address})
	}
	fleet, err := winnode.New(cfg)
	if err != nil {
		return err
	}
	defer fleet.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err = coordinator.Serve(ctx, coordinator.ServeInput{
		Home: home, Run: plan.Run, Cluster: fleet, Clock: clock{},
		Nodes: func(name string) engine.Node {
			cancel()
			return fleet.Node(name)
		},
		Seams: coordinator.Seams{Disk: func(d journal.Disk) journal.Disk { return &once{Disk: d, then: cancel} }},
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("the coordinator that should have come and gone: %w", err)
}

// once ends a coordinator's life after its first fact.
type once struct {
	journal.Disk
	then func()
}

func (o *once) Sync() error {
	defer o.then()
	return o.Disk.Sync()
}

// unflushed is a disk that is flushed at the end: what is measured is reading.
type unflushed struct{ journal.Disk }

func (unflushed) Sync() error { return nil }

type nobody struct{}

func (nobody) Shell(string, string) (winnode.Shell, error) {
	return nil, errors.New("there is no such node")
}

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
