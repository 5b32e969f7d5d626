package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/check"
)

func TestThePageAboutTheHotfixRootHasEveryCheckOfIt(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/hotfix-root.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range check.Catalogue() {
		if has := strings.Contains(string(page), "\n| `"+c.ID+"` |"); has != (c.Scope == check.ScopeRoot) {
			t.Errorf("%s: in the page %v", c.ID, has)
		}
	}
}

func TestThePageAboutOptionsHasEveryOptionAndEveryParameter(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/options.md")
	if err != nil {
		t.Fatal(err)
	}
	options, parameters, ok := strings.Cut(string(page), "\n## Parameters of Invoke-CauRun")
	if !ok {
		t.Fatal("the page has no part about parameters")
	}
	for _, s := range engine.OptionSpecs() {
		if star := strings.Contains(options, "`"+s.Name+"` *"); !strings.Contains(options, "`"+s.Name+"`") || star != s.Ours {
			t.Errorf("%s: ours %v, with a star %v, or it is missing", s.Name, s.Ours, star)
		}
	}
	for _, p := range engine.Parameters() {
		_, option := specOf(p.Name)
		if !option && !strings.Contains(parameters, "`"+p.Name+"`") {
			t.Errorf("%s is missing", p.Name)
		}
	}
}

func specOf(name string) (engine.OptionSpec, bool) {
	for _, s := range engine.OptionSpecs() {
		if s.Name == name {
			return s, true
		}
	}
	return engine.OptionSpec{}, false
}

func TestTheSafetyPageHasEveryRuleAndNamesOnlyTestsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/safety.md")
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 33; n++ {
		if row := fmt.Sprintf("\n| R%02d |", n); !strings.Contains(string(page), row) {
			t.Errorf("no row for R%02d", n)
		}
	}
	out, err := exec.CommandContext(t.Context(), "git", "grep", "--untracked", "-hoE", `^func Test[A-Za-z0-9_]+`, "--", "*_test.go").Output()
	if err != nil {
		t.Skip("needs the git checkout to look for tests")
	}
	for _, name := range regexp.MustCompile(`Test[A-Z][A-Za-z0-9_]+`).FindAllString(string(page), -1) {
		if !strings.Contains(string(out), "func "+name+"\n") {
			t.Errorf("docs/safety.md names %s, which does not exist", name)
		}
	}
}
