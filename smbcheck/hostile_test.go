package smbcheck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startFake serves each connection with serve, and closes it afterwards.
func startFake(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = c.Close() }()
				serve(c)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

// say answers the first request with b and then waits for the client to go.
func say(b string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, b)
		_, _ = io.Copy(io.Discard, c)
	}
}

func TestWhatIsNotSMBIsToldAtOnce(t *testing.T) {
	zeros := strings.Repeat("\x00", 200)
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  error
	}{
		"closes at once":        {func(net.Conn) {}, smbcheck.ErrNotSMB},
		"closes when asked":     {func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }, smbcheck.ErrNotSMB},
		"HTTP":                  {say("HTTP/1.1 400 Bad Request\r\n\r\n"), smbcheck.ErrNotSMB},
		"SSH":                   {say("SSH-2.0-OpenSSH_9.2\r\n"), smbcheck.ErrNotSMB},
		"SMB 1":                 {say("\x00\x00\x00\x60\xFFSMB" + zeros[:0x5C]), smbcheck.ErrNotSMB},
		"zeros":                 {say(zeros), smbcheck.ErrProtocol},
		"16 MiB claimed":        {say("\x00\xFF\xFF\xFF\xFESMB"), smbcheck.ErrProtocol},
		"garbage in a frame":    {say("\x00\x00\x00\x60" + strings.Repeat("\xAA", 0x60)), smbcheck.ErrNotSMB},
		"empty NEGOTIATE":       {say("\x00\x00\x00\x60\xFESMB\x40\x00" + zeros[:10] + "\x01" + zeros[:0x60-17]), smbcheck.ErrProtocol},
		"sealed before sign-in": {say("\x00\x00\x00\x60\xFDSMB" + zeros[:0x5C]), smbcheck.ErrProtocol},
		"says nothing":          {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, smbcheck.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			addr := startFake(t, c.serve)
			// Only the last one waits for the timeout.
			opt := smbcheck.Options{AllowOlder: true, Timeout: 30 * time.Second}
			if errors.Is(c.want, smbcheck.ErrUnreachable) {
				opt.Timeout = 200 * time.Millisecond
			}
			f := refused(t, addr, at("s", ""), asRoot, opt, c.want)
			if strings.ContainsAny(f.Error(), "\r\n\x00") || !utf8.ValidString(f.Error()) {
				t.Errorf("raw bytes in %q", f.Error())
			}
		})
	}
}

func TestAConnectThatIsGivenUpReturns(t *testing.T) {
	asked := make(chan struct{})
	addr := startFake(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		close(asked)
		_, _ = io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := smbcheck.Connect(ctx, at("s", ""), asRoot, smbcheck.Options{Addr: addr})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestBrokenAnswersAtEveryStepAreErrorsWithinTheDeadline(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	write(t, filepath.Join(s.Dir("plain"), "root", "a.txt"), []byte("hello"))
	commands := map[string]uint16{
		"negotiate": negotiate, "session setup": setup, "tree connect": treeConnect,
		"create": 5, "read": 8, "query directory": 14, "query info": 16,
	}
	breaks := map[string]func(f frame) []frame{
		"body cut":     func(f frame) []frame { return []frame{f[:66]} },
		"body zero":    func(f frame) []frame { clear(f[64:]); return []frame{f} },
		"body ones":    func(f frame) []frame { fill(f[64:]); return []frame{f} },
		"header cut":   func(f frame) []frame { return []frame{f[:60]} },
		"header ones":  func(f frame) []frame { fill(f[4:64]); return []frame{f} },
		"chained":      func(f frame) []frame { f[20] = 0xF8; f[21] = 0xFF; return []frame{f} },
		"other number": func(f frame) []frame { f[24] ^= 0x55; return []frame{f} },
		"lost":         func(frame) []frame { return nil },
	}
	for cmdName, cmd := range commands {
		for breakName, broken := range breaks {
			t.Run(fmt.Sprintf("%s/%s", cmdName, breakName), func(t *testing.T) {
				m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
					if in && f.plain() && f.command() == cmd {
						return broken(f)
					}
					return []frame{f}
				})
				err := use(t.Context(), m.addr)
				if err == nil {
					t.Error("nobody noticed")
				}
				if errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("only the caller's deadline ended it: %v", err)
				}
			})
		}
	}
}

func fill(b []byte) {
	for i := range b {
		b[i] = 0xFF
	}
}

// use does everything once, bounded by a deadline that is never to be met.
func use(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, err := smbcheck.Connect(ctx, at("plain", "root"), asRoot, smbcheck.Options{Addr: addr, Timeout: 300 * time.Millisecond})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Walk(ctx, smbcheck.Limits{}); err != nil {
		return err
	}
	if _, err := c.ReadFile(ctx, "a.txt", 10, nil); err != nil {
		return err
	}
	_, _, err = c.HashFile(ctx, "a.txt", nil)
	return err
}
