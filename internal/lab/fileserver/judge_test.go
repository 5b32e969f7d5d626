package fileserver

import (
	"errors"
	"io/fs"
	"net"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/sambatest"
)

// rawDescriptor is what go-smb2 can be made to set.
type rawDescriptor []byte

func (d rawDescriptor) Size() int       { return len(d) }
func (d rawDescriptor) Encode(b []byte) { copy(b, d) }

const allOfIt = smb2.OwnerSecurityInformation | smb2.GroupSecurityInformation | smb2.DACLSecurityInformation

// TestSambaInheritsTheSame lets a real Samba, which keeps NT access lists, judge what comes below a folder. What
// is Samba's own: who makes something owns it, with his primary group, so the lab's tree is given those owners; and
// generic rights become those of files when a list is set, so that a folder below has one entry where Windows makes
// two ("ACE Inheritance Rules"). Effective on files they are the same.
func TestSambaInheritsTheSame(t *testing.T) {
	server := startJudge(t)
	share := samba(t, server, sambatest.Admin)
	me, _, _ := strings.Cut(strings.TrimPrefix(made(t, share, "mine.txt"), "O:"), "G:")
	for name, sddl := range map[string]string{
		"creator-twice": "D:P(A;OICI;FA;;;" + me + ")(A;OICIIO;FA;;;CO)",
		"default":       "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)",
		"modify":        "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;BU)",
		"files-only":    "D:P(A;OICI;FA;;;SY)(A;OI;0x1200a9;;;BU)(A;OIIO;FR;;;AU)(A;OINP;FX;;;WD)",
		"folders-only":  "D:P(A;OICI;FA;;;SY)(A;CI;0x1200a9;;;BU)(A;CIIO;FR;;;AU)(A;CINP;FX;;;WD)",
		"once":          "D:P(A;OICI;FA;;;SY)(A;OICINP;0x1200a9;;;BU)(A;OICIIONP;FR;;;AU)",
		"inherit-only":  "D:P(A;OICI;FA;;;SY)(A;OICIIO;0x1200a9;;;BU)",
		"not-inherited": "D:P(A;OICI;FA;;;SY)(A;;FA;;;WD)",
		"deny":          "D:P(D;OICI;FW;;;BU)(A;OICI;FA;;;SY)(A;OICI;FA;;;WD)",
		"creator-owner": "D:P(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)(A;OICIIO;FA;;;CO)",
		"creator-once":  "D:P(A;OICI;FA;;;SY)(A;OICIIONP;FA;;;CO)",
		"creator-files": "D:P(A;OICI;FA;;;SY)(A;OIIO;FA;;;CO)",
		"creator-group": "D:P(A;OICI;FA;;;SY)(A;OICIIO;FR;;;CG)",
		"generic":       "D:P(A;OICI;FA;;;SY)(A;OICIIO;GRGX;;;BU)(A;OICIIO;GA;;;BA)",
	} {
		t.Run(name, func(t *testing.T) {
			top := read(t, sddl)
			top.Owner, top.Group = Administrators, Users
			if err := share.Mkdir(name, 0o777); err != nil {
				t.Fatal(err)
			}
			permit(t, share, name, top)
			lab := Share{Name: "s", FS: fstest.MapFS{name + "/sub/deep/file.txt": {}, name + "/file.txt": {}, name + "/sub/file.txt": {}}}
			lab.Below = map[string]Descriptor{name: read(t, strings.NewReplacer("GRGX", "FRFX", "GA", "FA").Replace(sddl))}
			seen := map[string]string{}
			for _, at := range []string{"file.txt", "sub", "sub/file.txt", "sub/deep", "sub/deep/file.txt"} {
				full := path.Join(name, at)
				seen[full] = made(t, share, strings.ReplaceAll(full, "/", `\`))
				owner, rest, _ := strings.Cut(strings.TrimPrefix(seen[full], "O:"), "G:")
				group, _, _ := strings.Cut(rest, "D:")
				lab.Below[full] = Descriptor{Owner: owner, Group: group}
			}
			shown, err := compilePermissions(lab)
			if err != nil {
				t.Fatal(err)
			}
			for full, want := range seen {
				folder := !strings.HasSuffix(full, ".txt")
				if got := Describe(t, shown.of(full, folder).encode(askOwner|askGroup|askDACL)); got != want {
					t.Errorf("%s:\nthe lab %s\nSamba   %s", full, got, want)
				}
			}
		})
	}
}

// permit sets a list as a Windows client does, who asks for it to be passed on (MS-DTYP 2.4.6): only then do Samba's
// children say what is inherited.
func permit(tb testing.TB, share *smb2.Share, name string, d Descriptor) {
	tb.Helper()
	const request = 0x0100
	g, err := compileDescriptor(d)
	if err != nil {
		tb.Fatal(err)
	}
	raw := g.root().encode(askDACL)
	le.PutUint16(raw[2:], le.Uint16(raw[2:])|request)
	if err := share.SetSecurityInfoRaw(name, smb2.DACLSecurityInformation, rawDescriptor(raw)); err != nil {
		tb.Fatal(err)
	}
}

// TestSambaRefusesGENERIC_READWithoutREAD_CONTROL: what the lab says of [Share.MayReadPermissions] is so elsewhere too.
func TestSambaRefusesGENERIC_READWithoutREAD_CONTROL(t *testing.T) {
	server := startJudge(t)
	admin, member := samba(t, server, sambatest.Admin), samba(t, server, sambatest.Member)
	for name, hidden := range map[string]bool{"shown.txt": false, "hidden.txt": true} {
		made(t, admin, name)
		rights := "0x1200a9"
		if hidden {
			rights = "0x1000a9"
		}
		permit(t, admin, name, read(t, "D:P(A;;"+rights+";;;WD)"))
		if _, err := member.Stat(name); err != nil {
			t.Errorf("%s: attributes: %v", name, err)
		}
		if _, err := member.ReadFile(name); errors.Is(err, fs.ErrPermission) != hidden {
			t.Errorf("%s: reading: %v", name, err)
		}
		if _, err := member.SecurityInfoRaw(name, allOfIt); errors.Is(err, fs.ErrPermission) != hidden {
			t.Errorf("%s: permissions: %v", name, err)
		}
	}
}

// startJudge starts a Samba whose share acl keeps NT access lists.
func startJudge(t *testing.T) *sambatest.Server {
	t.Helper()
	return sambatest.Start(t, sambatest.WithShare("acl", "vfs objects = acl_xattr", "acl_xattr:ignore system acls = yes",
		"acl_xattr:default acl style = windows", "inherit acls = yes", "map acl inherit = yes", "store dos attributes = yes"))
}

// samba opens the share acl.
func samba(t *testing.T, server *sambatest.Server, user string) *smb2.Share {
	t.Helper()
	peer, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	session, err := (&smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: user, Password: sambatest.Password}}).DialConn(t.Context(), peer, "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	share, err := session.WithContext(t.Context()).Mount("acl")
	if err != nil {
		t.Fatal(err)
	}
	return share
}

// made makes a file or folder and says what it shows.
func made(tb testing.TB, share *smb2.Share, name string) string {
	tb.Helper()
	var err error
	if strings.HasSuffix(name, ".txt") {
		err = share.WriteFile(name, []byte("x"), 0o666)
	} else {
		err = share.Mkdir(name, 0o777)
	}
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := share.SecurityInfoRaw(name, allOfIt)
	if err != nil {
		tb.Fatal(err)
	}
	return Describe(tb, raw)
}
