package smbcheck_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

var asRoot = smbcheck.NTLM{User: sambatest.Admin, Password: sambatest.Password}

// What a share gives at most (MS-SMB2 2.2.13.1.1); a read-only one of Samba leaves the rights that do not change content.
const (
	fullControl = 0x001F01FF
	readOnly    = 0x001F00A9
)

func at(share, root string) smbcheck.Location {
	return smbcheck.Location{Server: "fileserver", Share: share, Root: root}
}

func connect(t *testing.T, s *sambatest.Server, loc smbcheck.Location, opt smbcheck.Options) *smbcheck.Connection {
	t.Helper()
	return connectAs(t, s, loc, asRoot, opt)
}

func connectAs(t *testing.T, s *sambatest.Server, loc smbcheck.Location, who smbcheck.NTLM, opt smbcheck.Options) *smbcheck.Connection {
	t.Helper()
	opt.Addr = s.Addr
	c, err := smbcheck.Connect(t.Context(), loc, who, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func refused(t *testing.T, addr string, loc smbcheck.Location, who smbcheck.NTLM, opt smbcheck.Options, want error) fault.Error {
	t.Helper()
	opt.Addr = addr
	c, err := smbcheck.Connect(t.Context(), loc, who, opt)
	if err == nil {
		_ = c.Close()
		t.Fatal("connected")
	}
	var f *fault.Error
	if !errors.Is(err, want) || !errors.As(err, &f) {
		t.Fatalf("got %v, want %v", err, want)
	}
	if fault.Hint(err) == "" {
		t.Errorf("no hint: %v", err)
	}
	return *f
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// inClear tells whether more came unsigned than a handshake and the interim answers of a busy server, which are at most one
// for each answer (MS-SMB2 3.3.4.2).
func inClear(received smbcheck.Traffic) bool {
	return received.Signed+received.Sealed == 0 || received.Plain > 3+received.Signed+received.Sealed
}

// checkTraffic holds the counts against the facts: what is to be sealed was, and only the handshake is plain.
func checkTraffic(t *testing.T, f smbcheck.Facts) {
	t.Helper()
	for way, n := range map[string]smbcheck.Traffic{"sent": f.Sent, "received": f.Received} {
		if f.EncryptData != (n.Sealed > 0) {
			t.Errorf("%s: encryption demanded %v, sealed %d", way, f.EncryptData, n.Sealed)
		}
	}
	if f.Sent.Plain > 3 || f.Sent.Signed+f.Sent.Sealed == 0 || inClear(f.Received) {
		t.Errorf("sent %+v, received %+v", f.Sent, f.Received)
	}
}

func TestR02_AWrongPasswordIsTriedOnce(t *testing.T) {
	s := sambatest.Start(t)
	wrong := smbcheck.NTLM{User: sambatest.Member, Password: "not it, secret"}
	f := refused(t, s.Addr, at("plain", ""), wrong, smbcheck.Options{AllowOlder: true}, smbcheck.ErrLogon)
	if f.Code != 0xC000006D {
		t.Errorf("code %s", f.Code)
	}
	if strings.Contains(f.Error()+fault.Hint(&f), "secret") {
		t.Error("the password is in the error")
	}
	// Samba's own audit log is the witness.
	if n := strings.Count(s.Log(t), "status [NT_STATUS_WRONG_PASSWORD]"); n != 1 {
		t.Errorf("the server saw %d attempts:\n%s", n, s.Log(t))
	}
}

func TestRefusalsAreToldApart(t *testing.T) {
	s := sambatest.Start(t, sambatest.WithShare("closed", "valid users = root"))
	f := refused(t, s.Addr, at("nothing", ""), asRoot, smbcheck.Options{}, smbcheck.ErrShare)
	if f.Code != 0xC00000CC || !strings.Contains(fault.Hint(&f), "DFS") {
		t.Errorf("%v, %s", &f, fault.Hint(&f))
	}
	member := smbcheck.NTLM{User: sambatest.Member, Password: sambatest.Password}
	if f := refused(t, s.Addr, at("closed", ""), member, smbcheck.Options{}, smbcheck.ErrAccess); f.Code != 0xC0000022 {
		t.Errorf("code %s", f.Code)
	}
	refused(t, s.Addr, at("IPC$", ""), asRoot, smbcheck.Options{}, smbcheck.ErrShare)

	s.Stop()
	if f := refused(t, s.Addr, at("plain", ""), asRoot, smbcheck.Options{}, smbcheck.ErrUnreachable); f.Code != 53 {
		t.Errorf("code %s", f.Code)
	}
}

func TestAGuestSessionIsRefused(t *testing.T) {
	s := sambatest.Start(t, sambatest.Global("map to guest = bad user", "guest account = nobody"), sambatest.WithShare("open", "guest ok = yes"))
	refused(t, s.Addr, at("open", ""), smbcheck.NTLM{User: "ghost", Password: "whatever"}, smbcheck.Options{AllowOlder: true}, smbcheck.ErrGuest)
}

func TestWalkListsTheRootInOrder(t *testing.T) {
	s := sambatest.Start(t)
	root := filepath.Join(s.Dir("plain"), "Hotfixes", "Root")
	write(t, filepath.Join(root, "DefaultHotfixConfig.xml"), []byte("<a/>"))
	write(t, filepath.Join(root, "CAUHotfix_All", "Update1.msu"), make([]byte, 1234))
	write(t, filepath.Join(root, "CAUHotfix_All", "FolderRule1", "Special ä.exe"), []byte("MZ"))
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	if err := os.Chtimes(filepath.Join(root, "CAUHotfix_All", "Update1.msu"), when, when); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("plain", `Hotfixes\Root`), smbcheck.Options{})
	tree, err := c.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	entries := tree.Entries
	var paths []string
	for _, e := range entries {
		paths = append(paths, e.Path)
		if e.Reparse || e.FileID == 0 {
			t.Errorf("%+v", e)
		}
	}
	want := []string{"CAUHotfix_All", `CAUHotfix_All\FolderRule1`, `CAUHotfix_All\FolderRule1\Special ä.exe`, `CAUHotfix_All\Update1.msu`, "DefaultHotfixConfig.xml"}
	if !reflect.DeepEqual(paths, want) {
		t.Fatalf("%q", paths)
	}
	if e := entries[3]; e.Dir || e.Size != 1234 || !e.ModTime.Equal(when) {
		t.Errorf("%+v", e)
	}
	if e := entries[0]; !e.Dir || e.Size != 0 {
		t.Errorf("%+v", e)
	}
	if len(tree.Above) != 2 || tree.Above[0].Path != "" || tree.Above[1].Path != "Hotfixes" || !tree.Root.Dir || tree.Root.Security == nil || tree.Above[0].Security == nil {
		t.Errorf("%+v, %+v", tree.Above, tree.Root)
	}
	if r := smbcheck.ReparsePoints(entries); r.Outcome != "pass" {
		t.Errorf("%+v", r)
	}
	if _, err := c.Walk(t.Context(), smbcheck.Limits{Entries: 4}); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("4 entries: %v", err)
	}
	if _, err := c.Walk(t.Context(), smbcheck.Limits{Depth: 2}); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("2 levels: %v", err)
	}
	if _, err := c.Walk(t.Context(), smbcheck.Limits{Entries: 5, Depth: 3}); err != nil {
		t.Errorf("just enough: %v", err)
	}
}

func TestARootThatIsNotThereOrNotAFolderSaysSo(t *testing.T) {
	s := sambatest.Start(t)
	write(t, filepath.Join(s.Dir("plain"), "file.txt"), []byte("x"))
	for root, want := range map[string]error{
		"Nothing": smbcheck.ErrMissing, `Nothing\Deeper`: smbcheck.ErrMissing, "file.txt": smbcheck.ErrNotFolder,
	} {
		c := connect(t, s, at("plain", root), smbcheck.Options{})
		_, err := c.Walk(t.Context(), smbcheck.Limits{})
		if !errors.Is(err, want) || fault.Hint(err) == "" {
			t.Errorf("%s: %v, hint %q", root, err, fault.Hint(err))
		}
	}
}

func TestR33_NamesThatWindowsReadsDifferentlyEndTheWalk(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.WithShare("raw", "mangled names = no"))
	for _, name := range []string{"nul.msu", "a\u202emsu.exe", "Update.msu", "tail. "} {
		root := filepath.Join(s.Dir("raw"), "r")
		write(t, filepath.Join(root, name), []byte("x"))
		if name == "Update.msu" {
			write(t, filepath.Join(root, "UPDATE.MSU"), []byte("y"))
		}
		c := connect(t, s, at("raw", "r"), smbcheck.Options{})
		_, err := c.Walk(t.Context(), smbcheck.Limits{})
		if !errors.Is(err, smbcheck.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil && strings.ContainsRune(err.Error(), '\u202e') {
			t.Errorf("%q reaches the screen", name)
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReparsePointsAreListedAndNotFollowed(t *testing.T) {
	s := sambatest.Start(t, sambatest.WithShare("dfs", "msdfs root = yes"))
	if err := os.MkdirAll(filepath.Join(s.Dir("dfs"), "root"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(`msdfs:127.0.0.1\plain`, filepath.Join(s.Dir("dfs"), "root", "link")); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("dfs", "root"), smbcheck.Options{})
	tree, err := c.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	entries := tree.Entries
	if len(entries) != 1 || !entries[0].Reparse || entries[0].Path != "link" {
		t.Fatalf("%+v", entries)
	}
	if r := smbcheck.ReparsePoints(entries); r.Outcome != "fail" || !strings.Contains(r.Evidence, `"link"`) {
		t.Errorf("%+v", r)
	}
	if f := c.Facts(); !f.DFS || !f.DFSRoot {
		t.Errorf("%+v", f)
	}
	if _, err := c.ReadFile(t.Context(), `link\file`, 10, nil); !errors.Is(err, smbcheck.ErrDFS) && !errors.Is(err, smbcheck.ErrReparse) {
		t.Errorf("through the link: %v", err)
	}
	through := connect(t, s, at("dfs", `root\link\x`), smbcheck.Options{})
	if _, err := through.Walk(t.Context(), smbcheck.Limits{}); !errors.Is(err, smbcheck.ErrDFS) && !errors.Is(err, smbcheck.ErrReparse) {
		t.Errorf("a root behind the link: %v", err)
	}
}

func TestReadingIsBoundedAndStaysBelowTheRoot(t *testing.T) {
	s := sambatest.Start(t)
	root := filepath.Join(s.Dir("plain"), "root")
	content := []byte(strings.Repeat("configuration ", 20_000))
	write(t, filepath.Join(root, "a.xml"), content)
	write(t, filepath.Join(root, "empty"), nil)
	write(t, filepath.Join(root, "secret.msu"), []byte("x"))
	write(t, filepath.Join(s.Dir("plain"), "outside.txt"), []byte("x"))
	if err := os.Chmod(filepath.Join(root, "secret.msu"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := connectAs(t, s, at("plain", "root"), smbcheck.NTLM{User: sambatest.Member, Password: sambatest.Password}, smbcheck.Options{})
	if got, err := c.ReadFile(t.Context(), "a.xml", int64(len(content)), nil); err != nil || string(got) != string(content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if got, err := c.ReadFile(t.Context(), "empty", 0, nil); err != nil || len(got) != 0 {
		t.Errorf("empty: %q %v", got, err)
	}
	for _, x := range []struct {
		path string
		want error
	}{
		{"nothing.xml", smbcheck.ErrMissing},
		{"secret.msu", smbcheck.ErrAccess},
		{`..\outside.txt`, smbcheck.ErrName},
		{`\outside.txt`, smbcheck.ErrName},
		{"a.xml:stream", smbcheck.ErrName},
		{"", smbcheck.ErrName},
	} {
		if _, err := c.ReadFile(t.Context(), x.path, 100, nil); !errors.Is(err, x.want) {
			t.Errorf("read %q: %v", x.path, err)
		}
		if _, _, err := c.HashFile(t.Context(), x.path, nil); !errors.Is(err, x.want) {
			t.Errorf("hash %q: %v", x.path, err)
		}
	}
	if _, err := c.ReadFile(t.Context(), "a.xml", int64(len(content))-1, nil); !errors.Is(err, smbcheck.ErrLimit) {
		t.Errorf("one byte too many: %v", err)
	}
	if err := os.Mkdir(filepath.Join(root, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadFile(t.Context(), "folder", 10, nil); !errors.Is(err, smbcheck.ErrNotFile) {
		t.Errorf("a folder: %v", err)
	}
}

func TestTheHashIsThatOfTheFileOnDisk(t *testing.T) {
	s := sambatest.Start(t)
	for share, size := range map[string]int{"plain": 20<<20 + 12345, "enc": 20 << 20} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i * 7 >> 3)
		}
		write(t, filepath.Join(s.Dir(share), "root", "big.msu"), content)
		c := connect(t, s, at(share, "root"), smbcheck.Options{})
		sum, n, err := c.HashFile(t.Context(), "big.msu", nil)
		if err != nil || n != int64(size) || sum != sha256.Sum256(content) {
			t.Errorf("%s: %x, %d bytes, %v", share, sum, n, err)
		}
	}
}

func TestACancelledCallClosesTheConnection(t *testing.T) {
	s := sambatest.Start(t)
	c := connect(t, s, at("plain", ""), smbcheck.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Walk(ctx, smbcheck.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := c.Walk(t.Context(), smbcheck.Limits{}); !errors.Is(err, smbcheck.ErrClosed) {
		t.Errorf("afterwards: %v", err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}
