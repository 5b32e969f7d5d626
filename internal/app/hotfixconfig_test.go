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
