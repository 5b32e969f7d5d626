package smbcheck_test

import (
	"encoding/json"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/smbcheck"
)

func outcomes(rs []check.Result) map[string]check.Outcome {
	m := make(map[string]check.Outcome)
	for _, r := range rs {
		m[r.ID] = r.Outcome
	}
	return m
}

func TestR07_AFactWithoutProofIsNeverAPass(t *testing.T) {
	good := smbcheck.Facts{
		Dialect: smbcheck.SMB311, Cipher: smbcheck.AES128GCM, SigningRequired: true,
		SetupVerified: true, ShareVerified: true, DowngradeProtected: true,
	}
	encrypted := good
	encrypted.SigningRequired, encrypted.EncryptData, encrypted.ShareFlags = false, true, 0x8000
	encrypted.Received.Sealed = 3
	with := func(f smbcheck.Facts, change func(*smbcheck.Facts)) smbcheck.Facts {
		change(&f)
		return f
	}
	const p, w, f, c = check.Pass, check.Warn, check.Fail, check.CannotVerify
	for name, x := range map[string]struct {
		facts                                    smbcheck.Facts
		version, integrity, encryption, who, dfs check.Outcome
	}{
		"all proven":            {good, p, p, f, p, p},
		"encrypted":             {encrypted, p, p, p, p, p},
		"setup not verified":    {with(good, func(x *smbcheck.Facts) { x.SetupVerified = false }), c, c, f, c, c},
		"encrypted, no setup":   {with(encrypted, func(x *smbcheck.Facts) { x.SetupVerified = false }), c, c, c, c, c},
		"share not verified":    {with(good, func(x *smbcheck.Facts) { x.ShareVerified = false }), p, p, f, p, c},
		"share flag unverified": {with(encrypted, func(x *smbcheck.Facts) { x.ShareVerified = false }), p, c, c, p, c},
		"session encrypts":      {with(encrypted, func(x *smbcheck.Facts) { x.ShareVerified, x.SessionFlags = false, 4 }), p, p, p, p, c},
		"older dialect":         {with(good, func(x *smbcheck.Facts) { x.Dialect, x.DowngradeProtected = smbcheck.SMB302, false }), w, c, f, p, p},
		"older and encrypted":   {with(encrypted, func(x *smbcheck.Facts) { x.Dialect, x.DowngradeProtected = smbcheck.SMB302, false }), w, p, p, p, p},
		"no signing required":   {with(good, func(x *smbcheck.Facts) { x.SigningRequired = false }), p, f, f, p, p},
		"signed by our demand":  {with(good, func(x *smbcheck.Facts) { x.SigningRequired, x.Received.Signed = false, 5 }), p, f, f, p, p},
		"guest":                 {with(good, func(x *smbcheck.Facts) { x.Guest, x.SetupVerified = true, false }), c, c, f, f, c},
		"DFS, unproven":         {with(good, func(x *smbcheck.Facts) { x.DFS, x.ShareVerified = true, false }), p, p, f, p, f},
		"DFS root":              {with(good, func(x *smbcheck.Facts) { x.DFS, x.DFSRoot = true, true }), p, p, f, p, f},
		"nothing known":         {smbcheck.Facts{}, f, f, f, c, c},
	} {
		rs := smbcheck.Checks(smbcheck.Seen{Facts: x.facts, RequireEncryption: true})
		got := outcomes(rs)
		want := map[string]check.Outcome{"smb.version": x.version, "smb.integrity": x.integrity, "smb.encryption": x.encryption, "smb.guest": x.who, "smb.dfs": x.dfs}
		for id, o := range want {
			if got[id] != o {
				t.Errorf("%s: %s is %s, want %s", name, id, got[id], o)
			}
		}
		for _, r := range rs {
			if _, known := check.Lookup(r.ID); !known || r.Evidence == "" || (r.Outcome != p) != (r.Remedy != "") {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if _, there := outcomes(smbcheck.Checks(smbcheck.Seen{Facts: good}))["smb.encryption"]; there {
		t.Error("encryption is judged without being required")
	}
}

func TestEncryptionIsEnforcedOnlyWhereTheServerProvedIt(t *testing.T) {
	demanded := smbcheck.Facts{Dialect: smbcheck.SMB311, Cipher: smbcheck.AES128GCM, EncryptData: true, SetupVerified: true, ShareVerified: true, DowngradeProtected: true}
	for name, c := range map[string]struct {
		facts       smbcheck.Facts
		enforcement smbcheck.Enforcement
		want        check.Outcome
	}{
		"refused to others, proven":     {demanded, smbcheck.Enforcement{Verdict: smbcheck.Enforced, Proven: true, Reason: "r"}, check.Pass},
		"refused by an unsigned answer": {demanded, smbcheck.Enforcement{Verdict: smbcheck.Enforced, Reason: "r"}, check.Warn},
		"others are let in":             {demanded, smbcheck.Enforcement{Verdict: smbcheck.NotEnforced, Proven: true, Reason: "r"}, check.Warn},
		"it could not be told":          {demanded, smbcheck.Enforcement{Reason: "r"}, check.CannotVerify},
		"it was not tried":              {demanded, smbcheck.Enforcement{}, check.CannotVerify},
		"encryption is not demanded":    {smbcheck.Facts{SetupVerified: true}, smbcheck.Enforcement{}, check.Fail},
	} {
		for _, r := range smbcheck.Checks(smbcheck.Seen{Facts: c.facts, RequireEncryption: true, Enforcement: c.enforcement}) {
			if r.ID == "smb.encryption.enforced" && (r.Outcome != c.want || r.Evidence == "" || (r.Remedy == "") != (c.want == check.Pass)) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestAServerThatStillAnswersSMB1IsWarnedOf(t *testing.T) {
	f := smbcheck.Facts{Dialect: smbcheck.SMB311, SetupVerified: true, DowngradeProtected: true}
	for smb1, want := range map[bool]check.Outcome{true: check.Warn, false: check.Pass} {
		if got := outcomes(smbcheck.Checks(smbcheck.Seen{Facts: f, Server: &smbcheck.ServerFacts{SMB1: smb1}}))["smb.version"]; got != want {
			t.Errorf("SMB 1 %v: %s", smb1, got)
		}
	}
}

func TestR07_PermissionsThatNobodyReadAreNoPass(t *testing.T) {
	for _, r := range smbcheck.ACLChecks(smbcheck.ACL{}, false) {
		if _, known := check.Lookup(r.ID); !known || r.Outcome == check.Pass && r.ID != "acl.files.writers" {
			t.Errorf("%+v", r)
		}
	}
}

func TestReparsePointsNamesWhatItFound(t *testing.T) {
	r := smbcheck.ReparsePoints([]smbcheck.Entry{{Path: "a"}, {Path: "l\x1bnk", Reparse: true}})
	if r.Outcome != check.Fail || !strings.Contains(r.Evidence, `"l\x1bnk"`) || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
}

func TestFactsAreReadableAsJSON(t *testing.T) {
	b, err := json.Marshal(smbcheck.Facts{Dialect: smbcheck.SMB302, Cipher: smbcheck.AES128CCM})
	if err != nil || !strings.Contains(string(b), `"dialect":"3.0.2","cipher":"AES-128-CCM"`) {
		t.Errorf("%s %v", b, err)
	}
}
