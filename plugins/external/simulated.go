package external

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cau/internal/fault"
	"cau/plugins"
)

// simulated is a node for the conformance suite. It runs nothing: of a script it understands Write-Output 'text' and exit N, as
// the lab does, and passes over the rest; a program ends with 0 if its files are those that were written. Beside what is
// written it has the file hosts.
type simulated struct {
	fails   bool
	entered func()

	mu    sync.Mutex
	jobs  []string
	kinds map[plugins.JobKind]int
	// files are by update and path, in lower case.
	files map[string][]byte
}

func newSimulated() *simulated {
	return &simulated{kinds: map[plugins.JobKind]int{}, files: map[string][]byte{
		`\c:\windows\system32\drivers\etc\hosts`: []byte("# This is a sample HOSTS file.\r\n"),
	}}
}

// again is the same node with the files that lie there now, and with no jobs.
func (n *simulated) again() *simulated {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := newSimulated()
	maps.Copy(out.files, n.files)
	return out
}

var (
	outputLine = regexp.MustCompile(`^(?i:Write-Output)\s+'((?:[^']|'')*)'$`)
	exitLine   = regexp.MustCompile(`^(?i:exit)\s+(-?[0-9]{1,10})$`)
)

// Name is the simulated node's.
func (n *simulated) Name() string { return "NODE1" }

// saw says what was asked for.
func (n *simulated) saw() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(n.kinds)) {
		parts = append(parts, strconv.Itoa(n.kinds[kind])+" "+words(kind))
	}
	return strings.TrimSuffix(strconv.Itoa(len(n.jobs))+" jobs on the node: "+strings.Join(parts, ", "), ": ")
}

// words are an act in the protocol's own.
func words(kind plugins.JobKind) string {
	switch kind {
	case plugins.JobFileRead:
		return actRead
	case plugins.JobFileWrite:
		return actWrite
	case plugins.JobInstaller:
		return actProgram
	default:
		return actScript
	}
}

// RunJob does what is asked for as far as it is understood.
func (n *simulated) RunJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	n.mu.Lock()
	n.jobs = append(n.jobs, job.ID)
	n.kinds[job.Kind]++
	n.mu.Unlock()
	if n.entered != nil {
		n.entered()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if n.fails {
		return nil, failed(0, "the simulated node refuses")
	}
	switch job.Kind {
	case plugins.JobFileRead:
		return doing(job, n.read)
	case plugins.JobFileWrite:
		return doing(job, n.write)
	case plugins.JobInstaller:
		return doing(job, n.program)
	default:
		return doing(job, func(in plugins.ScriptJob) (plugins.ScriptJobResult, error) { return script(in, onEvent) })
	}
}

func failed(code fault.Code, format string, args ...any) error {
	return fmt.Errorf("%w: %w", plugins.ErrJobFailed, &fault.Error{Op: "ask the simulated node", Code: code, Err: fmt.Errorf(format, args...)})
}

func doing[I, O any](job plugins.Job, do func(I) (O, error)) (json.RawMessage, error) {
	var in I
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return nil, err
	}
	out, err := do(in)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func script(in plugins.ScriptJob, onEvent func(plugins.JobEvent)) (plugins.ScriptJobResult, error) {
	done := plugins.ScriptJobResult{Account: `NT AUTHORITY\SYSTEM`}
	for line := range strings.SplitSeq(string(in.Text), "\n") {
		line = strings.TrimSpace(line)
		if m := outputLine.FindStringSubmatch(line); m != nil {
			onEvent(plugins.JobEvent{Kind: "output", Message: strings.ReplaceAll(m[1], "''", "'")})
		}
		if m := exitLine.FindStringSubmatch(line); m != nil {
			code, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				return done, err
			}
			done.ExitCode = code
			break
		}
	}
	return done, nil
}

func fileKey(update, path string) string { return strings.ToLower(update + `\` + path) }

func (n *simulated) read(in plugins.FileReadJob) (plugins.FileReadJobResult, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	content, ok := n.files[fileKey(in.Update, in.Path)]
	if !ok {
		return plugins.FileReadJobResult{}, failed(2, "%s is not a file on this node", in.Path)
	}
	rest := content[min(in.Offset, int64(len(content))):]
	return plugins.FileReadJobResult{Size: int64(len(content)), Data: rest[:min(len(rest), plugins.MaxFileRead)]}, nil
}

func (n *simulated) write(in plugins.FileWriteJob) (plugins.FileWriteJobResult, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key := fileKey(in.Update, in.Path)
	if int64(len(n.files[key])) < in.Offset {
		return plugins.FileWriteJobResult{}, failed(0, "%s ends before the part that is to follow", in.Path)
	}
	content := slices.Concat(n.files[key][:in.Offset], in.Data)
	n.files[key] = content
	sum := sha256.Sum256(content)
	return plugins.FileWriteJobResult{Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}, nil
}

func (n *simulated) program(in plugins.InstallerJob) (plugins.InstallerJobResult, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	named := map[string]bool{}
	for _, f := range in.Files {
		key := fileKey(in.Update, f.Target)
		named[key] = true
		content, ok := n.files[key]
		if !ok {
			return plugins.InstallerJobResult{}, failed(2, "%s is not staged on this node", f.Target)
		}
		if sum := sha256.Sum256(content); f.Size != int64(len(content)) || f.SHA256 != hex.EncodeToString(sum[:]) {
			return plugins.InstallerJobResult{}, failed(0, "%s is not the file of the plan: its size or SHA-256 differs", f.Target)
		}
	}
	for key := range n.files {
		if strings.HasPrefix(key, fileKey(in.Update, "")) && !named[key] {
			return plugins.InstallerJobResult{}, failed(0, "%s lies beside the update and is not named", key)
		}
	}
	return plugins.InstallerJobResult{}, nil
}
