package model

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestEachScenarioFileIsWhatItsNameAndDescriptionSay(t *testing.T) {
	t.Parallel()
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Scenarios()
	if err != nil || !slices.IsSortedFunc(all, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("not by name: %v", err)
	}
	effects := effects()
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".json")
		s, err := FindScenario(name)
		if err != nil {
			t.Errorf("%s: %v", e.Name(), err)
			continue
		}
		if sentences := strings.Count(s.Description, ". ") + 1; sentences > 2 || !strings.HasSuffix(s.Description, ".") {
			t.Errorf("%s: %d sentences: %s", name, sentences, s.Description)
		}
		effect, ok := effects[name]
		if !ok {
			t.Errorf("%s has no test", name)
			continue
		}
		delete(effects, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := &shelf{files: map[string]string{"a.msu": "a", "b.msu": "b", "c.msu": "c"}}
			effect(t, &rehearsal{bench: newBench(t, Config{Scenario: s, Shares: files}), shelf: files})
		})
	}
	for name := range effects {
		t.Errorf("there is no scenario %s", name)
	}
}

func TestAScenarioWithAWordThatNobodyKnowsIsAnError(t *testing.T) {
	for _, fields := range []string{
		`"stuck":["NODE1"]`, `"winrm":[{"node":"NODE1","on":"Eat","kind":"reset"}]`, `"winrm":[{"on":"any","kind":"reset"}]`,
		`"winrm":[{"node":"NODE1","on":"any","kind":"reset","trigger":"noon"}]`, `"planted":[{"node":"NODE1","path":"jobs","kind":"odd"}]`,
		`"planted":[{"node":"NODE1","path":"tasks","kind":"reparse"}]`, `"ticket_seconds":-1`, `"cau_providers":[{"node":"NODE1","kind":"odd"}]`, `"updates":[{"id":"x"}]`,
		`"updates":[{"id":"b2e4d1cf-0001-4d52-8c11-000000000001","revision":1,"title":"t","fails":"bad"}]`,
		`"file_server":{"hidden":true}`, `"file_server":{"no_read_control":true,"withhold_permissions":true}`,
		`"file_server":{"newest_dialect":"3.1.1"}`, `"file_server":{"newest_dialect":"3.0","encrypt":true}`,
		`"file_server":{"permissions":[{"path":"Root","sddl":"D:(A;;FA;;;DA)"}]}`, `"file_server":{"permissions":[{"path":"","sddl":"D:(A;;FA;;;BA)"}]}`,
		`"file_server":{"permissions":[{"path":"Root/x","sddl":"O:BA"}]}`, `"file_server":{"permissions":[{"path":"\\Root","sddl":"O:BA"}]}`,
		`"file_server":{"permissions":[{"path":"Root","sddl":"O:BA"},{"path":"ROOT","sddl":"O:BA"}]}`,
		`"clock_jumps":[{"node":"NODE1","minutes":1,"after_restart":true,"after_seconds":1}]`,
	} {
		if _, err := ParseScenario([]byte(`{"name":"x","description":"y.",` + fields + `}`)); err == nil {
			t.Errorf("%s is taken", fields)
		}
	}
	if _, err := ParseScenario([]byte(`{"name":"x"}`)); err == nil {
		t.Error("a scenario without a description")
	}
	if _, err := FindScenario("no-such"); err == nil {
		t.Error("an unknown scenario is taken")
	}
}

func FuzzParseScenario(f *testing.F) {
	f.Add([]byte(`{"name":"x","description":"y","winrm":[{"node":"NODE1","on":"any","kind":"reset"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario(text)
		if err != nil {
			return
		}
		if again, err := json.Marshal(s); err != nil || len(again) == 0 || s.Name == "" {
			t.Errorf("%+v %v", s, err)
		}
	})
}
