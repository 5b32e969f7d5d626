package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"cau/plugins"
)

// lists answers cau hotfix list.
type lists struct {
	fake
	list  HotfixList
	asked []HotfixListRequest
}

func (l *lists) HotfixList(_ context.Context, req HotfixListRequest, _ func(string)) (HotfixList, error) {
	l.asked = append(l.asked, req)
	return l.list, nil
}

func (l *lists) do(args ...string) (code int, out, errOut string) {
	var o, e strings.Builder
	code = Run(context.Background(), l, Streams{In: strings.NewReader(""), Out: &o, Err: &e}, "dev", append([]string{"hotfix", "list"}, args...))
	return code, o.String(), e.String()
}

func TestHotfixListTakesAFolderAShareOrALabAndNothingThatItWouldIgnore(t *testing.T) {
	l := &lists{}
	for line, want := range map[string]HotfixListRequest{
		"/srv/root":                               {Root: "/srv/root"},
		"/srv/root --node NODE1 --node NODE2":     {Root: "/srv/root", Nodes: []string{"NODE1", "NODE2"}},
		"--lab --node NODE2":                      {Nodes: []string{"NODE2"}},
		"/srv/root --lab":                         {Root: "/srv/root"},
		"/srv/root --cluster fc1 --user ann":      {Root: "/srv/root"},
		`\\fs1\h\root --require-encryption`:       {Root: `\\fs1\h\root`, RequireEncryption: true},
		`\\fs1\h\root --cluster fc1 --node A=1`:   {Root: `\\fs1\h\root`},
		`\\fs1\h\root --cluster fc1 --smb-user b`: {Root: `\\fs1\h\root`},
	} {
		l.asked = nil
		code, _, errOut := l.do(strings.Fields(line)...)
		if code != ExitOK || len(l.asked) != 1 {
			t.Fatalf("%s: %d %q", line, code, errOut)
		}
		got := l.asked[0]
		if got.Root != want.Root || strings.Join(got.Nodes, " ") != strings.Join(want.Nodes, " ") || got.RequireEncryption != want.RequireEncryption {
			t.Errorf("%s: %+v", line, got)
		}
	}
	l.asked = nil
	for line, says := range map[string]string{
		"":                                     "no hotfix root is named",
		"a b":                                  "more than one hotfix root",
		"--cluster fc1":                        "no hotfix root is named",
		"/srv/root --user ann":                 "--user: it means nothing here",
		"/srv/root --cluster fc1 --smb-port 1": "--smb-port: it means nothing here",
		"/srv/root --require-encryption":       "--require-encryption: it means nothing here",
		"/srv/root --lab-linger 5m":            "--lab-linger is for --lab",
		`\\fs1\h\root --ca-file x`:             "--ca-file: it means something with --cluster alone",
		`\\fs1\h\root --smb-user x`:            "--smb-user: it means something with --cluster alone",
		`\\fs1\h\root --node A=1`:              "an address means something with --cluster alone",
		`\\fs1\h\root --node A/B`:              "is not a node's name",
		`\\fs1\h\root --auth certificate`:      "--auth",
		`\\fs1\h\root --cluster a --lab`:       "both --cluster and --lab",
	} {
		code, out, errOut := l.do(strings.Fields(line)...)
		if code != ExitUsage || out != "" || !strings.Contains(errOut, says) || len(l.asked) > 0 {
			t.Errorf("%s: %d %q %q %v", line, code, out, errOut, l.asked)
		}
	}
}

func TestHotfixListShowsPerNodeWhatWouldBeInstalledAndWhatItSaysOfItself(t *testing.T) {
	l := &lists{list: HotfixList{
		Root: `\\fs1\h`, Config: plugins.File{Path: "D.xml", SHA256: "cc"}, Guessed: true, Warnings: []ConfigNote{{3, 1, "restarts"}}, Changed: []string{"c.msu"},
		Nodes: []HotfixNode{{Name: "*", Updates: []plugins.Update{}}, {Name: "NODE1", Updates: []plugins.Update{{
			Files: []plugins.File{{Path: `NODE1\a.msi`, Size: 5, SHA256: "ab"}}, Rule: "MSI", MayRestart: true, Command: plugins.Command{Program: "msiexec.exe", Parameters: "/i"},
			About: &plugins.About{KB: "KB5031234", Product: "Agent\x1b[2J", Architecture: "x64", Title: "KB5031234", Source: "summary information", Problem: "torn"}, Warnings: []string{"careful"},
		}}}},
		Ignored: []plugins.Ignored{{Path: "NOED1", Reason: "no node", Kind: "not-a-node", DidYouMean: "NODE1"}},
	}}
	code, out, _ := l.do(`\\fs1\h`)
	for _, part := range []string{
		"D.xml  sha256 cc", "! D.xml:3:1: restarts", "Name them with --node", "c.msu changed while", "Every node without a folder of its own, updates: 0", "NODE1, updates: 1",
		`NODE1\a.msi  [MSI]  may restart`, "KB5031234, Agent\ufffd[2J, x64 (from summary information) ! torn", "msiexec.exe /i", "sha256 ab  5 bytes", "! careful", "NOED1: no node (did you mean NODE1?)",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in %s", part, out)
		}
	}
	var got HotfixList
	_, js, _ := l.do(`\\fs1\h`, "--json")
	if err := json.Unmarshal([]byte(js), &got); err != nil || code != ExitOK || got.Nodes[1].Updates[0].About.KB != "KB5031234" || got.Ignored[0].Kind != "not-a-node" {
		t.Errorf("%d %v %s", code, err, js)
	}
}
