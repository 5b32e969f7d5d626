package coordinator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cau/engine"
	"cau/internal/fault"
)

// Names in a run's folder.
const (
	planFile      = "plan.json"
	journalFile   = "journal.jsonl"
	telemetryFile = "telemetry.jsonl"
	lockFile      = "lock"
	socketFile    = "socket"
	logFile       = "coordinator.log"
	notifiedFile  = "notified.json"
)

// maxPlan bounds a plan in bytes; a plan of 64 nodes with a thousand updates each is far below it.
const maxPlan = 256 << 20

// Home is the folder where runs live:
//
//	runs/<run>/plan.json notified.json journal.jsonl telemetry.jsonl lock socket coordinator.log
//	clusters/<name>.lock
type Home struct{ dir string }

// OpenHome opens the home at dir and creates it, for its owner alone, when it is not there.
func OpenHome(dir string) (*Home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the home %s: %w", dir, err)
	}
	h := &Home{dir: abs}
	for _, d := range []string{h.runs(), h.clusters()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, &fault.Error{Op: "open the home " + dir, Err: err, Hint: "State lies in $CAU_HOME, else in $XDG_STATE_HOME/cau: let it name a folder that is yours to write."}
		}
	}
	return h, nil
}

// Dir is the home's absolute path.
func (h *Home) Dir() string { return h.dir }

// RunDir is the absolute path of a run's folder.
func (h *Home) RunDir(run string) string { return filepath.Join(h.runs(), run) }

// LastWords is what a coordinator said when it ended by an error, in one line; empty for one that was killed, and for
// one that lives.
func (h *Home) LastWords(run string) string {
	log, err := os.Stat(h.LogPath(run))
	if err != nil || log.Size() == 0 {
		return ""
	}
	// Words from before the last fact are an earlier coordinator's.
	if facts, err := os.Stat(h.in(run, journalFile)); err == nil && log.ModTime().Before(facts.ModTime()) {
		return ""
	}
	if alive, err := h.Alive(run); alive || err != nil {
		return ""
	}
	return oneLine(lastLines(h.LogPath(run), 1000))
}

// LogPath is where the run's coordinator writes what it has to say before and beside the journal.
func (h *Home) LogPath(run string) string { return h.in(run, logFile) }

func (h *Home) runs() string               { return filepath.Join(h.dir, "runs") }
func (h *Home) clusters() string           { return filepath.Join(h.dir, "clusters") }
func (h *Home) in(run, name string) string { return filepath.Join(h.RunDir(run), name) }

// validRun keeps anything but a run's id out of paths.
func validRun(run string) bool {
	return len(run) == 8 && strings.Trim(run, "0123456789abcdef") == ""
}

// NewRun makes the run's folder, mode 0700, with its plan in it: after a crash it is there whole or not at all.
// It returns ErrRunExists when the folder is there.
func (h *Home) NewRun(p *engine.Plan) error {
	return h.newRun(p, func(string) error { return nil })
}

// newRun lets more put into the folder what belongs there from the beginning.
func (h *Home) newRun(p *engine.Plan, more func(dir string) error) error {
	if !validRun(p.Run) {
		return fmt.Errorf("make the run's folder: %q is not a run's id", p.Run)
	}
	data, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	tmp, err := os.MkdirTemp(h.runs(), ".new-") // created with mode 0700
	if err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	if err = more(tmp); err == nil {
		err = h.fillRun(tmp, p.Run, append(data, '\n'))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return nil
}

func (h *Home) fillRun(tmp, run string, plan []byte) error {
	if err := writeSynced(filepath.Join(tmp, planFile), plan); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if err := syncDir(tmp); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	if _, err := os.Lstat(h.RunDir(run)); err == nil {
		return fmt.Errorf("make the run's folder: %w", ErrRunExists)
	}
	if err := os.Rename(tmp, h.RunDir(run)); err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	if err := syncDir(h.runs()); err != nil {
		return fmt.Errorf("make the run's folder: %w", err)
	}
	return nil
}

// Plan reads a run's plan.
func (h *Home) Plan(run string) (*engine.Plan, error) {
	if !validRun(run) {
		return nil, fmt.Errorf("run %q: %w", run, ErrNoRun)
	}
	data, err := readBounded(h.in(run, planFile), maxPlan)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("run %s: %w", run, ErrNoRun)
	}
	if err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", run, err)
	}
	return planOf(run, data)
}

// planOf reads a plan as it stands in a file.
func planOf(run string, data []byte) (*engine.Plan, error) {
	p := &engine.Plan{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", run, err)
	}
	if p.Version < 1 || p.Version > engine.PlanVersion {
		return nil, &fault.Error{
			Op:  "read the plan of run " + run,
			Err: fmt.Errorf("it has version %d; this program reads versions 1 to %d", p.Version, engine.PlanVersion), Hint: "Use the version of cau that made it, " + oneLine(p.Program) + ", or a newer one.",
		}
	}
	if p.Run != run {
		return nil, fmt.Errorf("the plan in the folder of run %s is that of run %q", run, p.Run)
	}
	p.Upgrade()
	if err := compactPayloads(p); err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", run, err)
	}
	return p, nil
}

// compactPayloads undoes what the file's indentation did to the plug-ins' own data: a fact that carries an update of the plan
// is compact in the journal, and a state must be the same whether it is folded from there or was lived through.
func compactPayloads(p *engine.Plan) error {
	for i := range p.Nodes {
		for j := range p.Nodes[i].Updates {
			u := &p.Nodes[i].Updates[j]
			if len(u.Payload) == 0 {
				continue
			}
			var b bytes.Buffer
			if err := json.Compact(&b, u.Payload); err != nil {
				return err
			}
			u.Payload = b.Bytes()
		}
	}
	return nil
}
