package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

// configs answers what the commands about configuration files ask.
type configs struct {
	fake
	report ConfigReport
	asked  []ConfigInitRequest
	// written answers an init from a cluster's nodes.
	written ConfigWritten
}

func (c *configs) ConfigValidate(_ context.Context, file string) (ConfigReport, error) {
	c.report.File = file
	return c.report, nil
}

func (c *configs) ConfigInit(_ context.Context, req ConfigInitRequest, _ func(string)) (ConfigWritten, error) {
	c.asked = append(c.asked, req)
	if req.Target.Cluster != "" {
		return c.written, nil
	}
	return ConfigWritten{Path: req.Root + "/x.xml", Bytes: 7, SHA256: "ab", Default: req.From == ""}, nil
}

func (c *configs) DefaultConfig() string { return "<Default/>\n" }

func (c *configs) do(args ...string) (code int, out, errOut string) {
	var o, e strings.Builder
	code = Run(context.Background(), c, Streams{In: strings.NewReader(""), Out: &o, Err: &e}, "dev", append([]string{"hotfix", "config"}, args...))
	return code, o.String(), e.String()
}

func TestAnInvalidFileIsExitCode2WithEachPlace(t *testing.T) {
	c := &configs{report: ConfigReport{Problems: []ConfigNote{{3, 5, "bad\x1b[2J"}, {4, 1, "worse"}}, Warnings: []ConfigNote{}}}
	code, out, errOut := c.do("validate", "a.xml")
	if code != ExitUsage || out != "a.xml:3:5: bad\ufffd[2J\na.xml:4:1: worse\n" || errOut != "" {
		t.Errorf("%d %q %q", code, out, errOut)
	}
	var r ConfigReport
	code, out, _ = c.do("validate", "a.xml", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != ExitUsage || r.Valid || len(r.Problems) != 2 || r.Problems[1] != (ConfigNote{4, 1, "worse"}) {
		t.Errorf("%d %v %s", code, err, out)
	}
	c.report = ConfigReport{Valid: true, Warnings: []ConfigNote{{2, 1, "look"}}, Extensions: 3, Folders: 1}
	if code, out, _ := c.do("validate", "a.xml"); code != ExitOK || out != "a.xml:2:1: warning: look\na.xml: valid; rules: 3 for file name extensions, 1 for folders\n" {
		t.Errorf("%d %q", code, out)
	}
}

func TestConfigInitTakesAFolderOrAShareAndNothingThatItWouldIgnore(t *testing.T) {
	c := &configs{}
	for line, want := range map[string]ConfigInitRequest{
		"init /srv/root":                        {Root: "/srv/root"},
		"init /srv/root --config a.xml":         {Root: "/srv/root", Config: "a.xml"},
		`init \\fs1\h\root --from b --user ann`: {Root: `\\fs1\h\root`, From: "b"},
	} {
		c.asked = nil
		code, out, errOut := c.do(strings.Fields(line)...)
		if code != ExitOK || len(c.asked) != 1 || !strings.HasPrefix(out, "Wrote ") || strings.Contains(out, "cau's own rules") != (want.From == "") {
			t.Fatalf("%s: %d %q %q", line, code, out, errOut)
		}
		got := c.asked[0]
		if got.Root != want.Root || got.Config != want.Config || got.From != want.From {
			t.Errorf("%s: %+v", line, got)
		}
	}
	c.asked = nil
	for line, says := range map[string]string{
		"init":                                      "no hotfix root is named",
		"init a b":                                  "more than one hotfix root",
		"init /srv/root --user ann":                 "--user: it means nothing here",
		"init /srv/root --smb-port 445":             "--smb-port: it means nothing here",
		"init /srv/root --from-node N1":             "--from-node: it means something with --cluster alone",
		"init /srv/root --node N1=1.2.3.4":          "--node: an address means something with --cluster alone",
		"init /srv/root --pin x":                    "--pin: it means something with --cluster alone",
		"init /srv/root --cluster c --from x":       "--from: a file on this host and a cluster are two sources",
		"init /srv/root --cluster c --lab":          "both",
		"init /srv/root --cluster c --smb-port 445": "--smb-port: it means nothing here",
		"init --lab":                                "no hotfix root is named",
		"init --print /srv/root":                    "--print writes to standard output",
		"init --print --from x":                     "--print writes to standard output",
		`init \\fs1\h\root --auth certificate`:      "--auth",
		`init \\fs1\h\root --password-file x`:       "nobody whose it is",
		"validate":                                  "exactly one configuration file",
		"validate a b":                              "exactly one configuration file",
	} {
		code, out, errOut := c.do(strings.Fields(line)...)
		if code != ExitUsage || out != "" || !strings.Contains(errOut, says) || len(c.asked) > 0 {
			t.Errorf("%s: %d %q %q %v", line, code, out, errOut, c.asked)
		}
	}
	if code, out, _ := c.do("init", "--print"); code != ExitOK || out != "<Default/>\n" {
		t.Errorf("%d %q", code, out)
	}
}

func TestConfigInitSaysFromWhichNodeItIsAndWhatTheOthersHave(t *testing.T) {
	nodes := []ConfigOnNode{{Node: "N1", Found: true}, {Node: "N2", Found: true}, {Node: "N3"}, {Node: "N4", Problem: "it is Down", Advice: "wait"}}
	c := &configs{written: ConfigWritten{Path: "/r/x.xml", Bytes: 7, SHA256: "ab", Node: "N1", Nodes: nodes}}
	code, out, errOut := c.do("init", "/r", "--cluster", "fc1", "--from-node", "N1", "--node", "N1=1.2.3.4", "--user", "ann")
	want := "Wrote /r/x.xml, 7 bytes.\n  sha256 ab\n  A copy of the file that came with Cluster-Aware Updating on N1.\n  N2 has the same.\n  N3 has none.\n  ! N4 was not asked: it is Down\n    wait\n"
	if code != ExitOK || out != want || c.asked[0].FromNode != "N1" || c.asked[0].Target.Cluster != "fc1" || c.asked[0].Target.Nodes["N1"] != "1.2.3.4" {
		t.Errorf("%d %q %q %+v", code, out, errOut, c.asked)
	}
	c.written = ConfigWritten{Path: "/r/x.xml", Default: true, Nodes: nodes[2:3]}
	if _, out, _ := c.do("init", "/r", "--cluster", "fc1"); !strings.Contains(out, "N3 has none.\n  No node that answered has Microsoft's file, so these are cau's own rules.\n") {
		t.Errorf("%q", out)
	}
}
