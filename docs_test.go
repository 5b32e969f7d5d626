package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

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
