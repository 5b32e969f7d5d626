package hotfix_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
	"cau/smbcheck/descriptor"
)

// root is a hotfix root in memory.
type root struct {
	facts smbcheck.Facts
	files map[string]string
	// read counts files whose content was asked for.
	read *int
	// sddl are permissions that differ from the documented ones, by path; changed are files that changed since the walk.
	sddl    map[string]string
	changed []string
	// unlisted is why it cannot be listed.
	unlisted error
}

func (r root) Facts() smbcheck.Facts { return r.facts }
func (r root) Close() error          { return nil }
func (r root) Enforcement(context.Context) (smbcheck.Enforcement, error) {
	return smbcheck.Enforcement{Verdict: smbcheck.Enforced, Proven: true, Reason: "It was tried."}, nil
}

func (r root) Walk(context.Context, smbcheck.Limits) (smbcheck.Tree, error) {
	if r.unlisted != nil {
		return smbcheck.Tree{}, r.unlisted
	}
	seen := map[string]bool{}
	tree := smbcheck.Tree{Root: smbcheck.Entry{Dir: true, Permissions: r.of("")}}
	for path, content := range r.files {
		parts := strings.Split(path, `\`)
		for i := 1; i < len(parts); i++ {
			if dir := strings.Join(parts[:i], `\`); !seen[dir] {
				seen[dir] = true
				tree.Entries = append(tree.Entries, smbcheck.Entry{Path: dir, Dir: true, Permissions: r.of(dir)})
			}
		}
		tree.Entries = append(tree.Entries, smbcheck.Entry{Path: path, Size: int64(len(content)), Permissions: r.of(path)})
	}
	return tree, nil
}

// of are the documented permissions, or those of r.sddl; "unread" are none.
func (r root) of(path string) smbcheck.Permissions {
	sddl, ok := r.sddl[path]
	if !ok {
		sddl = "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"
	}
	d, err := descriptor.ParseSDDL(sddl)
	return smbcheck.Permissions{Security: d, Unread: err}
}

func (r root) ReadFile(_ context.Context, path string, _ int64, listed *smbcheck.Entry) ([]byte, error) {
	*r.read++
	if listed != nil && slices.Contains(r.changed, path) {
		return nil, smbcheck.ErrChanged
	}
	return []byte(r.files[path]), nil
}

func (r root) HashFile(_ context.Context, path string, listed *smbcheck.Entry) ([32]byte, int64, error) {
	*r.read++
	if listed != nil && slices.Contains(r.changed, path) {
		return [32]byte{}, 0, smbcheck.ErrChanged
	}
	return sha256.Sum256([]byte(r.files[path])), int64(len(r.files[path])), nil
}

func signed() smbcheck.Facts {
	return smbcheck.Facts{Dialect: smbcheck.SMB311, SigningRequired: true, SetupVerified: true, DowngradeProtected: true, ShareVerified: true}
}

func documented(t *testing.T) map[string]string {
	t.Helper()
	config, err := os.ReadFile("../../hotfixcfg/testdata/folderrule1.xml")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"DefaultHotfixConfig.xml":               string(config),
		`CAUHotfix_All\Update1.msu`:             "one",
		`CAUHotfix_All\Update2.msi`:             "two",
		`CAUHotfix_All\Update3.msp`:             "three",
		`NODE1\Node1_Specific_Update.msu`:       "four",
		`NODE2\FolderRule1\SpecialHotfix1.exe`:  "five",
		`NODE2\FolderRule1\SpecialHotfix1.conf`: "six",
	}
}

func scan(t *testing.T, r root, given ...plugins.Argument) plugins.Scan {
	t.Helper()
	if r.read == nil {
		r.read = new(int)
	}
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) { return r, nil }}
	args, problems := plugins.Resolve(p.Options(), append([]plugins.Argument{{Name: "HotfixRootFolderPath", Value: `\\FS1\Hotfixes\Root`}}, given...))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	s, err := p.Scan(t.Context(), []string{"NODE1", "NODE2", "NODE3"}, args)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func outcome(s plugins.Scan, id string) check.Outcome {
	for _, r := range s.Checks {
		if r.ID == id {
			return r.Outcome
		}
	}
	return ""
}

func TestTheDocumentedLayoutsBecomeUpdatesOfTheRightNodes(t *testing.T) {
	s := scan(t, root{facts: signed(), files: documented(t)})
	names := func(node string) (list []string) {
		for _, u := range s.Updates[node] {
			list = append(list, u.Name+" by "+u.Rule)
		}
		return list
	}
	all := []string{"Update1.msu by MSU", "Update2.msi by MSI", "Update3.msp by MSP"}
	for node, want := range map[string][]string{
		"NODE3": all, "NODE1": append(slices.Clone(all), "Node1_Specific_Update.msu by MSU"), "NODE2": append(slices.Clone(all), "SpecialHotfix1.conf by FolderRule1", "SpecialHotfix1.exe by FolderRule1"),
	} {
		if got := names(node); strings.EqualFold(strings.Join(got, "|"), strings.Join(want, "|")) == false {
			t.Errorf("%s gets %q, want %q", node, got, want)
		}
	}
}

func TestR09_AnUpdateIsPinnedWithItsCompanionsHashesRuleAndCommandLine(t *testing.T) {
	s := scan(t, root{facts: signed(), files: documented(t)})
	for _, u := range s.Updates["NODE2"] {
		if u.Name == "SpecialHotfix1.exe" {
			if len(u.Files) != 2 || u.Files[0].Path != `NODE2\FolderRule1\SpecialHotfix1.exe` || u.Files[1].Path != `NODE2\FolderRule1\SpecialHotfix1.conf` {
				t.Errorf("files %+v", u.Files)
			}
			sum := sha256.Sum256([]byte("five"))
			if u.Files[0].SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("hash %s", u.Files[0].SHA256)
			}
		}
		if strings.Contains(u.Command.String(), "$update$") || !strings.Contains(u.Command.String(), `%CAU_UPDATE%\`+u.Name) {
			t.Errorf("command line %s", u.Command)
		}
		if len(u.Payload) == 0 || !strings.Contains(string(u.Payload), `"success"`) {
			t.Errorf("payload %s", u.Payload)
		}
	}
	if len(s.Pinned) != 1 || s.Pinned[0].Path != "DefaultHotfixConfig.xml" {
		t.Errorf("the configuration is not pinned: %+v", s.Pinned)
	}
}

func TestEveryDefectOfARootIsAFailedCheckWithAReason(t *testing.T) {
	without := documented(t)
	delete(without, "DefaultHotfixConfig.xml")
	broken := documented(t)
	broken["DefaultHotfixConfig.xml"] = "<DefaultRules>\n  <ExtensionRules>\n</DefaultRules>"
	hostile := documented(t)
	hostile[`CAUHotfix_All\a:b.msu`] = "x"
	for _, c := range []struct {
		files    map[string]string
		id, want string
	}{
		{without, "config.present", "no file of this name"},
		{broken, "config.valid", "line 3"},
		{hostile, "layout", "a:b.msu"},
	} {
		s := scan(t, root{facts: signed(), files: c.files})
		if outcome(s, c.id) != check.Fail || len(s.Updates) > 0 {
			t.Errorf("%s is %q with %d updates", c.id, outcome(s, c.id), len(s.Updates))
		}
		if text := fmt.Sprint(s.Checks); !strings.Contains(text, c.want) {
			t.Errorf("%s: no %q in %s", c.id, c.want, text)
		}
	}
}

func TestWhatIsNotInstalledIsNamedOnceWithTheReasonAndWhatWasMeant(t *testing.T) {
	files := documented(t)
	files[`NODE11\x.msu`] = "x"
	s := scan(t, root{facts: signed(), files: files})
	if len(s.Ignored) != 1 || s.Ignored[0].Path != "NODE11" || s.Ignored[0].DidYouMean != "NODE1" || strings.Contains(s.Ignored[0].Reason, "NODE1") {
		t.Errorf("%+v", s.Ignored)
	}
}

func TestARootThatCannotBeOpenedIsAFailedCheckWithTheHint(t *testing.T) {
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) {
		return nil, &fault.Error{Op: `connect to \\FS1\Hotfixes`, Code: 0xC00000CC, Err: smbcheck.ErrShare}
	}}
	s, err := p.Scan(t.Context(), []string{"NODE1"}, plugins.Arguments{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`})
	if err != nil || outcome(s, "root.reach") != check.Fail || s.Checks[0].Remedy == "" || !strings.Contains(s.Checks[0].Evidence, "no such share") {
		t.Errorf("%+v %v", s.Checks, err)
	}
}

func TestR07_PermissionsAreCheckedUnlessTheDocumentedOptionSkipsThem(t *testing.T) {
	open := map[string]string{`CAUHotfix_All\Update1.msu`: "O:BAD:(A;;FA;;;WD)"}
	for _, c := range []struct {
		sddl map[string]string
		id   string
		want check.Outcome
	}{
		{nil, "acl.root.writers", check.Pass},
		{nil, "acl.files.writers", check.Pass},
		{nil, "acl.root.users-execute", check.Pass},
		{open, "acl.files.writers", check.Fail},
		{open, "acl.config.writers", check.Pass},
		{map[string]string{"DefaultHotfixConfig.xml": "O:BAD:(A;;FA;;;WD)"}, "acl.config.writers", check.Fail},
		{map[string]string{"": "O:BAD:(A;OICI;FA;;;BA)"}, "acl.root.users-read", check.Fail},
		{map[string]string{"": "O:BAD:(A;OICI;FA;;;BA)(A;OICI;FR;;;BU)"}, "acl.root.users-execute", check.Fail}, // for SpecialHotfix1.exe
		{map[string]string{"": "not read"}, "acl.root.writers", check.CannotVerify},
	} {
		s := scan(t, root{facts: signed(), files: documented(t), sddl: c.sddl})
		if outcome(s, c.id) != c.want {
			t.Errorf("%v: %s is %q", c.sddl, c.id, outcome(s, c.id))
		}
		s = scan(t, root{facts: signed(), files: documented(t), sddl: c.sddl}, plugins.Argument{Name: "DisableAclChecks", Value: "True"})
		if outcome(s, c.id) != check.Warn {
			t.Errorf("with DisableAclChecks %s is %q", c.id, outcome(s, c.id))
		}
	}
}

func TestR07_AFileThatChangedSinceItWasListedIsPinnedAsItIsAndCannotBeVerified(t *testing.T) {
	s := scan(t, root{facts: signed(), files: documented(t), changed: []string{`CAUHotfix_All\Update1.msu`}})
	var said []check.Result
	for _, r := range s.Checks {
		if r.Outcome == check.CannotVerify {
			said = append(said, r)
		}
	}
	if len(said) != 1 || said[0].ID != "layout" || said[0].Subject != `CAUHotfix_All\Update1.msu` || !strings.Contains(said[0].Evidence, "changed during the check") || len(s.Updates["NODE3"]) != 3 {
		t.Errorf("%+v, %d updates", said, len(s.Updates["NODE3"]))
	}
	s = scan(t, root{facts: signed(), files: documented(t), changed: []string{"DefaultHotfixConfig.xml"}})
	if outcome(s, "config.present") != check.CannotVerify || outcome(s, "config.valid") != check.Pass || len(s.Pinned) != 1 {
		t.Errorf("%+v", s.Checks)
	}
}

func TestEveryCheckOfARootIsAnsweredInTheOrderOfTheCatalogue(t *testing.T) {
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) {
		return root{facts: signed(), files: documented(t), read: new(int)}, nil
	}}
	r, err := p.Look(t.Context(), nil, plugins.Arguments{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`, "HotfixConfigFileName": "DefaultHotfixConfig.xml"})
	if err != nil || r.Connection == nil {
		t.Fatalf("%+v %v", r, err)
	}
	var got, want []string
	for _, a := range r.Checks {
		got = append(got, a.ID)
		if a.ID == "layout" && (a.Outcome != check.Warn || !strings.Contains(a.Evidence, "by their names alone: NODE1, NODE2.")) {
			t.Errorf("%+v", a)
		}
	}
	for _, c := range check.Catalogue() {
		if c.Scope == check.ScopeRoot && c.ID != "smb.encryption.enforced" {
			want = append(want, c.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
}

func TestWhatKeepsARootFromBeingReadIsTheAnswerToItsOwnCheck(t *testing.T) {
	for _, c := range []struct {
		err  error
		id   string
		want check.Outcome
	}{
		{smbcheck.ErrDFS, "smb.dfs", check.Fail},
		{smbcheck.ErrGuest, "smb.guest", check.Fail},
		{smbcheck.ErrTampered, "smb.integrity", check.Fail},
		{smbcheck.ErrCipher, "smb.encryption", check.CannotVerify},
		{smbcheck.ErrDialect, "smb.version", check.CannotVerify},
		{smbcheck.ErrUnreachable, "root.reach", check.Fail},
	} {
		p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) {
			return nil, &fault.Error{Op: "connect", Err: c.err, Hint: "a hint"}
		}}
		s, err := p.Scan(t.Context(), []string{"NODE1"}, plugins.Arguments{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`})
		if err != nil || outcome(s, c.id) != c.want || outcome(s, "root.reach") != check.Fail {
			t.Errorf("%v: %+v %v", c.err, s.Checks, err)
		}
	}
}

func TestWhatAServerSaysOfItselfExplainsOnlyThatNoCommonLanguageWasFound(t *testing.T) {
	says := func(context.Context, smbcheck.Location) (smbcheck.ServerFacts, error) {
		return smbcheck.ServerFacts{Dialects: []smbcheck.Dialect{smbcheck.SMB210}}, nil
	}
	for want, err := range map[string]error{"it speaks 2.1": smbcheck.ErrDialect, "access denied": smbcheck.ErrAccess, "no such share": smbcheck.ErrShare} {
		p := &hotfix.Plugin{Ask: says, Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) {
			return nil, &fault.Error{Op: "connect", Err: err, Hint: "a hint"}
		}}
		r, failed := p.Look(t.Context(), nil, plugins.Arguments{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`})
		if failed != nil || r.Server == nil || len(r.Checks) == 0 || !strings.Contains(r.Checks[0].Evidence, want) {
			t.Errorf("%v: %+v %v", err, r, failed)
		}
	}
}

func TestDisableAclChecksIsVisibleOnARootThatCannotBeReadToo(t *testing.T) {
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) { return nil, smbcheck.ErrShare }}
	r, err := p.Look(t.Context(), nil, plugins.Arguments{"HotfixRootFolderPath": `\\FS1\Hotfixes\Root`, "DisableAclChecks": "True"})
	skipped := slices.DeleteFunc(slices.Clone(r.Checks), func(c check.Result) bool {
		return !strings.Contains(c.Evidence, "DisableAclChecks") || c.Outcome != check.Warn
	})
	if err != nil || len(skipped) != 6 {
		t.Errorf("%+v %v", r.Checks, err)
	}
}

func TestWhatTheListingRanIntoIsTheOneAnswerWhateverTheConnectionSays(t *testing.T) {
	for id, err := range map[string]error{"smb.dfs": smbcheck.ErrDFS, "smb.integrity": smbcheck.ErrTampered} {
		s := scan(t, root{facts: signed(), files: documented(t), unlisted: &fault.Error{Op: "list", Err: err, Hint: "a hint"}})
		answers := slices.DeleteFunc(slices.Clone(s.Checks), func(r check.Result) bool { return r.ID != id })
		if len(answers) != 1 || answers[0].Outcome != check.Fail || outcome(s, "smb.guest") != check.Pass {
			t.Errorf("%s: %+v", id, s.Checks)
		}
	}
}

func TestEncryptionThatIsNotRequiredIsSaidAndInNobodysWay(t *testing.T) {
	if got := outcome(scan(t, root{facts: signed(), files: documented(t)}), "smb.encryption"); got != check.Warn {
		t.Errorf("signed only: %q", got)
	}
	facts := signed()
	facts.EncryptData = true
	if got := outcome(scan(t, root{facts: facts, files: documented(t)}), "smb.encryption"); got != check.Pass {
		t.Errorf("encrypted: %q", got)
	}
}

func TestADFSPathPassesOnlyWithDisableAclChecks(t *testing.T) {
	facts := signed()
	facts.DFS = true
	if got := outcome(scan(t, root{facts: facts, files: documented(t)}), "smb.dfs"); got != check.Fail {
		t.Errorf("without the option: %q", got)
	}
	if got := outcome(scan(t, root{facts: facts, files: documented(t)}, plugins.Argument{Name: "DisableAclChecks", Value: "True"}), "smb.dfs"); got != check.Warn {
		t.Errorf("with the option: %q", got)
	}
}

func TestR13_WithRequireSMBEncryptionNoFileIsReadOverAnUnencryptedConnection(t *testing.T) {
	read := 0
	s := scan(t, root{facts: signed(), files: documented(t), read: &read}, plugins.Argument{Name: "RequireSMBEncryption", Value: "True"})
	if outcome(s, "smb.encryption") != check.Fail || read != 0 || len(s.Updates) != 0 {
		t.Errorf("smb.encryption is %q and %d files were read", outcome(s, "smb.encryption"), read)
	}
}

func TestR10_OtherKindsOfRootAreRefusedByName(t *testing.T) {
	p := &hotfix.Plugin{}
	for path, want := range map[string]string{`C:\ClusterStorage\Volume1\Root`: "path on the nodes", "file:/srv/root": "folder on this host", `\\server`: "it names no share", `\\s\x\..\y`: "leads to another folder"} {
		problems := p.Validate(plugins.Arguments{"HotfixRootFolderPath": path})
		if len(problems) != 1 || !strings.Contains(problems[0].Problem, want) || problems[0].Hint == "" {
			t.Errorf("%s: %+v", path, problems)
		}
	}
	if problems := p.Validate(plugins.Arguments{"HotfixRootFolderPath": `\\s\x\y`, "HotfixConfigFileName": `..\evil.xml`}); len(problems) != 1 {
		t.Errorf("%+v", problems)
	}
}

// node runs jobs by a function.
type node func(job plugins.Job) (any, error)

func (n node) Name() string { return "NODE2" }
func (n node) RunJob(_ context.Context, job plugins.Job, _ func(plugins.JobEvent)) (json.RawMessage, error) {
	out, err := n(job)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func update(t *testing.T, name string) plugins.Update {
	t.Helper()
	for _, u := range scan(t, root{facts: signed(), files: documented(t)}).Updates["NODE2"] {
		if u.Name == name {
			return u
		}
	}
	t.Fatalf("no update %s", name)
	return plugins.Update{}
}

func TestR20_ExitCodesAreJudgedByThePinnedRule(t *testing.T) {
	p := &hotfix.Plugin{}
	u := update(t, "Update1.msu")
	for code, want := range map[int64]plugins.Result{
		0:           {Outcome: plugins.Installed},
		3010:        {Outcome: plugins.Installed, RestartRequired: true},
		2359302:     {Outcome: plugins.AlreadyInstalled},
		-2145124329: {Outcome: plugins.NotApplicable},
		2149842967:  {Outcome: plugins.NotApplicable},
		1603:        {Outcome: plugins.UpdateFailed},
		12345:       {Outcome: plugins.UpdateFailed},
	} {
		got, err := p.Install(t.Context(), node(func(plugins.Job) (any, error) { return plugins.InstallerJobResult{ExitCode: code}, nil }), plugins.InstallRequest{Run: "r", JobID: "j", Update: u}, func(plugins.Progress) {})
		if err != nil || got.Outcome != want.Outcome || got.RestartRequired != want.RestartRequired || *got.ExitCode != fault.CodeOf(code) || (got.Cause == nil) == (want.Outcome == plugins.UpdateFailed) {
			t.Errorf("exit %d: %+v %v", code, got, err)
		}
	}
}

func TestR19_AJobThatFailedIsAFailedUpdateAndALostOneIsUnknown(t *testing.T) {
	p := &hotfix.Plugin{}
	req := plugins.InstallRequest{Run: "r", JobID: "j", Update: update(t, "Update1.msu")}
	failed := fmt.Errorf("%w: %w", plugins.ErrJobFailed, &fault.Error{Op: "verify Update1.msu", Err: errors.New("the hash differs")})
	got, err := p.Install(t.Context(), node(func(plugins.Job) (any, error) { return nil, failed }), req, func(plugins.Progress) {})
	if err != nil || got.Outcome != plugins.UpdateFailed || got.Cause == nil {
		t.Errorf("%+v %v", got, err)
	}
	for _, unknown := range []error{plugins.ErrJobLost, plugins.ErrJobStillRunning, errors.New("the line is cut")} {
		if got, err := p.Install(t.Context(), node(func(plugins.Job) (any, error) { return nil, unknown }), req, func(plugins.Progress) {}); !errors.Is(err, unknown) {
			t.Errorf("%v became %+v %v", unknown, got, err)
		}
	}
}

func TestR13_StagingOverAnUnprotectedConnectionOfTheNodeIsRefused(t *testing.T) {
	p := &hotfix.Plugin{}
	req := plugins.StageRequest{Run: "r", JobID: "j", Source: `\\FS1\Hotfixes\Root`, Arguments: plugins.Arguments{"RequireSMBEncryption": "False"}, Updates: []plugins.Update{update(t, "SpecialHotfix1.exe")}}
	for _, c := range []struct {
		connection plugins.ShareConnection
		encryption string
		ok         bool
	}{
		{plugins.ShareConnection{Dialect: "3.1.1", Signed: true}, "False", true},
		{plugins.ShareConnection{Dialect: "3.1.1", Encrypted: true}, "True", true},
		{plugins.ShareConnection{Dialect: "3.1.1", Signed: true}, "True", false},
		{plugins.ShareConnection{Dialect: "3.1.1"}, "False", false},
	} {
		req.Arguments["RequireSMBEncryption"] = c.encryption
		var input plugins.StageJob
		_, err := p.Stage(t.Context(), node(func(job plugins.Job) (any, error) {
			return plugins.StageJobResult{Connection: c.connection}, json.Unmarshal(job.Input, &input)
		}), req, func(plugins.Progress) {})
		if (err == nil) != c.ok {
			t.Errorf("%+v, encryption %s: %v", c.connection, c.encryption, err)
		}
		if input.RequireEncryption != (c.encryption == "True") || len(input.Files) != 2 || input.Files[0].Target != "SpecialHotfix1.exe" {
			t.Errorf("%+v", input)
		}
	}
}

func TestRemainingIsWhatHasNoFinalResult(t *testing.T) {
	p := &hotfix.Plugin{}
	planned := []plugins.Update{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}}
	left := p.Remaining(planned, map[string]plugins.Result{"a": {Outcome: plugins.Installed}, "b": {Outcome: plugins.UpdateFailed}, "c": {Outcome: plugins.NotApplicable}})
	if len(left) != 2 || left[0].ID != "b" || left[1].ID != "d" {
		t.Errorf("%+v", left)
	}
}
