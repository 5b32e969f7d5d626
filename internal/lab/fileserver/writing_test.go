package fileserver_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudsoda/go-smb2"
)

// code is the NTSTATUS of a refusal.
func code(err error) uint32 {
	if refused := (*smb2.ResponseError)(nil); errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

func TestEveryDialectWritesAndReadsBack(t *testing.T) {
	l := start(t)
	content := big[:3<<20+17]
	for name, dialect := range dialects {
		share := "writable"
		if dialect == 0x311 {
			share = "vault"
		}
		t.Run(name, func(t *testing.T) {
			m := l.mount(t, share, dialect)
			f, err := m.OpenFile(`push\partial`, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(struct{ io.Writer }{f}, bytes.NewReader(content)); err != nil || n != int64(len(content)) {
				t.Fatalf("wrote %d bytes, %v", n, err)
			}
			if err := f.Sync(); err != nil {
				t.Error(err)
			}
			if _, err := f.WriteAt([]byte("middle"), 1<<20); err != nil {
				t.Error(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if err := m.Rename(`push\partial`, `push\final`); err != nil {
				t.Fatal(err)
			}
			want := bytes.Clone(content)
			copy(want[1<<20:], "middle")
			if got, err := m.ReadFile(`PUSH\Final`); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read %d bytes back, %v", len(got), err)
			}
			if info, err := m.Stat(`push\final`); err != nil || info.Size() != int64(len(content)) {
				t.Errorf("%+v %v", info, err)
			}
			if s, err := m.Statfs(""); err != nil || s.BlockSize()*s.AvailableBlockCount() > 13<<20 || s.BlockSize()*s.TotalBlockCount() != 16<<20 {
				t.Errorf("space: %+v %v", s, err)
			}
			if err := m.Remove(`push\final`); err != nil {
				t.Error(err)
			}
			if list, err := m.ReadDir("push"); err != nil || len(list) != 1 {
				t.Errorf("left: %v, %v", list, err)
			}
		})
	}
	if l.shelf.Names() != "" {
		t.Errorf("left: %s", l.shelf.Names())
	}
}

func TestWhatMayNotBeWrittenIsRefused(t *testing.T) {
	l := start(t)
	m := l.mount(t, "writable", 0x311)
	if err := m.WriteFile(`push\a`, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		try  func() error
		want error
	}{
		"at the root":        {func() error { return m.WriteFile(`a`, nil, 0o600) }, fs.ErrPermission},
		"a closed folder":    {func() error { return m.WriteFile(`closed\a`, nil, 0o600) }, fs.ErrPermission},
		"no folder":          {func() error { return m.WriteFile(`nowhere\a`, nil, 0o600) }, fs.ErrNotExist},
		"a folder":           {func() error { return m.Mkdir(`push\dir`, 0o700) }, fs.ErrPermission},
		"a folder's removal": {func() error { return m.Remove(`closed`) }, fs.ErrPermission},
		"a folder's name":    {func() error { return m.Rename(`closed`, `open`) }, fs.ErrPermission},
		"out of the folder":  {func() error { return m.Rename(`push\a`, `closed\a`) }, fs.ErrPermission},
	} {
		if err := c.try(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
	}
	if err := m.Chtimes(`push\a`, time.Now(), time.Now()); code(err) != 0xC00000BB {
		t.Errorf("times: %v", err)
	}
	if err := m.WriteFile(`push\big`, make([]byte, 17<<20), 0o600); code(err) != 0xC000007F {
		t.Errorf("more than there is room for: %v, want STATUS_DISK_FULL", err)
	}
	if err := m.Truncate(`push\a`, 3); err != nil {
		t.Error(err)
	}
	if got, err := m.ReadFile(`push\a`); err != nil || string(got) != "con" {
		t.Errorf("%q %v", got, err)
	}
	reader, err := l.dial(t, "NODE1$", "machine", 0x311)
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.Mount("writable")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.ReadFile(`push\a`); err != nil || string(got) != "con" {
		t.Errorf("who may read: %q %v", got, err)
	}
	if err := r.WriteFile(`push\a`, nil, 0o600); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("who may not write: %v", err)
	}
	if err := r.Remove(`push\a`); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("who may not write: %v", err)
	}
}

func TestAFileThatSomebodyElseHasOpenIsNotTaken(t *testing.T) {
	l := start(t)
	one, two := l.mount(t, "writable", 0x311), l.mount(t, "vault", 0x311)
	other := l.mount(t, "writable", 0x302)
	f, err := one.OpenFile(`push\a`, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	// The library shares reading and writing, not deleting.
	const sharingViolation = 0xC0000043
	if err := other.Remove(`push\a`); code(err) != sharingViolation {
		t.Errorf("removed by another connection: %v", err)
	}
	if err := other.Rename(`push\a`, `push\b`); code(err) != sharingViolation {
		t.Errorf("renamed by another connection: %v", err)
	}
	if _, err := f.Write([]byte("content")); err != nil {
		t.Error(err)
	}
	if got, err := other.ReadFile(`push\a`); err != nil || string(got) != "content" {
		t.Errorf("read meanwhile: %q %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := other.Remove(`push\a`); err != nil {
		t.Error(err)
	}
	// Another share has opens of its own.
	if _, err := two.ReadDir("push"); err != nil {
		t.Error(err)
	}
}

func TestSambaClientPutsRenamesAndDeletes(t *testing.T) {
	l := start(t)
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, big[:5<<20+1], 0o600); err != nil {
		t.Fatal(err)
	}
	small := filepath.Join(t.TempDir(), "small")
	if err := os.WriteFile(small, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		share   string
		options []string
	}{
		"signed":          {"writable", []string{"--client-protection=sign"}},
		"sealed by share": {"vault", nil},
		"SMB 2.1":         {"writable", []string{"-m", "SMB2_10"}},
	} {
		t.Run(name, func(t *testing.T) {
			back := filepath.Join(t.TempDir(), "back")
			out, err := l.smbclient(t, c.share, `CONTOSO\svc%Sesame-1`, `cd push; put `+source+` a; put `+source+` a; ls; rename a b; get b `+back+
				`; put `+small+` a; rename b a -f; rename a kept`, c.options...)
			if err != nil || strings.Contains(out, "NT_STATUS") {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range []string{"a A 5242881 Sun Nov 1", "4096 blocks of size 4096. 2815 blocks available"} {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, big[:5<<20+1]) {
				t.Errorf("fetched %d bytes, %v", len(got), err)
			}
			if got, ok := l.shelf.Content("push/kept"); !ok || got != string(big[:5<<20+1]) || l.shelf.Names() != "push/kept" {
				t.Errorf("there are %s with %d bytes", l.shelf.Names(), len(got))
			}
			if out, err := l.smbclient(t, c.share, `CONTOSO\svc%Sesame-1`, `del push\kept`, c.options...); err != nil || l.shelf.Names() != "" {
				t.Errorf("%v, left %q\n%s", err, l.shelf.Names(), out)
			}
		})
	}
}

func TestSambaClientIsRefusedWritingAsWindowsWould(t *testing.T) {
	l := start(t)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 16<<20+1); err != nil {
		t.Fatal(err)
	}
	admin, reader := `CONTOSO\svc%Sesame-1`, `CONTOSO\NODE1$%machine`
	if out, err := l.smbclient(t, "writable", admin, `put /etc/hostname push\theirs`); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct{ user, commands, want string }{
		"no right":         {reader, `put /etc/hostname push\x`, "NT_STATUS_ACCESS_DENIED"},
		"the root":         {admin, `put /etc/hostname x`, "NT_STATUS_ACCESS_DENIED"},
		"a closed folder":  {admin, `put /etc/hostname closed\x`, "NT_STATUS_ACCESS_DENIED"},
		"no folder":        {admin, `put /etc/hostname nowhere\x`, "NT_STATUS_OBJECT_PATH_NOT_FOUND"},
		"a new folder":     {admin, `mkdir push\dir`, "NT_STATUS_ACCESS_DENIED"},
		"a folder's end":   {admin, `rmdir closed`, "NT_STATUS_ACCESS_DENIED"},
		"delete nothing":   {admin, `del push\nothing`, "NT_STATUS_NO_SUCH_FILE"},
		"rename nothing":   {admin, `rename push\nothing push\x`, "NT_STATUS_OBJECT_NAME_NOT_FOUND"},
		"rename over":      {admin, `put /etc/hostname push\a; put /etc/hostname push\b; rename push\a push\b; del push\a; del push\b`, "NT_STATUS_OBJECT_NAME_COLLISION"},
		"delete as reader": {reader, `del push\theirs`, "NT_STATUS_ACCESS_DENIED"},
		"too large":        {admin, `put ` + large + ` push\large`, "NT_STATUS_DISK_FULL"},
		"attributes":       {admin, `put /etc/hostname push\d; setmode push\d +r; del push\d`, "NT_STATUS_NOT_SUPPORTED"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _ := l.smbclient(t, "writable", c.user, c.commands) // its exit code is that of the last command
			if !strings.Contains(out, c.want) {
				t.Errorf("want %s in\n%s", c.want, out)
			}
			// After a write that failed, smbclient gives its connection up and cleans nothing up, with Samba's server too.
			_ = l.shelf.Remove("push/large")
		})
	}
	if l.shelf.Names() != "push/theirs" {
		t.Errorf("left: %q", l.shelf.Names())
	}
}
