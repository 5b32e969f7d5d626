package hotfixcfg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"cau/hotfixcfg"
	"cau/internal/fault"
)

// foreign is a file as another program could have written it: its own root, namespace, prefix, quotes, comments and order.
const foreign = `<?xml version="1.0"?>
<!-- ours since 2012 -->
<h:Site xmlns:h="urn:x" h:version='2'>
	<h:FolderRules><!-- firmware first -->
		<h:Folder alwaysReboot='1' name = "Firmware" >
			<h:Note>call Ann</h:Note>
			<h:Template parameters='/s "a b"' path="$update$"/>
			<h:ExitConditions><h:Success>0<!-- fine --></h:Success> <h:AlreadyInstalled><h:Code value="3"/></h:AlreadyInstalled></h:ExitConditions>
		</h:Folder> <!-- done -->
	</h:FolderRules>
	<h:DefaultRules><h:ExtensionRules>
		<h:Extension name=".msi"><h:Template path="msiexec.exe" parameters="/i $update$ /qn"/>
			<h:ExitConditions Success="0 1"><h:Success_RebootRequired> 3010,
				1641 </h:Success_RebootRequired></h:ExitConditions></h:Extension>
	</h:ExtensionRules></h:DefaultRules>
	<h:Author/>
</h:Site>
`

// files are the texts that edits are tried on, in every encoding.
func files(t interface{ Helper() }) map[string][]byte {
	t.Helper()
	def := hotfixcfg.DefaultXML()
	return map[string][]byte{
		"default": def, "foreign": []byte(foreign), "Windows": append([]byte("\xEF\xBB\xBF"), strings.ReplaceAll(foreign, "\n", "\r\n")...),
		"wide": wide([]byte(foreign), binary.LittleEndian), "wider": wide(def, binary.BigEndian),
	}
}

func put(t *testing.T, b []byte, rule hotfixcfg.Rule) []byte {
	t.Helper()
	out, err := hotfixcfg.Put(b, rule)
	if err != nil {
		t.Fatalf("%v\n%+v", err, rule)
	}
	return out
}

func TestOnlyWhatDiffersIsWrittenAnew(t *testing.T) {
	cfg := parse(t, foreign)
	firmware, _ := cfg.Folder("Firmware")
	msi, _ := cfg.Extension("msi")
	for name, c := range map[string]struct {
		rule     hotfixcfg.Rule
		from, to string
	}{
		"path":         {with(firmware, func(r *hotfixcfg.Rule) { r.Template.Path = "setup.exe"; r.Name = "FIRMWARE" }), `path="$update$"`, `path="setup.exe"`},
		"parameters":   {with(firmware, func(r *hotfixcfg.Rule) { r.Template.Parameters = `/q '"$update$"' & more` }), `'/s "a b"'`, `'/q &#39;&#34;$update$&#34;&#39; &amp; more'`},
		"alwaysReboot": {with(firmware, func(r *hotfixcfg.Rule) { r.AlwaysReboot = false }), `alwaysReboot='1'`, `alwaysReboot='false'`},
		"an attribute": {with(msi, func(r *hotfixcfg.Rule) { r.Exit.Success = []fault.Code{0} }), `Success="0 1"`, `Success="0"`},
		"a list":       {with(msi, func(r *hotfixcfg.Rule) { r.Exit.SuccessRebootRequired = []fault.Code{3010, 0x80240017} }), "> 3010,\n\t\t\t\t1641 <", "> 3010, 0x80240017 <"},
		"a list that holds more": {
			with(firmware, func(r *hotfixcfg.Rule) { r.Exit.AlreadyInstalled = []fault.Code{3, 4} }),
			` <h:AlreadyInstalled><h:Code value="3"/></h:AlreadyInstalled>`, "",
		},
		"a list that goes": {with(msi, func(r *hotfixcfg.Rule) { r.Exit.SuccessRebootRequired = nil }), "<h:Success_RebootRequired> 3010,\n\t\t\t\t1641 </h:Success_RebootRequired>", ""},
	} {
		want := strings.Replace(foreign, c.from, c.to, 1)
		if name == "a list that holds more" {
			got := string(put(t, []byte(foreign), c.rule))
			if !strings.Contains(got, "<h:AlreadyInstalled>3, 4</h:AlreadyInstalled>") || !strings.Contains(got, "0<!-- fine --></h:Success>") {
				t.Errorf("%s: %s", name, got)
			}
			continue
		}
		if got := string(put(t, []byte(foreign), c.rule)); got != want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}

func with(r hotfixcfg.Rule, change func(*hotfixcfg.Rule)) hotfixcfg.Rule {
	change(&r)
	return r
}

func TestANewRuleIsWrittenAsTheFileIs(t *testing.T) {
	rule := hotfixcfg.Rule{Kind: hotfixcfg.FolderRule, Name: "Drivers & more", AlwaysReboot: true, Template: hotfixcfg.Template{Path: "$update$", Parameters: `/x "y"`}, Exit: hotfixcfg.ExitConditions{Success: []fault.Code{0}, NotApplicable: []fault.Code{0x80240017}}}
	got := string(put(t, []byte(foreign), rule))
	want := strings.Replace(foreign, "\t\t</h:Folder>", "\t\t</h:Folder>\n"+
		"\t\t<h:Folder name=\"Drivers &amp; more\" alwaysReboot=\"true\">\n\t\t\t<h:Template path=\"$update$\" parameters=\"/x &#34;y&#34;\"/>\n\t\t\t<h:ExitConditions>\n"+
		"\t\t\t\t<h:Success>0</h:Success>\n\t\t\t\t<h:NotApplicable>0x80240017</h:NotApplicable>\n\t\t\t</h:ExitConditions>\n\t\t</h:Folder>", 1)
	if got != want {
		t.Errorf("%s", got)
	}
	crlf := put(t, files(t)["Windows"], rule)
	if want := append([]byte("\xEF\xBB\xBF"), strings.ReplaceAll(want, "\n", "\r\n")...); !bytes.Equal(crlf, want) {
		t.Errorf("%q", crlf)
	}
	// Where there is no list yet, one is made; an element that closes itself is opened.
	for _, text := range []string{
		`<r><ExtensionRules><Extension name="EXE"><Template path="$update$"/><ExitConditions Success="0"/></Extension></ExtensionRules></r>`,
		`<r><DefaultRules><ExtensionRules><Extension name="EXE"><Template path="$update$"/><ExitConditions Success="0"/></Extension></ExtensionRules></DefaultRules></r>`,
		`<r><FolderRules /><ExtensionRules><Extension name="EXE"><Template path="$update$"/><ExitConditions Success="0"/></Extension></ExtensionRules></r>`,
		`<r><FolderRules></FolderRules><ExtensionRules><Extension name="EXE"><Template path="$update$"/><ExitConditions Success="0"/></Extension></ExtensionRules></r>`,
	} {
		cfg := parse(t, string(put(t, []byte(text), rule)))
		if got, ok := cfg.Folder("drivers & MORE"); !ok || !reflect.DeepEqual(got, rule) || len(cfg.Rules) != 2 {
			t.Errorf("%s: %+v", text, cfg)
		}
	}
}

func TestWhatCannotBeEditedIsRefusedAndSaysWhy(t *testing.T) {
	rule := hotfixcfg.Rule{Kind: hotfixcfg.FolderRule, Name: "F", Template: hotfixcfg.Template{Path: "$update$"}, Exit: hotfixcfg.ExitConditions{Success: []fault.Code{0}}}
	for name, c := range map[string]struct {
		text string
		rule hotfixcfg.Rule
		says string
	}{
		"a file that is not valid": {"<r/>", rule, "no rule in this file"},
		"no Success":               {foreign, with(rule, func(r *hotfixcfg.Rule) { r.Exit.Success = nil }), "no Success code"},
		"a code twice":             {foreign, with(rule, func(r *hotfixcfg.Rule) { r.Exit.NotApplicable = []fault.Code{0} }), "stands twice"},
		"a name of no folder":      {foreign, with(rule, func(r *hotfixcfg.Rule) { r.Name = `a\b` }), "cannot match"},
		"a path on a share":        {foreign, with(rule, func(r *hotfixcfg.Rule) { r.Template.Path = `\\evil\x\y.exe` }), "file share"},
	} {
		if out, err := hotfixcfg.Put([]byte(c.text), c.rule); err == nil || !strings.Contains(err.Error(), c.says) || out != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := hotfixcfg.Remove([]byte(foreign), hotfixcfg.FolderRule, "msi"); !errors.Is(err, hotfixcfg.ErrNoRule) {
		t.Errorf("%v", err)
	}
	one, err := hotfixcfg.Remove([]byte(foreign), hotfixcfg.ExtensionRule, "MSI")
	if err != nil || !bytes.Contains(one, []byte("<h:ExtensionRules>\n\t</h:ExtensionRules>")) {
		t.Errorf("%v %s", err, one)
	}
	if _, err := hotfixcfg.Remove(one, hotfixcfg.FolderRule, "firmware"); err == nil {
		t.Error("a file without rules was made")
	}
}

// anyRule draws a rule that a file can hold.
func anyRule(t *rapid.T) hotfixcfg.Rule {
	r := hotfixcfg.Rule{Kind: rapid.SampledFrom([]hotfixcfg.Kind{hotfixcfg.ExtensionRule, hotfixcfg.FolderRule}).Draw(t, "kind")}
	r.Name = rapid.SampledFrom([]string{"MSI", "msu", "EXE", "Firmware", "firmware", "a & b", "Größe", "it's"}).Draw(t, "name")
	r.AlwaysReboot = r.Kind == hotfixcfg.FolderRule && rapid.Bool().Draw(t, "always")
	r.Template.Path = rapid.SampledFrom([]string{"$update$", "setup.exe", `%SystemRoot%\System32\msiexec.exe`, `C:\Program Files\x & y\it's.exe`}).Draw(t, "path")
	r.Template.Parameters = rapid.SampledFrom([]string{"", "/q", `/i "$update$" /qn`, `<a> & 'b' "c d"`}).Draw(t, "parameters")
	codes := rapid.SliceOfNDistinct(rapid.Uint32(), 1, 8, rapid.ID[uint32]).Draw(t, "codes")
	r.Exit.Success = []fault.Code{fault.Code(codes[0])}
	for _, c := range codes[1:] {
		switch rapid.IntRange(0, 4).Draw(t, "list") {
		case 0:
			r.Exit.Success = append(r.Exit.Success, fault.Code(c))
		case 1:
			r.Exit.SuccessRebootRequired = append(r.Exit.SuccessRebootRequired, fault.Code(c))
		case 2:
			r.Exit.FailRebootRequired = append(r.Exit.FailRebootRequired, fault.Code(c))
		case 3:
			r.Exit.AlreadyInstalled = append(r.Exit.AlreadyInstalled, fault.Code(c))
		default:
			r.Exit.NotApplicable = append(r.Exit.NotApplicable, fault.Code(c))
		}
	}
	return r
}

func TestWhateverIsPutReadsBackAndNothingElseChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := files(t)
		name := rapid.SampledFrom([]string{"default", "foreign", "Windows", "wide", "wider"}).Draw(t, "file")
		b, rule := all[name], anyRule(t)
		before, err := hotfixcfg.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		out, err := hotfixcfg.Put(b, rule)
		if err != nil {
			t.Fatal(err)
		}
		after, err := hotfixcfg.Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		isRule := func(r hotfixcfg.Rule) bool { return r.Kind == rule.Kind && strings.EqualFold(r.Name, rule.Name) }
		others := func(c *hotfixcfg.Config) []hotfixcfg.Rule { return slices.DeleteFunc(slices.Clone(c.Rules), isRule) }
		if !reflect.DeepEqual(others(before), others(after)) {
			t.Fatalf("another rule changed:\n%+v\n%+v", others(before), others(after))
		}
		// Again is no change, to the byte.
		if again, err := hotfixcfg.Put(out, rule); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%v", err)
		}
		if there := slices.ContainsFunc(before.Rules, isRule); !there {
			// What was added and is removed again leaves the file as it was, to the byte.
			if back, err := hotfixcfg.Remove(out, rule.Kind, rule.Name); err != nil || !bytes.Equal(back, b) {
				t.Fatalf("%v\n%s", err, back)
			}
		}
		for _, r := range before.Rules {
			if same, err := hotfixcfg.Put(b, r); err != nil || !bytes.Equal(same, b) {
				t.Fatalf("putting what is there changed the file: %v", err)
			}
		}
	})
}

func FuzzEdit(f *testing.F) {
	for _, b := range files(f) {
		f.Add(b, "MSI", "a.exe", "/q $update$", uint32(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, name, path, parameters string, code uint32) {
		before, err := hotfixcfg.Parse(b)
		if err != nil {
			if _, err := hotfixcfg.Put(b, hotfixcfg.Rule{}); err == nil {
				t.Fatal("a file that is not valid was edited")
			}
			return
		}
		for _, r := range before.Rules {
			same, err := hotfixcfg.Put(b, r)
			if err != nil || !bytes.Equal(same, b) {
				t.Fatalf("putting what is there: %v\n%s\n%s", err, b, same)
			}
		}
		for _, kind := range []hotfixcfg.Kind{hotfixcfg.ExtensionRule, hotfixcfg.FolderRule} {
			rule := hotfixcfg.Rule{Kind: kind, Name: name, Template: hotfixcfg.Template{Path: path, Parameters: parameters}, Exit: hotfixcfg.ExitConditions{Success: []fault.Code{fault.Code(code)}}}
			if out, err := hotfixcfg.Put(b, rule); err == nil {
				if _, err := hotfixcfg.Parse(out); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
		}
	})
}
