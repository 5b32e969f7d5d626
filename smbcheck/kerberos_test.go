package smbcheck_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/internal/kerberos"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

// identity is Operator's by password, unless changed.
func identity(t *testing.T, d *sambatest.Controller, change ...func(*kerberos.Config)) *kerberos.Client {
	t.Helper()
	cfg := kerberos.Config{User: sambatest.Operator, Realm: sambatest.Realm, KDCs: []string{d.KDC}, Password: sambatest.Password, ConfigFile: os.DevNull}
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

func byTicket(c *kerberos.Client) smbcheck.Kerberos { return smbcheck.Kerberos{Client: c} }

func either(c *kerberos.Client) smbcheck.KerberosOrNTLM {
	return smbcheck.KerberosOrNTLM{
		Kerberos: byTicket(c), NTLM: smbcheck.NTLM{User: sambatest.Operator, Domain: "CAU", Password: sambatest.Password},
	}
}

// on is a share of the domain's file server, whose name may be written in any case.
func on(share string) smbcheck.Location {
	return smbcheck.Location{Server: strings.ToUpper(sambatest.FileServer), Share: share}
}

// reads connects, reads a file and gives what is known about the connection then.
func reads(t *testing.T, addr string, loc smbcheck.Location, who smbcheck.Credentials) smbcheck.Facts {
	t.Helper()
	c, err := smbcheck.Connect(t.Context(), loc, who, smbcheck.Options{Addr: addr})
	if err != nil {
		t.Fatalf("%v (%s)", err, fault.Hint(err))
	}
	defer func() { _ = c.Close() }()
	if b, err := c.ReadFile(t.Context(), "a.txt", 10, nil); err != nil || string(b) != "hello" {
		t.Fatalf("%q, %v", b, err)
	}
	return c.Facts()
}

// denied asserts what came of a sign-in: one of our causes and Kerberos's own, something to do, and no secret.
func denied(t *testing.T, addr string, loc smbcheck.Location, who smbcheck.Credentials, want error, kind kerberos.Kind) *kerberos.Error {
	t.Helper()
	c, err := smbcheck.Connect(t.Context(), loc, who, smbcheck.Options{Addr: addr, AllowOlder: true})
	if err == nil {
		_ = c.Close()
		t.Fatal("connected")
	}
	var k *kerberos.Error
	if !errors.Is(err, want) || !errors.As(err, &k) || k.Kind != kind || fault.Hint(err) == "" {
		t.Fatalf("got %v (hint %q), want %v, %v", err, fault.Hint(err), want, kind)
	}
	for _, other := range []error{smbcheck.ErrLogon, smbcheck.ErrAccount, smbcheck.ErrTicket, smbcheck.ErrTampered} {
		if !errors.Is(want, other) && errors.Is(err, other) {
			t.Errorf("%v is %v too", err, other)
		}
	}
	if strings.Contains(err.Error()+fault.Hint(err), sambatest.Password) {
		t.Errorf("the password is in %v", err)
	}
	t.Log(err)
	return k
}

// nobody is an address where every connection is counted and nothing is said.
func nobody(t *testing.T) (addr string, calls *atomic.Int64) {
	t.Helper()
	calls = &atomic.Int64{}
	return startFake(t, func(net.Conn) { calls.Add(1) }), calls
}

func serve(t *testing.T) *sambatest.Controller {
	t.Helper()
	d := sambatest.DomainWithFiles(t)
	for _, share := range []string{"plain", "enc"} {
		write(t, filepath.Join(d.Dir(share), "a.txt"), []byte("hello"))
	}
	return d
}

// The parts share one domain, whose start is most of the time.
func TestKerberos(t *testing.T) {
	t.Parallel()
	d := serve(t)
	t.Run("password, keytab and cache each open a plain and an encrypted share", func(t *testing.T) {
		cache := filepath.Join(t.TempDir(), "cc")
		d.Kinit(t, cache)
		for name, change := range map[string]func(*kerberos.Config){
			"password": func(*kerberos.Config) {},
			"keytab":   func(c *kerberos.Config) { c.Password, c.Keytab = "", d.UserKeytab },
			"cache":    func(c *kerberos.Config) { c.User, c.Realm, c.Password, c.CCache = "", "", "", "FILE:"+cache },
		} {
			t.Run(name, func(t *testing.T) {
				who := byTicket(identity(t, d, change))
				for _, share := range []string{"plain", "enc"} {
					before := len(d.Sessions(sambatest.Operator))
					got := reads(t, d.SMB, on(share), who)
					checkTraffic(t, got)
					got.Sent, got.Received = smbcheck.Traffic{}, smbcheck.Traffic{}
					want := smbcheck.Facts{
						Dialect: smbcheck.SMB311, Cipher: smbcheck.AES128GCM, SigningRequired: true, SetupVerified: true, ShareVerified: true, DowngradeProtected: true,
						ShareType: smbcheck.DiskShare, MaximalAccess: 0x1f01ff,
					}
					if share == "enc" {
						want.EncryptData, want.ShareFlags = true, 0x8000
					}
					if got != want {
						t.Errorf("%s: got %+v\nwant %+v", share, got, want)
					}
					if s := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(s, []string{"krb5 NT_STATUS_OK"}) {
						t.Errorf("%s: the server's audit log has %v", share, s)
					}
				}
			})
		}
	})
	t.Run("NTLM opens the same shares", func(t *testing.T) {
		before := len(d.Sessions(sambatest.Operator))
		for _, share := range []string{"plain", "enc"} {
			if f := reads(t, d.SMB, on(share), either(nil).NTLM); !f.SetupVerified || !f.ShareVerified {
				t.Errorf("%s: %+v", share, f)
			}
		}
		if s := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(s, []string{"NTLMSSP NT_STATUS_OK", "NTLMSSP NT_STATUS_OK"}) {
			t.Errorf("the server's audit log has %v", s)
		}
	})
	t.Run("without a ticket the file server is not even dialled", func(t *testing.T) { withoutTicket(t, d) })
	t.Run("a server that cannot read the ticket says nothing about the password", func(t *testing.T) { unreadable(t, d) })
	t.Run("a man in the middle is caught", func(t *testing.T) { middleOfKerberos(t, d) })
	t.Run("NTLM comes only where Kerberos cannot", func(t *testing.T) { fallBack(t, d) })
}

func withoutTicket(t *testing.T, d *sambatest.Controller) {
	t.Helper()
	addr, calls := nobody(t)
	over := filepath.Join(t.TempDir(), "cc")
	d.Kinit(t, over)
	endCache(t, over)
	for name, c := range map[string]struct {
		loc    smbcheck.Location
		change func(*kerberos.Config)
		want   error
		kind   kerberos.Kind
	}{
		"unknown service": {smbcheck.Location{Server: "nosuch.cau.test", Share: "plain"}, func(*kerberos.Config) {}, smbcheck.ErrTicket, kerberos.UnknownService},
		"IP address":      {smbcheck.Location{Server: "127.0.0.1", Share: "plain"}, func(*kerberos.Config) {}, smbcheck.ErrTicket, kerberos.UnknownService},
		"IPv6 address":    {smbcheck.Location{Server: "fe80--1.ipv6-literal.net", Share: "plain"}, func(*kerberos.Config) {}, smbcheck.ErrTicket, kerberos.UnknownService},
		"expired ticket":  {on("plain"), func(c *kerberos.Config) { c.User, c.Realm, c.Password, c.CCache = "", "", "", over }, smbcheck.ErrTicket, kerberos.Expired},
		"no KDC":          {on("plain"), func(c *kerberos.Config) { c.KDCs = []string{"127.0.0.1:1"} }, smbcheck.ErrTicket, kerberos.Unreachable},
		"unknown account": {on("plain"), func(c *kerberos.Config) { c.User = "nobody" }, smbcheck.ErrLogon, kerberos.UnknownUser},
		"disabled":        {on("plain"), func(c *kerberos.Config) { c.User = sambatest.Disabled }, smbcheck.ErrAccount, kerberos.Revoked},
		"must change":     {on("plain"), func(c *kerberos.Config) { c.User = sambatest.MustChange }, smbcheck.ErrAccount, kerberos.PasswordExpired},
	} {
		t.Run(name, func(t *testing.T) { _ = denied(t, addr, c.loc, byTicket(identity(t, d, c.change)), c.want, c.kind) })
	}
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := smbcheck.Connect(ctx, on("plain"), either(identity(t, d)), smbcheck.Options{Addr: addr}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	if n := calls.Load(); n != 0 {
		t.Errorf("the file server was dialled %d times", n)
	}
}

// endCache makes the ticket of a cache that lasts for hours one that ended an hour ago.
func endCache(t *testing.T, cache string) {
	t.Helper()
	b, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kerberos.Open(kerberos.Config{CCache: cache, ConfigFile: os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	end, _ := c.Lifetime()
	written := func(t time.Time) []byte { return binary.BigEndian.AppendUint32(nil, uint32(t.Unix())) }
	at := bytes.Index(b, written(end)) // in front of it is the end of the ticket before any renewal
	if at < 4 {
		t.Fatal("the cache does not hold what it says")
	}
	past := written(time.Now().Add(-time.Hour))
	if err := os.WriteFile(cache, bytes.ReplaceAll(b, b[at-4:at+4], append(past, past...)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func unreadable(t *testing.T, d *sambatest.Controller) {
	t.Helper()
	t.Run("another computer's ticket", func(t *testing.T) {
		who := smbcheck.Kerberos{Client: identity(t, d), Service: "WSMAN/" + sambatest.Node1}
		if k := denied(t, d.SMB, on("plain"), who, smbcheck.ErrTicket, kerberos.Refused); k.Final() || !k.FromService {
			t.Errorf("%+v", k)
		}
	})
	t.Run("a server outside the domain", func(t *testing.T) {
		s := sambatest.Start(t)
		if k := denied(t, s.Addr, on("plain"), byTicket(identity(t, d)), smbcheck.ErrTicket, kerberos.Refused); k.Final() {
			t.Errorf("%+v", k)
		}
	})
}

func fallBack(t *testing.T, d *sambatest.Controller) {
	t.Helper()
	for name, c := range map[string]struct {
		server string
		change func(*kerberos.Config)
		want   string
	}{
		"Kerberos where it can":      {sambatest.FileServer, func(*kerberos.Config) {}, "krb5"},
		"no KDC":                     {sambatest.FileServer, func(c *kerberos.Config) { c.KDCs = []string{"127.0.0.1:1"} }, "NTLMSSP"},
		"a server outside the realm": {"nosuch.cau.test", func(*kerberos.Config) {}, "NTLMSSP"},
		"an IP address":              {"127.0.0.1", func(*kerberos.Config) {}, "NTLMSSP"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(d.Sessions(sambatest.Operator))
			f := reads(t, d.SMB, smbcheck.Location{Server: c.server, Share: "enc"}, either(identity(t, d, c.change)))
			if s := d.Sessions(sambatest.Operator)[before:]; !slices.Equal(s, []string{c.want + " NT_STATUS_OK"}) || !f.SetupVerified || !f.ShareVerified {
				t.Errorf("the server's audit log has %v; %+v", s, f)
			}
		})
	}
	t.Run("not where the server does not take the ticket", func(t *testing.T) {
		before := len(d.Sessions(sambatest.Operator))
		who := either(identity(t, d))
		who.Kerberos.Service = "WSMAN/" + sambatest.Node1
		_ = denied(t, d.SMB, on("plain"), who, smbcheck.ErrTicket, kerberos.Refused)
		if s := d.Sessions(sambatest.Operator)[before:]; len(s) != 0 {
			t.Errorf("the server's audit log has %v", s)
		}
	})
}

func TestR02_APasswordThatADomainControllerRefusedIsProvenOnceAndNeverByNTLM(t *testing.T) {
	t.Parallel()
	d := serve(t)
	addr, calls := nobody(t)
	for name, c := range map[string]struct {
		user, password string
		want           error
		kind           kerberos.Kind
		logons         []string
	}{
		"wrong password": {sambatest.Operator, "not it", smbcheck.ErrLogon, kerberos.Rejected, []string{"NT_STATUS_WRONG_PASSWORD"}},
		"locked account": {sambatest.Locked, sambatest.Password, smbcheck.ErrAccount, kerberos.Revoked, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client := identity(t, d, func(cfg *kerberos.Config) { cfg.User, cfg.Password = c.user, c.password })
			who := smbcheck.KerberosOrNTLM{Kerberos: byTicket(client), NTLM: smbcheck.NTLM{User: c.user, Domain: "CAU", Password: c.password}}
			for _, loc := range []smbcheck.Location{on("plain"), on("enc"), {Server: "127.0.0.1", Share: "plain"}, {Server: "other.cau.test", Share: "plain"}} {
				_ = denied(t, addr, loc, who, c.want, c.kind)
				_ = denied(t, addr, on("plain"), who.Kerberos, c.want, c.kind)
			}
			got := d.Logons(c.user)
			if c.logons == nil && len(got) > 1 || c.logons != nil && !slices.Equal(got, c.logons) {
				t.Errorf("the domain controller saw %v", got)
			}
		})
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the file server was dialled %d times", n)
	}
}

func TestR04_NothingPrintsTheSecretOfAKerberosSignIn(t *testing.T) {
	c, err := kerberos.Open(kerberos.Config{User: "me", Realm: "R", Password: "hunter2", ConfigFile: os.DevNull})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	who := smbcheck.KerberosOrNTLM{Kerberos: byTicket(c), NTLM: smbcheck.NTLM{User: "me", Password: "hunter2"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{who, &who, who.Kerberos, &who.Kerberos, []any{who}, struct{ C smbcheck.Credentials }{who}} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "hunter2") || strings.Contains(s, "68756e74657232") || !strings.Contains(s, "me") {
				t.Errorf("%s: %s", verb, s)
			}
		}
	}
}
