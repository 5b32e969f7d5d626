package wsman_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cau/internal/wsman"
)

// The host of this program may sleep while an answer is awaited; the node was not silent for that long.
func TestAHostThatSleptAsksOnceMoreBeforeANodeCountsAsGone(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	n := s.node(t)
	slept := n.Sleeps()
	s.intercept = func(op string, n int, w http.ResponseWriter) bool {
		if op != "Receive" || n != 1 {
			return false
		}
		slept.Store(int64(10 * time.Minute))
		return hang(w)
	}
	if r := run(t, n, "echo kept"); string(r.Stdout) != "kept" || r.Repeats != 1 {
		t.Fatalf("%+v", r)
	}
}

func TestAHeadOfManyLinesIsRefused(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"many lines": strings.Repeat("a:\r\n", 40000), "one line": "A: " + strings.Repeat("x", 160000) + "\r\n",
	} {
		w := newWiretap(t, func(int, *http.Request, []byte) string {
			return "HTTP/1.1 401 No\r\n" + head + "Content-Length: 0\r\n\r\n"
		})
		_, err := w.node(t).Run(t.Context(), "echo x", nil)
		if err == nil || !strings.Contains(err.Error(), "larger than allowed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A page that shows what it was sent must not carry a password into an error.
func TestR04_AnErrorShowsNothingThatAListenerEchoes(t *testing.T) {
	t.Parallel()
	for _, at := range []int{1, 2} {
		s := newWinServer(t, true)
		n := 0
		s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n < at {
				reply(w, nil, true, 200, `<s:Envelope xmlns:s="`+nsEnvelope+`"><s:Body/></s:Envelope>`)
				return
			}
			w.WriteHeader(http.StatusBadGateway)
			_, _ = fmt.Fprintf(w, "you sent %s %s", r.Header.Get("Authorization"), password)
		})
		_, err := s.node(t, trusting(s), func(c *wsman.Config) { c.Auth = wsman.Basic(user, password) }).Run(t.Context(), "echo x", nil)
		var web *wsman.HTTPError
		if !errors.As(err, &web) || web.Status != http.StatusBadGateway {
			t.Fatalf("got %v", err)
		}
		for _, secret := range []string{password, base64.StdEncoding.EncodeToString([]byte(user + ":" + password))} {
			if strings.Contains(fmt.Sprintf("%v %+v", err, web), secret) {
				t.Errorf("request %d: the error shows %q", at, web.Head)
			}
		}
	}
}

// A callback that is not asked when a TLS session is resumed verifies nothing then.
func TestR03_AVerificationThatResumedSessionsSkipIsRefused(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, true)
	n := s.node(t, func(c *wsman.Config) {
		c.TLS = &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: func([][]byte, [][]*x509.Certificate) error { return nil }}
	})
	_, err := n.Run(t.Context(), "echo x", nil)
	var c *wsman.ConnError
	if !errors.As(err, &c) || c.Stage != wsman.NotSent || s.requests() != 0 || n.Stats().Dials != 0 {
		t.Fatalf("%v; the server heard %d requests", err, s.requests())
	}
}

// Every connection is a handshake of its own, in which the node shows its certificate.
func TestR03_NoTLSSessionIsResumed(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, true)
	resumed := 0
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			resumed++
		}
		s.serve(w, r)
	})
	n := s.node(t, trusting(s), func(c *wsman.Config) { c.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(8) })
	for range 3 {
		run(t, n, "echo x")
		n.Drop()
	}
	if resumed != 0 {
		t.Fatalf("%d requests came over a resumed session", resumed)
	}
}

// Whoever only looks shows nobody a certificate: the listener is not verified yet.
func TestR03_ALookShowsNoClientCertificate(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, true)
	shown := 0
	s.TLS.ClientAuth = tls.RequestClientCert
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown += len(r.TLS.PeerCertificates)
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	})
	own := certificate(t)
	for _, c := range []*tls.Config{
		{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12},
		{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }, MinVersion: tls.VersionTLS12},
	} {
		if _, err := wsman.Look(t.Context(), wsman.Config{Addr: s.Listener.Addr().String(), TLS: c}); err != nil {
			t.Fatal(err)
		}
	}
	if shown != 0 {
		t.Fatalf("the listener saw %d certificates", shown)
	}
}

// What is cancelled while an old shell is put away leaves that shell to Close.
func TestACancelWhileAShellIsReplacedLeavesNoneBehind(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	n := s.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.intercept = func(op string, n int, w http.ResponseWriter) bool {
		if op == "Delete" && n == 1 {
			cancel()
			return hang(w)
		}
		return false
	}
	for range 100 {
		run(t, n, "echo x")
	}
	if _, err := n.Run(ctx, "echo x", nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if err := n.Close(t.Context()); err != nil || s.count("Create") != 1 || s.count("Delete") != 2 {
		t.Fatalf("%v: %d shells made, %d times deleted", err, s.count("Create"), s.count("Delete"))
	}
}
