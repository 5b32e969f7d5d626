package plugins_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"cau/internal/shellword"
	"cau/plugins"
)

func written(sets [][]plugins.Placed) string {
	var b strings.Builder
	for _, set := range sets {
		b.WriteString("{")
		for _, a := range set {
			b.WriteString("[" + a.Name + "|" + a.Value + "]")
		}
		b.WriteString("}")
	}
	return b.String()
}

func TestArgumentsAreReadAsTheUIAndPowerShellWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                       "{}",
		`Name1=Value1;Name2="Value with Spaces"`: "{[Name1|Value1][Name2|Value with Spaces]}",
		` Name1 = Value1 ; Name2 = "a;b""c" ;`:   `{[Name1|Value1][Name2|a;b"c]}`,
		`HotfixRootFolderPath=\\fs1\my root\;RequireSmbEncryption=true`: `{[HotfixRootFolderPath|\\fs1\my root\][RequireSmbEncryption|true]}`,
		`QueryString=IsInstalled=0 and Type='Software'`:                 "{[QueryString|IsInstalled=0 and Type='Software']}",
		`A=;B=""`: "{[A|][B|]}",
		`@{}`:     "{}",
		`@{ 'HotfixRootFolderPath'='\\fs\it''s'; "DisableAclChecks" = $TRUE }`: `{[HotfixRootFolderPath|\\fs\it's][DisableAclChecks|True]}`,
		"@{Name1=Value1\n  Name2=30;};":                                        "",
		"@{Name1=Value1\n  Name2=30;}\n":                                       "{[Name1|Value1][Name2|30]}",
		"@{A='1'}, @{}, @{B=\"a `\"x`\" `$5 costs $ 5\"}":                      `{[A|1]}{}{[B|a "x" $5 costs $ 5]}`,
		" @( @{A='1'},\n@{B='2'} ) ":                                           "{[A|1]}{[B|2]}",
		"@{Query=\u2018Type=\u2019\u2019Driver\u2019\u2019\u2019}":             "{[Query|Type=\u2019Driver\u2019]}",
	} {
		got, err := plugins.ParseArguments(text)
		if want == "" {
			if err == nil {
				t.Errorf("%s was read as %s", text, written(got))
			}
			continue
		}
		if err != nil || written(got) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", text, written(got), err, want)
		}
	}
}

func TestEveryMistakeInATextOfArgumentsHasItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text         string
		line, column int
		problem      string
	}{
		{"A=1;B", 1, 5, "B: is not of the form Name=Value"},
		{"A=1;=2", 1, 5, "the name is missing"},
		{`A="1`, 1, 3, "A: has a quotation mark that is not closed"},
		{`A="1"2`, 1, 6, "A: goes on behind its closing"},
		{"A=1\n;B=x\"y\"", 2, 5, "B: has a quotation mark within"},
		{"@{A='1'", 1, 1, "is not closed"},
		{"@{A='1' B='2'}", 1, 9, "A: goes on behind its value"},
		{"@{A}", 1, 3, "A: is not of the form"},
		{"@{\n A=}", 2, 4, "A: has no value"},
		{"@{A='1}", 1, 5, "A: has a quote that is not closed"},
		{"@{A=$root}", 1, 5, "A: is a variable"},
		{`@{A="\\fs\$root"}`, 1, 11, "A: holds a variable"},
		{"@{A=\"1`n\"}", 1, 7, "A: has an escape"},
		{"@{A=(Get-Date)}", 1, 5, "outside of quotes"},
		{"@{A='1'} -Force", 1, 10, "behind the last hashtable"},
		{"@{A='1'},", 1, 10, "a hashtable is missing"},
		{"@(@{A='1'}", 1, 11, `a comma or ")" is missing`},
		{"@A='1'", 1, 1, "a hashtable is missing"},
	} {
		_, err := plugins.ParseArguments(c.text)
		var e plugins.ArgumentError
		if !errors.As(err, &e) || e.At != (plugins.Place{Line: c.line, Column: c.column}) || !strings.Contains(e.Error(), c.problem) {
			t.Errorf("%q: %v at %+v, want %s at %d:%d", c.text, err, e.At, c.problem, c.line, c.column)
		}
	}
	if _, err := plugins.ParseArguments(strings.Repeat("A=1;", plugins.MaxArgumentText)); err == nil {
		t.Error("a text without end was taken")
	}
}

func TestProblemsWithPlacedArgumentsHaveTheirPlaces(t *testing.T) {
	t.Parallel()
	sets, err := plugins.ParseArguments(`Colour=red; requiresmbencryption="maybe"; HotfixRootFolderPath=x; hotfixrootfolderpath=y`)
	if err != nil {
		t.Fatal(err)
	}
	_, problems := plugins.ResolvePlaced(specs, sets[0])
	if len(problems) != 3 || problems[0].At.Column != 1 || problems[1].At.Column != 35 || problems[2].At.Column != 67 {
		t.Errorf("%+v", problems)
	}
}

func TestBothDocumentedSpellingsOfRequireSMBEncryptionAreOneArgument(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"RequireSMBEncryption", "RequireSmbEncryption"} {
		sets, err := plugins.ParseArguments("HotfixRootFolderPath=x;" + name + "=True")
		if err != nil {
			t.Fatal(err)
		}
		if args, problems := plugins.ResolvePlaced(specs, sets[0]); len(problems) > 0 || !args.Bool("RequireSMBEncryption") {
			t.Errorf("%s: %v %v", name, args, problems)
		}
	}
}

func TestAnArgumentMayNameItsPlugin(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]string{
		`Root=\\s\a:b`:                         {"", "Root", `\\s\a:b`},
		"Microsoft.HotfixPlugin:Root=x":        {"Microsoft.HotfixPlugin", "Root", "x"},
		"Microsoft.HotfixPlugin (2): Root=a=b": {"Microsoft.HotfixPlugin (2)", "Root", "a=b"},
		":Root=x":                              {"error"},
		"Microsoft.HotfixPlugin:=x":            {"error"},
	} {
		plugin, a, err := plugins.ParsePluginArgument(text)
		if got := [3]string{plugin, a.Name, a.Value}; (err != nil) != (want[0] == "error") || err == nil && got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func TestWhatPowerShellWouldReadIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching("[ -~äß€‘’“”]{0,30}")
		var text []string
		var want strings.Builder
		for range rapid.IntRange(1, 3).Draw(t, "plug-ins") {
			var pairs []string
			want.WriteString("{")
			for range rapid.IntRange(0, 3).Draw(t, "arguments") {
				n, v := rapid.StringMatching("[A-Za-z]{1,8}").Draw(t, "name"), value.Draw(t, "value")
				pairs = append(pairs, shellword.PowerShell(n)+"="+shellword.PowerShell(v))
				want.WriteString("[" + n + "|" + v + "]")
			}
			want.WriteString("}")
			text = append(text, "@{ "+strings.Join(pairs, "; ")+" }")
		}
		got, err := plugins.ParseArguments(strings.Join(text, ", "))
		if err != nil || written(got) != want.String() {
			t.Fatalf("%s\n got %s, %v\nwant %s", strings.Join(text, ", "), written(got), err, want.String())
		}
	})
}

func FuzzParseArguments(f *testing.F) {
	for _, s := range []string{`Name1=Value1;Name2="Value with Spaces"`, "@{A='1'; B=$true}, @{}", "@(@{A=\"`$x\"})", "A", "@{", "\xff=\"", "@{A=‘’’}", "A=\"\"\"\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		sets, err := plugins.ParseArguments(text)
		if err == nil {
			if len(sets) == 0 {
				t.Fatalf("%q is no plug-in's", text)
			}
			return
		}
		var e plugins.ArgumentError
		if !errors.As(err, &e) || len(text) <= plugins.MaxArgumentText && (e.At.Line < 1 || e.At.Column < 1) || strings.ContainsFunc(e.Error(), unicode.IsControl) || len(e.Error()) > 500 {
			t.Fatalf("%q: %v %+v", text, err, e)
		}
	})
}
