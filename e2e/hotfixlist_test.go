package e2e_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/sambatest"
)

func TestHotfixConfigSaysWhatIsWrongWithItsPlaceAndWritesADefaultOnce(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "DefaultHotfixConfig.xml")
	if r := w.want(0, "hotfix", "config", "init", dir); !strings.HasPrefix(r.out, "Wrote "+file) {
		t.Errorf("%s", r.out)
	}
	w.want(0, "hotfix", "config", "validate", file)
	if r := w.want(1, "hotfix", "config", "init", dir); !strings.Contains(r.errOut, "already") {
		t.Errorf("%s", r.errOut)
	}
	if printed := w.want(0, "hotfix", "config", "init", "--print"); printed.out != string(mustRead(t, file)) {
		t.Errorf("%s", printed.out)
	}
	bad := filepath.Join(dir, "bad.xml")
	if err := os.WriteFile(bad, []byte("<r><FolderRules>\n<Folder name='F'>\n<Template path='$update$'/><ExitConditions><Succes>0</Succes></ExitConditions></Folder></FolderRules></r>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := w.want(2, "hotfix", "config", "validate", bad); r.out != bad+":3:44: unknown element <Succes> in ExitConditions; did you mean Success?\n" {
		t.Errorf("%s", r.out)
	}
	w.want(2, "hotfix", "config", "validate", bad, "--json")
	w.want(1, "hotfix", "config", "validate", filepath.Join(dir, "nope.xml"))
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHotfixConfigInitTakesTheFileOfTheClustersNodes(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	lab := "--lab=" + w.lab().ID
	dir := t.TempDir()
	r := w.want(0, "hotfix", "config", "init", dir, lab)
	if !strings.Contains(r.out, "came with Cluster-Aware Updating on NODE1.\n  NODE2 has the same.\n") || strings.Contains(r.out, "cau's own") {
		t.Errorf("%s", r.out)
	}
	if text := mustRead(t, filepath.Join(dir, "DefaultHotfixConfig.xml")); !strings.Contains(string(text), "Made up by the lab") {
		t.Errorf("%s", text)
	}
	w.want(0, "hotfix", "config", "validate", filepath.Join(dir, "DefaultHotfixConfig.xml"))
	w.want(0, "hotfix", "config", "set", dir, "--extension", "msi", "--already-installed", "1638", "--yes")
	w.want(1, "hotfix", "config", "init", dir, lab)
	w.want(2, "hotfix", "config", "init", t.TempDir(), lab, "--from-node", "NODE9")
	// On a file server it is made by whoever is named for that.
	s := sambatest.Start(t)
	onShare := func() []string {
		out := []string{"hotfix", "config", "init", `\\127.0.0.1\enc`, lab}
		for _, a := range asAdmin(t, s) {
			a = strings.Replace(a, "--user", "--smb-user", 1)
			out = append(out, strings.Replace(a, "--password-file", "--smb-password-file", 1))
		}
		return out
	}
	w.want(0, onShare()...)
	if text := mustRead(t, filepath.Join(s.Dir("enc"), "DefaultHotfixConfig.xml")); !strings.Contains(string(text), "Made up by the lab") {
		t.Errorf("%s", text)
	}
	w.want(1, onShare()...)

	differ := "--lab=" + w.lab("--scenario", "cau-plugins-differ").ID
	empty := t.TempDir()
	if r := w.want(3, "hotfix", "config", "init", empty, differ); !like("the nodes have different ones: NODE1, NODE4 (sha256 *); NODE2 (sha256 *--from-node NODE1", r.errOut) {
		t.Errorf("%s", r.errOut)
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
	w.want(3, "hotfix", "config", "init", empty, differ, "--from-node", "NODE3")
	var written struct {
		Node    string
		Default bool
		Nodes   []struct{ Node, SHA256 string }
	}
	if r := w.want(0, "hotfix", "config", "init", empty, differ, "--from-node", "node2", "--json"); json.Unmarshal([]byte(r.out), &written) != nil || written.Node != "NODE2" || written.Default || len(written.Nodes) != 1 {
		t.Errorf("%s", r.out)
	}
	if r := w.want(0, "hotfix", "config", "show", empty); !strings.Contains(r.out, "Files in a folder Firmware") {
		t.Errorf("%s", r.out)
	}
}

func TestHashesCanBeComputedOnANode(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	lab := "--lab=" + w.lab().ID
	hashes := func(more ...string) (sums map[string]string, on map[string]bool) {
		var plan struct {
			Nodes []struct {
				Updates []struct {
					Files []struct {
						Path, SHA256 string
						HashedOn     string `json:"hashed_on"`
					}
				}
			}
		}
		r := w.want(0, append([]string{"preview", lab, "--plugin", "Microsoft.HotfixPlugin", "--json"}, more...)...)
		if err := json.Unmarshal([]byte(r.out), &plan); err != nil {
			t.Fatal(err)
		}
		sums, on = map[string]string{}, map[string]bool{}
		for _, n := range plan.Nodes {
			for _, u := range n.Updates {
				for _, f := range u.Files {
					sums[f.Path], on[f.HashedOn] = f.SHA256, true
				}
			}
		}
		return sums, on
	}
	here, on := hashes()
	if len(here) == 0 || len(on) != 1 || !on[""] {
		t.Errorf("%v %v", here, on)
	}
	there, on := hashes("--hash-at", "node")
	if len(on) != 1 || !on["NODE1"] || !maps.Equal(here, there) {
		t.Errorf("%v %v %v", on, here, there)
	}
	if r := w.want(0, "preview", lab, "--plugin", "Microsoft.HotfixPlugin", "--hash-at", "node"); !strings.Contains(r.out, "computed on NODE1") || !strings.Contains(r.out, "HashAt node") {
		t.Errorf("%s", r.out)
	}
	w.want(2, "preview", lab, "--plugin", "Microsoft.HotfixPlugin", "--hash-at", "moon")
}

// hotfixList is what `cau hotfix list --json` prints, as scripts read it.
type hotfixList struct {
	Nodes []struct {
		Name    string
		Updates []struct {
			Name, Rule string
			Files      []struct{ Path, SHA256 string }
			About      *struct{ KB, Architecture, Source string }
		}
	}
	Ignored []struct{ Path, Kind string }
}

func TestHotfixInitAndListWorkOnARealShare(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	s := sambatest.Start(t)
	root := filepath.Join(s.Dir("enc"), "listed")
	for _, dir := range []string{"CAUHotfix_All", "NODE1"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{"agent.msi": "CAUHotfix_All/agent.msi", "zip.msu": "NODE1/update.msu", "README.md": "NODE1/readme.txt"} {
		if err := os.WriteFile(filepath.Join(root, to), mustRead(t, "../hotfixcfg/content/testdata/"+from), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	unc := `\\127.0.0.1\enc\listed`
	if r := w.want(0, args([]string{"hotfix", "config", "init", unc}, asAdmin(t, s))...); !strings.Contains(r.out, unc+`\DefaultHotfixConfig.xml`) {
		t.Errorf("%s", r.out)
	}
	w.want(1, args([]string{"hotfix", "config", "init", unc}, asAdmin(t, s))...)
	// The file is edited where it lies: shown, changed as a whole, and refused where it is not valid.
	set := []string{"hotfix", "config", "set", unc, "--folder", "Drivers", "--path", "$update$", "--success", "0", "--yes", "--json"}
	var change struct {
		Change  string
		Written bool
		Lines   []struct{ Mark, Text string }
	}
	if r := w.want(0, args(set, asAdmin(t, s))...); json.Unmarshal([]byte(r.out), &change) != nil || change.Change != "added" || !change.Written || len(change.Lines) < 5 {
		t.Errorf("%s", r.out)
	}
	w.want(2, args([]string{"hotfix", "config", "remove", unc + `\DefaultHotfixConfig.xml`, "--folder", "Drivers2", "--yes"}, asAdmin(t, s))...)
	if r := w.want(0, args([]string{"hotfix", "config", "show", unc}, asAdmin(t, s))...); !strings.Contains(r.out, "Files in a folder Drivers\n  $update$\n") {
		t.Errorf("%s", r.out)
	}
	before := mustRead(t, filepath.Join(root, "DefaultHotfixConfig.xml"))
	w.want(0, args([]string{"hotfix", "config", "remove", unc + `\DefaultHotfixConfig.xml`, "--folder", "drivers", "--yes"}, asAdmin(t, s))...)
	if after := mustRead(t, filepath.Join(root, "DefaultHotfixConfig.xml")); len(after) >= len(before) || strings.Contains(string(after), "Drivers") {
		t.Errorf("%s", after)
	}
	if left, err := os.ReadDir(root); err != nil || len(left) != 3 {
		t.Errorf("%v %v", left, err)
	}
	r := w.want(0, args([]string{"hotfix", "list", unc, "--node", "NODE1", "--node", "NODE2", "--json"}, asAdmin(t, s))...)
	var got hotfixList
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || len(got.Nodes) != 2 {
		t.Fatalf("%v %s", err, r.out)
	}
	one, two := got.Nodes[0].Updates, got.Nodes[1].Updates
	if len(one) != 2 || len(two) != 1 || two[0].About == nil || two[0].About.KB != "KB5099001" || two[0].About.Source != "summary information" {
		t.Errorf("%s", r.out)
	}
	if len(one) == 2 && (one[1].About == nil || one[1].About.KB != "KB5031234" || one[1].About.Architecture != "x64" || one[1].About.Source != "package properties") {
		t.Errorf("%s", r.out)
	}
	if len(got.Ignored) != 1 || got.Ignored[0].Kind != "no-extension-rule" {
		t.Errorf("%s", r.out)
	}
	local := w.want(0, "hotfix", "list", root, "--node", "NODE1", "--node", "NODE2", "--json")
	var same hotfixList
	if err := json.Unmarshal([]byte(local.out), &same); err != nil || len(same.Nodes) != 2 || same.Nodes[1].Updates[0].Files[0].SHA256 != two[0].Files[0].SHA256 {
		t.Errorf("%v %s", err, local.out)
	}
}
