package hotfix_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// folder makes a hotfix root on this host.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(path, `\`, "/")))
		if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func list(t *testing.T, files hotfix.Files, nodes []string, given ...plugins.Argument) (hotfix.Listing, error) {
	t.Helper()
	p := &hotfix.Plugin{}
	args, problems := plugins.Resolve(p.Options(), append([]plugins.Argument{{Name: "HotfixRootFolderPath", Value: `\\FS1\Hotfixes\Root`}}, given...))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p.List(t.Context(), files, nodes, args)
}

func opened(t *testing.T, dir string) *hotfix.Folder {
	t.Helper()
	f, err := hotfix.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestAFolderOfThisHostIsListedAsTheSameRootOnAShareIs(t *testing.T) {
	files := documented(t)
	local, err := list(t, opened(t, folder(t, files)), []string{"NODE1", "NODE2"})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := list(t, root{facts: signed(), files: files, read: new(int)}, []string{"NODE1", "NODE2"})
	if err != nil {
		t.Fatal(err)
	}
	// What the files say of themselves was asked of the folder alone: the root in memory shows no parts of files.
	for _, n := range local.Nodes {
		for i := range n.Updates {
			n.Updates[i].About = nil
		}
	}
	if !reflect.DeepEqual(local, shared) || len(local.Nodes) != 2 || len(local.Nodes[1].Updates) != 5 {
		t.Errorf("%+v\n%+v", local, shared)
	}
	planned := scan(t, root{facts: signed(), files: files}).Updates["NODE2"]
	if !reflect.DeepEqual(shared.Nodes[1].Updates, planned) {
		t.Errorf("a run would install something else:\n%+v\n%+v", shared.Nodes[1].Updates, planned)
	}
}

func TestWithoutNodesTheRestOfTheClusterIsListedToo(t *testing.T) {
	l, err := list(t, opened(t, folder(t, documented(t))), nil)
	if err != nil || !l.Guessed {
		t.Fatal(err, l)
	}
	var got []string
	for _, n := range l.Nodes {
		got = append(got, n.Name)
		if len(n.Updates) < 3 {
			t.Errorf("%+v", n)
		}
	}
	if !slices.Equal(got, []string{"", "NODE1", "NODE2"}) || len(l.Nodes[0].Updates) != 3 {
		t.Errorf("%v", got)
	}
}

func TestWhatIsPassedOverIsListedWithAStableReason(t *testing.T) {
	files := documented(t)
	files[`CAUHotfix_All\notes.txt`], files[`NOED1\a.msu`], files[`CAUHotfix_All\empty.msu`], files[`NODE2\FolderRule1\deep\x.bin`] = "x", "x", "", "x"
	dir := folder(t, files)
	if err := os.Symlink("/etc", filepath.Join(dir, "NODE1", "link")); err != nil {
		t.Fatal(err)
	}
	l, err := list(t, opened(t, dir), []string{"NODE1", "NODE2"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range l.Ignored {
		got = append(got, g.Kind+" "+g.Path+" "+g.DidYouMean)
	}
	want := []string{
		`empty CAUHotfix_All\empty.msu `, `no-extension-rule CAUHotfix_All\notes.txt `, `reparse-point NODE1\link `,
		`no-extension-rule NODE2\FolderRule1\deep `, `not-a-node NOED1 NODE1`,
	}
	want[3] = `too-deep NODE2\FolderRule1\deep `
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestWhatKeepsARootFromBeingListedIsAnErrorWithItsWayOut(t *testing.T) {
	bad := documented(t)
	bad["DefaultHotfixConfig.xml"] = "<r>\n<x"
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"no configuration": {map[string]string{`CAUHotfix_All\a.msu`: "x"}, "cau hotfix config init"},
		"a bad one":        {bad, "line 2"},
	} {
		_, err := list(t, opened(t, folder(t, c.files)), nil)
		if err == nil || !strings.Contains(err.Error()+fault.Hint(err), c.says) {
			t.Errorf("%s: %v (%s)", name, err, fault.Hint(err))
		}
	}
	if _, err := hotfix.OpenFolder(filepath.Join(t.TempDir(), "nope")); err == nil || !strings.Contains(fault.Hint(err), "single quotes") {
		t.Errorf("%v", err)
	}
}

func TestR13_NothingIsListedOverAConnectionThatIsNotKnownToBeEncrypted(t *testing.T) {
	r := root{facts: signed(), files: documented(t), read: new(int)}
	if _, err := list(t, r, nil, plugins.Argument{Name: "RequireSMBEncryption", Value: "True"}); err == nil || *r.read != 0 {
		t.Errorf("%v, files read: %d", err, *r.read)
	}
}

// speaking is a root whose files can be read in parts.
type speaking struct {
	root
	asked *[]string
	err   error
}

func (s speaking) InspectFile(_ context.Context, path string, _ *smbcheck.Entry, inspect func(io.ReaderAt, int64) error) error {
	*s.asked = append(*s.asked, path)
	if s.err != nil {
		return s.err
	}
	return inspect(strings.NewReader(s.files[path]), int64(len(s.files[path])))
}

func TestWhatAnUpdateSaysOfItselfIsAskedOnceAndDecidesNothing(t *testing.T) {
	msi, err := os.ReadFile("../../hotfixcfg/content/testdata/agent.msi")
	if err != nil {
		t.Fatal(err)
	}
	files := documented(t)
	files[`CAUHotfix_All\Update2.msi`] = string(msi)
	var asked []string
	s := speaking{root: root{facts: signed(), files: files, read: new(int)}, asked: &asked}
	l, err := list(t, s, []string{"NODE1", "NODE2", "NODE3"})
	if err != nil {
		t.Fatal(err)
	}
	abouts := map[string]*plugins.About{}
	for _, u := range l.Nodes[2].Updates {
		abouts[u.Name] = u.About
	}
	if a := abouts["Update2.msi"]; a == nil || a.KB != "KB5099001" || a.Architecture != "x64" || a.Source != "summary information" || a.Problem != "" {
		t.Errorf("%+v", a)
	}
	if a := abouts["Update1.msu"]; a == nil || !strings.Contains(a.Problem, "no cabinet") && !strings.Contains(a.Problem, "shorter") {
		t.Errorf("%+v", a)
	}
	if len(asked) != 6 {
		t.Errorf("asked %q", asked)
	}
	// A share that lets nobody read parts of a file costs the description and nothing else.
	s.err = errors.New("the server is tired")
	if l, err = list(t, s, []string{"NODE3"}); err != nil || len(l.Nodes[0].Updates) != 3 || !strings.Contains(l.Nodes[0].Updates[1].About.Problem, "tired") {
		t.Errorf("%v %+v", err, l)
	}
	// A lab's updates are made up.
	p := &hotfix.Plugin{MadeUp: true}
	s.err = nil
	args, _ := plugins.Resolve(p.Options(), []plugins.Argument{{Name: "HotfixRootFolderPath", Value: `\\FS1\Hotfixes\Root`}})
	l, err = p.List(t.Context(), s, []string{"NODE3"}, args)
	if err != nil || l.Nodes[0].Updates[0].About != nil || l.Nodes[0].Updates[1].About == nil {
		t.Errorf("%v %+v", err, l.Nodes[0].Updates)
	}
}

func TestAFileOfAFolderThatChangesMeanwhileIsSaid(t *testing.T) {
	dir := folder(t, documented(t))
	f := opened(t, dir)
	tree, err := f.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(tree.Entries, func(e smbcheck.Entry) bool { return e.Path == `CAUHotfix_All\Update1.msu` })
	if err := os.WriteFile(filepath.Join(dir, "CAUHotfix_All", "Update1.msu"), []byte("longer than before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.HashFile(t.Context(), tree.Entries[i].Path, &tree.Entries[i]); !errors.Is(err, smbcheck.ErrChanged) {
		t.Errorf("%v", err)
	}
	if _, err := f.ReadFile(t.Context(), tree.Entries[i].Path, 3, nil); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("%v", err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadFile(t.Context(), "out", 1<<20, nil); err == nil {
		t.Error("a link led out of the folder")
	}
	if _, err := f.Walk(t.Context(), smbcheck.Limits{Entries: 2}); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("%v", err)
	}
}
