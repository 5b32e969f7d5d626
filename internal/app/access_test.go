package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/cli"
	"cau/internal/wsman"
	"cau/smbcheck"
)

func TestR02_APasswordThatAShareRefusedIsSentNowhereElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		final bool
	}{
		"a wrong password":         {smbcheck.ErrLogon, true},
		"a locked account":         {fmt.Errorf("%w: it is locked", smbcheck.ErrAccount), true},
		"a share that is not ours": {smbcheck.ErrAccess, false},
		"a server that is away":    {smbcheck.ErrUnreachable, false},
	} {
		a, err := openAccess(secrets{Method: cli.AuthNTLM, User: `LAB\admin`, Password: "p"})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		try := func() error {
			return a.prove(t.Context(), "fs", func(context.Context, smbcheck.Credentials) error {
				calls++
				return c.err
			})
		}
		if err := try(); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
		again := try()
		var auth *wsman.AuthError
		if got := calls == 1 && errors.As(again, &auth) && auth.Final(); got != c.final {
			t.Errorf("%s: %d logons, then %v", name, calls, again)
		}
	}
}

func TestR04_NothingPrintsTheSecretsOfARun(t *testing.T) {
	t.Parallel()
	sec := secrets{User: "admin", Password: "hunter2", Key: []byte("hunter2"), Share: &shareSecret{Password: "hunter2"}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, sec) + fmt.Sprintf(verb, &sec) + fmt.Sprintf(verb, []any{sec}); strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s shows a secret: %s", verb, text)
		}
	}
}

func TestR04_AKeyFileThatOthersMayReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := readFlagged(path, "--key-file", true); err != nil || string(data) != "key" {
		t.Fatalf("%q, %v", data, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readFlagged(path, "--key-file", true); err == nil {
		t.Error("a key that others may read was read")
	}
	if _, err := readFlagged(filepath.Dir(path), "--ca-file", false); err == nil {
		t.Error("a folder was read")
	}
}

func TestAutoIsKerberosWhereThereIsATicketAndNeverAnythingWeakerThanNTLM(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		target cli.Target
		want   string
	}{
		{cli.Target{User: `LAB\admin`}, cli.AuthNTLM},
		{cli.Target{User: "admin@lab.example"}, methodBest},
		{cli.Target{User: `LAB\admin`, SignIn: cli.SignIn{Realm: "LAB.EXAMPLE"}}, methodBest},
		{cli.Target{SignIn: cli.SignIn{CCache: "FILE:/x"}}, cli.AuthKerberos},
		{cli.Target{User: "admin", SignIn: cli.SignIn{Keytab: "x"}}, cli.AuthKerberos},
		{cli.Target{}, cli.AuthKerberos},
		{cli.Target{User: "admin", SignIn: cli.SignIn{Method: cli.AuthBasic}}, cli.AuthBasic},
	} {
		sec, err := signInOf(c.target)
		if err != nil || sec.Method != c.want {
			t.Errorf("%+v: %q, %v", c.target, sec.Method, err)
		}
	}
}
