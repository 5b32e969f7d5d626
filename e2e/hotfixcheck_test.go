package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

// hotfixReport is what `cau hotfix check --json` prints, as scripts read it.
type hotfixReport struct {
	Root   string `json:"root"`
	Checks []struct {
		ID       string        `json:"id"`
		Outcome  check.Outcome `json:"outcome"`
		Subject  string        `json:"subject"`
		Evidence *string       `json:"evidence"`
		Remedy   *string       `json:"remedy"`
	} `json:"checks"`
	Ignored    []struct{ Path, Reason, Kind string } `json:"ignored"`
	Connection map[string]any                        `json:"connection"`
	Server     map[string]any                        `json:"server"`
	Simulated  bool                                  `json:"simulated"`
}

// rooted is a report with the checks by their ids.
type rooted struct {
	hotfixReport
	result
	by map[string]check.Result
}

// checkRoot runs `cau hotfix check --json` and reads what it says.
func (w *world) checkRoot(code int, line ...string) rooted {
	w.t.Helper()
	r := rooted{result: w.want(code, append([]string{"hotfix", "check", "--json"}, line...)...), by: map[string]check.Result{}}
	d := json.NewDecoder(strings.NewReader(r.out))
	d.DisallowUnknownFields()
	if err := d.Decode(&r.hotfixReport); err != nil {
		w.t.Fatalf("%v in %s", err, r.out)
	}
	for _, c := range r.Checks {
		if _, again := r.by[c.ID]; again || c.Evidence == nil || c.Remedy == nil {
			w.t.Fatalf("twice, or without evidence or remedy: %s in %s", c.ID, r.out)
		}
		r.by[c.ID] = check.Result{ID: c.ID, Outcome: c.Outcome, Subject: c.Subject, Evidence: *c.Evidence, Remedy: *c.Remedy}
		if o := c.Outcome; *c.Evidence == "" || (o == check.Fail || o == check.CannotVerify) && *c.Remedy == "" {
			w.t.Errorf("%s is %s without a reason or a way out: %+v", c.ID, o, r.by[c.ID])
		}
	}
	for _, c := range check.Catalogue() {
		if _, there := r.by[c.ID]; c.Scope == check.ScopeRoot && !check.Conditional(c.ID) && !there {
			w.t.Errorf("%s is missing in %s", c.ID, r.out)
		}
	}
	return r
}

// says compares checks, "id outcome" with a pattern of evidence and remedy.
func (r rooted) says(t *testing.T, want map[string]string) {
	t.Helper()
	for key, pattern := range want {
		id, outcome, _ := strings.Cut(key, " ")
		if c := r.by[id]; string(c.Outcome) != outcome || !like(pattern, c.Evidence+" → "+c.Remedy) {
			t.Errorf("want %s with %q: %+v", key, pattern, c)
		}
	}
}

// bad are the ids of what neither passed nor only warns.
func (r rooted) bad() []string {
	var ids []string
	for _, c := range r.Checks {
		if c.Outcome != check.Pass && c.Outcome != check.Warn {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// as are the flags that sign in to a Samba.
func as(t *testing.T, s *sambatest.Server, user, password string) []string {
	t.Helper()
	return []string{"--smb-port", strconv.Itoa(s.Port), "--user", user, "--password-file", write(t, password+"\n")}
}

func asAdmin(t *testing.T, s *sambatest.Server) []string {
	t.Helper()
	return as(t, s, sambatest.Admin, sambatest.Password)
}

const (
	aclRoot    = `\\127.0.0.1\acl\root`
	sealedRoot = `\\127.0.0.1\aclenc\root`
)

var theNodes = []string{"--node", "NODE1", "--node", "NODE2"}

func TestHotfixCheckPassesARootThatWasSetUpAsDocumentedAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	properRoot(t, s, "acl")
	walk := func() smbcheck.Tree {
		tree, err := signedIn(t, s, "acl", "root").Walk(t.Context(), smbcheck.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		return tree
	}
	before := walk()
	// Users may read permissions too: an ordinary account is as good for the check.
	for _, user := range []string{sambatest.Admin, sambatest.Member} {
		r := w.checkRoot(0, args([]string{aclRoot}, theNodes, as(t, s, user, sambatest.Password))...)
		for _, c := range r.Checks {
			want := check.Pass
			// Samba makes whoever makes something its owner; nothing asks for encryption here.
			if c.ID == "acl.owner" || c.ID == "smb.encryption" {
				want = check.Warn
			}
			if c.Outcome != want {
				t.Errorf("%s: %+v", user, r.by[c.ID])
			}
		}
		if f := r.Connection; r.Root != aclRoot || r.Simulated || f["dialect"] != "3.1.1" || f["setup_verified"] != true || r.Server["signing_required"] != true {
			t.Errorf("%+v", r.hotfixReport)
		}
		if strings.Contains(r.out+r.errOut, sambatest.Password) || !like("Reading "+aclRoot+" as "+user, r.errOut) {
			t.Errorf("it said %s", r.errOut)
		}
	}
	if after := walk(); !slices.EqualFunc(before.Entries, after.Entries, func(a, b smbcheck.Entry) bool {
		return a.Path == b.Path && a.Size == b.Size && a.FileID == b.FileID && a.ModTime.Equal(b.ModTime) && a.ChangeTime.Equal(b.ChangeTime) && a.Security.SDDL() == b.Security.SDDL()
	}) {
		t.Error("it changed something")
	}
	said := w.want(0, args([]string{"hotfix", "check", aclRoot}, theNodes, asAdmin(t, s))...).out
	if !like("✓ pass*root.reach*✓ pass*acl.root.writers*! warning*acl.owner*→ *icacls*layout*Nothing failed and nothing is unverified.", said) {
		t.Errorf("it prints %s", said)
	}
}

func TestHotfixCheckFindsWhoeverMayChangeARootOnARealSamba(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	properRoot(t, s, "acl", "NODE1")
	line := args([]string{aclRoot}, theNodes, asAdmin(t, s))
	r := w.checkRoot(0, line...)
	r.says(t, map[string]string{"acl.root.users-read warn": `BUILTIN\Users (S-1-5-32-545) may not read it: "NODE1"`})
	setSDDL(t, signedIn(t, s, "acl", "root"), `CAUHotfix_All\Update2.msi`, documented+"(A;;FA;;;WD)")
	r = w.checkRoot(3, line...)
	r.says(t, map[string]string{
		"acl.files.writers fail":  `Everyone (S-1-1-0) may change it (full control, explicit): "CAUHotfix_All\Update2.msi"*icacls '` + aclRoot + `\CAUHotfix_All\Update2.msi' /remove:g '*S-1-1-0'`,
		"acl.root.writers pass":   "",
		"acl.config.writers pass": "",
	})
	if !slices.Equal(r.bad(), []string{"acl.files.writers"}) {
		t.Errorf("%v", r.bad())
	}
	w.checkRoot(0, append(line, "--disable-acl-checks")...).says(t, map[string]string{"acl.files.writers warn": "DisableAclChecks skipped it", "smb.integrity pass": ""})
	// Somebody whom the root keeps out learns nothing of it and is told so.
	w.checkRoot(3, args([]string{aclRoot}, as(t, s, sambatest.Stranger, sambatest.Password))...).says(t, map[string]string{
		"root.reach fail": "access denied (0xC0000022*→ Give the account read access", "acl.root.writers cannot-verify": "could not be read*See root.reach", "smb.integrity pass": "",
	})
}

// TestHotfixCheckTellsServersApart is about how a server and a share are set up; the root itself is as it should be.
func TestHotfixCheckTellsServersApart(t *testing.T) {
	for name, c := range map[string]struct {
		global []string
		// share is "acl" unless it says otherwise.
		share string
		more  []string
		code  int
		want  map[string]string
		// bad are all checks that stand in the way; nil where the root could not be read.
		bad []string
	}{
		"nobody has to sign": {
			code: 3, bad: []string{"smb.integrity"}, want: map[string]string{
				"smb.integrity fail": "requires neither signing nor encryption*Set-SmbServerConfiguration -RequireSecuritySignature $true", "smb.version pass": "3.1.1",
			},
		},
		"the share demands encryption": {
			share: "aclenc", more: []string{"--require-encryption"}, bad: []string{}, want: map[string]string{
				"smb.integrity pass": "demands encryption", "smb.encryption pass": "AES-128-GCM*came sealed", "smb.encryption.enforced pass": "refused to a client that cannot encrypt",
			},
		},
		"the share demands encryption that was not asked for": {
			share: "aclenc", bad: []string{}, want: map[string]string{"smb.encryption pass": "demands encryption from us"},
		},
		"encryption is wished for": {
			global: []string{"server smb encrypt = desired"}, more: []string{"--require-encryption"}, bad: []string{}, want: map[string]string{
				"smb.encryption pass": "came sealed", "smb.encryption.enforced warn": "can open the share, over SMB 2.1*RejectUnencryptedAccess $true",
			},
		},
		"encryption is required and nobody demands it": {
			global: []string{"server signing = mandatory"}, more: []string{"--require-encryption"}, code: 3, want: map[string]string{
				"smb.encryption fail": "demands encryption*Set-SmbShare -Name 'acl' -EncryptData $true", "smb.encryption.enforced fail": "not enforced either",
				"config.present cannot-verify": "Not read", "root.reach pass": "",
			},
		},
		"AES-256 only": {
			global: []string{"server signing = mandatory", "server smb3 encryption algorithms = AES-256-GCM"}, code: 3, want: map[string]string{
				"root.reach fail": "AES-256-GCM", "smb.encryption cannot-verify": "AES-256-GCM*cau doctor --cluster ADDRESS --root ROOT",
			},
		},
		"SMB 2.1 at most": {
			global: []string{"server signing = mandatory", "server max protocol = SMB2_10"}, code: 3, want: map[string]string{
				"root.reach fail": "SMB 3.1.1 is wanted, it speaks 2.0.2, 2.1*--allow-older-smb", "smb.version cannot-verify": "it speaks 2.0.2, 2.1",
			},
		},
		"SMB 2.1 at most, and allowed": {
			global: []string{"server signing = mandatory", "server max protocol = SMB2_10"}, more: []string{"--allow-older-smb"}, code: 3, bad: []string{"smb.integrity"}, want: map[string]string{
				"smb.version warn": "SMB 2.1.*may have been kept from us", "smb.integrity cannot-verify": "SMB 2.1 does not protect what was negotiated", "acl.root.writers pass": "",
			},
		},
		"SMB 1 is still on": {
			global: []string{"server signing = mandatory", "server min protocol = NT1"}, bad: []string{}, want: map[string]string{
				"smb.version warn": "still answers SMB 1*EnableSMB1Protocol $false",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := quickly(t)
			s := sambatest.Start(t, sambatest.NTACLs())
			share := c.share
			if share == "" {
				share = "acl"
			}
			properRoot(t, s, share)
			s.Restart(t, c.global...)
			r := w.checkRoot(c.code, args([]string{`\\127.0.0.1\` + share + `\root`}, theNodes, asAdmin(t, s), c.more)...)
			r.says(t, c.want)
			if c.bad != nil && !slices.Equal(r.bad(), c.bad) && len(r.bad())+len(c.bad) > 0 {
				t.Errorf("in the way are %v, not %v", r.bad(), c.bad)
			}
			if r.Server == nil {
				t.Error("it does not say what the server says of itself")
			}
		})
	}
}

func TestHotfixCheckReadsNothingAsAGuest(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.Global("map to guest = bad user", "guest account = "+sambatest.Stranger), sambatest.WithShare("open", "guest ok = yes"))
	plainRoot(t, s.Dir("open"))
	r := w.checkRoot(3, args([]string{`\\127.0.0.1\open\root`}, as(t, s, "whoever", "whatever"))...)
	r.says(t, map[string]string{"smb.guest fail": "guest*an account that the file server knows", "root.reach fail": "", "config.present cannot-verify": ""})
	if r.Connection != nil {
		t.Errorf("%+v", r.Connection)
	}
}

func TestHotfixCheckKnowsDFSNamespacesAndLinks(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.Global("server signing = mandatory"), sambatest.WithShare("dfs", "msdfs root = yes"))
	plainRoot(t, s.Dir("dfs"))
	line := args([]string{`\\127.0.0.1\dfs\root`}, theNodes, asAdmin(t, s))
	w.checkRoot(3, line...).says(t, map[string]string{"smb.dfs fail": "root of a DFS namespace*path of the file server behind", "root.reparse-points pass": ""})
	r := w.checkRoot(0, append(line, "--disable-acl-checks")...)
	r.says(t, map[string]string{"smb.dfs warn": "DisableAclChecks lets it pass", "acl.root.writers warn": "skipped"})

	if err := os.Symlink(`msdfs:127.0.0.1\plain`, filepath.Join(s.Dir("dfs"), "root", "CAUHotfix_All", "more")); err != nil {
		t.Fatal(err)
	}
	r = w.checkRoot(3, append(line, "--disable-acl-checks")...)
	r.says(t, map[string]string{"root.reparse-points fail": `"CAUHotfix_All\more"*Put the files there themselves, not links`, "root.reach pass": ""})
	r = w.checkRoot(3, args([]string{`\\127.0.0.1\dfs\root\CAUHotfix_All\more`}, asAdmin(t, s))...)
	if r.by["root.reach"].Outcome != check.Fail || r.by["smb.dfs"].Outcome != check.Fail && r.by["root.reparse-points"].Outcome != check.Fail {
		t.Errorf("a root behind a link: %s", r.out)
	}
}

func TestR02_HotfixCheckTriesAWrongPasswordOnce(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.Global("server signing = mandatory"))
	plainRoot(t, s.Dir("plain"))
	r := w.checkRoot(3, args([]string{`\\127.0.0.1\plain\root`, "--require-encryption", "--allow-older-smb"}, as(t, s, sambatest.Admin, "not it"))...)
	r.says(t, map[string]string{"root.reach fail": "refused the user name or the password*tried once and will not be tried again"})
	if n := strings.Count(s.Log(t), "status [NT_STATUS_WRONG_PASSWORD]"); n != 1 {
		t.Errorf("%d failed logons", n)
	}
	if strings.Contains(r.out+r.errOut, "not it") {
		t.Error("the password is printed")
	}
}

func TestHotfixCheckSaysWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t, sambatest.Global("server signing = mandatory"))
	plainRoot(t, s.Dir("plain"))
	admin := asAdmin(t, s)
	w.checkRoot(3, append([]string{`\\127.0.0.1\nothing\root`}, admin...)...).says(t, map[string]string{"root.reach fail": "there is no such share*Check the share's name"})
	w.checkRoot(3, append([]string{`\\127.0.0.1\plain\nothing`}, admin...)...).says(t, map[string]string{"root.reach fail": "not there*Check the path", "smb.integrity pass": ""})
	w.checkRoot(3, append([]string{`\\127.0.0.1\plain\root\DefaultHotfixConfig.xml`}, admin...)...).says(t, map[string]string{"root.reach fail": "a file, not a folder"})
	w.checkRoot(3, append([]string{`\\127.0.0.1\plain\root\NODE1`}, admin...)...).says(t, map[string]string{
		"config.present fail": "Copy DefaultHotfixConfig.xml", "acl.config.writers cannot-verify": "no configuration file", "layout cannot-verify": "",
	})
	w.checkRoot(3, append([]string{`\\127.0.0.1\plain\root`, "--config", "Other.xml"}, admin...)...).says(t, map[string]string{"config.present fail": `no file of this name`})
	s.Stop()
	r := w.checkRoot(3, append([]string{`\\127.0.0.1\plain\root`}, admin...)...)
	r.says(t, map[string]string{"root.reach fail": "does not answer*refused*firewall (TCP 445)"})
	if r.Connection != nil || r.Server != nil {
		t.Errorf("%+v", r.hotfixReport)
	}
}

func TestHotfixCheckOfALabsRootSaysWhatItsScenarioDoes(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		more []string
		want map[string]string
	}{
		"default":        {0, nil, map[string]string{"smb.integrity pass": "", "acl.owner pass": "", "layout pass": "5 updates, nothing left over"}},
		"root-encrypted": {0, []string{"--require-encryption"}, map[string]string{"smb.encryption pass": "came sealed", "smb.encryption.enforced pass": ""}},
		"root-open":      {3, nil, map[string]string{"acl.root.writers fail": "Users", "acl.config.writers fail": "Users", "acl.files.writers fail": "Users*Everyone"}},
		"root-creator-owner": {3, nil, map[string]string{
			"acl.root.writers pass": "", "acl.config.writers fail": maker + "*CREATOR OWNER*/remove:g '*S-1-3-0'", "acl.files.writers fail": maker + "*CREATOR OWNER", "acl.owner warn": maker + "*/setowner '*S-1-5-32-544'",
		}},
		"root-hidden": {3, nil, map[string]string{"acl.root.writers cannot-verify": "access denied*READ_CONTROL", "acl.owner cannot-verify": "", "layout pass": ""}},
		"root-closed": {3, nil, map[string]string{"root.reach fail": "access denied (0xC0000022", "acl.root.writers cannot-verify": "See root.reach"}},
		"root-older":  {3, []string{"--allow-older-smb"}, map[string]string{"smb.version warn": "SMB 3.0.2", "smb.integrity cannot-verify": "downgrade", "acl.root.writers pass": ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := quickly(t)
			info := w.lab("--scenario", name)
			r := w.checkRoot(c.code, append([]string{"--lab=" + info.ID}, c.more...)...)
			r.says(t, c.want)
			if r.Root != info.Root || !r.Simulated {
				t.Errorf("%s, simulated %t", r.Root, r.Simulated)
			}
			if again := w.checkRoot(c.code, append([]string{info.Root, "--lab=" + info.ID}, c.more...)...); again.by["root.reach"] != r.by["root.reach"] {
				t.Errorf("named, the root is another: %+v", again.by["root.reach"])
			}
		})
	}
}
