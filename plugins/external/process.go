package external

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"cau/internal/fault"
)

// Limits bound one request. Zero fields mean the defaults.
type Limits struct {
	// Describe bounds describe and validate as a whole, one minute where not given. Turn bounds how long the plug-in may take
	// between two messages while it is its turn, ten minutes; work on a node that it has asked for does not count.
	Describe, Turn time.Duration
	// Grace is how long a plug-in may go on after its last message or after it was asked to stop, five seconds.
	Grace time.Duration
}

func (l Limits) describe() time.Duration { return orElse(l.Describe, time.Minute) }
func (l Limits) turn() time.Duration     { return orElse(l.Turn, 10*time.Minute) }
func (l Limits) grace() time.Duration    { return orElse(l.Grace, 5*time.Second) }

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

const (
	// maxStderr is how much of what a plug-in writes to standard error is kept for the error, in bytes.
	maxStderr = 4 << 10
	// maxMemory is how much private memory a process of a plug-in may have, in bytes, where the system can bound it.
	maxMemory = 1 << 30
	// leaves is how long output is waited for from what a plug-in has left behind outside its group.
	leaves = 2 * time.Second
)

// errHangs and errGrace are why a plug-in was ended.
var (
	errHangs = errors.New("it said nothing for too long and was ended")
	errGrace = errors.New("it did not end after its last message and was ended")
)

// passedOn are the variables of this process's environment that a plug-in gets; docs/plugin-protocol.md lists them.
func passedOn() []string { return []string{"PATH", "PATHEXT", "SystemRoot", "LANG", "TZ"} }

// process is a plug-in at work on one request.
type process struct {
	cmd    *exec.Cmd
	dir    string
	in     io.WriteCloser
	out    *os.File
	said   *reader
	stderr *tail
	limits Limits
	group  group

	mu   sync.Mutex // over and why
	over bool
	why  error
	// forced tells, after finish, that it did not end by itself.
	forced bool
	write  sync.Mutex
	timer  *time.Timer
	// late is the clock of a plug-in that was told to stop; mu guards it.
	late  *time.Timer
	timed sync.WaitGroup
}

// start starts the executable in a folder of its own that goes with it.
func start(path string, limits Limits) (_ *process, err error) {
	dir, err := os.MkdirTemp("", "cau-plugin-")
	if err != nil {
		return nil, fmt.Errorf("make the plug-in's folder: %w", err)
	}
	p := &process{cmd: exec.Command(path), dir: dir, stderr: &tail{}, limits: limits} //nolint:noctx // the administrator's own, trusted by content; it is ended by end
	defer func() {
		if err != nil {
			_ = os.RemoveAll(dir)
		}
	}()
	p.cmd.Env = []string{"TMPDIR=" + dir, "TEMP=" + dir, "TMP=" + dir, fmt.Sprintf("CAU_PLUGIN_PROTOCOL=%d", Protocol)}
	for _, name := range passedOn() {
		if v, ok := os.LookupEnv(name); ok {
			p.cmd.Env = append(p.cmd.Env, name+"="+v)
		}
	}
	p.cmd.Dir, p.cmd.Stderr, p.cmd.WaitDelay = dir, p.stderr, leaves
	p.group.prepare(p.cmd)
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	ours, theirs, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, p.in.Close())
	}
	p.out, p.cmd.Stdout = ours, theirs
	err = p.cmd.Start()
	_ = theirs.Close()
	if err != nil {
		return nil, &fault.Error{Op: "start " + path, Err: errors.Join(err, ours.Close()), Hint: "See that the file is executable and that its interpreter is there."}
	}
	if err := p.group.take(p.cmd); err != nil {
		p.end(err)
		_ = p.finish()
		return nil, &fault.Error{Op: "bound " + path, Err: err}
	}
	p.said = newReader(ours)
	return p, nil
}

// end ends the plug-in with all that it started, once; why is the first reason.
func (p *process) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over, p.why = true, why
	p.group.kill(p.cmd)
	_ = p.in.Close()
	_ = p.out.Close()
}

// reason is why it was ended, nil where it was not.
func (p *process) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// within ends the plug-in after d, unless called again; 0 takes the clock away.
func (p *process) within(d time.Duration, why error) {
	if p.timer != nil && p.timer.Stop() {
		p.timed.Done()
	}
	p.timer = nil
	if d > 0 {
		p.timed.Add(1)
		p.timer = time.AfterFunc(d, func() {
			defer p.timed.Done()
			p.end(why)
		})
	}
}

// send writes one line.
func (p *process) send(v any) error {
	line, err := encode(v)
	if err != nil {
		return err
	}
	p.write.Lock()
	defer p.write.Unlock()
	_, err = p.in.Write(line)
	return err
}

// finish waits for the plug-in's end, ends what is left of its group, and gives everything back. A plug-in that goes on
// talking breaks the protocol; one that only lingers is ended, and its last message stands.
func (p *process) finish() error {
	var err error
	if p.said != nil && p.reason() == nil {
		_ = p.in.Close()
		p.within(p.limits.grace(), errGrace)
		if _, next := p.said.next(); next == nil {
			err = fmt.Errorf("%w: it went on after its last message", ErrProtocol)
		} else if errors.Is(next, ErrProtocol) {
			err = next
		} else {
			awaitExit(p.cmd.Process.Pid)
		}
	}
	p.forced = p.reason() != nil
	p.end(nil)
	p.within(0, nil)
	if p.late != nil && p.late.Stop() { // nobody sets it any more
		p.timed.Done()
	}
	p.timed.Wait()
	_ = p.cmd.Wait() // how it ended was said, or is in reason; a zombie keeps the group's number until here
	p.group.release()
	return errors.Join(err, os.RemoveAll(p.dir))
}

// died says how a plug-in ended that owed a message.
func (p *process) died() error {
	state := "it ended"
	if s := p.cmd.ProcessState; s != nil {
		state = "it ended with " + s.String()
	}
	if said := p.stderr.last(); said != "" {
		return fmt.Errorf("%s before its last message; it said: %s", state, said)
	}
	return fmt.Errorf("%s before its last message", state)
}

// watch makes the end of ctx a cancel line, and the plug-in's end when it does not heed it. The caller calls the result.
func (p *process) watch(ctx context.Context) (unwatch func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		p.lateEnd(ctx.Err())
		if p.send(cancelLine{Cau: Protocol, Cancel: true}) != nil {
			p.end(ctx.Err())
		}
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// lateEnd ends the plug-in after its grace.
func (p *process) lateEnd(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.timed.Add(1)
	p.late = time.AfterFunc(p.limits.grace(), func() {
		defer p.timed.Done()
		p.end(why)
	})
}

// tail keeps the end of what was written.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(b) > maxStderr {
		t.kept = append(t.kept[:0], b[len(b)-maxStderr:]...)
		return len(b), nil
	}
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - maxStderr; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(b), nil
}

// last is the last line, made fit for people.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(t.kept), "?")), "\n")
	return plainLine(lines[len(lines)-1])
}

// plainLine takes what cannot be shown on one line out of a text of a plug-in or of a node.
func plainLine(s string) string {
	return cut(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)), maxText)
}
