package plugins_test

import (
	"strings"
	"testing"

	"cau/plugins"
)

var specs = []plugins.OptionSpec{
	{Name: "HotfixRootFolderPath", Kind: plugins.KindPath, Required: true, Help: "Where the hotfixes are."},
	{Name: "RequireSMBEncryption", Aliases: []string{"RequireSmbEncryption2"}, Kind: plugins.KindBool, Default: "False"},
	{Name: "HotfixInstallerTimeoutMinutes", Kind: plugins.KindMinutes, Default: "30", Min: 1, Max: 1440},
}

func TestArgumentsMatchWithoutRegardToCaseAndDefaultsAreFilledIn(t *testing.T) {
	got, problems := plugins.Resolve(specs, []plugins.Argument{{"hotfixrootfolderpath", `\\s\a=b\r`}, {"REQUIRESMBENCRYPTION", "true"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got["HotfixRootFolderPath"] != `\\s\a=b\r` || !got.Bool("RequireSMBEncryption") || got.Int("HotfixInstallerTimeoutMinutes") != 30 {
		t.Errorf("%v", got)
	}
}

func TestEveryProblemWithArgumentsIsNamed(t *testing.T) {
	for _, c := range []struct {
		given []plugins.Argument
		want  string
	}{
		{nil, "HotfixRootFolderPath: is missing"},
		{[]plugins.Argument{{"HotfixRootFolderPath", " "}}, "HotfixRootFolderPath: is empty"},
		{[]plugins.Argument{{"HotfixRootFolderPath", "x"}, {"hotfixRootfolderpath", "y"}}, "HotfixRootFolderPath: is given twice"},
		{[]plugins.Argument{{"HotfixRootFolderPath", "x"}, {"Colour", "red"}}, "Colour: is not an argument"},
		{[]plugins.Argument{{"HotfixRootFolderPath", "x"}, {"RequireSMBEncryption", "yes"}}, "write True or False"},
		{[]plugins.Argument{{"HotfixRootFolderPath", "x"}, {"HotfixInstallerTimeoutMinutes", "0"}}, "from 1 to 1440"},
		{[]plugins.Argument{{"HotfixRootFolderPath", "x\x1b[2J"}}, "control character"},
	} {
		_, problems := plugins.Resolve(specs, c.given)
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.given, problems, c.want)
		}
	}
}

func TestAnArgumentIsNameEqualsValue(t *testing.T) {
	for _, bad := range []string{"", "x", "=x", "  =x"} {
		if _, err := plugins.ParseArgument(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	a, err := plugins.ParseArgument(`QueryString=IsInstalled=0`)
	if err != nil || a.Name != "QueryString" || a.Value != "IsInstalled=0" {
		t.Errorf("%+v %v", a, err)
	}
}
