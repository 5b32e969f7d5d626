package wsman_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"cau/internal/wsman"
)

// Whatever is waited for, a cancel ends the wait, and nothing but the tidying of what is known to run goes out then.
func TestACancelReturnsAtOnceFromEveryStep(t *testing.T) {
	t.Parallel()
	input := make([]byte, 1000)
	for name, c := range map[string]struct{ signals, deletes int }{
		"Create": {}, "Command": {deletes: 1}, "Send": {1, 1}, "Receive": {1, 1}, "logon": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newWinServer(t, false)
			ctx, cancel := context.WithCancel(t.Context())
			end := make(chan struct{})
			hold := func(w http.ResponseWriter) bool { cancel(); <-end; return hang(w) }
			if name == "logon" {
				s.refuseProof = hold
			}
			s.intercept = func(op string, n int, w http.ResponseWriter) bool { return op == name && n == 1 && hold(w) }
			n := s.node(t)
			_, err := n.Run(ctx, "cat", input) // comes back although the peer answers nothing
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			if err := n.Close(t.Context()); err != nil {
				t.Error(err)
			}
			close(end)
			if s.count("Signal") != c.signals || s.count("Delete") != c.deletes || s.count("Command") > 1 || s.count("Create") > 1 {
				t.Errorf("the server heard %v", s.heard())
			}
		})
	}
}

func TestACancelEndsDialAndTLSHandshake(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	n := wsman.NewNode(wsman.Config{
		Addr: "127.0.0.1:1", Auth: wsman.NTLM(user, domain, password),
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	if _, err := n.Run(ctx, "echo x", nil); !errors.Is(err, context.Canceled) || n.Stats().Dials != 1 {
		t.Errorf("%v, %+v", err, n.Stats())
	}
	ctx, cancel = context.WithCancel(t.Context())
	ours, theirs := net.Pipe()
	gone := make(chan error, 1)
	go func() {
		_, _ = theirs.Read(make([]byte, 1)) // of the client's hello
		cancel()
		_, err := io.Copy(io.Discard, theirs)
		gone <- err
	}()
	n = wsman.NewNode(wsman.Config{
		Addr: "127.0.0.1:1", Auth: wsman.NTLM(user, domain, password), TLS: &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12},
		Dial: func(context.Context, string, string) (net.Conn, error) { return ours, nil },
	})
	if _, err := n.Run(ctx, "echo x", nil); !errors.Is(err, context.Canceled) || n.Stats().Dials != 1 || n.Stats().Requests != 0 {
		t.Errorf("%v, %+v", err, n.Stats())
	}
	if err := <-gone; err != nil { // the socket is closed, or this would not end
		t.Error(err)
	}
}
