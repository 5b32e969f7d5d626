package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cau/engine"
	"cau/plugins"
)

// asked keeps the request of a preview and answers with a plan of it.
type asked struct {
	fake
	req Request
}

func (a *asked) Plugins() []plugins.Plugin { return []plugins.Plugin{quiet{}} }

func (a *asked) Preview(_ context.Context, req Request, _ func(string)) (*engine.Plan, error) {
	a.req = req
	return &engine.Plan{Run: "0123abcd", Lab: "x", Plugin: req.Plugin, Options: req.Options}, nil
}

// quiet is a plug-in without options.
type quiet struct{ plugins.Plugin }

func (quiet) Name() string                  { return "Test.Plugin" }
func (quiet) Options() []plugins.OptionSpec { return nil }

func (quiet) Validate(plugins.Arguments) []plugins.ArgumentError { return nil }

func preview(t interface{ Fatalf(string, ...any) }, flags ...string) (engine.Options, string) {
	a := &asked{}
	var out, errOut bytes.Buffer
	line := append([]string{"preview", "--lab", "--plugin", "Test.Plugin", "--json"}, flags...)
	if code := Run(context.Background(), a, Streams{In: strings.NewReader(""), Out: &out, Err: &errOut}, "dev", line); code != ExitOK {
		t.Fatalf("cau %q: exit %d: %s", line, code, errOut.String())
	}
	return a.req.Options, errOut.String()
}

func TestAParameterOfInvokeCauRunThatIsRefusedTouchesNothingAndSaysWhatToUse(t *testing.T) {
	for _, p := range engine.Parameters() {
		if p.Standing != engine.Refused {
			continue
		}
		a := &asked{}
		var out, errOut bytes.Buffer
		flag := "--" + engine.FlagName(p.Name) + "=x"
		if p.Switch {
			flag = strings.TrimSuffix(flag, "=x")
		}
		code := Run(context.Background(), a, Streams{In: strings.NewReader(""), Out: &out, Err: &errOut}, "dev", []string{"apply", "--lab", "--plugin", "Test.Plugin", "--yes", flag})
		said := strings.Join(strings.Fields(errOut.String()), " ")
		if code != ExitUsage || a.req.Plugin != "" || !strings.Contains(said, p.Name) || !strings.Contains(said, strings.TrimSuffix(p.Instead, ".")) {
			t.Errorf("%s: exit %d: %s", flag, code, said)
		}
	}
	for _, mode := range []string{"SoftReboot", "PluginCustomReboot", "ClusProp"} {
		code, _, errOut := do(&fake{}, "apply", "--lab", "--yes", "--reboot-mode", mode)
		if code != ExitUsage || !strings.Contains(errOut, mode) || !strings.Contains(errOut, "FullReboot") {
			t.Errorf("%s: exit %d: %s", mode, code, errOut)
		}
	}
}

func TestAParameterThatIsNotNeededIsTakenAndSaidSo(t *testing.T) {
	o, said := preview(t, "--enable-firewall-rules")
	if d := cmp.Diff(engine.DefaultOptions(), o); d != "" || !strings.Contains(said, "EnableFirewallRules is accepted and not needed here") {
		t.Errorf("%s\n%s", said, d)
	}
}

func TestAnOptionThatMeansNothingWithTheOthersIsRefused(t *testing.T) {
	for flag, value := range map[string]string{"--gate-status": "204", "--outage": "LAB-FC1", "--script-as": "caller", "--script-timeout-minutes": "5"} {
		code, _, errOut := do(&fake{}, "preview", "--lab", flag, value)
		if code != ExitUsage || !strings.Contains(errOut, flag) {
			t.Errorf("%s: exit %d: %s", flag, code, errOut)
		}
	}
}

// What the equivalent command line says is read back as the same options.
func TestTheCommandLineOfAPlanReadsBackAsItsOptions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := engine.DefaultOptions()
		for _, s := range engine.OptionSpecs() {
			if rapid.IntRange(0, 6).Draw(t, "leave "+s.Name) > 0 {
				continue
			}
			var value string
			switch s.Kind {
			case engine.OptionNumber:
				value = rapid.SampledFrom([]string{"1", "2", "30"}).Draw(t, s.Name)
			case engine.OptionSwitch:
				value = rapid.SampledFrom([]string{"True", "False"}).Draw(t, s.Name)
			case engine.OptionSpan:
				value = rapid.SampledFrom([]string{"", "00:10:00"}).Draw(t, s.Name)
			case engine.OptionWord:
				value = rapid.SampledFrom(s.Words).Draw(t, s.Name)
			case engine.OptionNames:
				value = rapid.SampledFrom([]string{"", "NODE1", "NODE2,NODE1"}).Draw(t, s.Name)
			case engine.OptionText:
				continue
			}
			if err := s.Set(&o, value); err != nil {
				t.Fatalf("%s %v", s.Name, err)
			}
		}
		o.GateStatus = 200
		if len(o.Validate(nil)) > 0 {
			t.Skip("not together")
		}
		line, _ := engine.CommandLines(&engine.Plan{Lab: "x", Plugin: "Test.Plugin", Options: o})
		words := strings.Fields(strings.TrimSuffix(line, " --yes"))
		got, _ := preview(t, words[5:]...)
		o.ScriptAs, o.ScriptTimeoutMinutes = got.ScriptAs, got.ScriptTimeoutMinutes // without a script they are not written
		if d := cmp.Diff(o, got); d != "" {
			t.Fatalf("%s\n%s", line, d)
		}
	})
}
