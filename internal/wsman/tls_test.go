package wsman_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"cau/internal/wsman"
)

// trusting makes a node verify s by its certificate authority.
func trusting(s *winServer) func(*wsman.Config) {
	return func(c *wsman.Config) {
		pool := x509.NewCertPool()
		pool.AddCert(s.Certificate())
		c.TLS = &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	}
}

func TestALogonOverTLSIsBoundToTheChannelAndNotSealedTwice(t *testing.T) {
	s := newWinServer(t, true)
	n := s.node(t, trusting(s))
	if r := run(t, n, "echo hi"); string(r.Stdout) != "hi" {
		t.Fatalf("%+v", r)
	}
	// RFC 5929 section 4.1 and RFC 2744 section 3.11, in the order in which they are hashed.
	hash := sha256.Sum256(s.Certificate().Raw)
	application := append([]byte("tls-server-end-point:"), hash[:]...)
	want := md5.Sum(append(append(make([]byte, 16), byte(len(application)), 0, 0, 0), application...))
	if id := s.who(); !bytes.Equal(id.ChannelBindings, want[:]) {
		t.Fatalf("the server saw the binding %x, want %x", id.ChannelBindings, want)
	}
	facts, _ := n.Negotiated()
	if facts.Sealed || !facts.ChannelBinding || !strings.HasPrefix(facts.TLS, "TLS 1.3 ") || !strings.Contains(facts.String(), "bound to TLS 1.3") {
		t.Fatalf("%+v %s", facts, facts)
	}
	if to := s.messages()[0].To; !strings.HasPrefix(to, "https://node1:") {
		t.Fatalf("the message went to %q", to)
	}
}

func TestTheBindingCanBeLeftOut(t *testing.T) {
	s := newWinServer(t, true)
	n := s.node(t, trusting(s), func(c *wsman.Config) { c.NoChannelBinding = true })
	run(t, n, "echo hi")
	if facts, _ := n.Negotiated(); facts.ChannelBinding || s.who().ChannelBindings != nil {
		t.Fatalf("%+v, %x", facts, s.who().ChannelBindings)
	}
}

func TestAPinnedKeyIsEnough(t *testing.T) {
	s := newWinServer(t, true)
	pin := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	run(t, s.node(t, func(c *wsman.Config) { c.TLS = wsman.PinSPKI(pin) }), "echo hi")
}

func TestR03_ANodeThatCannotBeVerifiedHearsNoLogon(t *testing.T) {
	for name, change := range map[string]func(*wsman.Config){
		"unknown authority":    func(c *wsman.Config) { c.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12} },
		"another key":          func(c *wsman.Config) { c.TLS = wsman.PinSPKI([32]byte{1}) },
		"another name":         func(c *wsman.Config) { c.TLS.ServerName = "node9.contoso.com" },
		"no verification":      func(c *wsman.Config) { c.TLS = &tls.Config{InsecureSkipVerify: true} },
		"no verification, SNI": func(c *wsman.Config) { c.TLS.InsecureSkipVerify = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, true)
			s.Config.ErrorLog = nil
			n := s.node(t, trusting(s), change)
			_, err := n.Run(t.Context(), "echo hi", nil)
			var c *wsman.ConnError
			if !errors.As(err, &c) || c.Op != "connect" || c.Stage != wsman.NotSent || s.requests() != 0 || n.Stats().Requests != 0 {
				t.Fatalf("%v; the server heard %d requests", err, s.requests())
			}
		})
	}
}

// endPoint is the application data of s's channel (RFC 5929 section 4.1), or of another one's.
func endPoint(s *winServer, right bool) []byte {
	hash := sha256.Sum256(s.Certificate().Raw)
	if !right {
		hash[0] ^= 1
	}
	return append([]byte("tls-server-end-point:"), hash[:]...)
}
