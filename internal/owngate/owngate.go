package owngate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"cau/internal/fault"
)

const (
	// Limit bounds one question.
	Limit = 60 * time.Second
	// most is how much of an answer is kept, in bytes.
	most = 4 << 10
	// leaves is how long output is waited for from what an ended command has left behind.
	leaves = 2 * time.Second
)

// Question is who asks about what.
type Question struct{ Run, Cluster, Node string }

// passedOn is all that a command gets of this process's environment. Secrets are not in it (R04).
func passedOn() []string {
	var env []string
	for _, name := range []string{"PATH", "PATHEXT", "HOME", "USERPROFILE", "SystemRoot", "TMPDIR", "TEMP", "TMP", "LANG", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// Command runs a program without a shell, in a process group of its own and with CAU_RUN, CAU_CLUSTER and CAU_NODE in its
// environment. It is open when it ends with 0; said is the last line that it printed, and its exit code otherwise. A command
// that does not end within Limit is killed with its group.
func Command(ctx context.Context, words []string, q Question) (open bool, said string, err error) {
	return command(ctx, words, q, Limit)
}

func command(ctx context.Context, words []string, q Question, limit time.Duration) (bool, string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out := &tail{}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...) // the administrator's own, shown and confirmed
	cmd.Env = append(passedOn(), "CAU_RUN="+q.Run, "CAU_CLUSTER="+q.Cluster, "CAU_NODE="+q.Node)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = os.TempDir(), out, out, leaves
	ownGroup(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return false, "", &fault.Error{Op: "run " + words[0], Err: fmt.Errorf("it did not end within %s", limit), Hint: "See why it hangs; it was killed."}
	case err == nil, errors.Is(err, exec.ErrWaitDelay):
		return true, out.last(), nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return false, strings.TrimSuffix(fmt.Sprintf("exit code %d: %s", exit.ExitCode(), out.last()), ": "), nil
	}
	return false, "", &fault.Error{Op: "run " + words[0], Err: err, Hint: "Check the command's path and permissions on this host."}
}

// Check tells whether the program can be found, without running it.
func Check(words []string) error {
	if _, err := exec.LookPath(words[0]); err != nil {
		return &fault.Error{Op: "find " + words[0], Err: err, Hint: "Name the gate's program by its absolute path, or by a name in PATH."}
	}
	return nil
}

// URL gets an address. It is open when it answers with the status; said is the status and the last line of the answer. A
// redirection is an answer and is not followed. Certificates are verified; proxies are those of HTTPS_PROXY and HTTP_PROXY.
func URL(ctx context.Context, address string, status int, q Question) (open bool, said string, err error) {
	return get(ctx, address, status, q, http.DefaultTransport)
}

func get(ctx context.Context, address string, status int, q Question, through http.RoundTripper) (bool, string, error) {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false, "", &fault.Error{Op: "ask the gate", Err: err}
	}
	req.Header.Set("User-Agent", "cau")
	req.Header.Set("Cau-Run", q.Run)
	req.Header.Set("Cau-Cluster", q.Cluster)
	req.Header.Set("Cau-Node", q.Node)
	client := http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return false, "", &fault.Error{Op: "ask the gate", Err: err, Hint: "Check the address and its certificate from this host."}
	}
	defer func() { _ = resp.Body.Close() }()
	out := &tail{}
	_, _ = io.Copy(out, io.LimitReader(resp.Body, most)) // the status is the answer
	said := strings.TrimSuffix(fmt.Sprintf("status %d: %s", resp.StatusCode, out.last()), ": ")
	return resp.StatusCode == status, said, nil
}

// tail keeps the end of what was written.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - most; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) last() string {
	lines := bytes.Split(bytes.TrimSpace(t.kept), []byte("\n"))
	return strings.TrimSpace(strings.ToValidUTF8(string(lines[len(lines)-1]), "?"))
}
