package kerberos_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/internal/fault"
	"cau/internal/kerberos"
	"cau/internal/sambatest"
)

var domain sambatest.SharedDomain

// stopping ends the shared domain before leaks are looked for.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	defer domain.Stop()
	return s.m.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

// client is Operator's by password, unless changed.
func client(t *testing.T, change ...func(*kerberos.Config)) *kerberos.Client {
	t.Helper()
	cfg := kerberos.Config{User: sambatest.Operator, Realm: sambatest.Realm, KDCs: []string{domain.Get(t).KDC}, Password: sambatest.Password}
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

// kind asserts what err is, that it can be acted upon, and that it shows neither account nor secret.
func kind(t *testing.T, err error, want kerberos.Kind) *kerberos.Error {
	t.Helper()
	var e *kerberos.Error
	if !errors.As(err, &e) || e.Kind != want || fault.Hint(err) == "" {
		t.Fatalf("got %v (hint %q), want %q", err, fault.Hint(err), want)
	}
	if s := err.Error(); strings.Contains(s, sambatest.Password) {
		t.Fatalf("the error shows the password: %s", s)
	}
	return e
}

func wsman(host string) string { return "WSMAN/" + host }

func TestMITProvesItselfAndSealsInBothDirections(t *testing.T) {
	acceptor := domain.Get(t).NewAcceptor(t)
	for name, c := range map[string]struct{ host, encryption string }{
		"AES-256": {sambatest.Node1, "aes256-cts-hmac-sha1-96"},
		"AES-128": {sambatest.Node3, "aes128-cts-hmac-sha1-96"},
	} {
		for _, negotiate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, SPNEGO %v", name, negotiate), func(t *testing.T) {
				i, err := client(t).Initiate(t.Context(), wsman(c.host), nil)
				if err != nil {
					t.Fatal(err)
				}
				token := i.Token()
				if negotiate {
					if token, err = i.Negotiate(); err != nil {
						t.Fatal(err)
					}
				}
				id := t.Name()
				id = strings.ReplaceAll(id, " ", "")
				out, done, who, err := acceptor.Accept(id, token, nil)
				if err != nil || !done || who != "operator@CAU.TEST" {
					t.Fatalf("MIT: done %v, %q, %v", done, who, err)
				}
				s, err := i.Accept(out)
				if err != nil || s.Encryption() != c.encryption {
					t.Fatalf("%v, %v", s, err)
				}
				for n, size := range []int{0, 1, 15, 16, 17, 1000, 200 << 10} {
					plain := bytes.Repeat([]byte{byte(n + 1)}, size)
					header, sealed, err := s.Wrap(plain)
					if err != nil || len(header) != 60 || len(sealed) != size || size > 16 && bytes.Contains(sealed, plain[:16]) {
						t.Fatalf("%d bytes: header %d, sealed %d, %v", size, len(header), len(sealed), err)
					}
					if got, err := acceptor.Unwrap(id, append(header, sealed...)); err != nil || !bytes.Equal(got, plain) {
						t.Fatalf("MIT opens %d bytes: %v", size, err)
					}
					header, sealed, err = acceptor.Wrap(id, plain)
					if err != nil || len(header) != 60 || len(sealed) != size {
						t.Fatalf("MIT seals %d bytes: header %d, sealed %d, %v", size, len(header), len(sealed), err)
					}
					if got, err := s.Unwrap(header, sealed); err != nil || !bytes.Equal(got, plain) {
						t.Fatalf("we open %d bytes: %v", size, err)
					}
					token, err := acceptor.WrapToken(id, plain) // not rotated
					if err != nil {
						t.Fatal(err)
					}
					if got, err := s.Unwrap(token, nil); err != nil || !bytes.Equal(got, plain) {
						t.Fatalf("we open a bare token of %d bytes: %v", size, err)
					}
				}
			})
		}
	}
}

// established is a context whose other end is MIT's.
func established(t *testing.T) (*kerberos.SecurityContext, *sambatest.Acceptor, string) {
	t.Helper()
	a := domain.Get(t).NewAcceptor(t)
	i, err := client(t).Initiate(t.Context(), wsman(sambatest.Node1), nil)
	if err != nil {
		t.Fatal(err)
	}
	out, _, _, err := a.Accept("x", i.Token(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := i.Accept(out)
	if err != nil {
		t.Fatal(err)
	}
	return s, a, "x"
}

func TestAMessageThatIsChangedRepeatedOrOursIsRefused(t *testing.T) {
	s, a, id := established(t)
	first, err := a.WrapToken(id, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.WrapToken(id, []byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(why string, token []byte) {
		t.Helper()
		if plain, err := s.Unwrap(token, nil); err == nil || kerberos.KindOf(err) != kerberos.Unproven {
			t.Errorf("%s: %q, %v", why, plain, err)
		}
	}
	refused("out of order", second)
	for at := range first {
		changed := bytes.Clone(first)
		changed[at] ^= 1
		if at == 6 || at == 7 { // the rotation is not protected; another one only moves bytes
			continue
		}
		refused(fmt.Sprintf("byte %d changed", at), changed)
	}
	for n := range first {
		refused(fmt.Sprintf("cut to %d", n), first[:n])
	}
	h, b, err := s.Wrap([]byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	refused("our own message", append(h, b...))
	if plain, err := s.Unwrap(first, nil); err != nil || string(plain) != "first" {
		t.Fatalf("%q, %v", plain, err)
	}
	refused("repeated", first)
	if plain, err := s.Unwrap(second, nil); err != nil || string(plain) != "second" {
		t.Fatalf("%q, %v", plain, err)
	}
}

func TestTheChannelsBindingIsWhatMITComputes(t *testing.T) {
	a := domain.Get(t).NewAcceptor(t)
	c := client(t)
	hash := sha256.Sum256([]byte("a certificate"))
	data := append([]byte("tls-server-end-point:"), hash[:]...)
	head := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(data)))
	right := md5.Sum(append(head, data...))
	wrong := md5.Sum([]byte("another channel"))
	for name, binding := range map[string][]byte{"right": right[:], "wrong": wrong[:]} {
		i, err := c.Initiate(t.Context(), wsman(sambatest.Node1), binding)
		if err != nil {
			t.Fatal(err)
		}
		_, done, _, err := a.Accept(name, i.Token(), data)
		if (err == nil && done) != (name == "right") {
			t.Errorf("%s: %v, %v", name, done, err)
		}
	}
	if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), []byte("short")); err == nil {
		t.Error("a binding of another size is a mistake")
	}
}

func TestAnAnswerToAnotherLogonIsRefused(t *testing.T) {
	a, c := domain.Get(t).NewAcceptor(t), client(t)
	var initiators [2]*kerberos.Initiator
	var answers [2][]byte
	for n := range initiators {
		var err error
		if initiators[n], err = c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err != nil {
			t.Fatal(err)
		}
		if answers[n], _, _, err = a.Accept(fmt.Sprint(n), initiators[n].Token(), nil); err != nil {
			t.Fatal(err)
		}
	}
	other, err := client(t).Initiate(t.Context(), wsman(sambatest.Node3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]func() (*kerberos.SecurityContext, error){
		"another logon's": func() (*kerberos.SecurityContext, error) { return initiators[0].Accept(answers[1]) },
		"another node's":  func() (*kerberos.SecurityContext, error) { return other.Accept(answers[1]) },
		"our own token":   func() (*kerberos.SecurityContext, error) { return initiators[0].Accept(initiators[0].Token()) },
		"nothing":         func() (*kerberos.SecurityContext, error) { return initiators[0].Accept(nil) },
		"a cut one":       func() (*kerberos.SecurityContext, error) { return initiators[0].Accept(answers[0][:60]) },
	} {
		_, err := try()
		if kerberos.KindOf(err) != kerberos.Unproven {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := initiators[0].Accept(answers[0]); err != nil {
		t.Error(err)
	}
}

func TestWhyAnAccountMayNotLogOnIsTold(t *testing.T) {
	for user, want := range map[string]kerberos.Kind{
		// Samba's KDC adds no NTSTATUS: a lockout and an account whose time is over look like any other bar.
		sambatest.Locked: kerberos.Revoked, sambatest.Disabled: kerberos.Revoked, sambatest.Gone: kerberos.Revoked,
		sambatest.MustChange: kerberos.PasswordExpired, "nobody": kerberos.UnknownUser,
	} {
		t.Run(user, func(t *testing.T) {
			c := client(t, func(c *kerberos.Config) { c.User = user })
			var errs []error
			for range 2 {
				_, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
				errs = append(errs, err)
			}
			if e := kind(t, errs[0], want); !e.Final() {
				t.Error("that is final")
			}
			_ = kind(t, errs[1], want)
		})
	}
}

func TestR02_AWrongPasswordIsProvenWrongOnceForSixtyFourNodes(t *testing.T) {
	d := domain.Get(t)
	before := len(d.Logons(sambatest.Operator))
	c := client(t, func(c *kerberos.Config) { c.Password = "wrong-" + sambatest.Password })
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			_, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
			if kerberos.KindOf(err) != kerberos.Rejected {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	logons := d.Logons(sambatest.Operator)[before:]
	if !slices.Equal(logons, []string{"NT_STATUS_WRONG_PASSWORD"}) {
		t.Fatalf("the KDC saw %v", logons)
	}
}

func TestOneLogonServesAllNodesAtOnce(t *testing.T) {
	d := domain.Get(t)
	before := len(d.Logons(sambatest.Operator))
	c, a := client(t), d.NewAcceptor(t)
	var group sync.WaitGroup
	for n := range 64 {
		group.Go(func() {
			i, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
			if err != nil {
				t.Error(err)
				return
			}
			// MIT keeps a replay cache: two alike would be refused.
			out, _, _, err := a.Accept(fmt.Sprint(n), i.Token(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := i.Accept(out); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if logons := d.Logons(sambatest.Operator)[before:]; !slices.Equal(logons, []string{"NT_STATUS_OK"}) {
		t.Fatalf("the KDC saw %v", logons)
	}
	if _, ok := c.Lifetime(); ok {
		t.Error("a password has no end that the KDC tells")
	}
}

func TestAServiceThatIsNotThereOrTooWeakIsSaidByName(t *testing.T) {
	c := client(t)
	_, err := c.Initiate(t.Context(), wsman(sambatest.Node2), nil)
	_ = kind(t, err, kerberos.UnknownService)
	if _, err := c.Initiate(t.Context(), "HTTP/"+sambatest.Node2, nil); err != nil {
		t.Error(err)
	}
	_, err = c.Initiate(t.Context(), wsman(sambatest.Node4), nil)
	_ = kind(t, err, kerberos.Weak)
	for _, bad := range []string{"", "WSMAN", "WSMAN/", "/x", "WSMAN/a b", "WSMAN/x@y", "WSMAN/\x1b"} {
		_, err := c.Initiate(t.Context(), bad, nil)
		_ = kind(t, err, kerberos.UnknownService)
	}
}

func TestAKeytabAndAPrincipalNameLogOn(t *testing.T) {
	d := domain.Get(t)
	for name, change := range map[string]func(*kerberos.Config){
		"keytab":              func(c *kerberos.Config) { c.Password, c.Keytab = "", d.UserKeytab },
		"user@realm":          func(c *kerberos.Config) { c.User, c.Realm = "operator@cau.test", "" },
		"user principal name": func(c *kerberos.Config) { c.User = "operator@people.test" },
		"krb5.conf":           func(c *kerberos.Config) { c.Realm, c.KDCs, c.ConfigFile = "", nil, d.Config },
		"a dead KDC first":    func(c *kerberos.Config) { c.KDCs = []string{"127.0.0.1:1", d.KDC} },
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, change)
			if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err != nil {
				t.Fatal(err)
			}
			if c.Principal() != "operator@CAU.TEST" {
				t.Errorf("we are %s", c.Principal())
			}
		})
	}
}

func TestR05_ACacheSaysHowLongItLastsAndIsRenewed(t *testing.T) {
	d := domain.Get(t)
	cache := filepath.Join(t.TempDir(), "cc")
	d.Kinit(t, cache, "-l", "1h", "-r", "5h")
	c := client(t, func(c *kerberos.Config) { c.User, c.Realm, c.Password, c.CCache = "", "", "", "FILE:"+cache })
	if c.Principal() != "operator@CAU.TEST" {
		t.Fatalf("we are %s", c.Principal())
	}
	renewable, ok := c.Lifetime()
	if left := time.Until(renewable); !ok || left < 4*time.Hour || left > 5*time.Hour+time.Minute {
		t.Fatalf("%v, %v", left, ok)
	}
	if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err != nil {
		t.Fatal(err)
	}
	if due := c.Due(); due < 40*time.Minute || due > 48*time.Minute {
		t.Errorf("the renewal waits %v", due)
	}
	first := c.Granting()
	if err := c.Refresh(t.Context()); err != nil || c.Granting() == first {
		t.Fatalf("not renewed: %v", err)
	}
	if left := time.Until(c.End()); left < 55*time.Minute || left > 61*time.Minute {
		t.Errorf("the renewed ticket lasts %v", left)
	}
	if _, err := c.Initiate(t.Context(), "HTTP/"+sambatest.Node1, nil); err != nil {
		t.Error(err)
	}
	d.Kinit(t, cache, "-l", "9h")
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.End()); left < 8*time.Hour {
		t.Errorf("the cache that somebody made anew was not taken: %v left", left)
	}
}

func TestR05_ATicketThatIsOverIsSaidAndNotUsed(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "cc")
	domain.Get(t).Kinit(t, cache, "-l", "1h")
	c := client(t, func(c *kerberos.Config) { c.User, c.Realm, c.Password, c.CCache = "", "", "", cache })
	end, ok := c.Lifetime()
	if !ok {
		t.Fatal("no end")
	}
	c.Later(end)
	_, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
	if e := kind(t, err, kerberos.Expired); e.Final() || !strings.Contains(fault.Hint(err), "kinit") {
		t.Errorf("final %v, hint %q", e.Final(), fault.Hint(err))
	}
}

func TestClocksThatDifferAreToldApart(t *testing.T) {
	for name, by := range map[string]time.Duration{"ahead": time.Hour, "behind": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			c := client(t)
			c.Later(time.Now().Add(by))
			_, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
			if e := kind(t, err, kerberos.ClockSkew); !strings.Contains(e.Error(), "1h0m") && !strings.Contains(e.Error(), "59m") {
				t.Errorf("got %v", e)
			}
		})
	}
}

func TestANodesOwnComplaintSaysNothingAboutTheCredential(t *testing.T) {
	a, c := domain.Get(t).NewAcceptor(t), client(t)
	if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err != nil {
		t.Fatal(err)
	}
	c.Later(time.Now().Add(time.Hour)) // the ticket is good for ten hours, the authenticator is not
	i, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, _, err = a.Accept("skewed", i.Token(), nil)
	var refused *sambatest.RefusedError
	if !errors.As(err, &refused) || len(refused.Token) == 0 {
		t.Fatalf("MIT says %v, and no token", err)
	}
	_, err = i.Accept(refused.Token)
	if e := kind(t, err, kerberos.ClockSkew); !e.FromService || e.Final() {
		t.Errorf("%+v", e)
	}
}

func TestAClosedClientForgets(t *testing.T) {
	c := client(t)
	if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := c.Initiate(t.Context(), wsman(sambatest.Node1), nil); err == nil {
		t.Error("it still logs on")
	}
	c.Close()
}

func TestR04_FilesThatOthersMayReadAreRefused(t *testing.T) {
	d := domain.Get(t)
	b, err := os.ReadFile(d.UserKeytab)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keytab")
	for mode, good := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o660: false} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		c, err := kerberos.Open(kerberos.Config{User: "operator", Realm: sambatest.Realm, Keytab: path})
		if good {
			if err != nil {
				t.Fatalf("%o: %v", mode, err)
			}
			c.Close()
			continue
		}
		_ = kind(t, err, kerberos.BadSource)
		if !strings.Contains(fault.Hint(err), "chmod 600 "+path) {
			t.Errorf("%o: hint %q", mode, fault.Hint(err))
		}
		_, err = kerberos.Open(kerberos.Config{CCache: path})
		_ = kind(t, err, kerberos.BadSource)
	}
}
