package hotfixcfg_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"cau/hotfixcfg"
)

func FuzzParse(f *testing.F) {
	f.Add(hotfixcfg.DefaultXML())
	f.Add(wide(hotfixcfg.DefaultXML(), binary.BigEndian))
	f.Add([]byte(exe(`<ExitConditions><Success code="0"><Code>0x80240017</Code></Success></ExitConditions>`)))
	f.Add([]byte("<r>\n&e;</r>"))
	f.Add([]byte(`<h:r xmlns:h="x"><h:FolderRules><h:Folder name="F" alwaysReboot="1"><h:Template path="$update$" parameters='/l "$update$.log"'/><h:ExitConditions Success="0;-1"/></h:Folder></h:FolderRules></h:r>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		cfg, err := hotfixcfg.Parse(b)
		if err != nil {
			var e *hotfixcfg.Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Msg == "" || strings.ContainsFunc(e.Msg, unicode.IsControl) {
				t.Fatalf("%#v", err)
			}
			return
		}
		for _, r := range cfg.Rules {
			if r.Name == "" || len(r.Exit.Success) == 0 {
				t.Fatalf("%+v", r)
			}
			if _, err := hotfixcfg.CommandLine(r, `C:\a b.msu`); err != nil {
				t.Fatalf("%+v: %v", r, err)
			}
		}
		again, err := hotfixcfg.Parse(hotfixcfg.Canonical(cfg))
		if err != nil {
			t.Fatalf("our own file is refused: %v\n%s", err, hotfixcfg.Canonical(cfg))
		}
		slices.SortStableFunc(cfg.Rules, func(a, b hotfixcfg.Rule) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
		if !reflect.DeepEqual(again.Rules, cfg.Rules) {
			t.Fatalf("read %+v\nthen %+v", cfg.Rules, again.Rules)
		}
	})
}

// FuzzLayout reads a tree from lines: an optional d, 0 or r before a tab make a folder, an empty file
// or a link.
func FuzzLayout(f *testing.F) {
	f.Add("CAUHotfix_All/a.msu\nNODE1/FolderRule1/b.exe\nNODE1/FolderRule1/sub/c.bin\nNODE2/a.msu\nDefaultHotfixConfig.xml")
	f.Add("d\tCAUHotfix_All\n0\tCAUHotfix_All/a.msi\nCAUHotfix_All/b.msi\nCAUHotfix_All/c.cab\nr\tNODE1\nNODE1/x.msu")
	f.Add("cauhotfix_all/A.msu\nCAUHotfix_All/a.msu\nnode1/a.msu\nNODE3/FolderRule1/x\nreadme")
	cfg := hotfixcfg.Default()
	cfg.Rules = append(cfg.Rules, hotfixcfg.Rule{Kind: hotfixcfg.FolderRule, Name: "FolderRule1"}, hotfixcfg.Rule{Kind: hotfixcfg.ExtensionRule, Name: "exe"})
	nodes := []string{"NODE1", "node2.contoso.com"}
	f.Fuzz(func(t *testing.T, tree string) {
		var list []hotfixcfg.Entry
		for line := range strings.SplitSeq(tree, "\n") {
			e := hotfixcfg.Entry{Path: line, Size: 1}
			if kind, path, ok := strings.Cut(line, "\t"); ok {
				e.Path, e.Dir, e.Reparse = path, kind == "d", kind == "r"
				if kind == "0" {
					e.Size = 0
				}
			}
			list = append(list, e)
		}
		l, err := hotfixcfg.ReadLayout(list, cfg, nodes, "")
		slices.Reverse(list)
		backwards, again := hotfixcfg.ReadLayout(list, cfg, nodes, "")
		if (err == nil) != (again == nil) || !reflect.DeepEqual(l, backwards) {
			t.Fatalf("the order of entries matters:\n%+v %v\n%+v %v", l, err, backwards, again)
		}
		if err != nil {
			return
		}
		everythingIsAccountedFor(t, list, l)
	})
}

func everythingIsAccountedFor(t *testing.T, list []hotfixcfg.Entry, l hotfixcfg.Layout) {
	t.Helper()
	files := map[string]hotfixcfg.Entry{}
	for _, e := range list {
		if !e.Dir {
			files[strings.ReplaceAll(e.Path, "/", `\`)] = e
		}
	}
	updates := map[string]bool{}
	for _, u := range l.Updates {
		e, ok := files[u.Path]
		if !ok || e.Reparse || e.Size == 0 || updates[u.Path] || !strings.HasSuffix(u.Path, `\`+u.Name) {
			t.Fatalf("%+v is no file that can be installed", u)
		}
		updates[u.Path] = true
		for _, path := range slices.Concat(u.Companions, u.Siblings) {
			if c, ok := files[path]; !ok || c.Reparse || path == u.Path {
				t.Fatalf("%+v with %q", u, path)
			}
		}
	}
	for path := range files {
		listed := strings.EqualFold(path, hotfixcfg.DefaultFileName)
		for _, i := range l.Ignored {
			folded := strings.ToUpper(path)
			above := strings.ToUpper(i.Path)
			listed = listed || (i.Reason != hotfixcfg.NoSuchFolder && (folded == above || strings.HasPrefix(folded, above+`\`)))
		}
		if !updates[path] && !listed {
			t.Fatalf("%q is neither installed nor listed: %+v", path, l)
		}
	}
}
