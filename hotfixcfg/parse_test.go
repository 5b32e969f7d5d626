package hotfixcfg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"cau/hotfixcfg"
	"cau/internal/fault"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t *testing.T, text string) *hotfixcfg.Config {
	t.Helper()
	cfg, err := hotfixcfg.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// exe is a configuration with one extension rule, whose exit conditions the test gives.
func exe(exit string) string {
	return `<r><ExtensionRules><Extension name="EXE"><Template path="$update$"/>` + exit + `</Extension></ExtensionRules></r>`
}

func wide(text []byte, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xFEFF)
	for _, u := range utf16.Encode([]rune(string(text))) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestOurDefaultFileIsWhatWasReviewedAndReadsBackAsTheDefaultRules(t *testing.T) {
	if got, want := string(hotfixcfg.DefaultXML()), string(read(t, "default.golden.xml")); got != want {
		t.Errorf("DefaultXML differs from testdata/default.golden.xml:\n%s", got)
	}
	if got := parse(t, string(hotfixcfg.DefaultXML())); !reflect.DeepEqual(got, hotfixcfg.Default()) {
		t.Errorf("got  %+v\nwant %+v", got, hotfixcfg.Default())
	}
}

func TestAFileReadsTheSameInEveryEncodingThatWindowsSavesXMLIn(t *testing.T) {
	text := bytes.Replace(hotfixcfg.DefaultXML(), []byte("<!--"), []byte("<!-- Größe \U0001F600 "), 1)
	declared := bytes.Replace(text, []byte("utf-8"), []byte("utf-16"), 1)
	for name, b := range map[string][]byte{
		"UTF-8 with mark":    append([]byte("\xEF\xBB\xBF"), text...),
		"UTF-16LE":           wide(declared, binary.LittleEndian),
		"UTF-16BE":           wide(declared, binary.BigEndian),
		"Windows line ends":  bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")),
		"UTF-16 said UTF-8":  wide(text, binary.LittleEndian),
		"no XML declaration": text[bytes.IndexByte(text, '\n')+1:],
	} {
		cfg, err := hotfixcfg.Parse(b)
		if err != nil || !reflect.DeepEqual(cfg, hotfixcfg.Default()) {
			t.Errorf("%s: %v %+v", name, err, cfg)
		}
	}
}

func TestTheFrameMayBeAnything(t *testing.T) {
	rule := func(tag, name string) string {
		return `<` + tag + ` name="` + name + `"><Template path="$update$"/><ExitConditions><Success>0</Success></ExitConditions></` + tag + `>`
	}
	ext, dir := rule("Extension", "EXE"), rule("Folder", "F1")
	for name, text := range map[string]string{
		"inside":          `<Config><DefaultRules><ExtensionRules>` + ext + `</ExtensionRules><FolderRules>` + dir + `</FolderRules></DefaultRules></Config>`,
		"beside":          `<Config><DefaultRules><ExtensionRules>` + ext + `</ExtensionRules></DefaultRules><FolderRules>` + dir + `</FolderRules></Config>`,
		"DefaultRules":    `<DefaultRules><ExtensionRules>` + ext + `</ExtensionRules><FolderRules>` + dir + `</FolderRules></DefaultRules>`,
		"namespace":       `<Config xmlns="http://x/y" xmlns:xsi="i" xsi:schemaLocation="a b"><ExtensionRules>` + ext + `</ExtensionRules><FolderRules>` + dir + `</FolderRules></Config>`,
		"prefix":          `<h:Config xmlns:h="urn:h"><h:ExtensionRules>` + ext + `</h:ExtensionRules><h:FolderRules>` + dir + `</h:FolderRules></h:Config>`,
		"several lists":   `<?xml-stylesheet href="x"?><C><ExtensionRules/><ExtensionRules>` + ext + `</ExtensionRules><!-- c --><FolderRules>` + dir + `</FolderRules></C>`,
		"several parents": `<C version="2"><DefaultRules/><DefaultRules><FolderRules>` + dir + `</FolderRules></DefaultRules><DefaultRules><ExtensionRules>` + ext + `</ExtensionRules></DefaultRules></C>`,
	} {
		cfg := parse(t, text)
		_, isExt := cfg.Extension("exe")
		_, isDir := cfg.Folder("f1")
		if len(cfg.Rules) != 2 || !isExt || !isDir || cfg.Warnings != nil {
			t.Errorf("%s: %+v", name, cfg)
		}
	}
}

func TestR20_ExitCodesAreTheSame32BitsInEverySpelling(t *testing.T) {
	const codes = "0, -2145124329, 3010"
	want := []fault.Code{0, 0x80240017, 3010}
	for name, exit := range map[string]string{
		"commas":            `<ExitConditions><Success>` + codes + `</Success></ExitConditions>`,
		"spaces and lines":  "<ExitConditions><Success>\r\n 0\t2149842967\n\n3010 </Success></ExitConditions>",
		"semicolons, hex":   `<ExitConditions><Success>0x0;0X80240017;0x00000bc2;</Success></ExitConditions>`,
		"child text":        `<ExitConditions><Success><ExitCode>0</ExitCode><ExitCode>0x80240017</ExitCode><ExitCode>3010</ExitCode></Success></ExitConditions>`,
		"child attributes":  `<ExitConditions><Success><Code value="0" description="OK, 1"/><Code value="0x80240017"/><Code code="3010"/></Success></ExitConditions>`,
		"nested children":   `<ExitConditions><Success><Codes><Code>0</Code></Codes><Codes>-2145124329 3010</Codes></Success></ExitConditions>`,
		"attribute":         `<ExitConditions><Success codes="` + codes + `"/></ExitConditions>`,
		"attribute above":   `<ExitConditions Success="` + codes + `"/>`,
		"repeated elements": `<ExitConditions><Success>0</Success><Success>-2145124329</Success><Success>3010</Success></ExitConditions>`,
		"comment between":   `<ExitConditions><Success>0<!-- 7 -->, -2145124329 <![CDATA[3010]]></Success></ExitConditions>`,
		"escaped":           `<ExitConditions><Success>&#48; -2145124329 3010</Success></ExitConditions>`,
	} {
		if got := parse(t, exe(exit)).Rules[0].Exit.Success; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	all := parse(t, exe(`<ExitConditions NotApplicable="5"><AlreadyInstalled>4</AlreadyInstalled><Fail_RebootRequired>3</Fail_RebootRequired>`+
		`<Success_RebootRequired>2</Success_RebootRequired><Success>1</Success></ExitConditions>`)).Rules[0].Exit
	if want := (hotfixcfg.ExitConditions{
		Success: []fault.Code{1}, SuccessRebootRequired: []fault.Code{2}, FailRebootRequired: []fault.Code{3},
		AlreadyInstalled: []fault.Code{4}, NotApplicable: []fault.Code{5},
	}); !reflect.DeepEqual(all, want) {
		t.Errorf("%+v", all)
	}
}

func TestR20_WhatCannotBeInterpretedIsAnErrorWithItsPlace(t *testing.T) {
	const ok = `<ExitConditions><Success>0</Success></ExitConditions>`
	ext := func(attrs, body string) string {
		return "<r><ExtensionRules>\n<Extension " + attrs + ">" + body + "</Extension></ExtensionRules></r>"
	}
	folder := func(attrs string) string {
		return "<r><FolderRules>\n<Folder " + attrs + `><Template path="$update$"/>` + ok + "</Folder></FolderRules></r>"
	}
	msi := func(exit string) string {
		return ext(`name="MSI"`, "<Template path=\"a.exe\"/>\n<ExitConditions>"+exit+"</ExitConditions>")
	}
	path := func(p string) string { return ext(`name="MSI"`, "\n<Template path='"+p+"'/>"+ok) }
	parameters := func(p string) string {
		return ext(`name="MSI"`, "\n<Template path='a.exe' parameters='"+p+"'/>"+ok)
	}
	for _, c := range []struct {
		name, text string
		line, col  int
		msg        string
	}{
		{"unknown condition", msi("<Success>0</Success>\n<Succss>1</Succss>"), 4, 1, "unknown element <Succss> in ExitConditions; did you mean Success?"},
		{"code twice in one list", msi("<Success>0,\n 3010  0</Success>"), 4, 8, "exit code 0 (0x00000000) stands twice"},
		{"code twice in two lists", msi("<Success>0 0x80240017</Success>\n<NotApplicable>-2145124329</NotApplicable>"), 4, 16, "first in line 3"},
		{"code as attribute twice", msi(`<Success codes="0 1"/><NotApplicable codes="2 1"/>`), 3, 63, "exit code 1 "},
		{"no Success", msi("<AlreadyInstalled>0</AlreadyInstalled>"), 3, 1, "lists no Success code"},
		{"empty Success", msi("<Success> </Success>"), 3, 1, "lists no Success code"},
		{"not a number", msi("<Success>0 OK</Success>"), 3, 28, `"OK" is not an exit code`},
		{"a range", msi("<Success>0-5</Success>"), 3, 26, `"0-5" is not an exit code`},
		{"33 bits", msi("<Success>4294967296</Success>"), 3, 26, "is not an exit code"},
		{"33 bits, negative", msi("<Success>-2147483649</Success>"), 3, 26, "is not an exit code"},
		{"33 bits, hex", msi("<Success>0x100000000</Success>"), 3, 26, "is not an exit code"},
		{"child without code", msi("<Success><Code/></Success>"), 3, 26, "no exit code in <Code>"},
		{"unknown attribute of a code", msi(`<Success><Code min="0" max="9"/></Success>`), 3, 37, `unknown attribute "min"`},
		{"condition inside a condition", msi("<Success>0<NotApplicable>1</NotApplicable></Success>"), 3, 27, "out of place"},
		{"text in ExitConditions", msi("<Success>0</Success> 3010"), 3, 38, `"3010"`},
		{"unknown attribute of ExitConditions", exe(`<ExitConditions success="0"/>`), 1, 94, "did you mean Success?"},
		{"no path", ext(`name="MSI"`, `<Template parameters="$update$"/>`+ok), 2, 23, "without path"},
		{"empty path", ext(`name="MSI"`, `<Template path=" "/>`+ok), 2, 23, "without path"},
		{"no template", ext(`name="MSI"`, ok), 2, 1, "has no <Template>"},
		{"no exit conditions", ext(`name="MSI"`, `<Template path="a.exe"/>`), 2, 1, "has no <ExitConditions>"},
		{"two templates", ext(`name="MSI"`, `<Template path="a.exe"/><Template path="b.exe"/>`+ok), 2, 47, "a second <Template>"},
		{"two exit conditions", ext(`name="MSI"`, `<Template path="a.exe"/>`+ok+ok), 2, 100, "a second <ExitConditions>"},
		{"child of template", ext(`name="MSI"`, `<Template path="a.exe"><Wait/></Template>`+ok), 2, 46, "unknown element <Wait>"},
		{"misspelt parameters", ext(`name="MSI"`, `<Template path="a.exe" parametrs="/q"/>`+ok), 2, 57, "did you mean parameters?"},
		{"no name", ext(``, ok), 2, 1, "has no name"},
		{"empty name", ext(`name="."`, ok), 2, 18, "cannot match"},
		{"dotted extension", ext(`name="tar.gz"`, ok), 2, 18, "last dot"},
		{"folder with a path", folder(`name="a\b"`), 2, 15, "cannot match"},
		{"device", folder(`name="NUL"`), 2, 15, "device"},
		{"misspelt alwaysReboot", folder(`name="F" alwaysRebot="true"`), 2, 31, "did you mean alwaysReboot?"},
		{"alwaysReboot of no value", folder(`name="F" alwaysReboot="perhaps"`), 2, 32, "true or false"},
		{"alwaysReboot on an extension", ext(`name="MSI" alwaysReboot="true"`, ok), 2, 37, "belongs to <Folder>"},
		{"two rules of one name", "<r><FolderRules><Folder name='F'><Template path='$update$'/>" + ok + "</Folder>\n<Folder name='f'/></FolderRules></r>", 2, 15, "the first stands in line 1"},
		{"two extensions of one name", "<r><ExtensionRules><Extension name='msi'><Template path='$update$'/>" + ok + "</Extension>\n<Extension name='.MSI'/></ExtensionRules></r>", 2, 18, "a second extension rule"},
		{"rule under a misspelt list", "<r>\n<FolderRulez><Folder name='F'/></FolderRulez></r>", 2, 14, "<Folder> is out of place"},
		{"misspelt rule", "<r><FolderRules>\n<Foldr name='F'/></FolderRules></r>", 2, 1, "did you mean <Folder>?"},
		{"list in the wrong case", "<r>\n<folderrules/></r>", 2, 1, "did you mean <FolderRules>?"},
		{"nothing in it", "<html>\n<body/></html>", 1, 1, "no rule in this file"},
		{"empty file", "", 1, 1, "no XML"},
		{"not closed", "<r>\n <a>", 2, 5, "<a> of line 2 is not closed"},
		{"closed by another", "<r>\n <a>\n</r>", 3, 1, "</r> where </a> is expected (<a> stands in line 2)"},
		{"closes nothing", "<r/>\n</r>", 2, 1, "closes nothing"},
		{"second root", "<r/>\n<r/>", 2, 1, "second root"},
		{"text outside", "<r/>\n  Success", 2, 3, "outside the root"},
		{"no quotes", "<r>\n<a b=c/></r>", 2, 7, "not well-formed"},
		{"attribute twice", "<r a='1'\n a='2'/>", 2, 5, "stands twice"},
		{"UTF-8 broken", "<r>\n\xff</r>", 2, 1, "not UTF-8"},
		{"UTF-16 without mark", "<\x00r\x00", 1, 2, "byte-order mark"},
		{"other encoding", "<?xml version='1.0' encoding='windows-1252'?><r/>", 1, 1, "windows-1252"},
		{"UTF-16 declared, UTF-8 written", "<?xml version='1.0' encoding='utf-16'?><r/>", 1, 1, "utf-16"},
		{"UTF-16 half a pair", "\xff\xfe<\x00\x00\xd8a\x00", 1, 2, "surrogate"},
		{"UTF-16 odd", "\xfe\xff\x00<\x00", 1, 2, "half a character"},
		{"document type", "<?xml version='1.0'?>\n<!DOCTYPE r SYSTEM 'http://x/y'><r/>", 2, 1, "refused"},
		{"entity declared", "<!DOCTYPE r [<!ENTITY e 'x'>]>\n<r>&e;</r>", 1, 1, "refused"},
		{"entity used", "<r>\n&e;</r>", 2, 4, "not well-formed"},
		{"column counts characters", "<r><!-- Größe --></x></r>", 1, 18, "</x> where </r>"},
		{"R09 other share", path(`\\evil\share\a.exe`), 3, 17, "file share"},
		{"R09 other share, slashes", path(`//evil/share/a.exe`), 3, 17, "file share"},
		{"R09 device namespace", path(`\\?\UNC\evil\share\a.exe`), 3, 17, "device namespace"},
		{"R09 update as part of a path", path(`C:\$update$`), 3, 17, "$update$ alone"},
		{"R09 update in another case", path(`$Update$`), 3, 17, "lower case"},
		{"R09 relative with folder", path(`tools\a.exe`), 3, 17, "current folder"},
		{"R09 relative to the drive", path(`C:a.exe`), 3, 17, "colon"},
		{"R09 relative to the root", path(`\Windows\a.exe`), 3, 17, "current folder"},
		{"R09 climbing", path(`%SystemRoot%\..\a.exe`), 3, 17, "another folder"},
		{"R09 URL", path(`http://x/a.exe`), 3, 17, "current folder"},
		{"R09 variable without backslash", path(`%windir%system32\a.exe`), 3, 17, "current folder"},
		{"R09 drive only", path(`C:\`), 3, 17, "drive"},
		{"R09 stream", path(`C:\a.exe:b`), 3, 17, "colon"},
		{"quote not closed", parameters(`/i "$update$ /q`), 3, 36, "not closed"},
		{"doubled quotes", parameters(`/i "a""$update$"`), 3, 36, "doubled quote"},
		{"update in another case", parameters(`/i $UPDATE$`), 3, 36, "lower case"},
		{"control character", parameters(`/i &#x9b; /q`), 3, 36, "control character"},
	} {
		cfg, err := hotfixcfg.Parse([]byte(c.text))
		var e *hotfixcfg.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v, %+v", c.name, err, cfg)
			continue
		}
		if e.Line != c.line || e.Column != c.col || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%s: %v; want line %d, column %d: ...%s", c.name, err, c.line, c.col, c.msg)
		}
		if want := fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Msg); err.Error() != want {
			t.Errorf("%s: %q is not %q", c.name, err.Error(), want)
		}
	}
}

func TestR33_AConfigurationFileIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		msg  string
	}{
		"bytes":    {"<r>" + strings.Repeat(" ", hotfixcfg.MaxConfigBytes) + "</r>", "bytes"},
		"depth":    {strings.Repeat("<a>", hotfixcfg.MaxConfigDepth+1), "nest deeper"},
		"elements": {"<r>" + strings.Repeat("<a/>", hotfixcfg.MaxConfigElements), "elements"},
	} {
		_, err := hotfixcfg.Parse([]byte(c.text))
		var e *hotfixcfg.Error
		if !errors.As(err, &e) || e.Line != 1 || !strings.Contains(e.Msg, c.msg) {
			t.Errorf("%s: %v", name, err)
		}
	}
	deepest := strings.Repeat("<a>", hotfixcfg.MaxConfigDepth-6) + exe(`<ExitConditions><Success>0</Success></ExitConditions>`) + strings.Repeat("</a>", hotfixcfg.MaxConfigDepth-6)
	parse(t, deepest)
}

func TestR33_AMessageNeverCarriesControlCharactersOfTheFile(t *testing.T) {
	for _, text := range []string{
		exe("<ExitConditions><Success>\u202e\u0085OK</Success></ExitConditions>"),
		"<r>\n<Folder\u200d/></r>", "<r>&\u009b;</r>",
		"<?xml version='1.0' encoding='\x1b[2J'?><r/>",
		exe("<ExitConditions><Success>" + strings.Repeat("x", 100_000) + "</Success></ExitConditions>"),
	} {
		_, err := hotfixcfg.Parse([]byte(text))
		if err == nil {
			t.Errorf("%q was read", text)
			continue
		}
		if strings.ContainsAny(err.Error(), "\u202e\u0085\u200d\u009b\x1b\n") || len(err.Error()) > 1000 {
			t.Errorf("%q", err.Error())
		}
	}
}

func TestWhatIsReadOverIsAWarningWithItsPlace(t *testing.T) {
	cfg := parse(t, "<r>\n<Author>me</Author><ExtensionRules><Extension name='EXE'>\n<Description>x</Description>\n"+
		`<Template path="a.exe" parameters='/log:\\srv\logs\a.log'/><ExitConditions Success="0"/></Extension></ExtensionRules></r>`)
	var got []string
	for _, w := range cfg.Warnings {
		got = append(got, fmt.Sprintf("%d:%d", w.Line, w.Column))
	}
	if want := []string{"2:1", "3:1", "4:36", "4:1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v: %+v", got, cfg.Warnings)
	}
	if len(cfg.Rules) != 1 {
		t.Errorf("%+v", cfg.Rules)
	}
}

func TestNamesOfRulesMatchWithoutRegardToCase(t *testing.T) {
	cfg := parse(t, `<r><ExtensionRules><Extension name=".Msi"><Template path="$update$"/><ExitConditions Success="0"/></Extension></ExtensionRules>
		<FolderRules><Folder name="Msi" alwaysReboot="1"><Template path="$update$"/><ExitConditions Success="1"/></Folder></FolderRules></r>`)
	ext, ok := cfg.Extension("MSI")
	if !ok || ext.Name != "Msi" || ext.Kind != hotfixcfg.ExtensionRule || ext.AlwaysReboot {
		t.Errorf("%+v", ext)
	}
	dir, ok := cfg.Folder("mSI")
	if !ok || dir.Kind != hotfixcfg.FolderRule || !dir.AlwaysReboot {
		t.Errorf("%+v", dir)
	}
	if _, ok := cfg.Folder("MSU"); ok {
		t.Error("a rule of another name was found")
	}
}
