package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/lab"
	"cau/internal/sambatest"
	"cau/internal/winnode"
	"cau/internal/wsman"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// domain is shared by the tests of this package; its controller serves files.
var domain = sambatest.SharedDomain{Files: true}

func TestMain(m *testing.M) {
	code := m.Run()
	domain.Stop()
	os.Exit(code)
}

// served gives the domain with a file in its share.
func served(t *testing.T) *sambatest.Controller {
	t.Helper()
	d := domain.Get(t)
	if err := os.WriteFile(filepath.Join(d.Dir("plain"), "a.txt"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	return d
}

// opened makes the access of sec and closes it with the test.
func opened(t *testing.T, sec secrets) *access {
	t.Helper()
	a, err := openAccess(sec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

// ofOperator is a sign-in of the domain's operator with a password, unless changed.
func ofOperator(d *sambatest.Controller, change func(*secrets)) secrets {
	sec := secrets{
		Method: methodBest, User: `CAU\` + sambatest.Operator, Password: sambatest.Password, Realm: sambatest.Realm, KDCs: []string{d.KDC}, KRB5: os.DevNull,
	}
	change(&sec)
	return sec
}

// root is the domain's share plain, wherever it really is, under a name of its server.
func root(addr, server string) (smbcheck.Location, *lab.Info) {
	l := smbcheck.Location{Server: server, Share: "plain"}
	return l, &lab.Info{Shares: []lab.Served{{UNC: `\\` + server + `\plain`, Address: addr}}}
}

// reads opens the root with the nodes' own sign-in and reads a file.
func reads(ctx context.Context, a *access, addr, server string) error {
	loc, in := root(addr, server)
	r, err := a.opener(smbcheck.Options{}, in)(ctx, loc)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	b, err := r.(*smbcheck.Connection).ReadFile(ctx, "a.txt", 10, nil)
	if err == nil && string(b) != "hello" {
		err = errors.New("the file holds " + string(b))
	}
	return err
}

func TestASharesSignInIsTheNodesOwn(t *testing.T) {
	d := served(t)
	cache := filepath.Join(t.TempDir(), "cc")
	d.Kinit(t, cache)
	nowhere := []string{"127.0.0.1:1"}
	for name, c := range map[string]struct {
		change func(*secrets)
		want   string
	}{
		"cache": {func(s *secrets) { s.Method, s.User, s.Password, s.CCache = cli.AuthKerberos, "", "", "FILE:"+cache }, "krb5"},
		"keytab": {func(s *secrets) {
			s.Method, s.User, s.Password, s.Keytab = cli.AuthKerberos, sambatest.Operator, "", d.UserKeytab
		}, "krb5"},
		"password": {func(s *secrets) { s.Method = cli.AuthKerberos }, "krb5"},
		"the best": {func(*secrets) {}, "krb5"},
		"the best, and no domain controller to reach": {func(s *secrets) { s.KDCs = nowhere }, "NTLMSSP"},
		"NTLM": {func(s *secrets) { s.Method = cli.AuthNTLM }, "NTLMSSP"},
	} {
		t.Run(name, func(t *testing.T) {
			a := opened(t, ofOperator(d, c.change))
			before := len(d.Sessions(sambatest.Operator))
			if err := reads(t.Context(), a, d.SMB, sambatest.FileServer); err != nil {
				t.Fatal(err)
			}
			// ADMIN$ of a Samba is not for files, which it says to those who are signed in.
			a.smb = map[string]string{"DC1": d.SMB}
			if _, err := a.adminShare(t.Context(), sambatest.FileServer); !errors.Is(err, smbcheck.ErrShare) && !errors.Is(err, smbcheck.ErrAccess) {
				t.Errorf("ADMIN$: %v", err)
			}
			want := []string{c.want + " NT_STATUS_OK", c.want + " NT_STATUS_OK"}
			if got := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(got, want) {
				t.Errorf("the server's audit log has %v", got)
			}
		})
	}
}

func TestR02_APasswordIsRefusedOnceForTicketsSharesAndNodesTogether(t *testing.T) {
	d := served(t)
	spent := func(t *testing.T, a *access) {
		t.Helper()
		var auth *wsman.AuthError
		if err := a.credential.Rejected(); !errors.As(err, &auth) || !auth.Final() {
			t.Errorf("the nodes may still see the password: %v", err)
		}
	}
	t.Run("by a domain controller", func(t *testing.T) {
		proofs, sessions := len(d.Logons(sambatest.Operator)), len(d.Sessions(sambatest.Operator))
		a := opened(t, ofOperator(d, func(s *secrets) { s.Password = "not it" }))
		for _, server := range []string{sambatest.FileServer, "127.0.0.1", sambatest.FileServer} {
			if err := reads(t.Context(), a, d.SMB, server); err == nil {
				t.Fatal("it was let in")
			}
		}
		spent(t, a)
		if got, met := d.Logons(sambatest.Operator)[proofs:], d.Sessions(sambatest.Operator)[sessions:]; !slices.Equal(got, []string{"NT_STATUS_WRONG_PASSWORD"}) || len(met) != 0 {
			t.Errorf("the domain controller saw %v, the file server %v", got, met)
		}
	})
	t.Run("by a file server", func(t *testing.T) {
		before, logons := len(d.Sessions(sambatest.Operator)), len(d.Logons(sambatest.Operator))
		a := opened(t, ofOperator(d, func(s *secrets) { s.Password = "not it" }))
		for _, server := range []string{"127.0.0.1", sambatest.FileServer, "127.0.0.1"} { // an IP address goes by NTLM
			if err := reads(t.Context(), a, d.SMB, server); err == nil {
				t.Fatal("it was let in")
			}
		}
		spent(t, a)
		if got := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(got, []string{"NTLMSSP NT_STATUS_WRONG_PASSWORD"}) || len(d.Logons(sambatest.Operator)) != logons {
			t.Errorf("the file server saw %v, the domain controller %v", got, d.Logons(sambatest.Operator)[logons:])
		}
	})
	t.Run("and an account that is locked is no other", func(t *testing.T) {
		a := opened(t, ofOperator(d, func(s *secrets) { s.Method, s.User = cli.AuthKerberos, sambatest.Locked }))
		if err := reads(t.Context(), a, d.SMB, sambatest.FileServer); !errors.Is(err, smbcheck.ErrAccount) {
			t.Errorf("%v", err)
		}
		if a.kerberos.Refused() == nil {
			t.Error("the nodes may still ask for tickets")
		}
	})
}

func TestR02_AFileServersTroubleWithATicketIsNoWordAboutThePassword(t *testing.T) {
	d := served(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int64
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}
	}()
	defer func() { _ = l.Close(); <-served }()
	outside := sambatest.Start(t)
	for _, method := range []string{cli.AuthKerberos, methodBest} {
		a := opened(t, ofOperator(d, func(s *secrets) { s.Method = method }))
		if err := reads(t.Context(), a, l.Addr().String(), sambatest.FileServer); err == nil {
			t.Errorf("%s: a server that hangs up is read", method)
		}
		if err := reads(t.Context(), a, outside.Addr, sambatest.FileServer); !errors.Is(err, smbcheck.ErrTicket) {
			t.Errorf("%s: a server outside the domain: %v", method, err)
		}
		if a.credential.Rejected() != nil || a.kerberos.Refused() != nil {
			t.Errorf("%s: the secret is spent: %v, %v", method, a.credential.Rejected(), a.kerberos.Refused())
		}
	}
	if calls.Load() != 2 {
		t.Errorf("%d connections", calls.Load())
	}
	// Nor does a domain controller that is not there, or a file server that is not.
	a := opened(t, ofOperator(d, func(s *secrets) { s.KDCs = []string{"127.0.0.1:1"} }))
	if err := reads(t.Context(), a, "127.0.0.1:1", "nosuch.cau.test"); !errors.Is(err, smbcheck.ErrUnreachable) || a.credential.Rejected() != nil {
		t.Errorf("%v, %v", err, a.credential.Rejected())
	}
}

func TestAClientCertificateNamesNobodyForAShare(t *testing.T) {
	t.Parallel()
	if overSMB(secrets{Method: cli.AuthCertificate}, nil) != nil {
		t.Fatal("a certificate signs in over SMB")
	}
	s := &session{access: &access{}}
	if err := s.shareKnown(); !cli.IsUsage(err) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
	if _, err := s.access.adminShare(t.Context(), "node1"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v", err)
	}
	s.share = &smbcheck.NTLM{User: "reader"}
	if err := s.shareKnown(); err != nil {
		t.Errorf("with an account of its own: %v", err)
	}
	for method, want := range map[string]smbcheck.Credentials{
		cli.AuthNTLM: smbcheck.NTLM{}, cli.AuthBasic: smbcheck.NTLM{}, cli.AuthKerberos: smbcheck.Kerberos{}, methodBest: smbcheck.KerberosOrNTLM{},
	} {
		got := overSMB(secrets{Method: method, User: `D\me`, Password: "p"}, nil)
		if n, ok := got.(smbcheck.NTLM); ok && (n.User != "me" || n.Domain != "D" || n.Password != "p") || typeOf(got) != typeOf(want) {
			t.Errorf("%s: %v", method, got)
		}
	}
}

func typeOf(c smbcheck.Credentials) string {
	switch c.(type) {
	case smbcheck.NTLM:
		return "NTLM"
	case smbcheck.Kerberos:
		return "Kerberos"
	case smbcheck.KerberosOrNTLM:
		return "both"
	}
	return "none"
}

func TestR04_TheCoordinatorGetsTheNodesSecretOnce(t *testing.T) {
	t.Parallel()
	s := &session{secrets: secrets{Method: cli.AuthNTLM, User: `D\me`, Password: "hunter2"}, access: opened(t, secrets{Method: cli.AuthNTLM, User: `D\me`, Password: "hunter2"})}
	s.target.SMBPort = 4450
	sec := s.secrets
	sec.Share = s.handOver()
	data, err := json.Marshal(sec)
	if err != nil || strings.Count(string(data), "hunter2") != 1 {
		t.Errorf("%s, %v", data, err)
	}
	var taken secrets
	if err := json.Unmarshal(data, &taken); err != nil || taken.Share == nil || !taken.Share.Nodes || taken.Share.Port != 4450 {
		t.Errorf("%+v, %v", taken.Share, err)
	}
	s.share = &smbcheck.NTLM{User: "reader", Domain: "D", Password: "other"}
	if got := s.handOver(); *got != (shareSecret{User: "reader", Domain: "D", Password: "other", Port: 4450}) {
		t.Error("another account does not arrive as it is")
	}
	if s.access.takeOver(nil, nil) != nil {
		t.Error("a coordinator that reads no share has an opener")
	}
}

func TestTheCoordinatorReadsTheRootWithTheNodesTicket(t *testing.T) {
	d := served(t)
	a := opened(t, ofOperator(d, func(s *secrets) {
		s.Method, s.User, s.Password, s.Keytab = cli.AuthKerberos, sambatest.Operator, "", d.UserKeytab
	}))
	loc, in := root(d.SMB, sambatest.FileServer)
	before := len(d.Sessions(sambatest.Operator))
	r, err := a.takeOver(&shareSecret{Nodes: true}, in)(t.Context(), loc)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.(hotfix.Copier).CopyFile(t.Context(), "a.txt", io.Discard); err != nil {
		t.Error(err)
	}
	if got := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(got, []string{"krb5 NT_STATUS_OK"}) {
		t.Errorf("the server's audit log has %v", got)
	}
}

func TestAdminSharesAreWhereTheNodesAre(t *testing.T) {
	t.Parallel()
	a := &access{smb: map[string]string{"NODE3": "127.0.0.1:4450"}}
	a.reach([]winnode.NodeAddress{
		{Name: "NODE1", Address: "192.0.2.1:5985", Host: "node1.lab.example"},
		{Name: "NODE2", Address: "https://node2.lab.example", Host: ""},
		{Name: "NODE3", Address: "192.0.2.3", Host: "node3.lab.example"},
		{Name: "NODE4", Address: "node4.lab.example:5985", Host: "NODE4.lab.example"},
	})
	if len(a.smb) != 2 || a.smb["NODE1"] != "192.0.2.1:445" || a.smb["NODE3"] != "127.0.0.1:4450" {
		t.Errorf("%v", a.smb)
	}
}

func TestARunThatPushesGoesOnReadingTheRootAsItsPlanWasMade(t *testing.T) {
	t.Parallel()
	made := cli.Target{User: "admin", SMBPort: 4450, OlderSMB: true, SMBUser: "reader", SMBPasswordFile: "/p", PasswordFile: "/q"}
	got := readingAs(&engine.Plan{Reach: reach(made)}, cli.Target{User: "other"})
	if got.User != "other" || got.PasswordFile != "" || got.SMBPort != 4450 || !got.OlderSMB || got.SMBUser != "reader" || got.SMBPasswordFile != "/p" {
		t.Errorf("%+v", got)
	}
}
