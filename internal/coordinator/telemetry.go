package coordinator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"cau/engine"
)

// Bounds of the telemetry file in bytes. What exceeds them is lost, which telemetry may be (R25).
const (
	maxTelemetry     = 64 << 20
	maxTelemetryLine = 16 << 10
)

// telemetry appends progress to a file that decides nothing: no flush, no chain, and what cannot be written is lost.
type telemetry struct {
	mu   sync.Mutex
	file *os.File
	size int64
	// stopped: nothing is written any more.
	stopped bool
}

// stop loses all further progress.
func (t *telemetry) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

func openTelemetry(path string) (*telemetry, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the telemetry: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the telemetry: %w", err), f.Close())
	}
	t := &telemetry{file: f, size: info.Size()}
	last := make([]byte, 1)
	if t.size > 0 {
		if _, err := f.ReadAt(last, t.size-1); err == nil && last[0] != '\n' {
			t.write([]byte("\n")) // a crash left half a line
		}
	}
	return t, nil
}

// Report implements engine.Telemetry.
func (t *telemetry) Report(p engine.Progress) {
	data, err := json.Marshal(p)
	if err != nil || len(data) >= maxTelemetryLine {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(append(data, '\n'))
}

func (t *telemetry) write(line []byte) {
	if t.stopped || t.size+int64(len(line)) > maxTelemetry {
		return
	}
	n, err := t.file.Write(line)
	t.size += int64(n)
	if err != nil && n > 0 {
		_ = t.file.Truncate(t.size - int64(n))
		t.size -= int64(n)
	}
}

func (t *telemetry) Close() error { return t.file.Close() }

// telemetryReader reads the progress that was added since the last time.
type telemetryReader struct {
	path string
	at   int64
}

// next gives what whole lines hold; a line that is none of ours is passed over.
func (r *telemetryReader) next() ([]engine.Progress, error) {
	f, err := os.Open(r.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the telemetry: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.NewSectionReader(f, r.at, maxTelemetry))
	if err != nil {
		return nil, fmt.Errorf("read the telemetry: %w", err)
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	r.at += int64(len(data))
	var out []engine.Progress
	for line := range bytes.Lines(data) {
		var p engine.Progress
		if len(line) <= maxTelemetryLine && json.Unmarshal(line, &p) == nil && !p.Time.IsZero() {
			out = append(out, p)
		}
	}
	return out, nil
}
