package smbcheck_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

// onShare is what is expected of one share.
type onShare struct {
	// refused is Connect's error, with older dialects allowed; nil for a connection with facts.
	refused error
	facts   func(*smbcheck.Facts)
	// The verdict of EnforcesEncryption, and over which dialect; none is tried where Connect was refused.
	verdict smbcheck.Verdict
	proven  bool
	over    smbcheck.Dialect
}

// TestServersAsTheyAre holds what is said about a server, a share and its enforcement against a real one, one setting at a
// time. smbstatus is the second opinion.
func TestServersAsTheyAre(t *testing.T) {
	t.Parallel()
	const (
		all      = `"dialects":["2.0.2","2.1","3.0","3.0.2","3.1.1"]`
		no1      = `,"smb1":false`
		optional = `,"signing_enabled":true,"signing_required":false`
		ciphers  = `,"ciphers":["AES-128-CCM","AES-128-GCM","AES-256-CCM","AES-256-GCM"]`
		signing  = `,"signing_algorithms":["HMAC-SHA256","AES-CMAC","AES-GMAC"]`
		caps     = `,"capabilities":7` // DFS, leasing, large MTU
		caps30   = `,"capabilities":71`
	)
	plain := func(*smbcheck.Facts) {}
	encrypted := func(f *smbcheck.Facts) { f.ShareFlags, f.EncryptData = 0x8000, true }
	everything := func(f *smbcheck.Facts) { encrypted(f); f.SessionFlags = 4 }
	ccm := func(change func(*smbcheck.Facts)) func(*smbcheck.Facts) {
		return func(f *smbcheck.Facts) { change(f); f.Cipher = smbcheck.AES128CCM }
	}
	older := func(d smbcheck.Dialect, c smbcheck.Cipher, change func(*smbcheck.Facts)) func(*smbcheck.Facts) {
		return func(f *smbcheck.Facts) { change(f); f.Dialect, f.Cipher, f.DowngradeProtected = d, c, false }
	}
	open := func(facts func(*smbcheck.Facts), over smbcheck.Dialect) onShare {
		return onShare{facts: facts, verdict: smbcheck.NotEnforced, proven: true, over: over}
	}
	closed := func(facts func(*smbcheck.Facts), over smbcheck.Dialect) onShare {
		return onShare{facts: facts, verdict: smbcheck.Enforced, proven: true, over: over}
	}
	noSignIn := func(facts func(*smbcheck.Facts), over smbcheck.Dialect) onShare {
		return onShare{facts: facts, verdict: smbcheck.Enforced, over: over}
	}
	for name, c := range map[string]struct {
		global   []string
		server   string
		joinable error
		shares   map[string]onShare
	}{
		"plain": {nil, all + no1 + optional + ciphers + signing + caps, nil, map[string]onShare{
			"plain": open(plain, smbcheck.SMB210),
			"enc":   closed(encrypted, smbcheck.SMB210),
			"wish":  open(encrypted, smbcheck.SMB210),
			"ro":    open(func(f *smbcheck.Facts) { f.MaximalAccess = readOnly }, smbcheck.SMB210),
			"dfs":   open(func(f *smbcheck.Facts) { f.ShareFlags, f.DFS, f.DFSRoot = 3, true, true }, smbcheck.SMB210),
		}},
		"signing mandatory": {
			[]string{"server signing = mandatory"},
			all + no1 + `,"signing_enabled":true,"signing_required":true` + ciphers + signing + caps, nil,
			map[string]onShare{
				"plain": open(func(f *smbcheck.Facts) { f.SigningRequired = true }, smbcheck.SMB210),
				"enc":   closed(func(f *smbcheck.Facts) { encrypted(f); f.SigningRequired = true }, smbcheck.SMB210),
			},
		},
		"all encrypted": {[]string{"server smb encrypt = required"}, all + no1 + optional + ciphers + signing + caps, nil, map[string]onShare{
			"plain": noSignIn(everything, smbcheck.SMB210),
		}},
		"encryption wished": {[]string{"server smb encrypt = desired"}, all + no1 + optional + ciphers + signing + caps, nil, map[string]onShare{
			"plain": open(everything, smbcheck.SMB210),
			"enc":   closed(everything, smbcheck.SMB210),
		}},
		"encryption off": {[]string{"server smb encrypt = off"}, all + no1 + optional + `,"ciphers":[]` + signing + caps, nil, map[string]onShare{
			"plain": open(func(f *smbcheck.Facts) { f.Cipher = 0 }, smbcheck.SMB210),
			"enc":   {refused: smbcheck.ErrAccess},
		}},
		"AES-256 only": {
			[]string{"server smb3 encryption algorithms = AES-256-GCM"},
			// 3.0 and 3.0.2 have AES-128-CCM only.
			`"dialects":["2.0.2","2.1","3.1.1"]` + no1 + optional + `,"ciphers":["AES-256-GCM"]` + signing + caps,
			smbcheck.ErrCipher,
			map[string]onShare{"plain": {refused: smbcheck.ErrCipher}},
		},
		"AES-128-CCM only": {[]string{"server smb3 encryption algorithms = AES-128-CCM"}, all + no1 + optional + `,"ciphers":["AES-128-CCM"]` + signing + caps, nil, map[string]onShare{
			"plain": open(ccm(plain), smbcheck.SMB210), "enc": closed(ccm(encrypted), smbcheck.SMB210),
		}},
		"GMAC only": {
			[]string{"server smb3 signing algorithms = AES-128-GMAC"},
			`"dialects":["3.1.1"]` + no1 + optional + ciphers + `,"signing_algorithms":["AES-GMAC"]` + caps,
			smbcheck.ErrSigning,
			map[string]onShare{"plain": {refused: smbcheck.ErrNegotiate}},
		},
		"SMB 3.1.1 only": {[]string{"server min protocol = SMB3_11"}, `"dialects":["3.1.1"]` + no1 + optional + ciphers + signing + caps, nil, map[string]onShare{
			"plain": open(plain, smbcheck.SMB311), "enc": closed(encrypted, smbcheck.SMB311), "wish": open(encrypted, smbcheck.SMB311),
		}},
		"SMB 3.1.1 only, all encrypted": {
			[]string{"server min protocol = SMB3_11", "server smb encrypt = required"},
			`"dialects":["3.1.1"]` + no1 + optional + ciphers + signing + caps, nil,
			map[string]onShare{
				"plain": noSignIn(everything, smbcheck.SMB311),
			},
		},
		"SMB 3.0 and 3.0.2 only": {
			[]string{"server min protocol = SMB3_00", "server max protocol = SMB3_02"},
			`"dialects":["3.0","3.0.2"]` + no1 + optional + `,"ciphers":["AES-128-CCM"],"signing_algorithms":[]` + caps30,
			smbcheck.ErrDialect,
			map[string]onShare{
				"plain": open(older(smbcheck.SMB302, smbcheck.AES128CCM, plain), smbcheck.SMB302),
				"enc":   closed(older(smbcheck.SMB302, smbcheck.AES128CCM, encrypted), smbcheck.SMB302),
				"wish":  open(older(smbcheck.SMB302, smbcheck.AES128CCM, encrypted), smbcheck.SMB302),
			},
		},
		"SMB 3.0.2 at most": {
			[]string{"server max protocol = SMB3_02"},
			`"dialects":["2.0.2","2.1","3.0","3.0.2"]` + no1 + optional + `,"ciphers":["AES-128-CCM"],"signing_algorithms":[]` + caps30,
			smbcheck.ErrDialect,
			map[string]onShare{
				"enc": closed(older(smbcheck.SMB302, smbcheck.AES128CCM, encrypted), smbcheck.SMB210),
			},
		},
		"all encrypted with AES-128-CCM": {
			[]string{"server smb encrypt = required", "server smb3 encryption algorithms = AES-128-CCM"},
			all + no1 + optional + `,"ciphers":["AES-128-CCM"]` + signing + caps, nil,
			map[string]onShare{
				"plain": noSignIn(ccm(everything), smbcheck.SMB210),
			},
		},
		"SMB 3.0.2 at most, all encrypted": {
			[]string{"server max protocol = SMB3_02", "server smb encrypt = required"},
			`"dialects":["2.0.2","2.1","3.0","3.0.2"]` + no1 + optional + `,"ciphers":["AES-128-CCM"],"signing_algorithms":[]` + caps30,
			smbcheck.ErrDialect,
			map[string]onShare{
				"plain": noSignIn(older(smbcheck.SMB302, smbcheck.AES128CCM, everything), smbcheck.SMB210),
			},
		},
		"SMB 3.0 at most": {
			[]string{"server max protocol = SMB3_00"},
			`"dialects":["2.0.2","2.1","3.0"]` + no1 + optional + `,"ciphers":["AES-128-CCM"],"signing_algorithms":[]` + caps30,
			smbcheck.ErrDialect,
			map[string]onShare{
				"plain": open(older(smbcheck.SMB300, smbcheck.AES128CCM, plain), smbcheck.SMB210),
			},
		},
		"SMB 2.0.2 at most": {
			[]string{"server max protocol = SMB2_02"},
			`"dialects":["2.0.2"]` + no1 + optional + `,"ciphers":[],"signing_algorithms":[],"capabilities":1`,
			smbcheck.ErrDialect,
			map[string]onShare{
				"plain": open(older(smbcheck.SMB202, 0, plain), smbcheck.SMB202),
			},
		},
		"SMB 2.1 at most, encryption wished": {
			// The library alone dereferences nil here.
			[]string{"server max protocol = SMB2_10", "server smb encrypt = desired"},
			`"dialects":["2.0.2","2.1"]` + no1 + optional + `,"ciphers":[],"signing_algorithms":[]` + caps,
			smbcheck.ErrDialect,
			map[string]onShare{"plain": {refused: smbcheck.ErrProtocol}},
		},
		"SMB 2.1 at most": {
			[]string{"server max protocol = SMB2_10"},
			`"dialects":["2.0.2","2.1"]` + no1 + optional + `,"ciphers":[],"signing_algorithms":[]` + caps,
			smbcheck.ErrDialect,
			map[string]onShare{
				"plain": open(older(smbcheck.SMB210, 0, plain), smbcheck.SMB210),
				"enc":   {refused: smbcheck.ErrAccess},
			},
		},
		"SMB 1 allowed": {[]string{"server min protocol = NT1"}, all + `,"smb1":true` + optional + ciphers + signing + caps, nil, map[string]onShare{
			"plain": open(plain, smbcheck.SMB210),
		}},
		"SMB 1 only": {
			[]string{"server min protocol = NT1", "server max protocol = NT1"},
			`"dialects":[],"smb1":true,"signing_enabled":false,"signing_required":false,"ciphers":[],"signing_algorithms":[],"capabilities":0`,
			smbcheck.ErrNotSMB,
			map[string]onShare{"plain": {refused: smbcheck.ErrNotSMB}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sambatest.Start(t, sambatest.Global(c.global...), sambatest.WithShare("wish", "server smb encrypt = desired"),
				sambatest.WithShare("ro", "read only = yes"), sambatest.WithShare("dfs", "msdfs root = yes"))
			if err := os.Symlink(`msdfs:127.0.0.1\plain`, filepath.Join(s.Dir("dfs"), "link")); err != nil {
				t.Fatal(err)
			}
			server, err := smbcheck.Probe(t.Context(), at("plain", ""), smbcheck.Options{Addr: s.Addr})
			if err != nil {
				t.Fatal(err)
			}
			if got := asJSON(t, server); got != "{"+c.server+"}" {
				t.Errorf("the server says\n%s, want\n{%s}", got, c.server)
			}
			if err := server.Joinable(); !errors.Is(err, c.joinable) || err != nil && fault.Hint(err) == "" {
				t.Errorf("joinable: %v, want %v; hint %q", err, c.joinable, fault.Hint(err))
			}
			for share, want := range c.shares {
				t.Run(share, func(t *testing.T) { want.check(t, s, share) })
			}
		})
	}
}

func asJSON(t *testing.T, x any) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (w onShare) check(t *testing.T, s *sambatest.Server, share string) {
	t.Helper()
	if w.refused != nil {
		refused(t, s.Addr, at(share, ""), asRoot, smbcheck.Options{AllowOlder: true}, w.refused)
		return
	}
	want := smbcheck.Facts{
		Dialect: smbcheck.SMB311, Cipher: smbcheck.AES128GCM, SetupVerified: true, ShareVerified: true, DowngradeProtected: true,
		ShareType: smbcheck.DiskShare, MaximalAccess: fullControl,
	}
	w.facts(&want)
	if !want.DowngradeProtected {
		refused(t, s.Addr, at(share, ""), asRoot, smbcheck.Options{}, smbcheck.ErrDialect)
	}
	c := connect(t, s, at(share, ""), smbcheck.Options{AllowOlder: !want.DowngradeProtected})
	if _, err := c.Walk(t.Context(), smbcheck.Limits{}); err != nil {
		t.Fatal(err)
	}
	got := c.Facts()
	checkTraffic(t, got)
	askSmbstatus(t, s, share, got)
	got.Sent, got.Received = smbcheck.Traffic{}, smbcheck.Traffic{}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	e, err := smbcheck.EnforcesEncryption(t.Context(), at(share, ""), asRoot, smbcheck.Options{Addr: s.Addr})
	if err != nil || e.Verdict != w.verdict || e.Proven != w.proven || e.Dialect != w.over || e.Reason == "" {
		t.Errorf("got %+v, %v\nwant %s, proven %v, over %s", e, err, w.verdict, w.proven, w.over)
	}
}

// askSmbstatus compares the facts with what the server itself says about the connection that is open.
func askSmbstatus(t *testing.T, s *sambatest.Server, share string, f smbcheck.Facts) {
	t.Helper()
	if _, err := exec.LookPath("smbstatus"); err != nil {
		t.Log("smbstatus is not installed")
		return
	}
	out, err := exec.CommandContext(t.Context(), "smbstatus", "-s", s.Config(), "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	type protection struct{ Cipher, Degree string }
	var status struct {
		Sessions map[string]struct {
			Dialect string `json:"session_dialect"`
			Signing protection
		}
		Tcons map[string]struct {
			Service             string
			Encryption, Signing protection
		}
	}
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dialect := map[smbcheck.Dialect]string{smbcheck.SMB202: "SMB2_02", smbcheck.SMB210: "SMB2_10", smbcheck.SMB300: "SMB3_00", smbcheck.SMB302: "SMB3_02", smbcheck.SMB311: "SMB3_11"}[f.Dialect]
	for _, x := range status.Sessions {
		if x.Dialect != dialect {
			t.Errorf("smbstatus says %s, the facts %s", x.Dialect, f.Dialect)
		}
	}
	degree := map[bool]string{true: "full", false: "none"}[f.EncryptData]
	for _, x := range status.Tcons {
		if x.Service != share {
			continue
		}
		if x.Encryption.Degree != degree || f.EncryptData && x.Encryption.Cipher != f.Cipher.String() {
			t.Errorf("smbstatus says %+v, the facts %s, demanded %v", x.Encryption, f.Cipher, f.EncryptData)
		}
		if !f.EncryptData && (x.Signing.Degree == "none" || f.Dialect == smbcheck.SMB311 && !strings.Contains(x.Signing.Cipher, "CMAC")) {
			t.Errorf("smbstatus says %+v about signing", x.Signing)
		}
		return
	}
	t.Errorf("smbstatus does not know the share: %s", out)
}
