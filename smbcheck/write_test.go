package smbcheck_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// brokenReader ends with an error in the middle.
type brokenReader struct{ left int }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("the source is gone")
	}
	n := min(len(p), b.left)
	b.left -= n
	return n, nil
}

func TestAnUploadIsThereAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	folder := filepath.Join(s.Dir("enc"), "cau-push")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("enc", "cau-push"), smbcheck.Options{})
	content := make([]byte, 3<<20+17)
	_, _ = rand.Read(content)

	if err := c.Upload(t.Context(), "update", int64(len(content)), digest(content), bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "update"))
	if err != nil || !bytes.Equal(got, content) {
		t.Fatalf("%d bytes arrived of %d: %v", len(got), len(content), err)
	}
	// What is there already is not read from the source again.
	if err := c.Upload(t.Context(), "update", int64(len(content)), digest(content), &brokenReader{}); err != nil {
		t.Fatalf("the same file again: %v", err)
	}
	for name, bad := range map[string]struct {
		from io.Reader
		size int
	}{
		"a source that breaks off":  {&brokenReader{left: 100}, len(content)},
		"a source that is too long": {bytes.NewReader(append(bytes.Clone(content), 1)), len(content)},
		"a source that is short":    {bytes.NewReader(content[1:]), len(content)},
		"a source that differs":     {bytes.NewReader(bytes.ToUpper(content)), len(content)},
	} {
		err := c.Upload(t.Context(), "other", int64(bad.size), digest(content), bad.from)
		if !errors.Is(err, smbcheck.ErrSource) {
			t.Errorf("%s: %v", name, err)
		}
	}
	next := []byte("a newer one")
	if err := c.Upload(t.Context(), "update", int64(len(next)), digest(next), bytes.NewReader(next)); err != nil {
		t.Fatalf("in place of another: %v", err)
	}
	var names []string
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != "update" {
		t.Errorf("left behind: %v", names)
	}
	if got, _ := os.ReadFile(filepath.Join(folder, "update")); string(got) != string(next) {
		t.Errorf("the newer one is not there: %q", got)
	}
	if f := c.Facts(); f.Sent.Plain > 4 || f.Sent.Sealed == 0 {
		t.Errorf("what crossed the wire: %+v", f.Sent)
	}
}

func TestR33_AnUploadStaysBelowItsRoot(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	c := connect(t, s, at("plain", ""), smbcheck.Options{})
	for _, path := range []string{`..\x`, `a\..\..\x`, `con`, `x:y`, `\x`, "a\x01"} {
		if err := c.Upload(t.Context(), path, 1, digest([]byte("x")), strings.NewReader("x")); err == nil {
			t.Errorf("%q was written", path)
		}
	}
}

func TestAnUploadWithoutTheRightIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.WithShare("locked", "read only = yes"))
	c := connect(t, s, at("locked", ""), smbcheck.Options{})
	err := c.Upload(t.Context(), "x", 1, digest([]byte("x")), strings.NewReader("x"))
	if err == nil || !strings.Contains(err.Error(), "denied") {
		t.Fatalf("%v", err)
	}
}

func TestAFileIsCreatedOnceAndOneThatIsThereStaysAsItIs(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	folder := filepath.Join(s.Dir("enc"), "newroot")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("enc", "newroot"), smbcheck.Options{})
	content := []byte("<HotfixConfig/>")
	if err := c.Create(t.Context(), "Default.xml", content); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), "default.XML", []byte("another")); !errors.Is(err, smbcheck.ErrExists) {
		t.Errorf("again, in other case: %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(folder, "Default.xml")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%q %v", got, err)
	}
	if err := c.Create(t.Context(), `..\out.xml`, content); !errors.Is(err, smbcheck.ErrName) {
		t.Errorf("outside: %v", err)
	}
	if err := c.Create(t.Context(), `nowhere\a.xml`, content); !errors.Is(err, smbcheck.ErrMissing) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
