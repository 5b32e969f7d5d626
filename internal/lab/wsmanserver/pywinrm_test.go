package wsmanserver

import (
	"context"
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
url, user, password = sys.argv[1:4]
out = {}
p = Protocol(endpoint=url, transport="ntlm", username=user, password=password, message_encryption="always",
             operation_timeout_sec=1, read_timeout_sec=20)
shell = p.open_shell(codepage=65001)
def run(line, args=()):
    c = p.run_command(shell, line, args)
    o, e, code = p.get_command_output(shell, c)
    p.cleanup_command(shell, c)
    return [o.decode(), e.decode(), code]
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
try:
    Protocol(endpoint=url, transport="ntlm", username=user, password="wrong", message_encryption="always").open_shell()
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

func TestPywinrmWorksOverSealedNTLM(t *testing.T) {
	python := pythonWithWinRM(t)
	conf := filepath.Join(t.TempDir(), "openssl.cnf")
	if err := os.WriteFile(conf, []byte(opensslConf), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, Config{Runner: slow{}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "-c", pywinrmScript, "http://"+s.Address()+"/wsman", `LAB\admin`, "right")
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+conf, "no_proxy=127.0.0.1")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Echo, Stderr, Exit, Slow []any
		Flood                    int
		Fault, Wrong             string
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	want := func(name string, got []any, stdout, stderr string, code float64) {
		if len(got) != 3 || got[0] != stdout || got[1] != stderr || got[2] != code {
			t.Errorf("%s: %v", name, got)
		}
	}
	want("echo", got.Echo, "a b & <c>", "", 0)
	want("stderr", got.Stderr, "", "trouble", 0)
	want("exit", got.Exit, "", "", 3010)
	want("slow", got.Slow, "done", "", 0)
	if got.Flood != 1000*1024 {
		t.Errorf("flood: %d bytes", got.Flood)
	}
	if got.Fault == "none" || got.Wrong != "refused" {
		t.Errorf("fault %q, wrong password %q", got.Fault, got.Wrong)
	}
	st := s.Stats()
	if st.Readable != 0 || st.Shells != 1 || st.Open != 0 || st.Refused != 1 || st.Logons != 1 {
		t.Errorf("%+v", st)
	}
	t.Logf("%d HTTP requests for a shell, 5 commands, a fault and a refused logon", st.Requests)
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
