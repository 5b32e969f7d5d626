package smbcheck

import (
	"errors"
	"strings"
	"testing"

	"cau/internal/check"
	"cau/smbcheck/descriptor"
)

// good is what the documentation asks for; the parts of a root get it unless a case says otherwise.
const (
	good     = "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)"
	goodFile = "O:BAG:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)"
	alice    = "S-1-5-21-1-2-3-1104"
)

func permissions(t *testing.T, sddl string) Permissions {
	t.Helper()
	if sddl == "unread" {
		return Permissions{Unread: errors.New("access denied")}
	}
	d, err := descriptor.ParseSDDL(sddl)
	if err != nil {
		t.Fatalf("%s: %v", sddl, err)
	}
	return Permissions{Security: d}
}

// rootOf is a root with a configuration file, an update run by a rule, one that is run itself, and a companion.
func rootOf(t *testing.T, where map[string]string) ACL {
	t.Helper()
	of := func(name, otherwise string) Permissions {
		if sddl, ok := where[name]; ok {
			return permissions(t, sddl)
		}
		return permissions(t, otherwise)
	}
	folder := func(path string) Entry { return Entry{Path: path, Dir: true, Permissions: of(path, good)} }
	file := func(path string) Entry { return Entry{Path: path, Size: 1, Permissions: of(path, goodFile)} }
	return ACL{
		Location: Location{Server: "FS1", Share: "Hotfixes", Root: `Admin's\Root`},
		Tree: Tree{
			Above: []Folder{{"", of("share", good)}, {"Admin's", of("above", good)}},
			Root:  Entry{Dir: true, Permissions: of("root", good)},
			Entries: []Entry{
				folder("All"), file(`All\a.msu`), folder(`All\Rule`), file(`All\Rule\data.cab`), file(`All\Rule\setup.exe`), file("config.xml"), file("readme.txt"),
			},
		},
		Config: "config.xml", Understood: true,
		Updates: []string{`All\a.msu`, `All\Rule\setup.exe`}, Companions: []string{`All\Rule\data.cab`}, Executed: []string{`All\Rule\setup.exe`},
	}
}

func result(t *testing.T, results []check.Result, id string) check.Result {
	t.Helper()
	for _, r := range results {
		if r.ID == id {
			return r
		}
	}
	t.Fatalf("%s is not answered", id)
	return check.Result{}
}

// One case is one descriptor somewhere in the root, and what the check says about it.
func TestR07_EachDescriptorHasItsFinding(t *testing.T) {
	const (
		read, execute, root, config, files, owner = "acl.root.users-read", "acl.root.users-execute", "acl.root.writers", "acl.config.writers", "acl.files.writers", "acl.owner"
		ba, sy, bu                                = "(A;OICI;FA;;;BA)", "(A;OICI;FA;;;SY)", "(A;OICI;0x1200a9;;;BU)"
		msu, exe, cab                             = `All\a.msu`, `All\Rule\setup.exe`, `All\Rule\data.cab`
	)
	cases := []struct {
		where, sddl string
		id          string
		want        check.Outcome
		evidence    []string
	}{
		// Who may change the root.
		{"root", good, root, check.Pass, []string{"Only Administrators, SYSTEM, CREATOR OWNER and TrustedInstaller"}},
		{"root", "O:BAD:" + ba + sy + bu + "(A;OICIIO;GA;;;CO)", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + sy + bu + "(A;OICI;FA;;;" + string(descriptor.TrustedInstaller) + ")", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + bu + "(A;OICI;0x1301bf;;;BU)", root, check.Fail, []string{`BUILTIN\Users (S-1-5-32-545)`, "modify", "explicit", "here and for what is made below", "the root"}},
		{"root", "O:BAD:AI" + ba + bu + "(A;OICIID;0x1301bf;;;BU)", root, check.Fail, []string{"modify", "inherited"}},
		{"root", "O:BAD:" + ba + bu + "(A;;FA;;;WD)", root, check.Fail, []string{"Everyone (S-1-1-0)", "full control", "explicit"}},
		{"root", "O:BAD:" + ba + bu + "(A;CI;LC;;;BU)", root, check.Fail, []string{"add folders"}},
		{"root", "O:BAD:" + ba + bu + "(A;CI;DC;;;BU)", root, check.Fail, []string{"add files"}},
		{"root", "O:BAD:" + ba + bu + "(A;OICIIO;GW;;;AU)", root, check.Fail, []string{"Authenticated Users", "write", "for what is made below"}},
		{"root", "O:BAD:" + ba + bu + "(A;OIIO;GA;;;AU)", root, check.Fail, []string{"full control", "for what is made below"}},
		{"root", "O:BAD:" + ba + bu + "(A;;GA;;;AN)", root, check.Fail, []string{"ANONYMOUS LOGON"}},
		{"root", "O:BAD:" + ba + bu + "(A;;GRGX;;;AN)", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + bu + "(A;;WD;;;" + alice + ")", root, check.Fail, []string{alice, "change permissions"}},
		{"root", "O:BAD:" + ba + bu + "(A;;WO;;;" + alice + ")", root, check.Fail, []string{"take ownership"}},
		{"root", "O:BAD:" + ba + bu + "(A;;SD;;;" + alice + ")", root, check.Fail, []string{"delete"}},
		{"root", "O:BAD:" + ba + bu + "(A;;DT;;;" + alice + ")", root, check.Fail, []string{"delete what is in it"}},
		{"root", "O:BAD:" + ba + bu + "(A;;RP;;;" + alice + ")", root, check.Fail, []string{"write extended attributes"}},
		{"root", "O:BAD:" + ba + bu + "(A;;CR;;;" + alice + ")", root, check.Fail, []string{"write attributes"}},
		{"root", "O:BAD:" + ba + bu + "(A;;RCLOSWCCWP;;;" + alice + ")", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + bu + "(A;OICI;FA;;;OW)", root, check.Fail, []string{"OWNER RIGHTS"}},
		{"root", "O:BAD:" + ba + bu + "(A;OICIIO;GA;;;CG)", root, check.Fail, []string{"CREATOR GROUP"}},
		{"root", "O:BAD:" + ba + bu + "(A;OICI;FA;;;S-1-5-21-1-2-3-512)", root, check.Fail, []string{"Domain Admins"}},
		{"root", "O:BAD:" + ba + bu + "(D;OICI;FW;;;BU)(A;OICI;FW;;;BU)", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + bu + "(A;OICI;FW;;;BU)(D;OICI;FW;;;BU)", root, check.Fail, []string{`BUILTIN\Users`}},
		{"root", "O:BAD:(D;;FW;;;BU)" + ba + bu + "(A;OICI;FW;;;BU)", root, check.Fail, []string{"for what is made below"}},
		{"root", "O:BAD:(D;;DC;;;BU)" + ba + bu + "(A;;FW;;;BU)", root, check.Fail, []string{"add folders"}},
		{"root", "O:BAD:(D;OICI;FW;;;WD)" + ba + bu + "(A;OICI;FW;;;AU)", root, check.Pass, nil},
		{"root", "O:BAD:(D;OICI;FW;;;WD)" + ba + bu + "(A;OICI;FW;;;AN)", root, check.Fail, []string{"ANONYMOUS"}},
		{"root", "O:BAD:(XD;OICI;FW;;;BU;#61727478)" + ba + bu + "(A;OICI;FW;;;BU)", root, check.Fail, nil},
		{"root", "O:BAD:" + ba + bu + "(XA;OICI;FW;;;AU;#61727478)", root, check.Fail, []string{"Authenticated Users"}},
		{"root", "O:BAD:" + ba + bu + "(OA;OICI;FW;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)", root, check.Fail, nil},
		{"root", "O:BAD:" + ba + bu + "(OD;;FW;bf967aba-0de6-11d0-a285-00aa003049e2;;AU)", root, check.Pass, nil},
		{"root", "O:BAD:" + ba + bu + "(0x04;;;;;;#01020304)", root, check.CannotVerify, []string{"kind 0x04"}},
		{"root", "O:BAD:" + ba + bu + "(0x63;OIIO;;;;;#01020304)", root, check.CannotVerify, []string{"kind 0x63"}},
		{"root", "O:BAD:" + ba + bu + "(A;;FW;;;WD)(0x63;;;;;;#01020304)", root, check.Fail, []string{"Everyone", "kind 0x63"}},
		{"root", "O:BAD:" + ba + bu + "(AU;SAFA;FA;;;WD)(ML;;0x1;;;LW)", root, check.Pass, nil},
		{"root", "O:BAD:NO_ACCESS_CONTROL", root, check.Fail, []string{"Everyone", "full control", "no access list"}},
		{"root", "O:BA", root, check.Fail, []string{"no access list"}},
		{"root", "O:BAD:", root, check.Pass, nil},
		{"root", "unread", root, check.CannotVerify, []string{"Not known of the root", "access denied"}},
		// Who may put another root in its place.
		{"above", "O:BAD:" + ba + "(A;;0x1201bf;;;BU)", root, check.Pass, nil},
		{"above", "O:BAD:" + ba + "(A;;0x1301bf;;;BU)", root, check.Fail, []string{"another folder in the root's place", "modify"}},
		{"share", "O:BAD:" + ba + "(A;;0x1301bf;;;BU)", root, check.Pass, nil},
		{"above", "O:BAD:" + ba + "(A;;FA;;;BU)", root, check.Fail, []string{"another folder in the root's place", `\\FS1\Hotfixes\Admin's`}},
		{"share", "O:BAD:" + ba + "(A;;WD;;;AU)", root, check.Fail, []string{"another folder in the root's place", `\\FS1\Hotfixes`}},
		{"share", "O:BAD:" + ba + "(A;OICIIO;FA;;;AU)", root, check.Pass, nil},
		{"share", "unread", root, check.CannotVerify, []string{`\\FS1\Hotfixes`}},
		// The configuration file.
		{"config.xml", goodFile, config, check.Pass, nil},
		{"config.xml", goodFile + "(A;;FA;;;" + alice + ")", config, check.Fail, []string{alice, "full control", "explicit", `"config.xml"`}},
		{"config.xml", goodFile + "(A;ID;0x1301bf;;;AU)", config, check.Fail, []string{"modify", "inherited"}},
		{"config.xml", "O:BAD:NO_ACCESS_CONTROL", config, check.Fail, []string{"no access list"}},
		{"config.xml", "unread", config, check.CannotVerify, []string{`"config.xml"`}},
		// Updates, companions, folders; what is not installed does not matter.
		{msu, goodFile + "(A;;FA;;;WD)", files, check.Fail, []string{`"All\a.msu"`, "Everyone"}},
		{cab, goodFile + "(A;;FW;;;BU)", files, check.Fail, []string{`"All\Rule\data.cab"`}},
		{`All\Rule`, good + "(A;OICI;FW;;;BU)", files, check.Fail, []string{`"All\Rule"`}},
		{"All", good + "(A;CIIO;FA;;;BU)", files, check.Fail, []string{`"All"`, "for what is made below"}},
		{"readme.txt", goodFile + "(A;;FA;;;WD)", files, check.Pass, nil},
		{exe, "unread", files, check.CannotVerify, []string{`Not known of "All\Rule\setup.exe"`}},
		{exe, goodFile + "(A;ID;FA;;;" + alice + ")", files, check.Fail, []string{"inherited"}},
		// Users.
		{"root", "O:BAD:" + ba + sy, read, check.Fail, []string{`BUILTIN\Users (S-1-5-32-545) may not read`}},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;BU)", read, check.Pass, nil},
		{"root", "O:BAD:" + ba + "(A;OICI;GR;;;BU)", read, check.Pass, nil},
		{"root", "O:BAD:" + ba + "(A;OICIIO;FR;;;BU)", read, check.Fail, nil},
		{"root", "O:BAD:" + ba + "(A;;CC;;;BU)(A;;SWLORC;;;BU)", read, check.Pass, nil},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;AU)", read, check.Warn, []string{"Authenticated Users", "by name"}},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;WD)", read, check.Warn, []string{"entry of its own; Everyone (S-1-1-0) lets it read"}},
		{"root", "O:BAD:" + ba + "(A;;CC;;;BU)(A;OICI;FR;;;AU)", read, check.Warn, []string{`BUILTIN\Users (S-1-5-32-545), NT AUTHORITY\Authenticated Users (S-1-5-11) let it read`}},
		{"root", "O:BAD:(D;;CC;;;NU)" + ba + "(A;OICI;FR;;;BU)", read, check.Fail, nil},
		{"root", "O:BAD:(D;;CC;;;IU)" + ba + "(A;OICI;FR;;;BU)", read, check.Pass, nil},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;BU)(D;;FA;;;WD)", read, check.Pass, nil},
		{"root", "O:BAD:" + ba + "(XA;OICI;FR;;;BU;#61727478)", read, check.Fail, nil},
		{"root", "O:BAD:", read, check.Fail, nil},
		{"root", "O:BAD:NO_ACCESS_CONTROL", read, check.Pass, nil},
		{"root", "unread", read, check.CannotVerify, nil},
		{msu, "O:BAD:(A;;FA;;;BA)", read, check.Warn, []string{`"All\a.msu"`, "may not read"}},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;BU)", execute, check.Fail, []string{"may not execute", "the root"}},
		{"root", "O:BAD:" + ba + "(A;OICI;FR;;;BU)(A;OICI;FX;;;AU)", execute, check.Warn, []string{"Authenticated Users"}},
		{exe, "O:BAD:(A;;FA;;;BA)(A;;FR;;;BU)", execute, check.Fail, []string{`"All\Rule\setup.exe"`}},
		{msu, "O:BAD:(A;;FA;;;BA)(A;;FR;;;BU)", execute, check.Pass, nil},
		{exe, "unread", execute, check.CannotVerify, nil},
		// Owners.
		{"root", "O:" + alice + "D:" + ba + bu, owner, check.Warn, []string{alice, "owns it", "the root"}},
		{"config.xml", "O:S-1-22-1-0D:(A;;FA;;;BA)", owner, check.Warn, []string{"Unix user 0", `"config.xml"`}},
		{msu, "O:SYD:(A;;FA;;;BA)", owner, check.Pass, nil},
		{cab, "O:" + string(descriptor.TrustedInstaller) + "D:(A;;FA;;;BA)", owner, check.Pass, nil},
		{cab, "D:(A;;FA;;;BA)", owner, check.CannotVerify, []string{"no owner"}},
		{"readme.txt", "O:" + alice + "D:(A;;FA;;;BA)", owner, check.Pass, nil},
	}
	if len(cases) < 60 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.id+"/"+c.where+"/"+c.sddl, func(t *testing.T) {
			r := result(t, ACLChecks(rootOf(t, map[string]string{c.where: c.sddl}), false), c.id)
			if r.Outcome != c.want {
				t.Fatalf("%s: %s", r.Outcome, r.Evidence)
			}
			for _, e := range c.evidence {
				if !strings.Contains(r.Evidence, e) {
					t.Errorf("no %q in: %s", e, r.Evidence)
				}
			}
			if (r.Remedy == "") != (c.want == check.Pass) || r.Evidence == "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestARightThatCreatorOwnerMadeSaysSo(t *testing.T) {
	with := good + "(A;OICIIO;GA;;;CO)"
	a := rootOf(t, map[string]string{
		"root": with, "All": with,
		"config.xml": "O:" + alice + "D:AI(A;ID;FA;;;" + alice + ")(A;ID;FA;;;BA)",
		`All\a.msu`:  "O:" + alice + "D:(A;;FA;;;" + alice + ")(A;;FA;;;BA)",
		`All\Rule`:   "O:" + alice + "D:AI(A;ID;FA;;;" + alice + ")(A;OICIIOID;GA;;;CO)",
	})
	results := ACLChecks(a, false)
	if r := result(t, results, "acl.root.writers"); r.Outcome != check.Pass {
		t.Errorf("%+v", r)
	}
	for _, id := range []string{"acl.config.writers", "acl.files.writers"} {
		r := result(t, results, id)
		if r.Outcome != check.Fail || !strings.Contains(r.Evidence, "through CREATOR OWNER's entry on the folder above") || !strings.Contains(r.Remedy, "'*S-1-3-0' '*"+alice+"'") {
			t.Errorf("%+v", r)
		}
	}
	// The same entry is an ordinary one where the folder gives it to the same account by name, or to nobody.
	a = rootOf(t, map[string]string{"All": good, `All\a.msu`: "O:" + alice + "D:(A;;FA;;;" + alice + ")"})
	if r := result(t, ACLChecks(a, false), "acl.files.writers"); strings.Contains(r.Evidence, "CREATOR OWNER's") {
		t.Errorf("%+v", r)
	}
	a = rootOf(t, map[string]string{"All": with + "(A;OICI;FA;;;" + alice + ")", `All\a.msu`: "O:" + alice + "D:(A;ID;FA;;;" + alice + ")"})
	if r := result(t, ACLChecks(a, false), "acl.files.writers"); strings.Contains(r.Evidence, "CREATOR OWNER's") {
		t.Errorf("%+v", r)
	}
}

func TestTheSameFindingInManyPlacesIsOneLine(t *testing.T) {
	open := goodFile + "(A;;FA;;;WD)"
	a := rootOf(t, map[string]string{`All\a.msu`: open, `All\Rule\setup.exe`: open, `All\Rule\data.cab`: open, "All": good + "(A;;FA;;;WD)"})
	r := result(t, ACLChecks(a, false), "acl.files.writers")
	if want := `Everyone (S-1-1-0) may change it (full control, explicit): "All", "All\a.msu", "All\Rule\data.cab" and 1 more.`; r.Evidence != want {
		t.Errorf("%s", r.Evidence)
	}
	if want := `In PowerShell on the file server: icacls '\\FS1\Hotfixes\Admin''s\Root' /remove:g '*S-1-1-0' /t`; r.Remedy != want {
		t.Errorf("%s", r.Remedy)
	}
}

func TestTheRemedyFitsWhereTheRightComesFrom(t *testing.T) {
	const server, root = "In PowerShell on the file server: ", `icacls '\\FS1\Hotfixes\Admin''s\Root`
	for _, c := range []struct{ where, sddl, id, want string }{
		{"root", good + "(A;OICIID;FW;;;BU)", "acl.root.writers", root + `' /inheritance:d; ` + root + `' /grant:r '*S-1-5-32-545:(OI)(CI)RX' /t`},
		{"root", good + "(A;OICIID;FW;;;AU)", "acl.root.writers", root + `' /inheritance:d; ` + root + `' /remove:g '*S-1-5-11' /t`},
		{"root", good + "(A;;FA;;;WD)", "acl.root.writers", root + `' /remove:g '*S-1-1-0'`},
		{"root", "O:BA", "acl.root.writers", root + `' /inheritance:r /grant:r '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-545:(OI)(CI)RX'`},
		{"config.xml", "O:BA", "acl.config.writers", root + `\config.xml' /inheritance:r /grant:r '*S-1-5-32-544:F' '*S-1-5-18:F' '*S-1-5-32-545:RX'`},
		{"config.xml", goodFile + "(A;ID;FA;;;WD)", "acl.config.writers", root + `' /remove:g '*S-1-1-0' /t`},
		{"root", "O:" + alice + "D:(A;OICI;FA;;;BA)", "acl.owner", root + `' /setowner '*S-1-5-32-544' /t`},
		{"root", "O:BAD:(A;OICI;FA;;;BA)", "acl.root.users-read", root + `' /grant '*S-1-5-32-545:(OI)(CI)RX'`},
	} {
		if r := result(t, ACLChecks(rootOf(t, map[string]string{c.where: c.sddl}), false), c.id); r.Remedy != server+c.want {
			t.Errorf("%s %s: %s", c.id, c.sddl, r.Remedy)
		}
	}
	above := result(t, ACLChecks(rootOf(t, map[string]string{"above": "O:BAD:(A;;FA;;;BU)"}), false), "acl.root.writers")
	if !strings.Contains(above.Remedy, "above it") {
		t.Errorf("%s", above.Remedy)
	}
}

func TestWithoutAConfigurationEverythingCountsAndExecuteIsNotKnown(t *testing.T) {
	a := rootOf(t, map[string]string{"readme.txt": goodFile + "(A;;FA;;;WD)", `All\a.msu`: "O:BAD:(A;;FA;;;BA)(A;;FR;;;BU)"})
	a.Config, a.Understood, a.Updates, a.Companions, a.Executed = "", false, nil, nil, nil
	results := ACLChecks(a, false)
	for id, want := range map[string]check.Outcome{"acl.config.writers": check.CannotVerify, "acl.files.writers": check.Fail, "acl.root.users-execute": check.CannotVerify} {
		if r := result(t, results, id); r.Outcome != want {
			t.Errorf("%+v", r)
		}
	}
	whole := rootOf(t, nil)
	whole.Understood = false
	if r := result(t, ACLChecks(whole, false), "acl.root.users-execute"); r.Outcome != check.Pass || strings.Contains(r.Evidence, "updates:") {
		t.Errorf("%+v", r)
	}
	a.Tree.Root.Permissions = permissions(t, "O:BAD:(A;OICI;FA;;;BA)(A;OICI;FR;;;BU)")
	if r := result(t, ACLChecks(a, false), "acl.root.users-execute"); r.Outcome != check.CannotVerify {
		t.Errorf("%+v", r)
	}
}

func TestDisableAclChecksSkipsExactlyTheACLChecksVisibly(t *testing.T) {
	a := rootOf(t, map[string]string{"root": "O:BA"})
	var ids []string
	for _, r := range ACLChecks(a, true) {
		ids = append(ids, r.ID)
		if r.Outcome != check.Warn || !strings.Contains(r.Evidence, "DisableAclChecks") {
			t.Errorf("%+v", r)
		}
	}
	var want []string
	for _, r := range ACLChecks(a, false) {
		want = append(want, r.ID)
	}
	if len(ids) != 6 || strings.Join(ids, " ") != strings.Join(want, " ") {
		t.Errorf("%v\n%v", ids, want)
	}
}
