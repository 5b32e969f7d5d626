package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"cau/engine"
)

func main() {
	nodes := flag.Int("nodes", 64, "number of nodes, 2 to 64")
	speed := flag.Float64("speed", 200, "how many times faster than real time the cluster runs; what is too fast for the machine shows as failed nodes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *nodes, *speed); err != nil {
		fmt.Fprintln(os.Stderr, "coordinator:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// user is somebody with the program and a home of their own.
type user struct {
	program string
	env     []string
}

// cau runs the program and reads what it prints as JSON into out, unless that is nil.
func (u user) cau(ctx context.Context, out any, args ...string) error {
	cmd := exec.CommandContext(ctx, u.program, args...)
	cmd.Env, cmd.Stderr = u.env, os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("cau %s: %w", args[0], err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

func run(ctx context.Context, out io.Writer, nodes int, speed float64) (err error) {
	dir, err := os.MkdirTemp("", "cau-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	u := user{program: filepath.Join(dir, "cau"), env: append(os.Environ(), "CAU_HOME="+filepath.Join(dir, "state"), "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))}
	build := exec.CommandContext(ctx, "go", "build", "-o", u.program, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the program (run this in the repository's folder): %w", err)
	}
	var lab struct{ ID, Root string }
	if err := u.cau(ctx, &lab, "lab", "up", "--json", "--lab-linger=-1s", "--nodes", strconv.Itoa(nodes), "--speed", fmt.Sprint(speed)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, u.cau(context.WithoutCancel(ctx), nil, "lab", "down", lab.ID)) }()
	err = u.cau(ctx, nil, "apply", "--lab="+lab.ID, "--yes", "--detach", "--reboot-timeout-minutes", "1440", "--plugin", "Microsoft.HotfixPlugin", "--arg", "HotfixRootFolderPath="+lab.Root)
	if err != nil {
		return err
	}
	began := time.Now()
	var s engine.State
	if err := u.cau(ctx, &s, "status", "--json"); err != nil {
		return err
	}
	m, err := watch(ctx, s.Run)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := u.cau(ctx, &s, "status", "--json", s.Run); err != nil {
		return err
	}
	if !s.Status.Ended() {
		return fmt.Errorf("the run's process is gone and the run is %s", s.Status)
	}
	return report(out, s, m, took, speed)
}

func report(out io.Writer, s engine.State, m measured, took time.Duration, speed float64) error {
	hours := s.Ended.Sub(s.Started).Hours()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "a run of %d nodes, %d facts, %s\t\n", len(s.Nodes), s.Facts, s.Status)
	_, _ = fmt.Fprintf(w, "its own time\t%.1f hours, at %g times real time %s\n", hours, speed, took.Round(time.Second))
	_, _ = fmt.Fprintf(w, "processor time\t%s, %s an hour of the run\n", m.cpu.Round(10*time.Millisecond), time.Duration(float64(m.cpu)/hours).Round(time.Millisecond))
	_, _ = fmt.Fprintf(w, "memory, resident\t%d MB on average, %d MB at most\n", m.resident>>20, m.most>>20)
	_, _ = fmt.Fprintf(w, "threads, open files\t%d, %d at most\n", m.threads, m.files)
	return w.Flush()
}
