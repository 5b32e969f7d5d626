package cli

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cau/plugins"
)

// trusting is a fake with one executable to trust.
type trusting struct {
	fake
	registered []RegisteredPlugin
}

func (*trusting) PluginInspect(_ context.Context, path string) (RegisteredPlugin, error) {
	return RegisteredPlugin{Name: "A.B", Version: "1", Path: path, SHA256: "abc123", Owner: "root (0)", Mode: "-rwxr-xr-x", Capabilities: []string{"script:install"}}, nil
}

func (f *trusting) PluginRegister(_ context.Context, shown RegisteredPlugin) error {
	f.registered = append(f.registered, shown)
	return nil
}

func (*fake) PluginsRegistered(context.Context) ([]RegisteredPlugin, error) { return nil, nil }

// tested is a fake whose conformance suite ends so.
type tested struct {
	fake
	passed bool
}

func (f *tested) PluginTest(context.Context, string, []plugins.Argument) ([]PluginCase, error) {
	return []PluginCase{{Name: "describe", Passed: true, Saw: "fine"}, {Name: "install", Passed: f.passed, Saw: "x"}}, nil
}

func doWith(s Services, args ...string) (code int, out, errOut string) {
	var o, e strings.Builder
	code = Run(context.Background(), s, Streams{In: strings.NewReader(""), Out: &o, Err: &e}, "test", args)
	return code, o.String(), e.String()
}

func TestR31_RegisteringShowsWhatIsTrustedAndAsks(t *testing.T) {
	t.Parallel()
	f := &trusting{}
	if code, _, errOut := doWith(f, "plugin", "register", "/opt/p"); code != ExitUsage || len(f.registered) > 0 || !strings.Contains(errOut, "--yes") {
		t.Errorf("without a terminal and without --yes: %d %s", code, errOut)
	}
	code, out, errOut := doWith(f, "plugin", "register", "/opt/p", "--yes")
	if code != ExitOK || len(f.registered) != 1 {
		t.Fatalf("%d %s", code, errOut)
	}
	for _, want := range []string{"A.B 1", "/opt/p  sha256 abc123", "owner root (0), permissions -rwxr-xr-x", "may script:install", "script:install: run PowerShell scripts as SYSTEM, while the node is out of service", "decision of trust"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not shown: %s", want, out)
		}
	}
}

func TestR31_OnlyTheWordYesTrusts(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]int{"yes\n": 1, "YES\r\n": 1, "y\n": 0, "\n": 0, "": 0, "no\n": 0} {
		f := &trusting{}
		var out, errOut strings.Builder
		code := Run(t.Context(), f, Streams{In: strings.NewReader(said), Out: &out, Err: &errOut, Dumb: true}, "test", []string{"plugin", "register", "/opt/p"})
		if len(f.registered) != want || (code == ExitOK) != (want == 1) {
			t.Errorf("%q: %d, %d registered\n%s", said, code, len(f.registered), errOut.String())
		}
		if !strings.Contains(errOut.String(), "Type yes to trust A.B") {
			t.Errorf("%q: it did not ask: %s", said, errOut.String())
		}
	}
}

func TestAFailedCaseOfTheConformanceSuiteIsExitCode1(t *testing.T) {
	t.Parallel()
	for passed, want := range map[bool]int{true: ExitOK, false: ExitFailed} {
		f := &tested{passed: passed}
		code, out, errOut := doWith(f, "plugin", "test", "/opt/p")
		if code != want || !strings.Contains(out, "describe: fine") {
			t.Errorf("%v: %d %s%s", passed, code, out, errOut)
		}
	}
}

// checking is a plug-in that is asked about its arguments.
type checking struct {
	quiet
	fails error
}

func (checking) Name() string { return "Example.Checking" }
func (checking) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{{Name: "Text", Kind: plugins.KindText, Default: "fine"}}
}

func (c checking) Check(_ context.Context, args plugins.Arguments) ([]plugins.ArgumentError, error) {
	if args["Text"] != "fine" {
		return []plugins.ArgumentError{{Name: "Text", Problem: "is not to my liking", Hint: "Write fine."}}, nil
	}
	return nil, c.fails
}

// choosing offers it, and remembers what it was asked to preview.
type choosing struct {
	asked
	checking checking
}

func (c *choosing) Plugins() []plugins.Plugin { return []plugins.Plugin{c.checking} }

func TestAPluginIsAskedAboutItsArgumentsBeforeANodeIsContacted(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"preview"}, {"apply", "--yes"}} {
		c := &choosing{}
		line := append(append([]string{}, command...), "--lab", "--json", "--plugin", "example.checking")
		if code, _, errOut := doWith(c, append(line, "--arg", "Text=odd")...); code != ExitUsage || c.req.Plugin != "" || !strings.Contains(errOut, "Text: is not to my liking") || !strings.Contains(errOut, "Write fine.") {
			t.Errorf("%v: %d %s, previewed %+v", command, code, errOut, c.req)
		}
		c.checking.fails = errors.New("it crashed")
		if code, _, errOut := doWith(c, line...); code != ExitFailed || c.req.Plugin != "" || !strings.Contains(errOut, "it crashed") {
			t.Errorf("%v: %d %s, previewed %+v", command, code, errOut, c.req)
		}
	}
	c := &choosing{}
	code, out, errOut := doWith(c, "plugin", "args", "Example.Checking", "Text=odd")
	if code != ExitUsage || out != "" || !strings.Contains(errOut, "column 6: Text: is not to my liking\n  Text=odd\n       ^") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	if code, out, _ = doWith(c, "plugin", "args", "Example.Checking", "Text=fine"); code != ExitOK || out != "Text = fine\n" {
		t.Errorf("%d %s", code, out)
	}
	c.checking.fails = errors.New("it crashed")
	if code, out, errOut = doWith(c, "plugin", "args", "Example.Checking", "", "--json"); code != ExitFailed || out != "" || !strings.Contains(errOut, "it crashed") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
}
