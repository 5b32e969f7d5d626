package lab_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/lab"
)

// ticketClient runs Samba's client with a ticket only.
func ticketClient(t *testing.T, env []string, address, name, share, commands string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("smbclient"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(t.TempDir(), "smb.conf")
	if err := os.WriteFile(conf, []byte("[global]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var cache string
	for _, e := range env {
		if c, ok := strings.CutPrefix(e, "KRB5CCNAME="); ok {
			cache = c
		}
	}
	cmd := exec.CommandContext(t.Context(), "smbclient", "-s", conf, "--use-kerberos=required", "--use-krb5-ccache="+cache, "-I", host, "-p", port, "-c", commands, "//"+name+"/"+share)
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSharesTakeTheTicketsOfAnotherClient(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Linger: -1})
	env := kinit(t, info, "admin@"+info.Kerberos.Realm, "-k", "-t", info.Kerberos.KeytabFile)
	files := info.Shares[0].Address
	if out, err := ticketClient(t, env, files, "fs1.lab.example", "Hotfixes", `cd Root; ls`); err != nil || !strings.Contains(out, "CAUHotfix_All") {
		t.Errorf("the sample root: %v\n%s", err, out)
	}
	node := info.Nodes[1]
	if out, err := ticketClient(t, env, node.SMB, node.FQDN, "ADMIN$", `ls`); err != nil || !strings.Contains(out, "blocks") {
		t.Errorf("ADMIN$: %v\n%s", err, out)
	}
	// A machine reads tickets for itself alone.
	if out, err := ticketClient(t, env, node.SMB, "fs1.lab.example", "ADMIN$", `ls`); err == nil || !strings.Contains(out, "NT_STATUS_LOGON_FAILURE") {
		t.Errorf("another machine's ticket: %v\n%s", err, out)
	}
}
