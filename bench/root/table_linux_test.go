package root

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// job is one row of a table in one of its columns.
type job struct {
	row, column string
	do          func(context.Context) (sample, error)
}

// sample is what a job cost once.
type sample struct {
	took time.Duration
	// peak is the most memory that a process had, allocated what was allocated in this one; bytes, 0 where not known.
	peak      int64
	allocated uint64
	// sent is how many messages went to the server, 0 where not known.
	sent int
}

// table collects samples. Its zero value is ready.
type table struct {
	// bytes is what each job moves, where that is the same for all.
	bytes         int64
	rows, columns []string
	samples       map[[2]string][]sample
	load          []string
}

// measure does every job once in each of the benchmark's rounds.
func (t *table) measure(b *testing.B, jobs []job) {
	b.Helper()
	t.samples = map[[2]string][]sample{}
	for _, j := range jobs {
		if !slices.Contains(t.rows, j.row) {
			t.rows = append(t.rows, j.row)
		}
		if !slices.Contains(t.columns, j.column) {
			t.columns = append(t.columns, j.column)
		}
	}
	t.load = append(t.load, load())
	for b.Loop() {
		for _, j := range jobs {
			m, err := j.do(b.Context())
			if err != nil {
				b.Fatalf("%s, %s: %v", j.row, j.column, err)
			}
			key := [2]string{j.row, j.column}
			t.samples[key] = append(t.samples[key], m)
		}
	}
	t.load = append(t.load, load())
}

// load is how many processes wanted a core during the last minute (proc_loadavg(5)), or nothing.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

func (t *table) print(out io.Writer, title string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rounds := 0
	for _, s := range t.samples {
		rounds = len(s)
	}
	_, _ = fmt.Fprintf(w, "\n\n%s, %d rounds, load %s", title, rounds, strings.Join(t.load, " to "))
	for _, c := range t.columns {
		_, _ = fmt.Fprintf(w, "\t%s\t", c)
	}
	_, _ = fmt.Fprintln(w, "\tmemory")
	for _, r := range t.rows {
		_, _ = fmt.Fprint(w, r)
		memory := ""
		for _, c := range t.columns {
			all := t.samples[[2]string{r, c}]
			if len(all) == 0 {
				_, _ = fmt.Fprint(w, "\t\t")
				continue
			}
			slices.SortFunc(all, func(a, b sample) int { return int(a.took - b.took) })
			m := all[len(all)/2]
			_, _ = fmt.Fprintf(w, "\t%.2f s\t%s", m.took.Seconds(), t.detail(all, m))
			memory = m.memory()
		}
		_, _ = fmt.Fprintf(w, "\t%s\n", memory)
	}
	_ = w.Flush()
}

// detail is the fastest and the slowest round, and how fast the median was where bytes are moved.
func (t *table) detail(sorted []sample, m sample) string {
	text := fmt.Sprintf("(%.2f to %.2f)", sorted[0].took.Seconds(), sorted[len(sorted)-1].took.Seconds())
	if t.bytes > 0 {
		text = fmt.Sprintf("%.0f MB/s ", float64(t.bytes)/1e6/m.took.Seconds()) + text
	}
	return text
}

// memory is of one round, which differs little from the others.
func (m sample) memory() string {
	switch {
	case m.peak > 0:
		return fmt.Sprintf("%d MiB at most", m.peak>>20)
	case m.allocated > 0:
		return fmt.Sprintf("%d MiB allocated, %d messages", m.allocated>>20, m.sent)
	}
	return ""
}
