package fileserver_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/ntlm"
)

const (
	svc      = `CONTOSO\svc`
	allOfIt  = smb2.OwnerSecurityInformation | smb2.GroupSecurityInformation | smb2.DACLSecurityInformation
	somebody = "S-1-5-21-1004336348-1177238915-682003330-1105"
)

// permitted serves one share to svc and NODE1$.
func permitted(t *testing.T, c fileserver.Config, s fileserver.Share) *lab {
	t.Helper()
	l := &lab{book: &ntlm.Book{}}
	l.book.Add(ntlm.Account{Domain: "CONTOSO", User: "svc", Password: "Sesame-1"})
	l.book.Add(ntlm.Account{Domain: "CONTOSO", User: "NODE1$", Password: "machine"})
	s.Name = "hotfix"
	if s.FS == nil {
		s.FS = hotfixes()
	}
	c.Name, c.Domain, c.Accounts, c.Shares = "FS1", "CONTOSO", l.book, []fileserver.Share{s}
	l.serve(t, c)
	return l
}

func sddl(t *testing.T, text string) fileserver.Descriptor {
	t.Helper()
	d, err := fileserver.ReadSDDL(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestThousandsOfDescriptorsComeInCompounds: go-smb2 asks in frames of as many CREATE, QUERY_INFO and CLOSE as it has
// credits for.
func TestThousandsOfDescriptorsComeInCompounds(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 3000 {
		files[fmt.Sprintf("Root/Update%04d.msu", i)] = &fstest.MapFile{}
	}
	below := map[string]fileserver.Descriptor{"Root/Update2999.msu": sddl(t, "O:"+somebody+"D:(A;;FA;;;AU)")}
	for name, share := range map[string]fileserver.Share{"signed": {FS: files, Below: below}, "sealed": {FS: files, Below: below, Encrypt: true}} {
		t.Run(name, func(t *testing.T) {
			m := permitted(t, fileserver.Config{}, share).mount(t, "hotfix", 0x311)
			entries, err := m.ReadDirPlus("Root", allOfIt)
			if err != nil || len(entries) != 3000 {
				t.Fatalf("%d entries, %v", len(entries), err)
			}
			for i, e := range entries {
				if e.Err != nil {
					t.Fatalf("%s: %v", e.Name(), e.Err)
				}
				want := "O:BAG:SYD:AI(A;ID;0x1f01ff;;;BA)(A;ID;0x1f01ff;;;SY)(A;ID;0x1200a9;;;BU)"
				if i == 2999 {
					want = "O:" + somebody + "G:SYD:AI(A;;0x1f01ff;;;AU)(A;ID;0x1f01ff;;;BA)(A;ID;0x1f01ff;;;SY)(A;ID;0x1200a9;;;BU)"
				}
				if got := fileserver.Describe(t, e.RawSecurityDescriptor); got != want {
					t.Errorf("%s: %s, want %s", e.Name(), got, want)
				}
			}
		})
	}
}

func TestPermissionsThatAreWithheldDoNotKeepAnybodyFromReading(t *testing.T) {
	l := permitted(t, fileserver.Config{}, fileserver.Share{Withholds: func(user string) bool { return user == svc }})
	m := l.mount(t, "hotfix", 0x311)
	if _, err := m.SecurityInfoRaw("Root", allOfIt); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the root's descriptor: %v", err)
	}
	entries, err := m.ReadDirPlus("Root", allOfIt)
	if err != nil || len(entries) != 3 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		if !errors.Is(e.Err, fs.ErrPermission) || len(e.RawSecurityDescriptor) != 0 {
			t.Errorf("%s: %x, %v", e.Name(), e.RawSecurityDescriptor, e.Err)
		}
	}
	if got, err := m.ReadFile(`Root\CAUHotfix_All\Update1.msu`); err != nil || string(got) != "one" {
		t.Errorf("%q, %v", got, err)
	}
	node, err := l.dial(t, "NODE1$", "machine", 0x311)
	if err != nil {
		t.Fatal(err)
	}
	open, err := node.Mount("hotfix")
	if err != nil {
		t.Fatal(err)
	}
	if sd, err := open.SecurityInfoRaw("Root", allOfIt); err != nil || len(sd) == 0 {
		t.Errorf("a node: %d bytes, %v", len(sd), err)
	}
}

// TestWithoutREAD_CONTROLWhatAsksForItIsRefused: GENERIC_READ, which go-smb2 opens with, has it among its rights.
func TestWithoutREAD_CONTROLWhatAsksForItIsRefused(t *testing.T) {
	l := permitted(t, fileserver.Config{}, fileserver.Share{MayReadPermissions: func(user string) bool { return user != svc }})
	m := l.mount(t, "hotfix", 0x311)
	if _, err := m.Stat(`Root\CAUHotfix_All\Update1.msu`); err != nil {
		t.Errorf("attributes: %v", err)
	}
	for what, err := range map[string]error{
		"descriptor": second(m.SecurityInfoRaw("Root", allOfIt)), "file": second(m.ReadFile(`Root\CAUHotfix_All\Update1.msu`)), "folder": second(m.ReadDir("Root")),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAServerSpeaksNoNewerDialectThanItIsToldTo(t *testing.T) {
	for name, c := range map[string]struct {
		newest     uint16
		refused    []uint16
		understood []uint16
	}{
		"3.0.2": {0x302, []uint16{0x311}, []uint16{0, 0x302, 0x300, 0x210}},
		"3.0":   {0x300, []uint16{0x311, 0x302}, []uint16{0, 0x300, 0x210}},
		"2.1":   {0x210, []uint16{0x311, 0x302, 0x300}, []uint16{0, 0x210}},
	} {
		l := permitted(t, fileserver.Config{Newest: c.newest}, fileserver.Share{})
		for _, d := range c.refused {
			var refused *smb2.ResponseError
			if _, err := l.dial(t, "svc", "Sesame-1", d); !errors.As(err, &refused) || refused.Code != 0xC00000BB {
				t.Errorf("%s, asked for %#x: %v", name, d, err)
			}
		}
		for _, d := range c.understood {
			if got, err := l.mount(t, "hotfix", d).ReadFile(`Root\CAUHotfix_All\Update1.msu`); err != nil || string(got) != "one" {
				t.Errorf("%s, asked for %#x: %q, %v", name, d, got, err)
			}
		}
	}
}

func TestSambaClientShowsTheLists(t *testing.T) {
	l := permitted(t, fileserver.Config{}, fileserver.Share{
		Security: sddl(t, "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;BU)(A;OICIIO;FA;;;CO)"),
		Below: map[string]fileserver.Descriptor{
			"Root/DefaultHotfixConfig.xml":   sddl(t, "O:"+somebody),
			"Root/CAUHotfix_All/Update1.msu": sddl(t, "D:(A;;FA;;;WD)"),
			"Root/CAUHotfix_All/Update2.msi": sddl(t, "D:NO_ACCESS_CONTROL"),
		},
	})
	out, err := l.smbclient(t, "hotfix", svc+"%Sesame-1", `recurse; showacls; ls Root\*`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out = strings.Join(strings.Fields(out), " ")
	for what, want := range map[string]string{
		"what CREATOR OWNER became": "type: ACCESS ALLOWED (0) flags: 0x10 SEC_ACE_FLAG_INHERITED_ACE Specific bits: 0x1ff Permissions: 0x1f01ff: " +
			"SYNCHRONIZE_ACCESS WRITE_OWNER_ACCESS WRITE_DAC_ACCESS READ_CONTROL_ACCESS DELETE_ACCESS SID: " + somebody + " Owner SID: " + somebody,
		"what was set":   "type: ACCESS ALLOWED (0) flags: 0x00 Specific bits: 0x1ff",
		"who everyone":   "SID: S-1-1-0",
		"Users' modify":  "Permissions: 0x1301bf",
		"and who is not": "Owner SID: S-1-5-32-544",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s: no %q in\n%s", what, want, out)
		}
	}
}

// TestSambaClientIsRefusedWhatIsHidden: it lists with no more rights than that takes, and fetches with GENERIC_READ's.
func TestSambaClientIsRefusedWhatIsHidden(t *testing.T) {
	for name, c := range map[string]struct {
		share fileserver.Share
		get   bool
	}{
		"no READ_CONTROL": {fileserver.Share{MayReadPermissions: func(string) bool { return false }}, false},
		"withheld":        {fileserver.Share{Withholds: func(string) bool { return true }}, true},
	} {
		l := permitted(t, fileserver.Config{}, c.share)
		if out, _ := l.smbclient(t, "hotfix", svc+"%Sesame-1", `showacls; ls Root\DefaultHotfixConfig.xml`); strings.Contains(out, "SID:") || !strings.Contains(out, "SIZE:15") {
			t.Errorf("%s:\n%s", name, out)
		}
		out, err := l.smbclient(t, "hotfix", svc+"%Sesame-1", `ls Root\*; get Root\DefaultHotfixConfig.xml /dev/null`)
		if !strings.Contains(out, "CAUHotfix_All") || (err == nil) != c.get || strings.Contains(out, "NT_STATUS_ACCESS_DENIED") == c.get {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
