package kerberos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jcmturner/gofork/encoding/asn1"

	"cau/internal/fault"
	"cau/internal/kerberos"
)

func marshalASN1(v any) ([]byte, error) { return asn1.Marshal(v) }

func TestOtherCachesAreAnsweredWithTheLineThatMakesAFile(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "krb5.conf")
	if err := os.WriteFile(conf, []byte("[libdefaults]\n default_realm = EXAMPLE.COM\n default_ccache_name = KCM:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("kinit -c FILE:/tmp/krb5cc_%d", os.Getuid())
	for _, cache := range []string{"KEYRING:persistent:0", "KCM:", "DIR:/tmp/x", "MEMORY:x", "API:x", "keyring:x", "default"} {
		_, err := kerberos.Open(kerberos.Config{User: "operator@EXAMPLE.COM", CCache: cache, ConfigFile: conf})
		_ = kind(t, err, kerberos.BadSource)
		if hint := fault.Hint(err); !strings.Contains(hint, want+" operator@EXAMPLE.COM") {
			t.Errorf("%s: hint %q", cache, hint)
		}
	}
	t.Setenv("KRB5CCNAME", "FILE:/nonexistent/cache")
	_, err := kerberos.Open(kerberos.Config{CCache: "default", ConfigFile: conf})
	if _ = kind(t, err, kerberos.BadSource); !strings.Contains(err.Error(), "/nonexistent/cache") {
		t.Errorf("$KRB5CCNAME comes first: %v", err)
	}
	_, err = kerberos.Open(kerberos.Config{User: "x'; rm -rf /", CCache: "KCM:", ConfigFile: conf})
	if hint := fault.Hint(err); strings.Contains(hint, "rm") {
		t.Errorf("hint %q", hint)
	}
}

func TestAnIncompleteConfigurationIsRefusedWithAHint(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "")
	for name, cfg := range map[string]kerberos.Config{
		"no secret":        {User: "x@R"},
		"two secrets":      {User: "x@R", Password: "p", Keytab: "k"},
		"no realm":         {User: "x", Password: "p"},
		"no user":          {Realm: "R", Password: "p"},
		"a NetBIOS domain": {User: `CONTOSO\x`, Realm: "R", Password: "p"},
		"a line break":     {User: "x\ny", Realm: "R", Password: "p"},
		"no krb5.conf":     {User: "x@R", Password: "p", ConfigFile: filepath.Join(dir, "missing")},
		"a bad krb5.conf":  {User: "x@R", Password: "p", ConfigFile: write("bad", "[libdefaults\n")},
		"brackets":         {User: "x@R", Password: "p", ConfigFile: write("brackets", "[realms]\n}\n")},
		"an endless one":   {User: "x@R", Password: "p", ConfigFile: write("loop", "include "+filepath.Join(dir, "loop")+"\n")},
		"no AES permitted": {User: "x@R", Password: "p", ConfigFile: write("rc4", "[libdefaults]\npermitted_enctypes = rc4-hmac des3-cbc-sha1\n")},
		"no keytab":        {User: "x@R", Keytab: filepath.Join(dir, "missing")},
		"a folder":         {User: "x@R", Keytab: dir},
		"no keytab at all": {User: "x@R", Keytab: plain},
		"no cache at all":  {CCache: plain},
	} {
		if cfg.ConfigFile == "" {
			cfg.ConfigFile = "/dev/null"
		}
		c, err := kerberos.Open(cfg)
		if err == nil {
			c.Close()
			t.Errorf("%s: accepted", name)
			continue
		}
		if fault.Hint(err) == "" {
			t.Errorf("%s: no hint in %v", name, err)
		}
	}
}

func TestR04_NothingPrintsASecret(t *testing.T) {
	cfg := kerberos.Config{User: "x@R", Password: "Corr3ct-Horse", ConfigFile: "/dev/null"}
	c, err := kerberos.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, cfg) + fmt.Sprintf(format, c); strings.Contains(s, "Corr3ct") {
			t.Errorf("%s shows %s", format, s)
		}
	}
	if c.Principal() != "x@R" {
		t.Errorf("we are %s", c.Principal())
	}
}
