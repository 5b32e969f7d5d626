package fileserver_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/cloudsoda/go-smb2"
	"go.uber.org/goleak"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/ntlm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// big is 20 MB that cannot be compressed or guessed.
var big = func() []byte {
	b := make([]byte, 20<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}()

func hotfixes() fstest.MapFS {
	return fstest.MapFS{
		"Root/DefaultHotfixConfig.xml":              {Data: []byte("<HotfixConfig/>"), ModTime: time.Date(2026, 10, 3, 4, 5, 6, 0, time.UTC)},
		"Root/CAUHotfix_All/Update1.msu":            {Data: []byte("one")},
		"Root/CAUHotfix_All/Update2.msi":            {Data: []byte("two")},
		"Root/NODE1/FolderRule1/SpecialHotfix1.exe": {Data: []byte("MZ")},
		"Root/CAUHotfix_All/blå bär 🫐.msu":          {Data: []byte("snow")},
		"Root/CAUHotfix_All/sub:stream":             {Data: []byte("no Windows name")},
		"Root/CAUHotfix_All/big.msu":                {Data: big},
		"Root/CAUHotfix_All/empty.msu":              {},
	}
}

type lab struct {
	addr    string
	shelf   *fileserver.Shelf
	book    *ntlm.Book
	blocked atomic.Pointer[string]
}

func start(t *testing.T) *lab {
	t.Helper()
	l := &lab{book: &ntlm.Book{Threshold: 5}, shelf: fileserver.NewShelf(16 << 20)}
	l.book.Add(ntlm.Account{Domain: "CONTOSO", User: "svc", Password: "Sesame-1"})
	l.book.Add(ntlm.Account{Domain: "CONTOSO", User: "NODE1$", Password: "machine"})
	mayRead := func(user string) bool {
		blocked := l.blocked.Load()
		return blocked == nil || *blocked != user
	}
	l.serve(t, fileserver.Config{
		Name: "FS1", Domain: "CONTOSO", DNSName: "fs1.contoso.com", DNSDomain: "contoso.com", Accounts: l.book,
		Shares: []fileserver.Share{
			{Name: "hotfix", FS: hotfixes(), MayRead: mayRead},
			{Name: "sealed", FS: hotfixes(), Encrypt: true},
			{Name: "writable", Writable: l.shelf, MayRead: mayRead, MayWrite: func(user string) bool { return user == `CONTOSO\svc` }},
			{Name: "vault", Writable: l.shelf, Encrypt: true},
		},
	})
	return l
}

// serve runs a server until the test ends.
func (l *lab) serve(t *testing.T, c fileserver.Config) {
	t.Helper()
	server, err := fileserver.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.addr = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve ended with %v", err)
		}
	})
}

func (l *lab) dial(t *testing.T, user, password string, dialect uint16) (*smb2.Session, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	var d net.Dialer
	peer, err := d.DialContext(ctx, "tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	s, err := (&smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true, SpecifiedDialect: dialect},
		Initiator:  &smb2.NTLMInitiator{User: user, Password: password, Domain: "CONTOSO"},
	}).DialConn(ctx, peer, "127.0.0.1")
	if err != nil {
		return nil, err
	}
	return s.WithContext(ctx), nil
}

func (l *lab) mount(t *testing.T, share string, dialect uint16) *smb2.Share {
	t.Helper()
	s, err := l.dial(t, "svc", "Sesame-1", dialect)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Mount(share)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Umount(); err != nil {
			t.Errorf("tree disconnect: %v", err)
		}
		if err := s.Logoff(); err != nil {
			t.Errorf("logoff: %v", err)
		}
	})
	return m
}

var dialects = map[string]uint16{"3.1.1": 0x311, "3.0.2": 0x302, "3.0": 0x300, "2.1": 0x210, "any": 0}

func TestEveryDialectListsAndReads(t *testing.T) {
	l := start(t)
	for name, dialect := range dialects {
		t.Run(name, func(t *testing.T) {
			m := l.mount(t, "HOTFIX", dialect)
			list, err := m.ReadDir(`Root\CAUHotfix_All`)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range list {
				names = append(names, e.Name())
			}
			want := []string{"Update1.msu", "Update2.msi", "big.msu", "blå bär 🫐.msu", "empty.msu"}
			slices.Sort(names)
			if !slices.Equal(names, want) {
				t.Errorf("listed %q, want %q", names, want)
			}
			got, err := m.ReadFile(`root\cauhotfix_ALL\update1.MSU`)
			if err != nil || string(got) != "one" {
				t.Errorf("read %q, %v", got, err)
			}
			if got, err := m.ReadFile(`Root\CAUHotfix_All\empty.msu`); err != nil || len(got) != 0 {
				t.Errorf("empty file: %q, %v", got, err)
			}
			info, err := m.Stat(`Root\DefaultHotfixConfig.xml`)
			if err != nil || info.Size() != 15 || info.IsDir() || !info.ModTime().UTC().Equal(time.Date(2026, 10, 3, 4, 5, 6, 0, time.UTC)) {
				t.Errorf("stat %+v, %v", info, err)
			}
		})
	}
}

func TestLargeFileArrivesWhole(t *testing.T) {
	l := start(t)
	for _, share := range []string{"hotfix", "sealed"} {
		t.Run(share, func(t *testing.T) {
			m := l.mount(t, share, 0x311)
			f, err := m.Open(`Root\CAUHotfix_All\big.msu`)
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 1<<20))
			if err != nil || n != int64(len(big)) {
				t.Fatalf("read %d bytes, %v", n, err)
			}
			if [32]byte(h.Sum(nil)) != sha256.Sum256(big) {
				t.Error("the content differs")
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEncryptedShareRefusesAClientThatCannotEncrypt(t *testing.T) {
	l := start(t)
	s, err := l.dial(t, "svc", "Sesame-1", 0x302)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Mount("sealed"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("mount over 3.0.2: %v, want permission denied", err)
	}
}

func TestTheTreeIsWalkedWithDescriptors(t *testing.T) {
	l := start(t)
	m := l.mount(t, "sealed", 0x311)
	entries, err := m.ReadDirPlus("Root", smb2.OwnerSecurityInformation|smb2.GroupSecurityInformation|smb2.DACLSecurityInformation)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 {
		t.Errorf("%d entries, want 3", len(entries))
	}
	for _, e := range entries {
		if e.Err != nil || len(e.RawSecurityDescriptor) == 0 {
			t.Errorf("%s: %d bytes, %v", e.Name(), len(e.RawSecurityDescriptor), e.Err)
		}
	}
	var seen []string
	err = fs.WalkDir(m.DirFS("Root"), ".", func(p string, _ fs.DirEntry, err error) error {
		seen = append(seen, p)
		return err
	})
	if err != nil || !slices.Contains(seen, "NODE1/FolderRule1/SpecialHotfix1.exe") {
		t.Errorf("walked %q, %v", seen, err)
	}
}

func TestDescriptorsSayWhatTheDocumentationAsksFor(t *testing.T) {
	l := start(t)
	m := l.mount(t, "hotfix", 0x311)
	for name, want := range map[string]struct {
		control uint16
		flags   byte
	}{
		"":                             {0x9404, 0x03},
		"Root":                         {0x8404, 0x13},
		`Root\DefaultHotfixConfig.xml`: {0x8404, 0x10},
	} {
		sd, err := m.SecurityInfoRaw(name, smb2.OwnerSecurityInformation|smb2.GroupSecurityInformation|smb2.DACLSecurityInformation)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		administrators := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}
		system := []byte{1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}
		users := []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2, 0, 0}
		ace := func(mask []byte, sid []byte) []byte {
			return slices.Concat([]byte{0, want.flags, byte(8 + len(sid)), 0}, mask, sid)
		}
		full, read := []byte{0xff, 0x01, 0x1f, 0}, []byte{0xa9, 0, 0x12, 0}
		expected := slices.Concat(
			[]byte{1, 0, byte(want.control), byte(want.control >> 8), 20, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 48, 0, 0, 0},
			administrators, system,
			[]byte{2, 0, 76, 0, 3, 0, 0, 0}, ace(full, administrators), ace(full, system), ace(read, users))
		if !slices.Equal(sd, expected) {
			t.Errorf("%q: descriptor\n%x, want\n%x", name, sd, expected)
		}
	}
	if _, err := m.SecurityInfoRaw("", smb2.SACLSecurityInformation); err == nil {
		t.Error("the audit list is shown")
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	l := start(t)
	m := l.mount(t, "hotfix", 0x311)
	for _, name := range []string{"missing", `Root\missing.msu`, `missing\Update1.msu`, `Root\DefaultHotfixConfig.xml\child`} {
		if _, err := m.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want not found", name, err)
		}
	}
	s, err := l.dial(t, "svc", "Sesame-1", 0x311)
	if err != nil {
		t.Fatal(err)
	}
	var refused *smb2.ResponseError
	if _, err := s.Mount("nosuch"); !errors.As(err, &refused) || refused.Code != 0xC00000CC {
		t.Errorf("unknown share: %v, want STATUS_BAD_NETWORK_NAME", err)
	}
	if err := s.Echo(); err != nil {
		t.Errorf("echo: %v", err)
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	l := start(t)
	m := l.mount(t, "hotfix", 0x311)
	for what, try := range map[string]func() error{
		"create":     func() error { return m.WriteFile("new.msu", []byte("x"), 0o666) },
		"overwrite":  func() error { return m.WriteFile(`Root\DefaultHotfixConfig.xml`, []byte("x"), 0o666) },
		"folder":     func() error { return m.Mkdir("Root\\new", 0o777) },
		"remove":     func() error { return m.Remove(`Root\CAUHotfix_All\Update1.msu`) },
		"rename":     func() error { return m.Rename(`Root\NODE1`, `Root\NODE2`) },
		"truncate":   func() error { return m.Truncate(`Root\CAUHotfix_All\Update1.msu`, 0) },
		"times":      func() error { return m.Chtimes(`Root\NODE1`, time.Now(), time.Now()) },
		"attributes": func() error { return m.Chmod(`Root\NODE1`, 0o444) },
	} {
		if err := try(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want permission denied", what, err)
		}
	}
	if got, err := m.ReadFile(`Root\CAUHotfix_All\Update1.msu`); err != nil || string(got) != "one" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func TestR02_WrongPasswordIsRefusedAndCountedOnce(t *testing.T) {
	l := start(t)
	if _, err := l.dial(t, "svc", "wrong", 0x311); err == nil {
		t.Fatal("signed in with a wrong password")
	}
	if n := l.book.FailedLogons("CONTOSO", "svc"); n != 1 {
		t.Errorf("%d failed logons counted, want 1", n)
	}
	for state, want := range map[ntlm.State]uint32{
		ntlm.Locked: 0xC0000234, ntlm.PasswordExpired: 0xC0000071, ntlm.MustChangePassword: 0xC0000224, ntlm.Disabled: 0xC0000072,
	} {
		l.book.SetState("CONTOSO", "svc", state)
		_, err := l.dial(t, "svc", "Sesame-1", 0x311)
		var refused *smb2.ResponseError
		if !errors.As(err, &refused) || refused.Code != want {
			t.Errorf("state %d: %v, want %#x", state, err, want)
		}
	}
}

func TestReadingCanBeTakenAwayAtAnyTime(t *testing.T) {
	l := start(t)
	s, err := l.dial(t, "NODE1$", "machine", 0x311)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Mount("hotfix")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ReadFile(`Root\CAUHotfix_All\Update1.msu`); err != nil {
		t.Fatal(err)
	}
	node := `CONTOSO\NODE1$`
	l.blocked.Store(&node)
	if _, err := m.ReadFile(`Root\CAUHotfix_All\Update1.msu`); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open on the old connection: %v, want permission denied", err)
	}
	if _, err := s.Mount("hotfix"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("new tree: %v, want permission denied", err)
	}
	if _, err := l.mount(t, "hotfix", 0x311).ReadFile(`Root\CAUHotfix_All\Update1.msu`); err != nil {
		t.Errorf("another account: %v", err)
	}
}
