package lab_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cau/internal/lab"
	"cau/internal/lab/wsmanserver"
)

// gssapiModule stands in for Debian's python3-kerberos, which cannot seal for WinRM: the same few functions on
// python3-gssapi, which is MIT's library. So pywinrm and requests_kerberos drive MIT's own handshake and sealing.
const gssapiModule = `
import base64, sys, types
import gssapi
from gssapi.raw import IOV, IOVBufferType, ChannelBindings, RequirementFlag, unwrap_iov, wrap_iov
k = types.ModuleType("kerberos")
k.GSSError = gssapi.exceptions.GSSError
k.GSS_C_MUTUAL_FLAG = int(RequirementFlag.mutual_authentication)
k.GSS_C_SEQUENCE_FLAG = int(RequirementFlag.out_of_sequence_detection)
k.GSS_C_DELEG_FLAG = int(RequirementFlag.delegate_to_peer)
k.channelBindings = lambda application_data: ChannelBindings(application_data=application_data)
mech = gssapi.OID.from_int_seq("1.3.6.1.5.5.2" if "spnego" in sys.argv else "1.2.840.113554.1.2.2")
class Client:
    def __init__(self, spn, flags):
        self.name, self.flags, self.ctx, self.out = gssapi.Name(spn, gssapi.NameType.hostbased_service), flags, None, b""
def init(spn, gssflags, principal=None):
    return 1, Client(spn, gssflags)
def step(c, challenge, channel_bindings=None):
    if c.ctx is None:
        c.ctx = gssapi.SecurityContext(name=c.name, usage="initiate", mech=mech, flags=c.flags, channel_bindings=channel_bindings)
    c.out = c.ctx.step(base64.b64decode(challenge) if challenge else None) or b""
    return 1 if c.ctx.complete else 0
def seal(c, message):
    iov = IOV(IOVBufferType.header, message, IOVBufferType.padding, std_layout=False)
    wrap_iov(c.ctx, iov, True)
    return iov[1].value + (iov[2].value or b""), iov[0].value
def unseal(c, message, header):
    iov = IOV((IOVBufferType.header, False, header), (IOVBufferType.data, False, message), (IOVBufferType.padding, False, b""), std_layout=False)
    if not unwrap_iov(c.ctx, iov).encrypted:
        raise Exception("not encrypted")
    return iov[1].value
k.authGSSClientInit, k.authGSSClientStep = init, step
k.authGSSClientResponse = lambda c: base64.b64encode(c.out).decode()
k.authGSSWinRMEncryptMessage, k.authGSSWinRMDecryptMessage = seal, unseal
sys.modules["kerberos"] = k
`

// pywinrmScript drives a node with Debian's python3-winrm.
const pywinrmScript = `
import json, sys, warnings
warnings.simplefilter("ignore")
from winrm.protocol import Protocol
url, settings = sys.argv[1], json.loads(sys.argv[2])
out = {}
try:
    p = Protocol(endpoint=url, operation_timeout_sec=1, read_timeout_sec=20, **settings)
    shell = p.open_shell(codepage=65001)
    def run(line, args=()):
        c = p.run_command(shell, line, args)
        o, e, code = p.get_command_output(shell, c)
        p.cleanup_command(shell, c)
        return [o.decode(), e.decode(), code]
    out["echo"] = run("echo", ["a", "b & <c>"])
    out["stderr"] = run("stderr", ["trouble"])
    out["exit"] = run("exit", ["3010"])
    out["sleep"] = run("sleep", ["0.1"])
    p.close_shell(shell)
except Exception as e:
    out["error"] = type(e).__name__ + ": " + str(e)
print(json.dumps(out))
`

// said is what the script says: output, error output and exit code of each command, or an error.
type said struct {
	Echo, Stderr, Exit, Sleep []any
	Error                     string
}

func (s said) right() bool {
	is := func(got []any, stdout, stderr string, code float64) bool {
		return len(got) == 3 && got[0] == stdout && got[1] == stderr && got[2] == code
	}
	return s.Error == "" && is(s.Echo, "a b & <c>\r\n", "", 0) && is(s.Stderr, "", "trouble\r\n", 0) && is(s.Exit, "", "", 3010) && is(s.Sleep, "", "", 0)
}

// pywinrm runs the script, or skips where a module is missing, except where CI says that all must be there.
func pywinrm(t *testing.T, url string, settings map[string]any, env ...string) said {
	t.Helper()
	return script(t, pywinrmScript, env, url, settings)
}

func script(t *testing.T, text string, env []string, url string, settings map[string]any, more ...string) said {
	t.Helper()
	const python = "/usr/bin/python3"
	if exec.CommandContext(t.Context(), python, "-c", "import winrm, requests_ntlm, requests_kerberos, gssapi").Run() != nil {
		const why = "no python3 with winrm, requests_ntlm, requests_kerberos and gssapi (Debian: python3-winrm, python3-requests-kerberos, python3-gssapi)"
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	in, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, append([]string{"-c", text, url, string(in)}, more...)...)
	cmd.Env = append(append(os.Environ(), "no_proxy=127.0.0.1"), env...)
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return read(t, said)
}

func read(t *testing.T, text []byte) (out said) {
	t.Helper()
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// kinit gets a ticket with MIT's program and gives the environment in which it is used.
func kinit(t *testing.T, info lab.Info, principal string, more ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("kinit"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	env := []string{"KRB5_CONFIG=" + info.Kerberos.ConfigFile, "KRB5CCNAME=FILE:" + filepath.Join(t.TempDir(), "ccache"), "LC_ALL=C"}
	cmd := exec.CommandContext(t.Context(), "kinit", append(more, principal)...)
	cmd.Env = append(os.Environ(), env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kinit: %v %s", err, text)
	}
	return env
}

func TestPywinrmWorksOverKerberos(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Linger: -1})
	env := kinit(t, info, "admin@"+info.Kerberos.Realm, "-k", "-t", info.Kerberos.KeytabFile)
	base := map[string]any{
		"transport": "kerberos", "username": nil, "kerberos_hostname_override": info.Nodes[0].FQDN, "service": "WSMAN", "ca_trust_path": info.CAFile,
	}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{}
		for _, m := range []map[string]any{base, more} {
			for k, v := range m {
				out[k] = v
			}
		}
		return out
	}
	http, https := "http://"+info.Nodes[0].Address+"/wsman", "https://"+info.Nodes[0].HTTPS+"/wsman"
	always := map[string]any{"message_encryption": "always"}
	t.Run("all", func(t *testing.T) { // returns when all have ended
		for _, tc := range []struct {
			name, url, mech string
			settings        map[string]any
		}{
			{"sealed, HTTP", http, "krb5", with(always)},
			{"sealed, HTTP, in SPNEGO", http, "spnego", with(always)},
			{"sealed, HTTP, by its short name, service HTTP", http, "krb5", with(map[string]any{"kerberos_hostname_override": info.Nodes[0].Name, "service": "HTTP"})},
			{"HTTPS, channel binding", https, "krb5", with(nil)},
			{"sealed, HTTPS, in SPNEGO", https, "spnego", with(always)},
		} {
			t.Run(tc.name, func(t *testing.T) {
				t.Parallel()
				if got := script(t, gssapiModule+pywinrmScript, env, tc.url, tc.settings, tc.mech); !got.right() {
					t.Errorf("%+v", got)
				}
			})
		}
		t.Run("python3-kerberos, which cannot seal", func(t *testing.T) {
			t.Parallel()
			if got := pywinrm(t, https, with(nil), env...); !got.right() {
				t.Errorf("HTTPS: %+v", got)
			}
			if got := pywinrm(t, http, with(nil), env...); got.Error == "" {
				t.Errorf("readable over HTTP: %+v", got)
			}
		})
		t.Run("a ticket for another node", func(t *testing.T) {
			t.Parallel()
			other := with(map[string]any{"kerberos_hostname_override": info.Nodes[1].FQDN})
			if got := script(t, gssapiModule+pywinrmScript, env, http, other, "krb5"); got.Error == "" {
				t.Errorf("%+v", got)
			}
		})
	})
	h := heard(t, info, "NODE1")
	if h.Shells != 6 || h.Open != 0 || h.RefusedBy[wsmanserver.Nobody] == 0 {
		t.Errorf("%+v", h)
	}
}

func TestTheLocalAdministratorIsGoodForBasicAndCertificates(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1})
	url := "https://" + info.Nodes[0].HTTPS + "/wsman"
	local := account(t, info, lab.LocalAdministratorAccount)
	for name, settings := range map[string]map[string]any{
		"Basic":       {"transport": "basic", "username": local.User, "password": local.Password, "ca_trust_path": info.CAFile},
		"certificate": {"transport": "certificate", "cert_pem": info.ClientCertificate.CertFile, "cert_key_pem": info.ClientCertificate.KeyFile, "ca_trust_path": info.CAFile},
	} {
		if got := pywinrm(t, url, settings); !got.right() {
			t.Errorf("%s: %+v", name, got)
		}
	}
	got := pywinrm(t, url, map[string]any{"transport": "basic", "username": info.User, "password": info.Password, "ca_trust_path": info.CAFile})
	if !strings.HasPrefix(got.Error, "InvalidCredentialsError") {
		t.Errorf("Basic with an account of the domain: %+v", got)
	}
}

// expiryScript opens a shell and uses it until the node does not want it any more.
const expiryScript = `
import json, sys, time
from winrm.protocol import Protocol
out = {"echo": [], "error": ""}
try:
    p = Protocol(endpoint=sys.argv[1], operation_timeout_sec=1, read_timeout_sec=20, **json.loads(sys.argv[2]))
    shell = p.open_shell(codepage=65001)
    while True:
        p.get_command_output(shell, p.run_command(shell, "echo", ["x"]))
        out["echo"] = ["worked"]
        time.sleep(0.2)
except Exception as e:
    out["error"] = type(e).__name__
print(json.dumps(out))
`

func TestASessionEndsWithItsTicketAsTheConfigurationSays(t *testing.T) {
	t.Parallel()
	for lifetime := 2 * time.Second; lifetime < 3*time.Minute; lifetime *= 2 {
		info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1, TicketLifetime: lifetime})
		env := kinit(t, info, "admin", "-k", "-t", info.Kerberos.KeytabFile)
		settings := map[string]any{"transport": "kerberos", "kerberos_hostname_override": info.Nodes[0].FQDN, "service": "WSMAN", "message_encryption": "always"}
		got := script(t, gssapiModule+expiryScript, env, "http://"+info.Nodes[0].Address+"/wsman", settings, "krb5")
		if len(got.Echo) == 0 {
			continue // too slow for a ticket as short as that
		}
		if got.Error != "InvalidCredentialsError" {
			t.Errorf("%+v", got)
		}
		if h := heard(t, info, "NODE1"); h.Logons != 1 || h.Open != 1 {
			t.Errorf("%+v", h)
		}
		return
	}
	t.Error("no ticket lived long enough")
}
