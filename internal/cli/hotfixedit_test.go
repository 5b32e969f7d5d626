package cli

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// edits answers one change, and keeps what was asked for.
type edits struct {
	fake
	change ConfigChange
	asked  []ConfigEditRequest
	shown  ConfigPlace
	agreed bool
}

func (e *edits) ConfigEdit(_ context.Context, req ConfigEditRequest, _ func(string), agree func(ConfigChange) bool) (ConfigChange, error) {
	e.asked = append(e.asked, req)
	c := e.change
	if c.Change != "none" && len(c.Problems) == 0 {
		e.agreed = agree(c)
		c.Written = e.agreed
	}
	return c, nil
}

func (e *edits) ConfigShow(_ context.Context, place ConfigPlace, _ func(string)) (ConfigReport, error) {
	e.shown = place
	return ConfigReport{File: "a.xml", Valid: true, Folders: 1, Shown: []ConfigRule{{Folder: true, Name: "F\x1b", Path: "$update$", AlwaysReboot: true, Exit: []ConfigExit{{"Success", "0"}}}}}, nil
}

func (e *edits) do(in string, dumb bool, args ...string) (code int, out, errOut string) {
	var o, eo strings.Builder
	code = Run(context.Background(), e, Streams{In: strings.NewReader(in), Out: &o, Err: &eo, Dumb: dumb}, "dev", append([]string{"hotfix", "config"}, args...))
	return code, o.String(), eo.String()
}

func oneChange() ConfigChange {
	return ConfigChange{
		File: "/r/a.xml", Change: "changed", Before: "aa", After: "bb", Problems: []ConfigNote{}, Warnings: []ConfigNote{{7, 2, "look"}},
		Lines: []ConfigLine{{" ", 6, "<a>"}, {"-", 7, "\t<b\x1b/>"}, {"+", 7, "\t<c/>"}},
	}
}

func TestAChangeIsShownAndOnlyTheWordYesWritesIt(t *testing.T) {
	for said, written := range map[string]bool{"yes\n": true, "YES\r\n": true, "y\n": false, "\n": false, "": false} {
		e := &edits{change: oneChange()}
		code, out, errOut := e.do(said, true, "set", "/r", "--folder", "F", "--parameters", "/s")
		want := "/r/a.xml\n     6  <a>\n-    7    <b\ufffd/>\n+    7    <c/>\nwarning: 7:2: look\n"
		if !strings.HasPrefix(out, want) || e.agreed != written || !strings.Contains(errOut, "Type yes to write /r/a.xml:") {
			t.Errorf("%q: %q %q", said, out, errOut)
		}
		if written != (code == ExitOK) || written != strings.Contains(out, "Wrote /r/a.xml.\n  sha256 bb\n") || !written && (code != ExitCanceled || !strings.Contains(errOut, "Nothing was written.")) {
			t.Errorf("%q: %d %q %q", said, code, out, errOut)
		}
	}
	e := &edits{change: oneChange()}
	code, out, errOut := e.do("", false, "remove", "/r", "--extension", "exe", "--yes", "--json")
	var c ConfigChange
	if err := json.Unmarshal([]byte(out), &c); err != nil || code != ExitOK || !c.Written || len(c.Lines) != 3 || errOut != "" || !reflect.DeepEqual(e.asked, []ConfigEditRequest{{ConfigPlace: e.asked[0].ConfigPlace, Name: "exe", Remove: true}}) {
		t.Errorf("%d %v %s %s", code, err, out, errOut)
	}
	e = &edits{change: ConfigChange{File: "a.xml", Problems: []ConfigNote{{3, 5, "bad"}}}}
	if code, out, _ := e.do("", false, "remove", "/r", "--extension", "exe", "--yes"); code != ExitUsage || out != "a.xml:3:5: bad\n" || e.agreed {
		t.Errorf("%d %q", code, out)
	}
	e = &edits{change: ConfigChange{File: "a.xml", Change: "none"}}
	if code, out, _ := e.do("", false, "set", "/r", "--extension", "exe", "--path", "a", "--yes"); code != ExitOK || out != "a.xml says so already; nothing was written.\n" {
		t.Errorf("%d %q", code, out)
	}
}

func TestWhatIsNamedOfARuleIsAskedForAndNothingElse(t *testing.T) {
	e := &edits{change: oneChange()}
	code, _, errOut := e.do("", false, "set", `\\fs1\h\root`, "--folder", "F", "--path", "$update$", "--success", "0,3", "--not-applicable", "", "--always-reboot=false", "--user", "ann", "--config", "x.xml", "--yes")
	if code != ExitOK || len(e.asked) != 1 {
		t.Fatalf("%d %s", code, errOut)
	}
	got := e.asked[0]
	if !got.Folder || got.Name != "F" || got.Remove || *got.Path != "$update$" || got.Parameters != nil || *got.AlwaysReboot || got.Root != `\\fs1\h\root` || got.Config != "x.xml" || got.Target.User != "ann" {
		t.Errorf("%+v", got)
	}
	if !reflect.DeepEqual(got.Codes, map[string]string{"Success": "0,3", "NotApplicable": ""}) {
		t.Errorf("%v", got.Codes)
	}
	e.asked = nil
	for line, says := range map[string]string{
		"set /r --folder F --yes":                        "nothing is said of what the rule shall say",
		"set /r --path a --yes":                          "exactly one rule is named",
		"set /r --path a --folder F --extension e --yes": "exactly one rule is named",
		"set /r --path a --folder F":                     "nobody can answer",
		"remove /r --folder F --json":                    "nobody can answer",
		"remove --folder F --yes":                        "no hotfix root is named",
		"remove a b --folder F --yes":                    "more than one hotfix root",
		"remove /r --folder F --yes --user ann":          "--user: it means nothing here",
		`remove \\fs1\h\r --folder F --yes --auth x`:     "--auth",
		"remove /r --folder F --yes --path a":            "unknown flag",
		`set \\fs1\h\r --folder F --path a --yes --lab`:  "unknown flag",
		`show \\fs1\h\r --password-file x`:               "nobody whose it is",
		"show":                                           "no hotfix root is named",
	} {
		code, out, errOut := e.do("yes\n", false, strings.Fields(line)...)
		if code != ExitUsage || out != "" || !strings.Contains(errOut, says) || len(e.asked) > 0 {
			t.Errorf("%s: %d %q %q", line, code, out, errOut)
		}
	}
	if code, out, _ := e.do("", false, "show", "/r"); code != ExitOK || out != "a.xml: valid; rules: 0 for file name extensions, 1 for folders\n\nFiles in a folder F\ufffd\n  $update$\n  Success                 0\n  the node restarts after every success\n" {
		t.Errorf("%d %q", code, out)
	}
}
