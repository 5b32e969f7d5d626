package wsman_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cau/internal/kerberos"
	"cau/internal/sambatest"
	"cau/internal/wsman"
)

// identity is Operator's in the domain, by password unless changed.
func identity(t *testing.T, change ...func(*kerberos.Config)) *kerberos.Client {
	t.Helper()
	cfg := kerberos.Config{User: sambatest.Operator, Realm: sambatest.Realm, KDCs: []string{ad.Get(t).KDC}, Password: sambatest.Password, ConfigFile: "/dev/null"}
	for _, c := range change {
		c(&cfg)
	}
	c, err := kerberos.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// newGSSServer is a WinRM service whose logons and sealing are MIT's.
func newGSSServer(t *testing.T, scheme string, secure bool) *winServer {
	t.Helper()
	s := newWinServer(t, secure)
	s.gss, s.scheme = ad.Get(t).NewAcceptor(t), scheme
	return s
}

// as makes a node log on by auth under a host name of the domain.
func as(auth *wsman.Credential, host string) func(*wsman.Config) {
	return func(c *wsman.Config) { c.Auth, c.Host = auth, host }
}

func reason(t *testing.T, err error, want wsman.AuthReason) *wsman.AuthError {
	t.Helper()
	var auth *wsman.AuthError
	if !errors.As(err, &auth) || auth.Reason != want || wsman.Hint(err) == "" || wsman.Retryable(err) {
		t.Fatalf("got %T %v (hint %q), want %q", err, err, wsman.Hint(err), want)
	}
	return auth
}

func TestAnOperationOverSealedKerberosCostsThreeRequests(t *testing.T) {
	for _, scheme := range []string{"Kerberos", "Negotiate"} {
		for host, encryption := range map[string]string{sambatest.Node1: "aes256", sambatest.Node3: "aes128"} {
			t.Run(scheme+" "+encryption, func(t *testing.T) {
				s := newGSSServer(t, scheme, false)
				n := s.node(t, as(wsman.Kerberos(identity(t), ""), host))
				if r := run(t, n, "echo first"); string(r.Stdout) != "first" {
					t.Fatalf("%+v", r)
				}
				n.Age(0) // the Signal is out
				cold := n.Stats()
				want := int64(1 + 1 + 3) // one logon, Create, and the operation
				if scheme == "Negotiate" {
					want++ // Kerberos was tried first
				}
				if cold.Requests != want || cold.Handshakes != 1 || cold.Dials != 1 {
					t.Errorf("cold: %+v, want %d requests", cold, want)
				}
				big := strings.Repeat("x", 7000)
				if r := run(t, n, "echo "+big); string(r.Stdout) != big {
					t.Fatal("a long answer")
				}
				n.Age(0)
				if warm := n.Stats(); warm.Requests-cold.Requests != 3 || warm.Handshakes != 1 {
					t.Errorf("a warm operation cost %d requests", warm.Requests-cold.Requests)
				}
				facts, _ := n.Negotiated()
				if !facts.Sealed || facts.Scheme != scheme || !strings.HasPrefix(facts.Mechanism, "Kerberos "+encryption) || s.who().User != "operator@CAU.TEST" {
					t.Errorf("%s; the server saw %s", facts, s.who().User)
				}
			})
		}
	}
}

func TestKerberosOverTLSIsBoundToTheChannel(t *testing.T) {
	for name, right := range map[string]bool{"its own channel": true, "another channel": false} {
		t.Run(name, func(t *testing.T) {
			s := newGSSServer(t, "Kerberos", true)
			s.binding = endPoint(s, right)
			n := s.node(t, trusting(s), as(wsman.Kerberos(identity(t), "WSMAN/{host}"), sambatest.Node1))
			_, err := n.Run(t.Context(), "echo x", nil)
			facts, _ := n.Negotiated()
			if right && (err != nil || facts.Sealed || !facts.ChannelBinding) {
				t.Fatalf("%v, %s", err, facts)
			}
			if !right {
				_ = reason(t, err, wsman.TicketRefused)
			}
		})
	}
}

func TestSixtyFourNodesShareOneKerberosIdentity(t *testing.T) {
	d := ad.Get(t)
	before := len(d.Logons(sambatest.Operator))
	s := newGSSServer(t, "Kerberos", false)
	shared := wsman.Kerberos(identity(t), "")
	var group sync.WaitGroup
	for i := range 64 {
		n := s.node(t, as(shared, sambatest.Node1))
		group.Go(func() {
			want := fmt.Sprint("node ", i)
			if _, err := n.Run(t.Context(), "echo "+want, nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if logons := d.Logons(sambatest.Operator)[before:]; !slices.Equal(logons, []string{"NT_STATUS_OK"}) || s.logons() != 64 {
		t.Fatalf("the KDC saw %v, the nodes %d tickets", logons, s.logons())
	}
}

func TestTheServiceNameIsTheNodesOwnOrTheGivenOne(t *testing.T) {
	t.Parallel()
	c := identity(t)
	for name, x := range map[string]struct {
		host, service string
		want          wsman.AuthReason
		good          bool
	}{
		"WSMAN":                          {host: sambatest.Node1, good: true},
		"HTTP where WSMAN is not known":  {host: sambatest.Node2, good: true},
		"a template":                     {host: sambatest.Node2, service: "HTTP/{host}", good: true},
		"a template that nobody knows":   {host: sambatest.Node2, service: "WSMAN/{host}", want: wsman.NoTicket},
		"a full name for another host":   {host: "127.0.0.1", service: "WSMAN/" + sambatest.Node1, good: true},
		"an unknown host":                {host: "node9.cau.test", want: wsman.NoTicket},
		"an address has no service name": {host: "127.0.0.1", want: wsman.NoTicket},
		"only RC4":                       {host: sambatest.Node4, want: wsman.NoTicket},
	} {
		t.Run(name, func(t *testing.T) {
			s := newGSSServer(t, "Kerberos", false)
			auth := wsman.Kerberos(c, x.service)
			_, err := s.node(t, as(auth, x.host)).Run(t.Context(), "echo x", nil)
			if x.good {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			_ = reason(t, err, x.want)
			if s.requests() != 0 || auth.Rejected() != nil {
				t.Errorf("the node heard %d requests; rejected: %v", s.requests(), auth.Rejected())
			}
		})
	}
}

func TestR02_WhatTheDomainRefusesIsFinalAndNTLMIsNotTried(t *testing.T) {
	d := ad.Get(t)
	for name, c := range map[string]struct {
		change func(*kerberos.Config)
		want   wsman.AuthReason
	}{
		"wrong password": {func(c *kerberos.Config) { c.Password = "wrong-" + c.Password }, wsman.Rejected},
		"must change":    {func(c *kerberos.Config) { c.User = sambatest.MustChange }, wsman.PasswordExpired},
		"disabled":       {func(c *kerberos.Config) { c.User = sambatest.Disabled }, wsman.Disabled},
		"locked":         {func(c *kerberos.Config) { c.User = sambatest.Locked }, wsman.Disabled},
		"unknown":        {func(c *kerberos.Config) { c.User = "nobody" }, wsman.UnknownAccount},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(d.Logons(sambatest.Operator))
			s := newWinServer(t, false) // offers Negotiate, so NTLM would work
			auth := wsman.KerberosOrNTLM(identity(t, c.change), "", user, domain, password)
			var group sync.WaitGroup
			for range 16 {
				n := s.node(t, as(auth, sambatest.Node1))
				group.Go(func() {
					_, err := n.Run(t.Context(), "echo x", nil)
					var e *wsman.AuthError
					if !errors.As(err, &e) || e.Reason != c.want || !wsman.Final(err) {
						t.Errorf("got %v", err)
					}
				})
			}
			group.Wait()
			if s.requests() != 0 || auth.Rejected() == nil {
				t.Errorf("the nodes heard %d requests", s.requests())
			}
			if failed := len(d.Logons(sambatest.Operator)) - before; name == "wrong password" && failed != 1 {
				t.Errorf("%d failed logons", failed)
			}
		})
	}
}

func TestNTLMComesOnlyWhereKerberosCannot(t *testing.T) {
	for name, c := range map[string]struct {
		host   string
		change func(*kerberos.Config)
		ntlm   bool
	}{
		"a node of the domain": {sambatest.Node1, func(*kerberos.Config) {}, false},
		"no KDC":               {sambatest.Node1, func(c *kerberos.Config) { c.KDCs = []string{"127.0.0.1:1"} }, true},
		"an unknown service":   {"node9.cau.test", func(*kerberos.Config) {}, true},
		"an address":           {"127.0.0.1", func(*kerberos.Config) {}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var s *winServer
			if c.ntlm {
				s = newWinServer(t, false)
			} else {
				s = newGSSServer(t, "Kerberos", false)
			}
			n := s.node(t, as(wsman.KerberosOrNTLM(identity(t, c.change), "", user, domain, password), c.host))
			if r := run(t, n, "echo x"); string(r.Stdout) != "x" {
				t.Fatalf("%+v", r)
			}
			if facts, _ := n.Negotiated(); (facts.Mechanism == "NTLMv2") != c.ntlm || !facts.Sealed {
				t.Errorf("by %s", facts)
			}
		})
	}
}

func TestR03_ANodeThatDoesNotProveItselfSeesNoBody(t *testing.T) {
	c := identity(t)
	proof := base64.StdEncoding.EncodeToString([]byte("\x60\x10nonsense that is long"))
	for name, x := range map[string]struct {
		answer string
		want   wsman.AuthReason
	}{
		"yes without a proof":  {status("200 OK"), wsman.Unproven},
		"a proof of nothing":   {status("200 OK", "WWW-Authenticate: Kerberos "+proof), wsman.Unproven},
		"garbage":              {status("200 OK", "WWW-Authenticate: Kerberos ***"), wsman.WeakChallenge},
		"no with nonsense":     {status("401 Unauthorized", "WWW-Authenticate: Kerberos "+proof), wsman.Unproven},
		"no":                   {status("401 Unauthorized", "WWW-Authenticate: Kerberos", "WWW-Authenticate: Negotiate"), wsman.TicketRefused},
		"Basic only":           {status("401 Unauthorized", `WWW-Authenticate: Basic realm="WSMAN"`), wsman.NotOffered},
		"NTLM only":            {status("401 Unauthorized", "WWW-Authenticate: NTLM"), wsman.NotOffered},
		"no and nothing to it": {status("401 Unauthorized"), wsman.NotOffered},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(int, *http.Request, []byte) string { return x.answer })
			auth := wsman.Kerberos(c, "")
			_, err := w.node(t, as(auth, sambatest.Node1)).Run(t.Context(), "echo secret-argument", nil)
			_ = reason(t, err, x.want)
			raw, requests := w.heard()
			if requests != 1 || contains(raw, "Envelope") || contains(raw, "secret-argument") || contains(raw, sambatest.Operator) || contains(raw, sambatest.Password) {
				t.Errorf("%d requests, %q", requests, raw)
			}
			if auth.Rejected() != nil {
				t.Error("one node's no says nothing about the credential")
			}
		})
	}
}

func TestR05_ATicketThatEndsDuringARunIsAnErrorOfItsOwnAndNoSpin(t *testing.T) {
	t.Parallel()
	d := ad.Get(t)
	cache := filepath.Join(t.TempDir(), "cc")
	d.Kinit(t, cache)
	fromCache := func(c *kerberos.Config) { c.User, c.Password, c.CCache = "", "", "FILE:"+cache }
	end, _ := identity(t, fromCache).Lifetime()
	b, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(3 * time.Second).Truncate(time.Second)
	written := func(t time.Time) []byte { return binary.BigEndian.AppendUint32(nil, uint32(t.Unix())) }
	// In front of the time until which it can be renewed stands the time when it ends.
	at := bytes.Index(b, written(end))
	if at < 4 {
		t.Fatal("the cache does not hold what it says")
	}
	b = bytes.ReplaceAll(b, b[at-4:at+4], append(written(soon), written(soon)...))
	if err := os.WriteFile(cache, b, 0o600); err != nil {
		t.Fatal(err)
	}
	c := identity(t, fromCache)
	if end, ok := c.Lifetime(); !ok || !end.Equal(soon) {
		t.Fatalf("the cache ends %v", end)
	}
	s := newGSSServer(t, "Kerberos", false)
	auth := wsman.Kerberos(c, "")
	n, other := s.node(t, as(auth, sambatest.Node1)), s.node(t, as(auth, sambatest.Node3))
	run(t, n, "echo 1")
	time.Sleep(time.Until(soon) + 10*time.Millisecond)
	if r := run(t, n, "echo 2"); string(r.Stdout) != "2" {
		t.Fatalf("a connection that is logged on: %+v", r)
	}
	for range 2 {
		_, err = other.Run(t.Context(), "echo 3", nil)
		if e := reason(t, err, wsman.Expired); e.Final() || auth.Rejected() != nil || other.Stats().Requests != 0 || !strings.Contains(wsman.Hint(err), "kinit") {
			t.Fatalf("final %v, %+v", e.Final(), other.Stats())
		}
	}
	d.Kinit(t, cache)
	if r := run(t, other, "echo 4"); string(r.Stdout) != "4" {
		t.Fatalf("after a new kinit: %+v", r)
	}
}

func TestA401WithinAKerberosRunCostsOneNewLogon(t *testing.T) {
	s := newGSSServer(t, "Kerberos", false)
	s.intercept = func(op string, n int, w http.ResponseWriter) bool {
		if op != "Command" || n != 1 {
			return false
		}
		w.Header().Set("WWW-Authenticate", "Kerberos")
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
	n := s.node(t, as(wsman.Kerberos(identity(t), ""), sambatest.Node1))
	if r := run(t, n, "echo x"); string(r.Stdout) != "x" || n.Stats().Handshakes != 2 || s.count("Command") != 2 {
		t.Fatalf("%+v, %+v", r, n.Stats())
	}
}

func TestACancelledContextAsksNoKDCAndNoNode(t *testing.T) {
	d := ad.Get(t)
	before := len(d.Logons(sambatest.Operator))
	s := newGSSServer(t, "Kerberos", false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.node(t, as(wsman.Kerberos(identity(t), ""), sambatest.Node1)).Run(ctx, "echo x", nil)
	if !errors.Is(err, context.Canceled) || s.requests() != 0 || len(d.Logons(sambatest.Operator)) != before {
		t.Fatalf("%v, %d requests", err, s.requests())
	}
}
