package hotfixcfg_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cau/hotfixcfg"
)

func places(list []hotfixcfg.Error) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, fmt.Sprintf("%d:%d", e.Line, e.Column))
	}
	return out
}

func TestEveryProblemOfAFileIsToldAndTheFirstIsParses(t *testing.T) {
	text := `<r><ExtensionRules>
<Extension name="MSI"><Template path="a.exe" parametrs="$update$"/><ExitConditions><Success>0 x</Success><Succes>1</Succes></ExitConditions></Extension>
<Extension name="EXE"><ExitConditions/></Extension>
<Extension nam="X"><Template/></Extension>
</ExtensionRules><FolderRules>
<Foldr/><Folder name="F"><Template path="\\a\b"/><ExitConditions Success="0 0"/></Folder></FolderRules></r>`
	cfg, problems := hotfixcfg.Validate([]byte(text))
	want := []string{"2:57", "2:95", "2:106", "3:1", "3:23", "4:17", "6:1", "6:42", "6:77"}
	if cfg != nil || !reflect.DeepEqual(places(problems), want) {
		t.Errorf("%v, want %v: %+v", places(problems), want, problems)
	}
	if _, err := hotfixcfg.Parse([]byte(text)); err == nil || err.Error() != problems[0].Error() {
		t.Errorf("%v", err)
	}
	// A list that could not be read is one problem, not two.
	_, problems = hotfixcfg.Validate([]byte(exe("<ExitConditions><Success>x</Success></ExitConditions>")))
	if len(problems) != 1 || !strings.Contains(problems[0].Msg, `"x" is not an exit code`) {
		t.Errorf("%+v", problems)
	}
}

func TestR33_TheProblemsOfAFileAreBounded(t *testing.T) {
	_, problems := hotfixcfg.Validate([]byte("<r><FolderRules>" + strings.Repeat("<Foldr/>", 5000) + "</FolderRules></r>"))
	if len(problems) != 100 {
		t.Errorf("%d", len(problems))
	}
	// Beyond the bound a rule with a problem is still no rule.
	cfg, problems := hotfixcfg.Validate([]byte("<r><FolderRules>" + strings.Repeat("<Foldr/>", 100) + `<Folder name="F"><Template path="$update$"/><ExitConditions/></Folder></FolderRules></r>`))
	if cfg != nil || len(problems) != 100 {
		t.Errorf("%+v %d", cfg, len(problems))
	}
}

func TestRulesThatDoMoreThanTheySeemToAreRemarkedOn(t *testing.T) {
	rule := func(parameters, exit string) string {
		return `<r><ExtensionRules>` + "\n" + `<Extension name="MSI"><Template path="m.exe" parameters="` + parameters + `"/><ExitConditions ` + exit + `/></Extension></ExtensionRules></r>`
	}
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"1641 without /norestart":    {rule("$update$ /qn", `Success="0" Success_RebootRequired="3010 1641"`), []string{"2:73"}},
		"3018 as a failure":          {rule("$update$ /qn", `Success="0" Fail_RebootRequired="3018"`), []string{"2:73"}},
		"1641 with /norestart":       {rule("$update$ /NoRestart", `Success="0" Success_RebootRequired="1641"`), []string{}},
		"1641 with the property":     {rule("$update$ REBOOT=ReallySuppress", `Success="0" Success_RebootRequired="1641"`), []string{}},
		"no code that restarts":      {rule("$update$", `Success="0" Success_RebootRequired="3010"`), []string{}},
		"alwaysReboot":               {"<r><FolderRules>\n" + `<Folder name="F" alwaysReboot="1"><Template path="$update$"/><ExitConditions Success="0"/></Folder></FolderRules></r>`, []string{"2:1"}},
		"alwaysReboot that is false": {"<r><FolderRules>\n" + `<Folder name="F" alwaysReboot="0"><Template path="$update$"/><ExitConditions Success="0"/></Folder></FolderRules></r>`, []string{}},
	} {
		cfg := parse(t, c.text)
		if got := places(cfg.Remarks); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v %+v", name, got, cfg.Remarks)
		}
	}
}
