package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"

	"cau/bench/room"
	"cau/internal/lab"
)

func main() {
	budget := flag.Duration("budget", 60*time.Second, "about how long all of it may take; at least three repetitions of each are made")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *budget); err != nil {
		fmt.Fprintln(os.Stderr, "requests:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

// roundTrips are the networks that are measured.
func roundTrips() []time.Duration {
	return []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond}
}

func run(ctx context.Context, out io.Writer, budget time.Duration) (err error) {
	info, end, err := room.Start(ctx, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	list, tidy, err := clients(info)
	if err != nil {
		return err
	}
	defer tidy()
	share := budget / time.Duration(len(list)*len(roundTrips()))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "client\toperation\trequests\tbytes up/down\t0 ms\t20 ms\t80 ms")
	for _, c := range list {
		var cold, warm []sample
		for _, rtt := range roundTrips() {
			one, more, err := measure(ctx, c, info, rtt, share)
			if err != nil {
				return fmt.Errorf("%s at %s: %w", c.name, rtt, err)
			}
			cold, warm = append(cold, one), append(warm, more)
		}
		printRow(w, c.name, "cold, with its end", cold)
		printRow(w, "", "warm", warm)
	}
	return w.Flush()
}

func printRow(w io.Writer, name, what string, s []sample) {
	_, _ = fmt.Fprintf(w, "%s\t%s\t%.0f\t%.0f / %.0f", name, what, s[0].requests, s[0].up, s[0].down)
	for _, one := range s {
		_, _ = fmt.Fprintf(w, "\t%.1f", float64(one.took.Microseconds())/1000)
	}
	_, _ = fmt.Fprintln(w)
}

// sample is the cost of one operation.
type sample struct {
	requests, up, down float64
	took               time.Duration
}

// maxRepeats bounds the repetitions of one measurement.
const maxRepeats = 50

// measure gives the cost of a cold operation (sign in, shell, command, end) and of one more on a warm connection. The
// time is the median's.
func measure(ctx context.Context, c client, info lab.Info, rtt, share time.Duration) (cold, warm sample, err error) {
	node := info.Nodes[0]
	r, err := startRelay(node.Address, rtt)
	if err != nil {
		return cold, warm, err
	}
	defer r.close()
	look := func() (sample, error) {
		report, err := lab.Inspect(ctx, info)
		return sample{requests: float64(report.WinRM[node.Name].Requests), up: float64(r.up.Load()), down: float64(r.down.Load())}, err
	}
	repeat := func(limit time.Duration, do func() error) (sample, error) {
		before, err := look()
		if err != nil {
			return sample{}, err
		}
		began := time.Now()
		var times []time.Duration
		for len(times) < maxRepeats && (len(times) < 3 || time.Since(began) < limit) {
			at := time.Now()
			if err := do(); err != nil {
				return sample{}, err
			}
			times = append(times, time.Since(at))
		}
		after, err := look()
		n := float64(len(times))
		slices.Sort(times)
		return sample{(after.requests - before.requests) / n, (after.up - before.up) / n, (after.down - before.down) / n, times[len(times)/2]}, err
	}
	cold, err = repeat(share/2, func() error {
		s, err := c.open(ctx, r.address())
		if err != nil {
			return err
		}
		if err := s.operate(ctx); err != nil {
			return err
		}
		return s.close(ctx)
	})
	if err != nil {
		return cold, warm, err
	}
	s, err := c.open(ctx, r.address())
	if err == nil {
		err = s.operate(ctx)
	}
	if err != nil {
		return cold, warm, err
	}
	warm, err = repeat(share/2, func() error { return s.operate(ctx) })
	if err == nil {
		err = s.close(ctx)
	}
	return cold, warm, err
}
