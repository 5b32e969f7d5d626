package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/plugins"
)

// several is asked with four plug-ins, of which one is known and refused.
type several struct{ asked }

func (s *several) Plugins() []plugins.Plugin {
	return []plugins.Plugin{&hotfix{}, quiet{}, refused{}, updates{}}
}

type refused struct{ quiet }

// updates is the default, wherever it stands in the list.
type updates struct{ quiet }

func (updates) Name() string { return plugins.Default }
func (updates) Options() []plugins.OptionSpec {
	return []plugins.OptionSpec{{Name: "QueryString", Kind: plugins.KindText}}
}

func (refused) Name() string        { return "Test.Refused" }
func (refused) Description() string { return "Is known." }
func (refused) Refused() error {
	return &fault.Error{Op: "Test.Refused", Err: errors.New("cau does not do that"), Hint: "Use the other one."}
}

func (hotfix) Description() string { return "Installs hotfixes." }
func (quiet) Description() string  { return "Does nothing." }

// request runs a preview and gives what it asks for: plug-in after plug-in with its arguments.
func request(line ...string) (code int, req, errOut string) {
	s := &several{}
	var out, e bytes.Buffer
	code = Run(context.Background(), s, Streams{In: strings.NewReader(""), Out: &out, Err: &e}, "dev", append([]string{"preview", "--lab", "--json"}, line...))
	if s.req.Plugin == "" {
		return code, "", e.String()
	}
	for _, r := range append([]PluginRequest{{s.req.Plugin, s.req.Arguments}}, s.req.Further...) {
		req += fmt.Sprintf("%s%v ", r.Plugin, r.Arguments)
	}
	return code, strings.TrimSpace(req), e.String()
}

func TestArgumentsGoToThePluginBeforeThemOrToTheOneTheyName(t *testing.T) {
	t.Parallel()
	const h = "Microsoft.HotfixPlugin"
	for _, c := range []struct {
		line []string
		want string
	}{
		{nil, plugins.Default + "[]"},
		{[]string{"--arg", "QueryString=a"}, plugins.Default + "[{QueryString a}]"},
		{[]string{"--arg", "HotfixRootFolderPath=a", "--plugin", "microsoft.hotfixplugin"}, h + "[{HotfixRootFolderPath a}]"},
		{[]string{"--plugin", h, "--arg", "HotfixRootFolderPath=a", "--plugin", "test.plugin", "--plugin", h, "--arg", "HotfixRootFolderPath=b"}, h + "[{HotfixRootFolderPath a}] Test.Plugin[] " + h + "[{HotfixRootFolderPath b}]"},
		{[]string{"--plugin", "Test.Plugin", "--plugin", h, "--plugin", h, "--arg", h + " (2):HotfixRootFolderPath=b", "--arg", h + ":HotfixRootFolderPath=a"}, "Test.Plugin[] " + h + "[{HotfixRootFolderPath a}] " + h + "[{HotfixRootFolderPath b}]"},
		{[]string{"--plugin", h, "--args", `HotfixRootFolderPath="a b";RequireSMBEncryption=True`}, h + "[{HotfixRootFolderPath a b} {RequireSMBEncryption True}]"},
		{[]string{"--plugin", h, "--plugin", "Test.Plugin", "--plugin", h, "--arg", h + ":RequireSMBEncryption=True", "--arg", "RequireSMBEncryption=False"}, h + "[{RequireSMBEncryption True}] Test.Plugin[] " + h + "[{RequireSMBEncryption False}]"},
		{[]string{"--args", `@{HotfixRootFolderPath='a'}, @{}`, "--plugin", h, "--plugin", "Test.Plugin"}, h + "[{HotfixRootFolderPath a}] Test.Plugin[]"},
	} {
		if code, req, errOut := request(c.line...); code != ExitOK || req != c.want {
			t.Errorf("%q\n got %d %s %s\nwant %s", c.line, code, req, errOut, c.want)
		}
	}
}

func TestWhatIsNoPluginsArgumentIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line []string
		says string
	}{
		{[]string{"--plugin", "Fabrikam"}, "Test.Plugin"},
		{[]string{"--plugin", "test.refused"}, "Use the other one."},
		{[]string{"--plugin", "Test.Plugin", "--arg", "Colour=red"}, "Colour: is not an argument"},
		{[]string{"--plugin", "Test.Plugin", "--arg", "Microsoft.HotfixPlugin:HotfixRootFolderPath=x"}, "Asked for are Test.Plugin; --plugin asks"},
		{[]string{"--arg", "HotfixRootFolderPath=x"}, "Microsoft.HotfixPlugin takes it: add --plugin Microsoft.HotfixPlugin. It takes QueryString."},
		{[]string{"--args", "@{HotfixRootFolderPath='x'}"}, "add --plugin Microsoft.HotfixPlugin."},
		{[]string{"--plugin", "Microsoft.HotfixPlugin", "--plugin", "Test.Plugin", "--arg", "HotfixRootFolderPath=x"}, "HotfixRootFolderPath: is not an argument"},
		{[]string{"--arg", "HotfixRootFolderPath"}, "is not of the form"},
		{[]string{"--plugin", "Microsoft.HotfixPlugin", "--arg", "HotfixRootFolderPath=a?b"}, "has a question mark"},
		{[]string{"--args", "@{HotfixRootFolderPath='x'}, @{}"}, "2 sets of arguments for 1 plug-ins"},
		{[]string{"--args", `HotfixRootFolderPath="x`}, "^"},
		{[]string{"--plugin", "Microsoft.HotfixPlugin", "--args", "HotfixRootFolderPath=x", "--arg", "hotfixrootfolderpath=y"}, "is given twice"},
	} {
		if code, req, errOut := request(c.line...); code != ExitUsage || req != "" || !strings.Contains(errOut, c.says) {
			t.Errorf("%q: %d %s %s, want %s", c.line, code, req, errOut, c.says)
		}
	}
}

func TestPluginsAreListedAndShownWithTheirArgumentsAndWhyOneIsRefused(t *testing.T) {
	t.Parallel()
	run := func(line ...string) (int, string, string) {
		var out, e bytes.Buffer
		code := Run(context.Background(), &several{}, Streams{In: strings.NewReader(""), Out: &out, Err: &e}, "dev", append([]string{"plugin"}, line...))
		return code, out.String(), e.String()
	}
	if code, out, _ := run("list"); code != ExitOK || !strings.Contains(out, "Microsoft.HotfixPlugin") || !strings.Contains(out, "Test.Refused") {
		t.Errorf("%d %s", code, out)
	}
	code, out, _ := run("list", "--json")
	var list []pluginEntry
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != ExitOK || len(list) != 4 || list[2].Refused != "cau does not do that" || len(list[0].Arguments) != 3 || !list[0].Builtin {
		t.Errorf("%d %s %v", code, out, err)
	}
	if code, out, _ := run("show", "microsoft.hotfixplugin"); code != ExitOK || !strings.Contains(out, "HotfixRootFolderPath  [path, required]") || !strings.Contains(out, "[bool, default False]") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := run("show", "Test.Refused"); code != ExitOK || !strings.Contains(out, "cau does not do that") || !strings.Contains(out, "Use the other one.") {
		t.Errorf("%d %s", code, out)
	}
	for want, line := range map[string][]string{"cau plugin list": {"show"}, "Fabrikam": {"show", "Fabrikam"}} {
		if code, _, errOut := run(line...); code != ExitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%v: %d %s", line, code, errOut)
		}
	}
}

func TestAPlanWithoutFilesIsShownByWhatPinsItsUpdates(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{services: &shown{}, streams: Streams{Out: &out, Err: &out}}
	o := engine.DefaultOptions()
	p.printPlan(&engine.Plan{Plugin: "Microsoft.WindowsUpdatePlugin", Source: "Windows Update", Options: o, Nodes: []engine.NodePlan{{
		Name: "NODE1", Remarks: []string{"Updates come from \x1b[2Jhere."},
		Updates: []plugins.Update{{Name: "A title", Rule: "Updates", Identity: "UpdateID 1 revision 2"}},
	}}})
	s := out.String()
	if !strings.Contains(s, "A title  [Updates]\n       UpdateID 1 revision 2\n") || !strings.Contains(s, "Updates come from") || strings.Contains(s, "\x1b") || strings.Contains(s, "sha256") || strings.Contains(s, "signature") {
		t.Errorf("%s", s)
	}
}

type shown struct{ Services }

func (shown) CommandLines(*engine.Plan) (cau, invoke string) { return "cau", "Invoke-CauRun" }
