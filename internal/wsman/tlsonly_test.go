package wsman_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"cau/internal/kerberos"
	"cau/internal/sambatest"
	"cau/internal/wsman"
)

const mutual = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"

func basicHeader(password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// certificate is a client's own.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "operator"}, NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestR03_WhatNeedsTLSIsRefusedOnPlainHTTPBeforeAnyByte(t *testing.T) {
	for name, auth := range map[string]*wsman.Credential{"Basic": wsman.Basic(user, password), "certificate": wsman.ClientCertificate(certificate(t))} {
		w := newWiretap(t, func(int, *http.Request, []byte) string { return status("200 OK") })
		n := w.node(t, func(c *wsman.Config) { c.Auth = auth })
		_, err := n.Run(t.Context(), "echo x", nil)
		var c *wsman.ConnError
		if raw, _ := w.heard(); !errors.As(err, &c) || c.Stage != wsman.NotSent || len(raw) != 0 || n.Stats().Dials != 0 ||
			!strings.Contains(err.Error(), "plain HTTP is refused") || !strings.Contains(wsman.Hint(err), "https://") {
			t.Errorf("%s: %v, hint %q; the peer heard %q", name, err, wsman.Hint(err), raw)
		}
	}
}

func TestBasicAndCertificatesWorkOnVerifiedTLS(t *testing.T) {
	for name, c := range map[string]struct {
		auth   *wsman.Credential
		header string
	}{
		"Basic":              {wsman.Basic(user, password), basicHeader(password)},
		"client certificate": {wsman.ClientCertificate(certificate(t)), mutual},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, true)
			s.plain = c.header
			if name != "Basic" {
				s.TLS.ClientAuth = tls.RequireAnyClientCert
			}
			n := s.node(t, trusting(s), func(cfg *wsman.Config) { cfg.Auth = c.auth })
			run(t, n, "echo 1")
			n.Age(0)
			before := n.Stats().Requests
			if r := run(t, n, "echo 2"); string(r.Stdout) != "2" {
				t.Fatalf("%+v", r)
			}
			n.Age(0)
			if warm := n.Stats().Requests - before; warm != 3 {
				t.Errorf("a warm operation cost %d requests", warm)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.headers) != 8 || strings.Join(s.headers, "|") != strings.Repeat(c.header+"|", 7)+c.header {
				t.Errorf("the messages carried %q", s.headers)
			}
			if facts, _ := n.Negotiated(); facts.Mechanism != name || facts.Sealed || facts.ChannelBinding || facts.TLS == "" {
				t.Errorf("%+v", facts)
			}
		})
	}
}

func TestR02_ARefusedBasicPasswordIsSentOnce(t *testing.T) {
	s := newWinServer(t, true)
	s.plain = basicHeader(password)
	wrong := wsman.Basic(user, "wrong-"+password)
	for range 3 {
		_, err := s.node(t, trusting(s), func(c *wsman.Config) { c.Auth = wrong }).Run(t.Context(), "echo x", nil)
		if !rejected(err) || !wsman.Final(err) {
			t.Fatalf("got %v", err)
		}
	}
	if s.requests() != 1 {
		t.Errorf("%d requests", s.requests())
	}
}

// Basic logs on with every message: one that is refused in the middle is a failed logon too.
func TestR02_ABasicPasswordThatStopsWorkingIsSentOnceMore(t *testing.T) {
	s := newWinServer(t, true)
	s.plain = basicHeader(password)
	auth := wsman.Basic(user, password)
	share := func(c *wsman.Config) { c.Auth = auth }
	n, other := s.node(t, trusting(s), share), s.node(t, trusting(s), share)
	run(t, n, "echo 1")
	run(t, other, "echo 1")
	n.Age(0)
	other.Age(0)
	s.mu.Lock()
	s.plain = basicHeader("changed")
	s.mu.Unlock()
	before := s.requests()
	for _, n := range []*wsman.Node{n, other, n} {
		if _, err := n.Run(t.Context(), "echo 2", nil); !rejected(err) {
			t.Fatalf("got %v", err)
		}
	}
	if s.requests() != before+1 {
		t.Errorf("%d requests after the change", s.requests()-before)
	}
}

func TestR03_AListenerThatOffersOnlyBasicLearnsNothingFromAnyOtherCredential(t *testing.T) {
	d := ad.Get(t)
	noKDC := func(c *kerberos.Config) { c.KDCs = []string{"127.0.0.1:1"} }
	for name, c := range map[string]struct {
		auth   *wsman.Credential
		host   string
		reason wsman.AuthReason
		heard  int
	}{
		"NTLM":                              {wsman.NTLM(sambatest.Operator, "CAU", sambatest.Password), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos":                          {wsman.Kerberos(identity(t), ""), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos or NTLM, with a KDC":      {wsman.KerberosOrNTLM(identity(t), "", sambatest.Operator, "CAU", sambatest.Password), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos or NTLM, without one":     {wsman.KerberosOrNTLM(identity(t, noKDC), "", sambatest.Operator, "CAU", sambatest.Password), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos or NTLM, by address":      {wsman.KerberosOrNTLM(identity(t), "", sambatest.Operator, "CAU", sambatest.Password), "127.0.0.1", wsman.NotOffered, 1},
		"Kerberos without a KDC":            {wsman.Kerberos(identity(t, noKDC), ""), sambatest.Node1, wsman.NoTicket, 0},
		"Kerberos with a keytab":            {wsman.Kerberos(identity(t, func(c *kerberos.Config) { c.Password, c.Keytab = "", d.UserKeytab }), ""), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos with the wrong password":  {wsman.Kerberos(identity(t, func(c *kerberos.Config) { c.Password += "x" }), ""), sambatest.Node1, wsman.Rejected, 0},
		"NTLM after a first wrong attempt":  {wsman.NTLM(sambatest.Operator, "CAU", sambatest.Password+"x"), sambatest.Node1, wsman.NotOffered, 1},
		"Kerberos for a service of its own": {wsman.Kerberos(identity(t), "HTTP/"+sambatest.Node1), "127.0.0.1", wsman.NotOffered, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(int, *http.Request, []byte) string {
				return status("401 Unauthorized", `WWW-Authenticate: Basic realm="WSMAN"`)
			})
			_, err := w.node(t, as(c.auth, c.host)).Run(t.Context(), "echo secret-argument", nil)
			_ = reason(t, err, c.reason)
			raw, requests := w.heard()
			if requests != c.heard {
				t.Errorf("the peer heard %d requests", requests)
			}
			for _, secret := range []string{sambatest.Operator, sambatest.Password, "Envelope", "secret-argument", "Basic "} {
				if contains(raw, secret) || strings.Contains(err.Error(), sambatest.Password) {
					t.Errorf("the peer learnt %q", secret)
				}
			}
		})
	}
}
