package lab_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab"
	"cau/internal/winnode/agent"
)

// administrator opens the share Hotfixes as the lab's administrator.
func administrator(t *testing.T, info lab.Info, dialect uint16) (*smb2.Share, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", info.Shares[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	domain, user, _ := strings.Cut(info.User, `\`)
	d := smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true, SpecifiedDialect: dialect},
		Initiator:  &smb2.NTLMInitiator{User: user, Password: info.Password, Domain: domain},
	}
	s, err := d.DialConn(t.Context(), conn, "FS1")
	if err != nil {
		return nil, err
	}
	return s.WithContext(t.Context()).Mount(`\\FS1\Hotfixes`)
}

// SIDs and entries as they are on the wire (MS-DTYP 2.4.2.2, 2.4.4.2).
func sid(authority byte, subs ...uint32) []byte {
	b := []byte{1, byte(len(subs)), 0, 0, 0, 0, 0, authority}
	for _, s := range subs {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return b
}

func allowed(flags byte, mask uint32, who []byte) []byte {
	b := []byte{0, flags, byte(8 + len(who)), 0}
	return append(binary.LittleEndian.AppendUint32(b, mask), who...)
}

// permissions are the descriptors of everything below Root, by name, with the root's own as ".".
func permissions(t *testing.T, m *smb2.Share) map[string][]byte {
	t.Helper()
	const all = smb2.OwnerSecurityInformation | smb2.GroupSecurityInformation | smb2.DACLSecurityInformation
	root, err := m.SecurityInfoRaw("Root", all)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{".": root}
	for _, dir := range []string{"Root", `Root\CAUHotfix_All`} {
		entries, err := m.ReadDirPlus(dir, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Err != nil {
				t.Fatalf("%s: %v", e.Name(), e.Err)
			}
			out[e.Name()] = e.RawSecurityDescriptor
		}
	}
	return out
}

func TestTheFileServersScenariosShowWhatTheirDescriptionsSay(t *testing.T) {
	administrators, users, everyone := sid(5, 32, 544), sid(5, 32, 545), sid(1, 0)
	somebody := sid(5, 21, 1004336348, 1177238915, 682003330, 1105)
	const full, modify, read = 0x1f01ff, 0x1301bf, 0x1200a9
	const folder, file = 0x13, 0x10 // flags of what is inherited
	for scenario, look := range map[string]func(t *testing.T, d map[string][]byte){
		"default": func(t *testing.T, d map[string][]byte) {
			t.Helper()
			if !bytes.Contains(d["."], allowed(folder, read, users)) || !bytes.Contains(d["Update1.msu"], allowed(file, read, users)) {
				t.Errorf("%x", d)
			}
		},
		"root-open": func(t *testing.T, d map[string][]byte) {
			t.Helper()
			if !bytes.Contains(d["."], allowed(folder, modify, users)) || !bytes.Contains(d["DefaultHotfixConfig.xml"], allowed(file, modify, users)) {
				t.Errorf("users do not have modify: %x", d)
			}
			for name, raw := range d {
				if bytes.Contains(raw, allowed(0, full, everyone)) != (name == "Update2.msi") {
					t.Errorf("%s: %x", name, raw)
				}
			}
		},
		"root-creator-owner": func(t *testing.T, d map[string][]byte) {
			t.Helper()
			if !bytes.Contains(d["."], allowed(0x1b, full, sid(3, 0))) {
				t.Errorf("no CREATOR OWNER on the root: %x", d["."])
			}
			for name, raw := range d {
				his := name == "DefaultHotfixConfig.xml" || name == "Update1.msu"
				owner := raw[binary.LittleEndian.Uint32(raw[4:]):]
				if bytes.HasPrefix(owner, somebody) != his || bytes.HasPrefix(owner, administrators) == his ||
					bytes.Contains(raw, allowed(file, full, somebody)) != his {
					t.Errorf("%s: %x", name, raw)
				}
			}
		},
	} {
		t.Run(scenario, func(t *testing.T) {
			info, _ := serve(t, lab.Config{Scenario: scenario, Linger: -1})
			m, err := administrator(t, info, 0x311)
			if err != nil {
				t.Fatal(err)
			}
			look(t, permissions(t, m))
		})
	}
}

// probed is what a node says of the root.
func probed(t *testing.T, info lab.Info) agent.Connection {
	t.Helper()
	n := connect(t, info, "NODE1")
	n.upload()
	r := n.job(agent.JobShareProbe, "probe", agent.ShareProbeInput{Root: info.Root, File: `CAUHotfix_All\Update1.msu`})
	var out agent.ShareProbeOutput
	if err := json.Unmarshal(r.Data, &out); err != nil || !r.OK {
		t.Fatalf("probe: %+v %v", r.Err, err)
	}
	return out.Connection
}

// TestR32_WithoutTheRightToReadPermissionsTheAdministratorReadsNothing: but his nodes do.
func TestR32_WithoutTheRightToReadPermissionsTheAdministratorReadsNothing(t *testing.T) {
	info, _ := serve(t, lab.Config{Scenario: "root-closed", Speed: 100, Linger: -1})
	m, err := administrator(t, info, 0x311)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stat(`Root\DefaultHotfixConfig.xml`); err != nil {
		t.Errorf("attributes: %v", err)
	}
	if _, err := m.ReadFile(`Root\DefaultHotfixConfig.xml`); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file: %v", err)
	}
	if _, err := m.ReadDir("Root"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a folder: %v", err)
	}
	if c := probed(t, info); c.Account != `LAB\NODE1$` {
		t.Errorf("%+v", c)
	}
}

func TestHiddenPermissionsKeepNobodyFromReadingTheRoot(t *testing.T) {
	info, _ := serve(t, lab.Config{Scenario: "root-hidden", Speed: 100, Linger: -1})
	m, err := administrator(t, info, 0x311)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := m.ReadDirPlus("Root", smb2.DACLSecurityInformation)
	if err != nil || !slices.ContainsFunc(entries, func(e smb2.DirEntryPlus) bool { return e.Name() == "DefaultHotfixConfig.xml" }) {
		t.Fatalf("%+v %v", entries, err)
	}
	for _, e := range entries {
		if !errors.Is(e.Err, fs.ErrPermission) {
			t.Errorf("%s: %v", e.Name(), e.Err)
		}
	}
	if c := probed(t, info); c.Account != `LAB\NODE1$` {
		t.Errorf("%+v", c)
	}
}

func TestAnOlderFileServerRefusesTheNewestDialect(t *testing.T) {
	info, _ := serve(t, lab.Config{Scenario: "root-older", Speed: 100, Linger: -1})
	var refused *smb2.ResponseError
	if _, err := administrator(t, info, 0x311); !errors.As(err, &refused) || refused.Code != 0xC00000BB {
		t.Errorf("3.1.1: %v", err)
	}
	if _, err := administrator(t, info, 0x302); err != nil {
		t.Errorf("3.0.2: %v", err)
	}
	if c := probed(t, info); c.Dialect != "3.0.2" || !c.Signed || c.Encrypted {
		t.Errorf("%+v", c)
	}
}

func TestAShareThatDemandsEncryptionIsReadEncryptedByTheNodesToo(t *testing.T) {
	info, _ := serve(t, lab.Config{Scenario: "root-encrypted", Speed: 100, Linger: -1})
	if _, err := administrator(t, info, 0x302); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a client that cannot encrypt: %v", err)
	}
	if c := probed(t, info); c.Dialect != "3.1.1" || !c.Encrypted {
		t.Errorf("%+v", c)
	}
}
