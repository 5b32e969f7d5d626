package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"cau/plugins"
)

func TestAQueryIsShownInBothFormsOrItsMistakeWithACaretUnderIt(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "isinstalled = 0 and Type='software'")
	if code != ExitOK || !strings.Contains(out, "IsInstalled=0 and Type='Software'\n") || !strings.Contains(out, "Type=''Software''") || errOut != "" {
		t.Errorf("%d %s%s", code, out, errOut)
	}
	code, out, errOut = do(&fake{}, "plugin", "query", "IsInstalled=0 and Colour='red'")
	caret := "  IsInstalled=0 and Colour='red'\n" + strings.Repeat(" ", 2+18) + "^\n"
	if code != ExitUsage || out != "" || !strings.Contains(errOut, "column 19") || !strings.Contains(errOut, caret) || !strings.Contains(errOut, "Allowed there: ") {
		t.Errorf("%d %s%s", code, out, errOut)
	}
}

func TestAQuerysMistakeIsJSONWithItsColumn(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "IsInstalled=7", "--json")
	var got queryAnswer
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err, out)
	}
	if code != ExitUsage || errOut != "" || got.Query != "" || got.Error == nil || got.Error.Column != 13 || got.Error.Allowed == "" {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	code, out, _ = do(&fake{}, "plugin", "query", "Type=''Driver''", "--json")
	if code != ExitOK || out != `{"query":"Type='Driver'","self_updating":"Type=''Driver''","doubled":true}`+"\n" {
		t.Errorf("%d %s", code, out)
	}
}

func TestR33_AHostileQueryReachesTheTerminalWithoutItsControlCharacters(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "query", "Type='\x1b[2J\u202e"+strings.Repeat("x", 5000))
	if code != ExitUsage || strings.ContainsAny(out+errOut, "\x1b\u202e") || len(errOut) > 1000 {
		t.Errorf("%d %q %q", code, out, errOut)
	}
}

func TestOneQueryIsExpected(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{{"plugin", "query"}, {"plugin", "query", "IsHidden=0", "and", "IsInstalled=0"}} {
		if code, _, errOut := do(&fake{}, line...); code != ExitUsage || !strings.Contains(errOut, "in quotes") {
			t.Errorf("%v: %d %s", line, code, errOut)
		}
	}
}

func (f *fake) Plugins() []plugins.Plugin { return []plugins.Plugin{&hotfix{}} }

// hotfix is a plug-in by what it says of itself.
type hotfix struct{ plugins.Plugin }

func (hotfix) Name() string { return "Microsoft.HotfixPlugin" }

func (hotfix) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{
		{Name: "HotfixRootFolderPath", Kind: plugins.KindPath, Required: true, Help: "Where the hotfixes are."},
		{Name: "RequireSMBEncryption", Kind: plugins.KindBool, Default: "False"},
		{Name: "Token", Kind: plugins.KindSecret},
	}
}

func (hotfix) Validate(args plugins.Arguments) []plugins.ArgumentError {
	if i := strings.IndexByte(args["HotfixRootFolderPath"], '?'); i >= 0 {
		return []plugins.ArgumentError{{Name: "HotfixRootFolderPath", Problem: "has a question mark", Inside: i + 1}}
	}
	return nil
}

func TestArgumentsAreShownAsThePluginGetsThemWithoutSecrets(t *testing.T) {
	t.Parallel()
	code, out, errOut := do(&fake{}, "plugin", "args", "microsoft.hotfixplugin", `hotfixrootfolderpath="\\fs1\a b";Token=hush`)
	if code != ExitOK || !strings.Contains(out, "HotfixRootFolderPath = \\\\fs1\\a b\n") || !strings.Contains(out, "RequireSMBEncryption = False") || strings.Contains(out+errOut, "hush") {
		t.Errorf("%d %s%s", code, out, errOut)
	}
	code, out, _ = do(&fake{}, "plugin", "args", "Microsoft.HotfixPlugin", `@{HotfixRootFolderPath='\\fs1\r'; Token='hush'}`, "--json")
	if code != ExitOK || out != `{"plugin":"Microsoft.HotfixPlugin","arguments":{"HotfixRootFolderPath":"\\\\fs1\\r","RequireSMBEncryption":"False"}}`+"\n" {
		t.Errorf("%d %s", code, out)
	}
}

func TestEveryProblemWithArgumentsHasItsColumnAndACaret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		column  int
		problem string
	}{
		{`Colour=red;HotfixRootFolderPath=x`, 1, "Colour: is not an argument"},
		{`HotfixRootFolderPath=x;RequireSMBEncryption="maybe"`, 46, "write True or False"},
		{`HotfixRootFolderPath=x;HOTFIXROOTFOLDERPATH=y`, 24, "is given twice"},
		{`HotfixRootFolderPath="ab?c"`, 25, "has a question mark"},
		{`HotfixRootFolderPath="ab`, 22, "not closed"},
		{`RequireSMBEncryption=True`, 0, "HotfixRootFolderPath: is missing"},
	} {
		code, out, errOut := do(&fake{}, "plugin", "args", "Microsoft.HotfixPlugin", c.text)
		caret := "  " + c.text + "\n  " + strings.Repeat(" ", max(0, c.column-1)) + "^\n"
		if code != ExitUsage || out != "" || !strings.Contains(errOut, c.problem) || (c.column > 0) != strings.Contains(errOut, caret) {
			t.Errorf("%s: %d %s%s", c.text, code, out, errOut)
		}
		code, out, errOut = do(&fake{}, "plugin", "args", "Microsoft.HotfixPlugin", c.text, "--json")
		var got argumentsAnswer
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatal(err, out)
		}
		if code != ExitUsage || errOut != "" || len(got.Errors) != 1 || got.Errors[0].Column != c.column || got.Arguments != nil {
			t.Errorf("%s: %d %s%s", c.text, code, out, errOut)
		}
	}
}

func TestArgumentsOfSeveralPluginsOrOfNoneAreAMistake(t *testing.T) {
	t.Parallel()
	for want, line := range map[string][]string{
		"here are 2":     {"Microsoft.HotfixPlugin", "@{HotfixRootFolderPath='x'}, @{}"},
		"Fabrikam":       {"Fabrikam", "A=1"},
		"one text":       {"Microsoft.HotfixPlugin"},
		"HotfixRootFold": {"Microsoft.HotfixPlugin", ""},
	} {
		if code, _, errOut := do(&fake{}, append([]string{"plugin", "args"}, line...)...); code != ExitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: %d %s", line, code, errOut)
		}
	}
}
