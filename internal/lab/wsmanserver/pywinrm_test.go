package wsmanserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// opensslConf brings MD4 back, which NTLM needs and OpenSSL 3 hides in its legacy provider.
const opensslConf = `openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
legacy = legacy_sect
[default_sect]
activate = 1
[legacy_sect]
activate = 1
`

// pywinrmScript drives a node with Debian's python3-winrm, which shares no line with us.
const pywinrmScript = `
import json, sys, warnings
warnings.simplefilter("ignore")
from winrm.protocol import Protocol
from winrm.exceptions import InvalidCredentialsError
url, settings = sys.argv[1], json.loads(sys.argv[2])
def protocol(**more):
    return Protocol(endpoint=url, operation_timeout_sec=1, read_timeout_sec=20, **{**settings, **more})
out = {}
p = protocol()
shell = p.open_shell(codepage=65001)
def run(line, args=(), stdin=None):
    c = p.run_command(shell, line, args)
    o, e, code = p.get_command_output(shell, c)
    p.cleanup_command(shell, c)
    return [o.decode(), e.decode(), code]
out["who"] = run("whoami")
out["echo"] = run("echo", ["a", "b & <c>"])
out["stderr"] = run("stderr", ["trouble"])
out["exit"] = run("exit", ["3010"])
out["slow"] = run("wait-a-little")
out["flood"] = len(run("flood", ["1000"])[0])
try:
    p.run_command("00000000-0000-0000-0000-000000000000", "echo x")
    out["fault"] = "none"
except Exception as e:
    out["fault"] = str(e)
p.close_shell(shell)
if "password" in settings:
    try:
        protocol(password="wrong").open_shell()
        out["wrong"] = "accepted"
    except InvalidCredentialsError:
        out["wrong"] = "refused"
print(json.dumps(out))
`

// pythonWithWinRM finds an interpreter that has the library. It skips without one, except where CI says that
// everything must be there.
func pythonWithWinRM(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import winrm, requests_ntlm").Run() == nil {
			return python
		}
	}
	const why = "no python3 with the modules winrm and requests_ntlm (Debian: python3-winrm)"
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

func TestPywinrmWorksOverEveryKindOfListener(t *testing.T) {
	t.Parallel()
	python := pythonWithWinRM(t)
	conf := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(conf, []byte(opensslConf), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	ca, _ := a.files(&tls.Certificate{Certificate: [][]byte{a.cert.Raw}, PrivateKey: a.key})
	certFile, keyFile := a.files(a.client("Administrator", time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth))
	https := Listener{
		Certificate: a.server(), Schemes: []Scheme{Negotiate, Basic, Certificate}, ChannelBinding: Strict, ClientCAs: a.pool,
	}
	sealedNTLM := map[string]any{"transport": "ntlm", "username": `LAB\admin`, "password": "right", "message_encryption": "always"}
	for _, tc := range []struct {
		name     string
		listener Listener
		settings map[string]any
		who      string
		// readable is whether its bodies can be read on plain HTTP.
		readable bool
	}{
		{"NTLM, sealed, HTTP", Listener{}, sealedNTLM, `LAB\admin`, false},
		{"scheme NTLM, sealed, HTTP", Listener{Schemes: []Scheme{NTLM}}, sealedNTLM, `LAB\admin`, false},
		{"NTLM, HTTPS, channel binding", https, map[string]any{"transport": "ntlm", "username": `LAB\admin`, "password": "right", "ca_trust_path": ca}, `LAB\admin`, false},
		{"Basic, HTTPS", https, map[string]any{"transport": "basic", "username": "Administrator", "password": "right", "ca_trust_path": ca}, "Administrator", false},
		{"certificate, HTTPS", https, map[string]any{"transport": "certificate", "cert_pem": certFile, "cert_key_pem": keyFile, "ca_trust_path": ca}, "Administrator", false},
		{
			"Basic, HTTP with AllowUnencrypted",
			Listener{Schemes: []Scheme{Basic}, AllowUnencrypted: true},
			map[string]any{"transport": "basic", "username": "Administrator", "password": "right"},
			"Administrator", true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Config{Runner: slow{}, Listeners: []Listener{tc.listener}, CertificateUser: func(c *x509.Certificate) (string, string, bool) {
				return "", c.Subject.CommonName, true
			}})
			url := "http://" + s.Address() + "/wsman"
			if tc.listener.Certificate != nil {
				url = "https://" + s.Address() + "/wsman"
			}
			settings, err := json.Marshal(tc.settings)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, python, "-c", pywinrmScript, url, string(settings))
			cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf, "no_proxy=127.0.0.1")
			cmd.Stderr = os.Stderr
			text, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			checkPywinrm(t, text, tc.who, tc.settings["password"] != nil)
			refused := 0
			if tc.settings["password"] != nil {
				refused = 1
			}
			st := s.Stats()
			if (st.Readable > 0) != tc.readable || st.Shells != 1 || st.Open != 0 || st.RefusedBy[tc.who] != refused || st.Refused != refused || st.Logons < 1 {
				t.Errorf("%+v", st)
			}
			t.Logf("%d HTTP requests for a shell, 6 commands, a fault and a refused logon", st.Requests)
		})
	}
}

func TestPywinrmIsRefusedWhatWindowsRefuses(t *testing.T) {
	t.Parallel()
	python := pythonWithWinRM(t)
	s := start(t, Config{Listeners: []Listener{{Schemes: []Scheme{Negotiate, Basic}}}})
	settings := `{"transport": "basic", "username": "Administrator", "password": "right"}`
	cmd := exec.CommandContext(t.Context(), python, "-c", pywinrmScript, "http://"+s.Address()+"/wsman", settings)
	cmd.Env = append(os.Environ(), "no_proxy=127.0.0.1")
	if text, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(text), "InvalidCredentialsError") {
		t.Errorf("Basic without AllowUnencrypted: %v %s", err, text)
	}
	if st := s.Stats(); st.Shells != 0 || st.Logons != 0 {
		t.Errorf("%+v", st)
	}
}

func checkPywinrm(t *testing.T, text []byte, who string, password bool) {
	t.Helper()
	var got struct {
		Who, Echo, Stderr, Exit, Slow []any
		Flood                         int
		Fault, Wrong                  string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	want := func(name string, got []any, stdout, stderr string, code float64) {
		if len(got) != 3 || got[0] != stdout || got[1] != stderr || got[2] != code {
			t.Errorf("%s: %v", name, got)
		}
	}
	want("whoami", got.Who, who, "", 0)
	want("echo", got.Echo, "a b & <c>", "", 0)
	want("stderr", got.Stderr, "", "trouble", 0)
	want("exit", got.Exit, "", "", 3010)
	want("slow", got.Slow, "done", "", 0)
	if got.Flood != 1000*1024 {
		t.Errorf("flood: %d bytes", got.Flood)
	}
	if got.Fault == "none" || password && got.Wrong != "refused" {
		t.Errorf("fault %q, wrong password %q", got.Fault, got.Wrong)
	}
}

// slow is script with a command that takes longer than the client's OperationTimeout.
type slow struct{ script }

func (s slow) Run(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int64 {
	if strings.TrimSpace(line) != "wait-a-little" {
		return s.script.Run(ctx, user, line, stdin, stdout, stderr)
	}
	select {
	case <-time.After(1500 * time.Millisecond):
	case <-ctx.Done():
	}
	_, _ = io.WriteString(stdout, "done")
	return 0
}
