package app

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
)

func text(s string) *string { return &s }

func truth(b bool) *bool { return &b }

// configured is a folder with our default file in it.
func configured(t *testing.T) (dir, file string) {
	t.Helper()
	dir = t.TempDir()
	file = filepath.Join(dir, hotfixcfg.DefaultFileName)
	if err := os.WriteFile(file, hotfixcfg.DefaultXML(), 0o640); err != nil {
		t.Fatal(err)
	}
	return dir, file
}

func editIn(t *testing.T, req cli.ConfigEditRequest, agree func(cli.ConfigChange) bool) (cli.ConfigChange, error) {
	t.Helper()
	return (&program{}).ConfigEdit(t.Context(), req, func(string) {}, agree)
}

func yes(cli.ConfigChange) bool { return true }

func firmware(root string) cli.ConfigEditRequest {
	return cli.ConfigEditRequest{
		ConfigPlace: cli.ConfigPlace{Root: root}, Folder: true, Name: "Firmware", Path: text(" $update$ "), Parameters: text("/s"), AlwaysReboot: truth(true),
		Codes: map[string]string{"Success": "0", "AlreadyInstalled": "3,-2145124329"},
	}
}

func TestARuleIsPutInChangedAndTakenOutAndTheRestStays(t *testing.T) {
	t.Parallel()
	dir, file := configured(t)
	before, _ := os.ReadFile(file)
	c, err := editIn(t, firmware(dir), yes)
	if err != nil || !c.Written || c.Change != "added" || c.File != file || len(c.Problems) != 0 || len(c.Warnings) != 1 {
		t.Fatalf("%v %+v", err, c)
	}
	cfg := mustParse(t, file)
	want := hotfixcfg.Rule{
		Kind: hotfixcfg.FolderRule, Name: "Firmware", AlwaysReboot: true, Template: hotfixcfg.Template{Path: "$update$", Parameters: "/s"},
		Exit: hotfixcfg.ExitConditions{Success: []fault.Code{0}, AlreadyInstalled: []fault.Code{3, 0x80240017}},
	}
	if got, ok := cfg.Folder("firmware"); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	for _, l := range c.Lines {
		if l.Mark == "-" || l.Mark == "+" && !bytes.Contains(mustReadFile(t, file), []byte(l.Text+"\n")) {
			t.Errorf("%+v", l)
		}
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o640 {
		t.Errorf("%v", info.Mode())
	}
	// Named in other case and partly, it keeps the rest and its spelling.
	c, err = editIn(t, cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: file}, Folder: true, Name: "FIRMWARE", AlwaysReboot: truth(false), Codes: map[string]string{"AlreadyInstalled": ""}}, yes)
	want.AlwaysReboot, want.Exit.AlreadyInstalled = false, nil
	if got, _ := mustParse(t, file).Folder("Firmware"); err != nil || c.Change != "changed" || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %+v %+v", err, c, got)
	}
	if c, err = editIn(t, cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: file}, Folder: true, Name: "Firmware", Parameters: text("/s")}, func(cli.ConfigChange) bool { t.Error("asked about nothing"); return true }); err != nil || c.Change != "none" || c.Written {
		t.Errorf("%v %+v", err, c)
	}
	if c, err = editIn(t, cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: dir}, Folder: true, Name: "Firmware", Remove: true}, yes); err != nil || c.Change != "removed" || !bytes.Equal(mustReadFile(t, file), before) {
		t.Errorf("%v %+v\n%s", err, c, mustReadFile(t, file))
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

func mustReadFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustParse(t *testing.T, file string) *hotfixcfg.Config {
	t.Helper()
	cfg, err := hotfixcfg.Parse(mustReadFile(t, file))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestAFileIsLeftAloneWhereNobodyAgreesOrSomebodyChangedIt(t *testing.T) {
	t.Parallel()
	dir, file := configured(t)
	c, err := editIn(t, firmware(dir), func(c cli.ConfigChange) bool { return len(c.Lines) == 0 || c.After == "" })
	if err != nil || c.Written || c.Change != "added" || !bytes.Equal(mustReadFile(t, file), hotfixcfg.DefaultXML()) {
		t.Errorf("%v %+v", err, c)
	}
	theirs := []byte(strings.Replace(string(hotfixcfg.DefaultXML()), "<HotfixConfig>", "<HotfixConfig><!-- ann -->", 1))
	c, err = editIn(t, firmware(dir), func(cli.ConfigChange) bool {
		return os.WriteFile(file, theirs, 0o600) == nil
	})
	if err == nil || c.Written || !strings.Contains(err.Error(), "somebody changed the file") || !bytes.Equal(mustReadFile(t, file), theirs) {
		t.Errorf("%v %+v", err, c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err = (&program{}).ConfigEdit(ctx, firmware(dir), func(string) {}, func(cli.ConfigChange) bool { cancel(); return true }); !errors.Is(err, context.Canceled) || !bytes.Equal(mustReadFile(t, file), theirs) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v", left)
	}
}

func TestAnEditThatMakesNoSenseSaysWhyAndWritesNothing(t *testing.T) {
	t.Parallel()
	dir, file := configured(t)
	at := cli.ConfigPlace{Root: dir}
	for name, c := range map[string]struct {
		req  cli.ConfigEditRequest
		says string
	}{
		"a new rule without a program": {cli.ConfigEditRequest{ConfigPlace: at, Name: "exe", Codes: map[string]string{"Success": "0"}}, "--path and --success"},
		"a new rule without Success":   {cli.ConfigEditRequest{ConfigPlace: at, Name: "exe", Path: text("$update$"), Codes: map[string]string{"Success": " "}}, "--path and --success"},
		"a code that is none":          {cli.ConfigEditRequest{ConfigPlace: at, Name: "msi", Codes: map[string]string{"AlreadyInstalled": "x"}}, `AlreadyInstalled: "x" is not an exit code`},
		"a code twice":                 {cli.ConfigEditRequest{ConfigPlace: at, Name: ".msi", Codes: map[string]string{"AlreadyInstalled": "0"}}, "stands twice"},
		"no Success any more":          {cli.ConfigEditRequest{ConfigPlace: at, Name: "msi", Codes: map[string]string{"Success": ""}}, "no Success code"},
		"a restart of an extension":    {cli.ConfigEditRequest{ConfigPlace: at, Name: "msi", AlwaysReboot: truth(true)}, "--success-reboot"},
		"a path on a share":            {cli.ConfigEditRequest{ConfigPlace: at, Name: "msi", Path: text(`\\x\y\z.exe`)}, "file share"},
		"a rule that is not there":     {cli.ConfigEditRequest{ConfigPlace: at, Name: "exe", Remove: true}, "no such rule"},
		"a name and a file":            {cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: file, Config: "a.xml"}, Name: "msi", Remove: true}, "is a file already"},
		"a lab beside a folder":        {cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: dir, Target: cli.Target{Lab: true}}, Name: "msi", Remove: true}, "--lab"},
	} {
		got, err := editIn(t, c.req, yes)
		if err == nil || !cli.IsUsage(err) || got.Written || !strings.Contains(err.Error()+" "+fault.Hint(err), c.says) {
			t.Errorf("%s: %v (%s)", name, err, fault.Hint(err))
		}
	}
	if !bytes.Equal(mustReadFile(t, file), hotfixcfg.DefaultXML()) {
		t.Error("it was written")
	}
	if err := os.WriteFile(file, []byte("<r>\n <FolderRules/></r>"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := editIn(t, firmware(dir), yes)
	if err != nil || len(c.Problems) != 1 || c.Problems[0].Line != 1 || c.Written {
		t.Errorf("%v %+v", err, c)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err = editIn(t, firmware(dir), yes); !errors.Is(err, os.ErrNotExist) || !strings.Contains(fault.Hint(err), "config init") {
		t.Errorf("%v", err)
	}
}

func TestTheLastRuleOfAFileStays(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "one.xml")
	if err := os.WriteFile(file, []byte(`<r><FolderRules><Folder name="F"><Template path="$update$"/><ExitConditions Success="0"/></Folder></FolderRules></r>`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := editIn(t, cli.ConfigEditRequest{ConfigPlace: cli.ConfigPlace{Root: file}, Folder: true, Name: "F", Remove: true}, yes)
	if !cli.IsUsage(err) || !strings.Contains(err.Error(), "the only one") {
		t.Errorf("%v", err)
	}
}

func TestAFileIsFoundInAnyCaseAndThroughALinkThatStays(t *testing.T) {
	t.Parallel()
	dir, file := configured(t)
	other := t.TempDir()
	link := filepath.Join(other, "defaulthotfixconfig.XML")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if c, err := editIn(t, firmware(other), yes); err != nil || !c.Written || c.File != link {
		t.Fatalf("%v %+v", err, c)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v %v", info, err)
	}
	r, err := (&program{}).ConfigShow(t.Context(), cli.ConfigPlace{Root: dir}, func(string) {})
	if err != nil || !r.Valid || r.Folders != 1 || len(r.Shown) != r.Extensions+1 {
		t.Fatalf("%v %+v", err, r)
	}
	last := r.Shown[len(r.Shown)-1]
	if !last.Folder || !last.AlwaysReboot || last.Path != "$update$" || !reflect.DeepEqual(last.Exit, []cli.ConfigExit{
		{Condition: "Success", Codes: "0"}, {Condition: "AlreadyInstalled", Codes: "3 (ERROR_PATH_NOT_FOUND), 0x80240017 (WU_E_NOT_APPLICABLE)"},
	}) {
		t.Errorf("%+v", last)
	}
}

func TestADifferenceShowsWhatGoesAndComesWithItsLineAndAFewAround(t *testing.T) {
	t.Parallel()
	lines := func(s string) []string { return strings.Split(s, " ") }
	for name, c := range map[string]struct{ was, is, want string }{
		"a line changes":   {"a b c d e f g", "a b c X e f g", " 2b  3c -4d +4X  5e  6f"},
		"lines come":       {"a b", "a X Y b", " 1a +2X +3Y  2b"},
		"lines go":         {"a X Y b", "a b", " 1a -2X -3Y  4b"},
		"two places":       {"a b c d e f g h i", "X b c d e f g h Y", "-1a +1X  2b  3c  7g  8h -9i +9Y"},
		"nothing":          {"a b", "a b", ""},
		"all":              {"a", "b", "-1a +1b"},
		"the same kept in": {"a b c a", "a c a", " 1a -2b  3c  4a"},
	} {
		var got []string
		for _, l := range difference(lines(c.was), lines(c.is)) {
			got = append(got, l.Mark+string(rune('0'+l.Line))+l.Text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q", name, strings.Join(got, " "))
		}
	}
	long := func(last string) []string { return append(strings.Split(strings.Repeat("x ", 5000), " "), last) }
	if got := difference(append([]string{"a"}, long("b")...), append([]string{"c"}, long("d")...)); len(got) < 10000 || got[0].Mark != "-" {
		t.Errorf("%d", len(got))
	}
}
