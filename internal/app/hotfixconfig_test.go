package app

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/smbcheck"
)

func TestAConfigurationFileIsWrittenOnceAndNeverOver(t *testing.T) {
	t.Parallel()
	p, dir := &program{}, t.TempDir()
	silent := func(string) {}
	w, err := p.ConfigInit(t.Context(), cli.ConfigInitRequest{Root: dir}, silent)
	path := filepath.Join(dir, hotfixcfg.DefaultFileName)
	got, readErr := os.ReadFile(path)
	if err != nil || readErr != nil || w.Path != path || !w.Default || w.Bytes != len(got) || !bytes.Equal(got, hotfixcfg.DefaultXML()) {
		t.Fatalf("%v %v %+v", err, readErr, w)
	}
	if err := os.WriteFile(path, []byte("somebody's own"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = p.ConfigInit(t.Context(), cli.ConfigInitRequest{Root: dir}, silent)
	if got, _ := os.ReadFile(path); !errors.Is(err, smbcheck.ErrExists) || string(got) != "somebody's own" {
		t.Errorf("%v %q", err, got)
	}
	// A copy is byte for byte, and only of a file that is valid.
	own := append([]byte("\xEF\xBB\xBF"), bytes.ReplaceAll(hotfixcfg.DefaultXML(), []byte("\n"), []byte("\r\n"))...)
	from := filepath.Join(t.TempDir(), "from.xml")
	if err := os.WriteFile(from, own, 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err = p.ConfigInit(t.Context(), cli.ConfigInitRequest{Root: dir, From: from, Config: "own.xml"}, silent); err != nil || w.Default {
		t.Fatalf("%v %+v", err, w)
	}
	if got, _ := os.ReadFile(w.Path); !bytes.Equal(got, own) {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(from, []byte("<r/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = p.ConfigInit(t.Context(), cli.ConfigInitRequest{Root: dir, From: from, Config: "bad.xml"}, silent)
	if _, there := os.Stat(filepath.Join(dir, "bad.xml")); !cli.IsUsage(err) || there == nil {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeReadOrWrittenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	p, dir := &program{}, t.TempDir()
	file := filepath.Join(dir, "f.xml")
	if err := os.WriteFile(file, []byte("<r>\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		err   func() error
		usage bool
		says  string
	}{
		"no folder":      {func() error { return initIn(t, p, filepath.Join(dir, "nope"), "") }, false, "Make the folder first"},
		"lost backslash": {func() error { return initIn(t, p, `\fs1hotfixes`, "") }, false, "in single quotes"},
		"a file":         {func() error { return initIn(t, p, file, "") }, false, "not a file in it"},
		"climbing":       {func() error { return initIn(t, p, dir, "../x.xml") }, true, "lies in the root folder itself"},
		"missing":        {func() error { return validate(t, p, filepath.Join(dir, "nope.xml")) }, false, "by its path on this host"},
		"folder":         {func() error { return validate(t, p, dir) }, true, "Name the file in it"},
		"share":          {func() error { return validate(t, p, `\\fs1\h\c.xml`) }, true, "Copy the file to this host"},
		"device":         {func() error { return validate(t, p, os.DevNull) }, true, "no regular file"},
	} {
		err := c.err()
		if err == nil || cli.IsUsage(err) != c.usage || !strings.Contains(err.Error()+" "+fault.Hint(err), c.says) {
			t.Errorf("%s: %v (%s)", name, err, fault.Hint(err))
		}
	}
	r, err := p.ConfigValidate(t.Context(), file)
	if err != nil || r.Valid || len(r.Problems) != 1 || r.Problems[0].Line != 2 || r.Problems[0].Column != 1 {
		t.Errorf("%v %+v", err, r)
	}
}

func initIn(t *testing.T, p *program, root, config string) error {
	t.Helper()
	_, err := p.ConfigInit(t.Context(), cli.ConfigInitRequest{Root: root, Config: config}, func(string) {})
	return err
}

func validate(t *testing.T, p *program, file string) error {
	t.Helper()
	_, err := p.ConfigValidate(t.Context(), file)
	return err
}

func TestTheFileThatNodesHaveWinsAndNothingIsChosenWhereTheyDiffer(t *testing.T) {
	t.Parallel()
	has := func(node, text string) (cli.ConfigOnNode, []byte) {
		if text == "" {
			return cli.ConfigOnNode{Node: node}, nil
		}
		return cli.ConfigOnNode{Node: node, Found: true, Bytes: len(text), SHA256: digestOf([]byte(text))}, []byte(text)
	}
	down := func(node, _ string) (cli.ConfigOnNode, []byte) {
		return cli.ConfigOnNode{Node: node, Problem: "it is Down", Advice: "wait"}, nil
	}
	type answer struct {
		how  func(node, text string) (cli.ConfigOnNode, []byte)
		text string
	}
	for name, c := range map[string]struct {
		answers    []answer
		named      bool
		node, says string
		refused    bool
	}{
		"all the same":        {answers: []answer{{has, "a"}, {has, "a"}}, node: "N1"},
		"the first has none":  {answers: []answer{{has, ""}, {has, "a"}}, node: "N2"},
		"one is down":         {answers: []answer{{down, ""}, {has, "a"}}, node: "N2"},
		"none has one":        {answers: []answer{{has, ""}, {down, ""}}},
		"nobody answered":     {answers: []answer{{down, ""}, {down, ""}}, says: "N1: read the hotfix configuration file of CAU: it is Down"},
		"two differ":          {answers: []answer{{has, "a"}, {has, "b"}, {has, "a"}}, says: "N1, N3 (sha256 ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb); N2 (sha256 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d)", refused: true},
		"the named one":       {answers: []answer{{has, "b"}}, named: true, node: "N1"},
		"the named has none":  {answers: []answer{{has, ""}}, named: true, says: "it has none", refused: true},
		"the named is not up": {answers: []answer{{down, ""}}, named: true, says: "it is Down"},
	} {
		var f nodeFile
		var contents [][]byte
		for i, a := range c.answers {
			n, content := a.how("N"+string(rune('1'+i)), a.text)
			f.nodes, contents = append(f.nodes, n), append(contents, content)
		}
		err := f.choose(contents, c.named)
		switch {
		case c.says == "" && (err != nil || f.node != c.node || c.node != "" && f.content == nil):
			t.Errorf("%s: %v %+v", name, err, f)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || cli.IsRefused(err) != c.refused):
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := nodeFile{node: "N1", content: []byte("<r>\n <Extension/></r>")}
	if err := bad.understood(); !cli.IsUsage(err) || !strings.Contains(err.Error(), "N1: ") || !strings.Contains(err.Error(), "DefaultHotfixConfig.xml:2:2: ") {
		t.Errorf("%v", err)
	}
	good := nodeFile{node: "N1", content: hotfixcfg.DefaultXML()}
	if err := good.understood(); err != nil {
		t.Error(err)
	}
}
