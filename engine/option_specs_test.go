package engine_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cau/engine"
)

func TestEveryFieldOfOptionsHasOneSpecAndEveryObeyedParameterToo(t *testing.T) {
	t.Parallel()
	fields := map[string]bool{}
	for f := range reflect.TypeFor[engine.Options]().Fields() {
		fields[f.Name] = true
	}
	seen := map[string]bool{}
	for _, s := range engine.OptionSpecs() {
		if seen[s.Name] || !fields[s.Name] {
			t.Errorf("%s is there twice, or no field", s.Name)
		}
		seen[s.Name] = true
		p, caus := engine.FindParameter(s.Name)
		if caus == s.Ours || (caus && p.Standing != engine.Obeyed) {
			t.Errorf("%s: ours %v, a parameter of Invoke-CauRun %v %q", s.Name, s.Ours, caus, p.Standing)
		}
	}
	for name := range fields {
		if !seen[name] {
			t.Errorf("%s has no spec", name)
		}
	}
	for _, p := range engine.Parameters() {
		if p.Standing == engine.Obeyed && p.As == "" && !seen[p.Name] {
			t.Errorf("%s is called obeyed and is no option", p.Name)
		}
	}
}

// drawText is what a user could type into the option.
func drawText(t *rapid.T, s engine.OptionSpec) string {
	switch s.Kind {
	case engine.OptionNumber:
		return rapid.SampledFrom([]string{"0", "1", "7", "200"}).Draw(t, s.Name)
	case engine.OptionSwitch:
		return rapid.SampledFrom([]string{"True", "False"}).Draw(t, s.Name)
	case engine.OptionSpan:
		return rapid.SampledFrom([]string{"", "00:10:00", "1.00:00:00"}).Draw(t, s.Name)
	case engine.OptionWord:
		return rapid.SampledFrom(s.Words).Draw(t, s.Name)
	case engine.OptionNames:
		return rapid.SampledFrom([]string{"", "NODE1", "NODE2,NODE1", "Site of Lund,X"}).Draw(t, s.Name)
	case engine.OptionText:
	}
	return rapid.SampledFrom([]string{"", "a b", "it's.ps1"}).Draw(t, s.Name)
}

func TestWhatAnOptionSaysReadsBackAsTheSameOption(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o, again := engine.DefaultOptions(), engine.DefaultOptions()
		for _, s := range engine.OptionSpecs() {
			if err := s.Set(&o, drawText(t, s)); err != nil {
				t.Fatalf("%s %v", s.Name, err)
			}
		}
		for _, s := range engine.OptionSpecs() {
			if err := s.Set(&again, s.Value(o)); err != nil {
				t.Fatalf("%s %v", s.Name, err)
			}
		}
		if d := cmp.Diff(o, again); d != "" {
			t.Fatal(d)
		}
	})
}

func TestAnOptionSaysWhatIsWrongWithItsWriting(t *testing.T) {
	t.Parallel()
	o := engine.DefaultOptions()
	for _, s := range engine.OptionSpecs() {
		wrong := map[engine.OptionKind]string{engine.OptionNumber: "soon", engine.OptionSwitch: "maybe", engine.OptionSpan: "a while"}[s.Kind]
		if err := s.Set(&o, wrong); (err != nil) != (wrong != "") {
			t.Errorf("%s %q: %v", s.Name, wrong, err)
		}
		if strings.ToLower(s.Flag()) != s.Flag() || strings.HasPrefix(s.Flag(), "-") {
			t.Errorf("%s is written as --%s", s.Name, s.Flag())
		}
	}
}
