package lab_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cau/internal/lab"
	"cau/internal/lab/wsmanserver"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

func account(t *testing.T, info lab.Info, kind string) lab.Account {
	t.Helper()
	i := slices.IndexFunc(info.Accounts, func(a lab.Account) bool { return a.Kind == kind })
	if i < 0 {
		t.Fatalf("no %s in %+v", kind, info.Accounts)
	}
	return info.Accounts[i]
}

func heard(t *testing.T, info lab.Info, node string) lab.Heard {
	t.Helper()
	r, err := lab.Inspect(t.Context(), info)
	if err != nil {
		t.Fatal(err)
	}
	return r.WinRM[node]
}

func TestEveryNodeListensWithTLS(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Linger: -1})
	ca, err := os.ReadFile(info.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("no certificate in the CA's file")
	}
	for i, n := range info.Nodes {
		for _, name := range []string{n.Name, n.FQDN, "127.0.0.1"} {
			d := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: name, MinVersion: tls.VersionTLS12}}
			conn, err := d.DialContext(t.Context(), "tcp", n.HTTPS)
			if err != nil {
				t.Errorf("%s as %s: %v", n.Name, name, err)
				continue
			}
			_ = conn.Close()
		}
		domain, user, _ := strings.Cut(info.User, `\`)
		node := wsman.NewNode(wsman.Config{
			Addr: n.HTTPS, Host: n.FQDN, Auth: wsman.NTLM(user, domain, info.Password), TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		})
		res, err := node.Run(t.Context(), "echo x", nil)
		if err != nil || string(res.Stdout) != "x\r\n" {
			t.Errorf("%s: %q %v", n.Name, res.Stdout, err)
		}
		if err := node.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		other := info.Nodes[1-i]
		d := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: other.FQDN, MinVersion: tls.VersionTLS12}}
		if conn, err := d.DialContext(t.Context(), "tcp", n.HTTPS); err == nil {
			_ = conn.Close()
			t.Errorf("%s passes for %s", n.Name, other.Name)
		}
	}
	h := heard(t, info, "NODE1")
	if h.Readable != 0 || h.Listeners[1].Logons != 1 || !h.Listeners[1].TLS || h.Listeners[0].Requests != 0 {
		t.Errorf("%+v", h)
	}
}

func TestEachAccountIsWhatItSays(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1})
	if a := account(t, info, lab.AdministratorAccount); a.User != info.User || a.Password != info.Password {
		t.Errorf("%+v", a)
	}
	for kind, want := range map[string]string{
		lab.AdministratorAccount: "", lab.LocalAdministratorAccount: "", lab.NoAdministratorAccount: "denied",
		lab.LockedAccount: "rejected", lab.DisabledAccount: "rejected", lab.ExpiredPasswordAccount: "rejected", lab.MustChangePasswordAccount: "rejected",
	} {
		a := account(t, info, kind)
		domain, user, ok := strings.Cut(a.User, `\`)
		if !ok {
			domain, user = "NODE1", a.User
		}
		n := wsman.NewNode(wsman.Config{Addr: info.Nodes[0].Address, Auth: wsman.NTLM(user, domain, a.Password)})
		_, err := n.Run(t.Context(), "echo x", nil)
		_ = n.Close(context.WithoutCancel(t.Context()))
		var fault *wsman.Fault
		var auth *wsman.AuthError
		got := ""
		switch {
		case errors.As(err, &fault) && fault.Code == wsman.CodeAccessDenied:
			got = "denied"
		case errors.As(err, &auth) && auth.Reason == wsman.Rejected:
			got = "rejected"
		case err != nil:
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if h := heard(t, info, "NODE1"); h.Refused != 4 || h.RefusedBy[account(t, info, lab.LockedAccount).User] != 1 {
		t.Errorf("%+v", h)
	}
}

func TestFilesWithSecretsAreTheirOwnersOnly(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1})
	for _, path := range []string{info.Kerberos.KeytabFile, info.ClientCertificate.KeyFile, filepath.Join(info.Dir, "lab.json")} {
		stat, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && stat.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, stat, err)
		}
	}
}

func TestFaultsComeFromOutsideAtTheStartAndLater(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Linger: -1, Faults: map[string][]wsmanserver.Fault{
		"NODE2": {{On: "Create", Kind: wsmanserver.KindWrongFault, Times: -1}},
	}})
	one, two := connect(t, info, "NODE1"), connect(t, info, "NODE2")
	if _, err := one.Run(t.Context(), "echo x", nil); err != nil {
		t.Error(err)
	}
	var fault *wsman.Fault
	if _, err := two.Run(t.Context(), "echo x", nil); !errors.As(err, &fault) || fault.Code != wsmanserver.CodeUnexpected {
		t.Errorf("%v", err)
	}
	if err := lab.Inject(t.Context(), info, "NODE2", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Run(t.Context(), "echo x", nil); err != nil {
		t.Error(err)
	}
	if err := lab.Inject(t.Context(), info, "NODE9", nil); err == nil {
		t.Error("faults for no node")
	}
	if err := lab.Inject(t.Context(), info, "NODE1", []wsmanserver.Fault{{On: "Create", Kind: "explode"}}); err == nil || !strings.Contains(err.Error(), "explode") {
		t.Errorf("%v", err)
	}
}

func TestFaultsMayComeWithTheFirstRestart(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Speed: 1000, Linger: -1, FaultsAfterRestart: map[string][]wsmanserver.Fault{
		"NODE2": {{On: "any", Kind: wsmanserver.KindWrongFault, Times: -1}},
	}})
	n := connect(t, info, "NODE2")
	n.upload()
	boot := ask[agent.BootInfo](n, agent.OpBootInfo, nil)
	ask[agent.Restart](n, agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 600, ExpectBoot: boot.BootFileTime})
	for {
		_, err := n.Run(t.Context(), "echo x", nil)
		var fault *wsman.Fault
		if errors.As(err, &fault) && fault.Code == wsmanserver.CodeUnexpected {
			break
		}
		r, err := lab.Inspect(t.Context(), info)
		if err != nil || r.State.Nodes[1].Boots > 2 {
			t.Fatalf("%v %+v", err, r.State.Nodes)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func TestTheAdministratorMayBeLockedFromTheBeginning(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1, AdminLocked: true})
	_, err := connect(t, info, "NODE1").Run(t.Context(), "echo x", nil)
	var auth *wsman.AuthError
	if !errors.As(err, &auth) || auth.Reason != wsman.Rejected {
		t.Errorf("%v", err)
	}
	if r, err := lab.Inspect(t.Context(), info); err != nil || r.FailedLogons != 0 {
		t.Errorf("%d failed logons of a locked account, %v", r.FailedLogons, err)
	}
}

func TestQuotasComeFromOutside(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1, Quotas: wsmanserver.Quotas{MaxShellsPerUser: 1}})
	one, two := connect(t, info, "NODE1"), connect(t, info, "NODE1")
	if _, err := one.Run(t.Context(), "echo x", nil); err != nil {
		t.Fatal(err)
	}
	var fault *wsman.Fault
	if _, err := two.Run(t.Context(), "echo x", nil); !errors.As(err, &fault) || fault.Code != wsmanserver.CodeMaxShells {
		t.Errorf("%v", err)
	}
}

func TestWrongPasswordsLockAnAccountEverywhere(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1, LockAfter: 2})
	domain, user, _ := strings.Cut(info.User, `\`)
	try := func(password string) error {
		n := wsman.NewNode(wsman.Config{Addr: info.Nodes[0].Address, Auth: wsman.NTLM(user, domain, password)})
		defer func() { _ = n.Close(context.WithoutCancel(t.Context())) }()
		_, err := n.Run(t.Context(), "echo x", nil)
		return err
	}
	if err := try(info.Password); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if try("wrong") == nil {
			t.Error("a wrong password")
		}
	}
	if try(info.Password) == nil {
		t.Error("the account is not locked")
	}
	r, err := lab.Inspect(t.Context(), info)
	if err != nil || r.FailedLogons != 2 {
		t.Errorf("%d %v", r.FailedLogons, err)
	}
	cmd := exec.CommandContext(t.Context(), "kinit", "-c", "FILE:"+filepath.Join(t.TempDir(), "cc"), "-k", "-t", info.Kerberos.KeytabFile, "admin")
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+info.Kerberos.ConfigFile, "LC_ALL=C")
	if text, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState != nil && !strings.Contains(string(text), "revoked") {
		t.Errorf("kinit: %v %s", err, text)
	}
}

func TestALabOf64NodesStarts(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 64, Linger: -1})
	seen := map[string]bool{}
	for _, n := range info.Nodes {
		seen[n.Address], seen[n.HTTPS], seen[n.FQDN] = true, true, true
	}
	if len(info.Nodes) != 64 || len(seen) != 3*64 {
		t.Errorf("%d nodes, %d names and addresses", len(info.Nodes), len(seen))
	}
}
