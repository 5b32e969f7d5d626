package fileserver_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// smbclient runs Samba's client, a second and independent peer. Where it is not
// installed the test is skipped, but never in CI.
func (l *lab) smbclient(t *testing.T, share, user, commands string, options ...string) (string, error) {
	t.Helper()
	program, err := exec.LookPath("smbclient")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("smbclient is not installed")
		}
		t.Skip("smbclient is not installed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	host, port, err := net.SplitHostPort(l.addr)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "smb.conf")
	if err := os.WriteFile(conf, []byte("[global]\nworkgroup = WORKGROUP\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-s", conf, "-p", port, "-U", user, "-c", commands}, options...)
	cmd := exec.CommandContext(ctx, program, append(args, "//"+host+"/"+share)...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSambaClientListsAndFetches(t *testing.T) {
	l := start(t)
	for name, c := range map[string]struct {
		share   string
		options []string
	}{
		"default":         {"hotfix", nil},
		"signed":          {"hotfix", []string{"--client-protection=sign"}},
		"sealed by wish":  {"hotfix", []string{"--client-protection=encrypt"}},
		"sealed by share": {"sealed", nil},
		"SMB 3.0.2":       {"hotfix", []string{"-m", "SMB3_02"}},
		"SMB 3.0":         {"hotfix", []string{"-m", "SMB3_00"}},
		"SMB 2.1":         {"hotfix", []string{"-m", "SMB2_10"}},
	} {
		t.Run(name, func(t *testing.T) {
			target := filepath.Join(t.TempDir(), "big")
			out, err := l.smbclient(t, c.share, `CONTOSO\svc%Sesame-1`,
				`recurse; ls; showacls; ls Root; cd Root\CAUHotfix_All; get big.msu `+target, c.options...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range []string{"SpecialHotfix1.exe", "blå bär", "DefaultHotfixConfig.xml              A       15", "16777216 blocks of size 4096. 0 blocks available", "Owner SID: S-1-5-32-544", "SID: S-1-5-32-545"} {
				if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
			if strings.Contains(out, "sub:stream") {
				t.Error("a name that Windows cannot have is listed")
			}
			got, err := os.ReadFile(target)
			if err != nil || !bytes.Equal(got, big) {
				t.Errorf("fetched %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestSambaClientIsRefusedAsWindowsWould(t *testing.T) {
	l := start(t)
	for name, c := range map[string]struct {
		share, user, commands, want string
		options                     []string
	}{
		"wrong password":  {"hotfix", `CONTOSO\svc%wrong`, "ls", "NT_STATUS_LOGON_FAILURE", nil},
		"anonymous":       {"hotfix", `%`, "ls", "NT_STATUS_", nil},
		"unknown share":   {"nosuch", `CONTOSO\svc%Sesame-1`, "ls", "NT_STATUS_BAD_NETWORK_NAME", nil},
		"missing file":    {"hotfix", `CONTOSO\svc%Sesame-1`, "get nosuch -", "NT_STATUS_OBJECT_NAME_NOT_FOUND", nil},
		"missing pattern": {"hotfix", `CONTOSO\svc%Sesame-1`, `ls Root\*.iso`, "NT_STATUS_NO_SUCH_FILE", nil},
		"writing":         {"hotfix", `CONTOSO\svc%Sesame-1`, "put /etc/hostname x", "NT_STATUS_ACCESS_DENIED", nil},
		"no encryption":   {"sealed", `CONTOSO\svc%Sesame-1`, "ls", "NT_STATUS_ACCESS_DENIED", []string{"-m", "SMB3_02"}},
		"SMB1":            {"hotfix", `CONTOSO\svc%Sesame-1`, "ls", "", []string{"-m", "NT1", "--option=client min protocol=NT1"}},
		"SMB 2.0.2":       {"hotfix", `CONTOSO\svc%Sesame-1`, "ls", "", []string{"-m", "SMB2_02"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := l.smbclient(t, c.share, c.user, c.commands, c.options...)
			if !strings.Contains(out, c.want) || (err == nil && c.want == "") {
				t.Errorf("%v, want %s in\n%s", err, c.want, out)
			}
		})
	}
}

func TestSambaClientSeesPatterns(t *testing.T) {
	l := start(t)
	out, err := l.smbclient(t, "hotfix", `CONTOSO\svc%Sesame-1`, `ls Root\CAUHotfix_All\update?.MS*`)
	if err != nil || !strings.Contains(out, "Update1.msu") || !strings.Contains(out, "Update2.msi") || strings.Contains(out, "big.msu") {
		t.Errorf("%v\n%s", err, out)
	}
}
