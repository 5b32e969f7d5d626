package sambatest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

//go:embed acceptor.py
var acceptorScript string

// Acceptor is a Kerberos service by MIT's GSSAPI: nothing in it is ours. Safe for concurrent use.
type Acceptor struct {
	mu  sync.Mutex
	in  io.Writer
	out *bufio.Reader
}

// ErrRefused is the cause when the service refused a token; the error's Token may tell the other side why.
var ErrRefused = errors.New("the acceptor refuses")

// RefusedError is a refusal with the token that the service would send.
type RefusedError struct {
	Token []byte
	Text  string
}

// Error is MIT's own words.
func (e *RefusedError) Error() string { return e.Text }

// Unwrap gives ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// NewAcceptor starts a service that holds all keys of the domain's services. It ends with the test.
func (c *Controller) NewAcceptor(tb testing.TB) *Acceptor {
	tb.Helper()
	python := systemPython()
	if err := exec.CommandContext(tb.Context(), python, "-c", "import gssapi").Run(); err != nil {
		missingPeer(tb, "needs MIT's GSSAPI for Python", []string{"python3-gssapi is not installed"})
	}
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), python, "-c", acceptorScript)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+c.Config, "KRB5_KTNAME=FILE:"+c.Keytab,
		"KRB5RCACHENAME=file2:"+filepath.Join(tb.TempDir(), "replays"))
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	var complaints strings.Builder
	cmd.Stderr = &complaints
	if err := cmd.Start(); err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	tb.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
		if complaints.Len() > 0 {
			tb.Logf("acceptor: %s", complaints.String())
		}
	})
	return &Acceptor{in: in, out: bufio.NewReaderSize(out, 1<<20)}
}

// ask sends one line and splits the answer.
func (a *Acceptor) ask(words ...string) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := fmt.Fprintln(a.in, strings.Join(words, " ")); err != nil {
		return nil, err
	}
	line, err := a.out.ReadString('\n')
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(line)
	if len(fields) > 1 && fields[0] == "error" {
		return nil, &RefusedError{Token: decode(fields[1]), Text: strings.Join(fields[2:], " ")}
	}
	return fields, nil
}

func decode(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil // "-" stands for nothing
	}
	return b
}

func encode(b []byte) string {
	if len(b) == 0 {
		return "-"
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Accept makes one step of the logon named id. binding is a channel's application data, or empty. who is the
// client's principal when done.
func (a *Acceptor) Accept(id string, token, binding []byte) (out []byte, done bool, who string, err error) {
	words := []string{"accept", id, encode(token)}
	if len(binding) > 0 {
		words = append(words, encode(binding))
	}
	f, err := a.ask(words...)
	if err != nil {
		return nil, false, "", err
	}
	if len(f) < 2 {
		return nil, false, "", fmt.Errorf("the acceptor said %q", f)
	}
	if len(f) > 2 {
		who = f[2]
	}
	return decode(f[1]), f[0] == "done", who, nil
}

// Wrap seals plain with gss_wrap_iov.
func (a *Acceptor) Wrap(id string, plain []byte) (header, sealed []byte, err error) {
	f, err := a.ask("wrap", id, encode(plain))
	if err != nil || len(f) != 2 {
		return nil, nil, errors.Join(err, fmt.Errorf("%d fields", len(f)))
	}
	return decode(f[0]), decode(f[1]), nil
}

// WrapToken seals plain with gss_wrap, into one token that is not rotated.
func (a *Acceptor) WrapToken(id string, plain []byte) ([]byte, error) {
	f, err := a.ask("wrapplain", id, encode(plain))
	if err != nil || len(f) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d fields", len(f)))
	}
	return decode(f[0]), nil
}

// Unwrap opens a token with gss_unwrap, which also checks its place in the sequence.
func (a *Acceptor) Unwrap(id string, token []byte) ([]byte, error) {
	f, err := a.ask("unwrap", id, encode(token))
	if err != nil || len(f) != 1 {
		return nil, errors.Join(err, fmt.Errorf("%d fields", len(f)))
	}
	return decode(f[0]), nil
}

// Verify checks a MIC of message with gss_verify_mic, which also checks its place in the sequence.
func (a *Acceptor) Verify(id string, message, mic []byte) error {
	f, err := a.ask("verify", id, encode(message), encode(mic))
	if err == nil && (len(f) != 1 || f[0] != "verified") {
		err = fmt.Errorf("the acceptor said %q", f)
	}
	return err
}
