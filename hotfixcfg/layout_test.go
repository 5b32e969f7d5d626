package hotfixcfg_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cau/hotfixcfg"
)

// entries lists files by path, each of 1 byte, and folders by a path that ends in a slash.
func entries(paths ...string) []hotfixcfg.Entry {
	var list []hotfixcfg.Entry
	for _, p := range paths {
		list = append(list, hotfixcfg.Entry{Path: p, Dir: strings.HasSuffix(p, "/"), Size: 1})
	}
	return list
}

func layout(t *testing.T, cfg *hotfixcfg.Config, list []hotfixcfg.Entry) hotfixcfg.Layout {
	t.Helper()
	l, err := hotfixcfg.ReadLayout(list, cfg, []string{"NODE1", "NODE2", "node10.contoso.com"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func example(t *testing.T) *hotfixcfg.Config {
	t.Helper()
	cfg, err := hotfixcfg.Parse(read(t, "folderrule1.xml"))
	if err != nil || len(cfg.Warnings) != 0 {
		t.Fatal(err, cfg)
	}
	return cfg
}

// paths renders updates as node:path:rule.
func paths(updates []hotfixcfg.Update) []string {
	list := []string{}
	for _, u := range updates {
		list = append(list, u.Node+":"+u.Path+":"+string(u.Rule.Kind)+" "+u.Rule.Name)
	}
	return list
}

func ignored(l hotfixcfg.Layout) []string {
	list := []string{}
	for _, i := range l.Ignored {
		list = append(list, string(i.Reason)+" "+i.Path+" ?"+i.DidYouMean)
	}
	return list
}

func TestTheThreeLayoutsOfTheCAUDocumentation(t *testing.T) {
	all := []string{"DefaultHotfixConfig.xml", "CAUHotfix_All/", "CAUHotfix_All/Update3.msp", "CAUHotfix_All/Update1.msu", "CAUHotfix_All/Update2.msi"}
	forAll := []string{
		`:CAUHotfix_All\Update1.msu:extension MSU`, `:CAUHotfix_All\Update2.msi:extension MSI`, `:CAUHotfix_All\Update3.msp:extension MSP`,
	}
	for _, c := range []struct {
		name         string
		more         []string
		node1, node2 []string
		unused       []string
	}{
		{"for all nodes", nil, nil, nil, []string{"no-such-folder FolderRule1 ?"}},
		{
			"for one node",
			[]string{`node1\`, `node1\Node1_Specific_Update.msu`},
			[]string{`NODE1:node1\Node1_Specific_Update.msu:extension MSU`},
			nil,
			[]string{"no-such-folder FolderRule1 ?"},
		},
		{
			"by a folder rule",
			[]string{`NODE2\FolderRule1\`, `NODE2\FolderRule1\SpecialHotfix1.exe`, `NODE1\Node1_Specific_Update.msu`},
			[]string{`NODE1:NODE1\Node1_Specific_Update.msu:extension MSU`},
			[]string{`NODE2:NODE2\FolderRule1\SpecialHotfix1.exe:folder FolderRule1`},
			[]string{},
		},
	} {
		list := entries(append(slices.Clone(all), c.more...)...)
		for i, e := range list {
			list[i].Dir = e.Dir || strings.HasSuffix(e.Path, `\`)
		}
		l := layout(t, example(t), list)
		for node, own := range map[string][]string{"NODE1": c.node1, "node2.contoso.com": c.node2, "NODE10": nil, "NODE9": nil} {
			want := append(slices.Clone(forAll), own...)
			if got := paths(l.For(node)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, %s: %q, want %q", c.name, node, got, want)
			}
		}
		if got := ignored(l); !reflect.DeepEqual(got, c.unused) {
			t.Errorf("%s: ignored %q", c.name, got)
		}
	}
}

func TestWhatCAUIgnoresSilentlyIsListedWithItsReason(t *testing.T) {
	list := entries(
		"DefaultHotfixConfig.xml", "defaulthotfixconfg.xml", "readme.txt", "CAUHotfix_All/", "CAUHotfix_All/a.msu", "CAUHotfix_All/notes.txt",
		"CAUHotfix_All/noext", "CAUHotfix_All/FolderRul1/", "CAUHotfix_All/FolderRul1/x.exe", "CAUHotfix_All/FolderRul1/y.exe",
		"CAUHotfix_All/Other/deep/x.msu", "CAUHotfixAll/", "NOED1/a.msu", "NODE3/", "NODE10.contoso.com/a.msu", "FolderRule1/x.exe",
		"NODE1/FOLDERRULE1/setup.exe", "NODE1/FOLDERRULE1/data/1.bin", "NODE1/FOLDERRULE1/data/more/2.bin",
		"NODE10/ok.msi", "System Volume Information/",
	)
	list = append(list,
		hotfixcfg.Entry{Path: "CAUHotfix_All/empty.msu"},
		hotfixcfg.Entry{Path: "CAUHotfix_All/empty.txt"},
		hotfixcfg.Entry{Path: "NODE2/FolderRule1/empty.exe"},
		hotfixcfg.Entry{Path: "NODE2/link.msu", Size: 1, Reparse: true},
		hotfixcfg.Entry{Path: "NODE2/junction", Dir: true, Reparse: true},
		hotfixcfg.Entry{Path: "NODE2/junction/behind.msu", Size: 1},
	)
	l := layout(t, example(t), list)
	if want := []string{
		`:CAUHotfix_All\a.msu:extension MSU`, `NODE1:NODE1\FOLDERRULE1\setup.exe:folder FolderRule1`, `node10.contoso.com:NODE10\ok.msi:extension MSI`,
	}; !reflect.DeepEqual(paths(l.Updates), want) {
		t.Errorf("updates %q", paths(l.Updates))
	}
	want := []string{
		`not-a-node CAUHotfixAll ?CAUHotfix_All`,
		`empty CAUHotfix_All\empty.msu ?`,
		`no-extension-rule CAUHotfix_All\empty.txt ?`,
		`no-folder-rule CAUHotfix_All\FolderRul1 ?FolderRule1`,
		`no-extension-rule CAUHotfix_All\noext ?`,
		`no-extension-rule CAUHotfix_All\notes.txt ?`,
		`no-folder-rule CAUHotfix_All\Other ?`,
		`outside-folders defaulthotfixconfg.xml ?DefaultHotfixConfig.xml`,
		`not-a-node FolderRule1 ?CAUHotfix_All\FolderRule1`,
		`not-a-node NODE10.contoso.com ?node10`,
		`too-deep NODE1\FOLDERRULE1\data ?`,
		`empty NODE2\FolderRule1\empty.exe ?`,
		`reparse-point NODE2\junction ?`,
		`reparse-point NODE2\link.msu ?`,
		`not-a-node NODE3 ?`,
		`not-a-node NOED1 ?NODE1`,
		`outside-folders readme.txt ?`,
		`not-a-node System Volume Information ?`,
	}
	if got := ignored(l); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	lines := map[string]string{}
	for _, i := range l.Ignored {
		lines[i.Path] = i.String()
	}
	for path, want := range map[string]string{
		`CAUHotfix_All\FolderRul1`: `CAUHotfix_All\FolderRul1: no folder rule of this name (files in it: 2); did you mean FolderRule1?`,
		`NODE1\FOLDERRULE1\data`:   `NODE1\FOLDERRULE1\data: deeper than the structure goes; staged with the folder's updates, but not run (files in it: 2)`,
		`readme.txt`:               `readme.txt: a file outside CAUHotfix_All and the node folders`,
	} {
		if lines[path] != want {
			t.Errorf("%q, want %q", lines[path], want)
		}
	}
}

func TestAFolderRuleWithoutItsFolderNamesTheFolderThatWasProbablyMeant(t *testing.T) {
	l := layout(t, example(t), entries("NODE1/FolderRule/x.exe"))
	if got, want := ignored(l), []string{`no-such-folder FolderRule1 ?FolderRule`, `no-folder-rule NODE1\FolderRule ?FolderRule1`}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestOfTwoFilesOfOneNameForOneNodeTheFirstInOrderIsInstalled(t *testing.T) {
	l := layout(t, example(t), entries(
		"CAUHotfix_All/a.msu", "node1/A.MSU", "node1/b.msu", "NODE1/B.msu", "NODE2/b.msu",
		"CAUHotfix_All/FolderRule1/setup.exe", "NODE2/folderrule1/Setup.exe", "NODE1/setup.exe.msu",
	))
	var got []string
	for _, i := range l.Ignored {
		got = append(got, string(i.Reason)+" "+i.Path+" = "+i.Other)
	}
	if want := []string{
		`duplicate node1\A.MSU = CAUHotfix_All\a.msu`, `duplicate node1\b.msu = NODE1\B.msu`,
		`duplicate NODE2\folderrule1\Setup.exe = CAUHotfix_All\FolderRule1\setup.exe`,
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if len(l.Updates) != 5 {
		t.Errorf("%q", paths(l.Updates))
	}
}

func TestR09_AnUpdateIsPinnedWithItsCompanionsAndItsSiblingsAreShown(t *testing.T) {
	cfg := example(t)
	cfg.Rules = append(cfg.Rules, hotfixcfg.Rule{Kind: hotfixcfg.ExtensionRule, Name: "ps1"})
	list := entries(
		"CAUHotfix_All/a.msu", "CAUHotfix_All/b.msi", "CAUHotfix_All/b1.cab", "CAUHotfix_All/B2.CAB", "CAUHotfix_All/c.msp", "CAUHotfix_All/d.ps1",
		"NODE1/FolderRule1/s.exe", "NODE1/FolderRule1/t.msu", "NODE1/FolderRule1/sub/x.bin", "NODE1/FolderRule1/sub/deep/y.bin",
	)
	list = append(list, hotfixcfg.Entry{Path: "NODE1/FolderRule1/marker"},
		hotfixcfg.Entry{Path: "NODE1/FolderRule1/link", Size: 1, Reparse: true})
	cabs := []string{`CAUHotfix_All\b1.cab`, `CAUHotfix_All\B2.CAB`}
	payload := []string{`NODE1\FolderRule1\sub\deep\y.bin`, `NODE1\FolderRule1\sub\x.bin`}
	want := map[string][2][]string{
		"a.msu": {nil, nil},
		"b.msi": {nil, cabs},
		"c.msp": {nil, cabs},
		"d.ps1": {nil, {`CAUHotfix_All\a.msu`, `CAUHotfix_All\b.msi`, `CAUHotfix_All\b1.cab`, `CAUHotfix_All\B2.CAB`, `CAUHotfix_All\c.msp`}},
		"s.exe": {append([]string{`NODE1\FolderRule1\marker`}, append(slices.Clone(payload), `NODE1\FolderRule1\t.msu`)...), nil},
		"t.msu": {append([]string{`NODE1\FolderRule1\marker`, `NODE1\FolderRule1\s.exe`}, payload...), nil},
	}
	l := layout(t, cfg, list)
	if len(l.Updates) != len(want) {
		t.Errorf("%q", paths(l.Updates))
	}
	for _, u := range l.Updates {
		if got := [2][]string{u.Companions, u.Siblings}; !reflect.DeepEqual(got, want[u.Name]) {
			t.Errorf("%s: %q, want %q", u.Name, got, want[u.Name])
		}
	}
}

func TestTheConfigurationFileIsKnownByTheNameItHas(t *testing.T) {
	l, err := hotfixcfg.ReadLayout(entries("MY.xml", "DefaultHotfixConfig.xml"), hotfixcfg.Default(), nil, "my.XML")
	if err != nil || !reflect.DeepEqual(ignored(l), []string{"outside-folders DefaultHotfixConfig.xml ?"}) {
		t.Errorf("%v %q", err, ignored(l))
	}
}

func TestTheRootItselfInTheListMeansNothing(t *testing.T) {
	l := layout(t, hotfixcfg.Default(), []hotfixcfg.Entry{{Path: ".", Dir: true}, {Path: "", Dir: true}, {Path: `\`, Dir: true}})
	if len(l.Updates)+len(l.Ignored) != 0 {
		t.Errorf("%+v", l)
	}
}

func TestR33_HostileNamesAreRefusedWhereverTheyAre(t *testing.T) {
	long := strings.Repeat("x", 256)
	for _, name := range []string{
		"..", "../x", "a/../../b", "./a", "/a", "a//b", "", "a\x00b", "a\nb.msu", "a\x1b[2J.msu", "a\u202eusm.exe", "a\u200bb", "a\u2028b", "\uf03a.msu", "\xff",
		"a.msu:stream", "C:/x", "CON", "con.msu", "Nul.tar.gz", "AUX .txt", "COM1", "lpt9.msi", "COM\u00b9", "CONIN$", "a.msu.", "a.msu ", "dir./a.msu",
		"a\"b", "a<b", "a>b", "a|b", "a?b", "a*b", long, "CAUHotfix_All/" + long, "\U0001F600" + strings.Repeat("x", 254), "file/",
	} {
		for _, prefix := range []string{"", "CAUHotfix_All/", "nowhere/near/a/rule/"} {
			list := append(entries("CAUHotfix_All/a.msu"), hotfixcfg.Entry{Path: prefix + name, Size: 1})
			l, err := hotfixcfg.ReadLayout(list, hotfixcfg.Default(), []string{"NODE1"}, "")
			var e *hotfixcfg.NameError
			if !errors.As(err, &e) || e.Path != prefix+name || len(l.Updates)+len(l.Ignored) != 0 {
				t.Errorf("%q: %v, %+v", prefix+name, err, l)
				continue
			}
			if strings.ContainsAny(err.Error(), "\n\x1b\x00\u202e\u200b\u2028") || len(err.Error()) > 1000 {
				t.Errorf("%q", err.Error())
			}
		}
	}
	for _, name := range []string{"CONSOLE.msu", "COM10.msu", "COM0.msu", ".msu", "a..msu", " a.msu", "Größe (1) 100%.msu", "\U0001F600.msu", strings.Repeat("x", 251) + ".msu", "a'b;c&d.msu"} {
		if l := layout(t, hotfixcfg.Default(), entries("CAUHotfix_All/"+name)); len(l.Updates) != 1 {
			t.Errorf("%q: %+v", name, l)
		}
	}
	_, err := hotfixcfg.ReadLayout(entries("c:d", "a:b", "b:c"), nil, nil, "")
	if err == nil || !strings.Contains(err.Error(), `"a:b"`) || !strings.Contains(err.Error(), "2 more") {
		t.Error(err)
	}
	if _, err := hotfixcfg.ReadLayout([]hotfixcfg.Entry{{Path: "a", Size: -1}}, nil, nil, ""); err == nil {
		t.Error("a negative size was taken")
	}
	if _, err := hotfixcfg.ReadLayout(entries("CAUHotfix_All/a.msu", `CAUHotfix_All\a.msu`), nil, nil, ""); err == nil {
		t.Error("the same path twice was taken")
	}
}

func TestR33_ARootIsBounded(t *testing.T) {
	if _, err := hotfixcfg.ReadLayout(make([]hotfixcfg.Entry, hotfixcfg.MaxEntries+1), nil, nil, ""); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
	var list []hotfixcfg.Entry
	for i := range 1000 {
		list = append(list, hotfixcfg.Entry{Path: fmt.Sprintf("NODE1/FolderRule1/%d.exe", i), Size: 1})
	}
	if _, err := hotfixcfg.ReadLayout(list, example(t), []string{"NODE1"}, ""); err == nil || !strings.Contains(err.Error(), "too many files") {
		t.Error(err)
	}
}

func TestNearNamesAreSuggestedOnlyWhenThereIsOne(t *testing.T) {
	for folder, want := range map[string]string{
		"NDOE1": "NODE1", "NODE": "", "NODE_1": "NODE1", "NODE11": "NODE1", "CAU_Hotfix_All": "CAUHotfix_All", "Cauhotfix-All": "CAUHotfix_All",
		"CAUHotfix": "CAUHotfix_All", "SRV": "",
	} {
		l, err := hotfixcfg.ReadLayout(entries(folder+"/"), nil, []string{"NODE1", "NODE2"}, "")
		if err != nil || len(l.Ignored) != 1 || l.Ignored[0].DidYouMean != want {
			t.Errorf("%s: %v %+v, want %q", folder, err, l.Ignored, want)
		}
	}
}

func TestALongNodeNameIsKnownByItsFirst15Characters(t *testing.T) {
	nodes := []string{"contosoclusternode1.contoso.com", "NODE2"}
	list := entries("CONTOSOCLUSTERN/a.msu", "ContosoClusterNode1/b.msu", "contosoclusternX/")
	l, err := hotfixcfg.ReadLayout(list, hotfixcfg.Default(), nodes, "")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{nodes[0] + `:ContosoClusterNode1\b.msu:extension MSU`, nodes[0] + `:CONTOSOCLUSTERN\a.msu:extension MSU`}
	if got := paths(l.For("CONTOSOCLUSTERN")); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	if got := ignored(l); !reflect.DeepEqual(got, []string{"not-a-node contosoclusternX ?contosoclustern"}) {
		t.Errorf("%q", got)
	}
}

func TestEveryReasonReadsAsASentence(t *testing.T) {
	for _, r := range []hotfixcfg.Reason{
		hotfixcfg.OutsideFolders, hotfixcfg.NotANode, hotfixcfg.NoExtensionRule, hotfixcfg.NoFolderRule, hotfixcfg.NoSuchFolder,
		hotfixcfg.TooDeep, hotfixcfg.Empty, hotfixcfg.ReparsePoint, hotfixcfg.Duplicate,
	} {
		if got := (hotfixcfg.Ignored{Path: "p", Reason: r}).String(); strings.Contains(got, string(r)) && r != hotfixcfg.Empty {
			t.Errorf("%s has no text: %s", r, got)
		}
	}
	if got := (hotfixcfg.Ignored{Path: "p", Reason: hotfixcfg.Duplicate, Other: "q"}).String(); got != "p: the same file name for the same node as q" {
		t.Error(got)
	}
}

func TestR33_SuggestionsStayCheapInARootMadeToBeSlow(t *testing.T) {
	cfg := &hotfixcfg.Config{}
	for i := range 6000 {
		cfg.Rules = append(cfg.Rules, hotfixcfg.Rule{Kind: hotfixcfg.FolderRule, Name: fmt.Sprintf("FolderRule%04d", i)})
	}
	var list []hotfixcfg.Entry
	for i := range 2000 {
		list = append(list, hotfixcfg.Entry{Path: fmt.Sprintf("CAUHotfix_All/FolderRulf%04d", i), Dir: true})
	}
	l := layout(t, cfg, list)
	suggested := 0
	for _, i := range l.Ignored {
		if i.DidYouMean != "" {
			suggested++
		}
	}
	if len(l.Ignored) != 8000 || suggested > 20 {
		t.Errorf("%d ignored, %d suggestions", len(l.Ignored), suggested)
	}
}

func TestFoldersThatCouldBeNodesAreFoundByTheirNames(t *testing.T) {
	got := hotfixcfg.NodeFolders([]hotfixcfg.Entry{
		{Path: "node2", Dir: true},
		{Path: "NODE1", Dir: true},
		{Path: "cauhotfix_ALL", Dir: true},
		{Path: "NODE3"},
		{Path: "a.b", Dir: true},
		{Path: "sixteen-letters-", Dir: true},
		{Path: "a folder", Dir: true},
		{Path: "NODE4", Dir: true, Reparse: true},
		{Path: `NODE1\sub`, Dir: true},
	})
	if !slices.Equal(got, []string{"NODE1", "node2"}) {
		t.Errorf("%q", got)
	}
}

func TestAnUpdateRunsItselfByItsExtensionOrItsRule(t *testing.T) {
	rule := func(path string) hotfixcfg.Rule { return hotfixcfg.Rule{Template: hotfixcfg.Template{Path: path}} }
	for _, c := range []struct {
		name, program string
		want          bool
	}{{"a.exe", "cmd.exe", true}, {"A.EXE", "cmd.exe", true}, {"a.cmd", "$update$", true}, {"a.msu", "wusa.exe", false}, {"exe", "x.exe", false}} {
		if got := hotfixcfg.RunsItself(hotfixcfg.Update{Name: c.name, Rule: rule(c.program)}); got != c.want {
			t.Errorf("%s by %s: %v", c.name, c.program, got)
		}
	}
}
