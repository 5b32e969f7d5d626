package nodeshare_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/model"
	"cau/internal/lab/nodeshare"
	"cau/internal/lab/ntlm"
	"cau/internal/sambatest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs the lab's own file server with a share that encrypts and one that does not, and gives its
// address.
func serve(t *testing.T, mayRead func(string) bool) string {
	t.Helper()
	book := &ntlm.Book{}
	book.Add(ntlm.Account{Domain: "LAB", User: "NODE1$", Password: "machine"})
	files := fstest.MapFS{
		"Root/CAUHotfix_All/Update1.msu": {Data: []byte("content")}, "Root/x.xml": {Data: []byte("<a/>")},
	}
	server, err := fileserver.New(fileserver.Config{Name: "FS1", Domain: "LAB", Accounts: book, Shares: []fileserver.Share{
		{Name: "Hotfixes", FS: files, MayRead: mayRead}, {Name: "Sealed", FS: files, Encrypt: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = server.Serve(ctx, l) })
	t.Cleanup(func() { cancel(); done.Wait() })
	return l.Addr().String()
}

func reader(t nodeshare.Target) nodeshare.Reader {
	return nodeshare.Reader{Find: func(_, server, _ string) (nodeshare.Target, bool) {
		return t, strings.EqualFold(server, "FS1")
	}}
}

func read(t *testing.T, s model.Share, path string) (string, error) {
	t.Helper()
	f, err := s.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(f)
	return string(text), err
}

func code(err error) int64 {
	if w := (*model.Win32Error)(nil); errors.As(err, &w) {
		return w.Code
	}
	return -1
}

func TestANodeReadsAShareAsItsComputerAccountOverASignedConnection(t *testing.T) {
	target := nodeshare.Target{Address: serve(t, nil), Domain: "LAB", User: "NODE1$", Password: "machine"}
	s, c, err := reader(target).Open(t.Context(), "NODE1", `\\fs1\hotfixes\root\`)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c.Dialect != "3.1.1" || !c.Signed || c.Encrypted || c.Account != `LAB\NODE1$` {
		t.Errorf("%+v", c)
	}
	if text, err := read(t, s, `CAUHotfix_All\Update1.msu`); text != "content" || err != nil {
		t.Errorf("%q %v", text, err)
	}
	list, ok := s.(model.Lister)
	if !ok {
		t.Fatal("a share cannot be listed")
	}
	if n, err := list.Entries(1000); n == 0 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	if n, err := list.Entries(1); n != 1 || err != nil {
		t.Errorf("%d entries of at most one, %v", n, err)
	}
	if _, err := read(t, s, `CAUHotfix_All\Update9.msu`); code(err) != 2 {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := read(t, s, `Nowhere\Update9.msu`); code(err) != 3 {
		t.Errorf("a missing folder: %v", err)
	}
}

func TestAShareThatEncryptsIsSeenAsEncrypted(t *testing.T) {
	target := nodeshare.Target{Address: serve(t, nil), Domain: "LAB", User: "NODE1$", Password: "machine"}
	s, c, err := reader(target).Open(t.Context(), "NODE1", `\\FS1\Sealed\Root`)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !c.Encrypted || c.Dialect != "3.1.1" {
		t.Errorf("%+v", c)
	}
	if text, err := read(t, s, `x.xml`); text != "<a/>" || err != nil {
		t.Errorf("%q %v", text, err)
	}
}

func TestFailuresHaveWindowsNumbers(t *testing.T) {
	good := nodeshare.Target{Address: serve(t, func(string) bool { return false }), Domain: "LAB", User: "NODE1$", Password: "machine"}
	wrong, gone := good, good
	wrong.Password = "other"
	gone.Address = "127.0.0.1:1"
	for _, tc := range []struct {
		name, root string
		target     nodeshare.Target
		code       int64
	}{
		{"no right to read", `\\FS1\Hotfixes\Root`, good, 5},
		{"no such folder", `\\FS1\Sealed\Nowhere`, good, 2},
		{"a file", `\\FS1\Sealed\Root\x.xml`, good, 267},
		{"no such share", `\\FS1\Nothing\Root`, good, 67},
		{"no such server", `\\FS2\Hotfixes\Root`, good, 53},
		{"nobody listens", `\\FS1\Hotfixes\Root`, gone, 53},
		{"wrong password", `\\FS1\Hotfixes\Root`, wrong, 1326},
		{"a local path", `C:\Hotfixes`, good, 123},
		{"only a server", `\\FS1`, good, 123},
		{"a line end", "\\\\FS1\\Hot\nfixes\\Root", good, 123},
	} {
		s, _, err := reader(tc.target).Open(t.Context(), "NODE1", tc.root)
		if err == nil {
			s.Close()
		}
		if code(err) != tc.code {
			t.Errorf("%s: %v, want %d", tc.name, err, tc.code)
		}
	}
}

func TestAServerThatSpeaksSomethingElseIsAFailureInTime(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); done.Wait() })
	if _, _, err := reader(nodeshare.Target{Address: l.Addr().String(), User: "x"}).Open(t.Context(), "NODE1", `\\FS1\a\b`); code(err) != 64 {
		t.Errorf("%v", err)
	}
}

func TestARealSambaIsReadByTheMappedAccount(t *testing.T) {
	s := sambatest.Start(t, sambatest.WithShare("closed", "valid users = root"))
	for _, share := range []string{"plain", "enc", "closed"} {
		if err := os.WriteFile(filepath.Join(s.Dir(share), "a.msu"), []byte("content"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	member := nodeshare.Target{Address: s.Addr, User: sambatest.Member, Password: sambatest.Password}
	for share, encrypted := range map[string]bool{"plain": false, "enc": true} {
		got, c, err := reader(member).Open(t.Context(), "NODE1", `\\FS1\`+share)
		if err != nil {
			t.Errorf("%s: %v", share, err)
			continue
		}
		if c.Dialect != "3.1.1" || c.Encrypted != encrypted || c.Signed == encrypted || c.Account != sambatest.Member {
			t.Errorf("%s: %+v", share, c)
		}
		if text, err := read(t, got, "a.msu"); text != "content" || err != nil {
			t.Errorf("%s: %q %v", share, text, err)
		}
		got.Close()
	}
	if err := os.Chmod(filepath.Join(s.Dir("plain"), "a.msu"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _, err := reader(member).Open(t.Context(), "NODE1", `\\FS1\plain`); err != nil {
		t.Error(err)
	} else {
		if _, err := read(t, got, "a.msu"); code(err) != 5 {
			t.Errorf("a file it may not read: %v", err)
		}
		got.Close()
	}
	wrong := member
	wrong.Password = "other"
	for _, tc := range []struct {
		share  string
		target nodeshare.Target
		code   int64
	}{{"closed", member, 5}, {"nothing", member, 67}, {"plain", wrong, 1326}} {
		if _, _, err := reader(tc.target).Open(t.Context(), "NODE1", `\\FS1\`+tc.share); code(err) != tc.code {
			t.Errorf("%s: %v, want %d", tc.share, err, tc.code)
		}
	}
}

func TestASambaThatSpeaksOnlyOldDialectsIsReportedAsItIs(t *testing.T) {
	s := sambatest.Start(t, sambatest.Global("server max protocol = SMB2_10"))
	got, c, err := reader(nodeshare.Target{Address: s.Addr, User: sambatest.Member, Password: sambatest.Password}).Open(t.Context(), "NODE1", `\\FS1\plain`)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	if c.Dialect != "2.1" || !c.Signed || c.Encrypted {
		t.Errorf("%+v", c)
	}
}
