package console

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"cau/internal/winnode/agent"
)

// machine is a node that notes what reaches it.
type machine struct {
	hash string
	ops  []string
}

func (m *machine) HasAgent(hash string) bool { return m.hash == hash }

func (m *machine) PutAgent(hash string) agent.Response {
	m.hash = hash
	return agent.Response{V: agent.Version, OK: true, Data: json.RawMessage(`{}`), Host: "NODE1"}
}

func (m *machine) Operate(req agent.Request) agent.Response {
	m.ops = append(m.ops, req.Op)
	return agent.Response{V: agent.Version, OK: true, Data: json.RawMessage(`{}`), Host: "NODE1"}
}

func run(m *machine, line string, stdin []byte) (code int64, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Console{Machine: m}.Run(context.Background(), `LAB\admin`, line, bytes.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestPlainCommands(t *testing.T) {
	for _, tc := range []struct {
		line, stdin, stdout, stderr string
		code                        int64
	}{
		{"echo a  b", "", "a  b\r\n", "", 0},
		{"stderr oh", "", "", "oh\r\n", 0},
		{"exit 3010", "", "", "", 3010},
		{"exit -1", "", "", "", -1},
		{"exit 4294967295", "", "", "", 4294967295},
		{"exit", "", "", "", 0},
		{"cat", "in", "in", "", 0},
		{"sleep 0", "", "", "", 0},
	} {
		code, stdout, stderr := run(&machine{}, tc.line, []byte(tc.stdin))
		if code != tc.code || stdout != tc.stdout || stderr != tc.stderr {
			t.Errorf("%s: %d %q %q", tc.line, code, stdout, stderr)
		}
	}
	for _, line := range []string{"exit 99999999999", "exit x", "sleep x", "sleep -1"} {
		if code, _, stderr := run(&machine{}, line, nil); code != 1 || stderr == "" {
			t.Errorf("%s: %d %q", line, code, stderr)
		}
	}
}

func TestASleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code := (Console{}).Run(ctx, "", "sleep 3600", nil, io.Discard, io.Discard); code != exitInterrupted {
		t.Errorf("%d", code)
	}
}

func encoded(script string) string {
	var raw []byte
	for _, u := range utf16.Encode([]rune(script)) {
		raw = append(raw, byte(u), byte(u>>8))
	}
	return `%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe` + " -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand " + base64.StdEncoding.EncodeToString(raw)
}

func TestR32_OnlyTheEmbeddedScriptsRunAndNothingIsInterpreted(t *testing.T) {
	ours, err := agent.RunCommand(agent.Request{Op: agent.OpHello})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{hash: agent.BundleSHA256()}
	for _, line := range []string{
		"", "whoami", `wusa.exe C:\a.msu /quiet`, `dir \\FS1\Hotfixes`, `type \\FS1\Hotfixes\Root\DefaultHotfixConfig.xml`,
		"powershell -Command Get-ClusterNode", "Suspend-ClusterNode NODE1", encoded("Get-Process"),
		ours.Command + " ", " " + ours.Command, strings.Replace(ours.Command, "-NonInteractive ", "", 1), "cmd /c " + ours.Command,
		strings.ToLower(ours.Command), ours.Command[:len(ours.Command)-4],
	} {
		code, stdout, stderr := run(m, line, nil)
		if code != 9009 || stdout != "" || !strings.Contains(stderr, "is not recognized") {
			t.Errorf("%.60q: %d %q %q", line, code, stdout, stderr)
		}
	}
	if len(m.ops) != 0 {
		t.Errorf("it did %v", m.ops)
	}
	if code, stdout, _ := run(m, ours.Command, ours.Stdin); code != 0 || len(m.ops) != 1 {
		t.Errorf("our own: %d %q", code, stdout)
	}
}

func TestR32_NoOperationBeforeTheBundleIsThere(t *testing.T) {
	m := &machine{}
	hello, err := agent.RunCommand(agent.Request{Op: agent.OpHello})
	if err != nil {
		t.Fatal(err)
	}
	if code, _, _ := run(m, hello.Command, hello.Stdin); code != agent.ExitNoBundle {
		t.Errorf("without a bundle: %d", code)
	}
	upload := agent.Upload()
	changed := bytes.Clone(upload.Stdin)
	changed[len(changed)/2] ^= 1
	if code, _, _ := run(m, upload.Command, changed); code != agent.ExitBadBundle || m.hash != "" {
		t.Errorf("a changed bundle: %d", code)
	}
	code, stdout, _ := run(m, upload.Command, upload.Stdin)
	if r, err := agent.ParseFrame([]byte(stdout)); code != 0 || err != nil || !r.OK {
		t.Errorf("the bundle: %d %v %+v", code, err, r)
	}
	m.hash = strings.Repeat("0", 64)
	if code, _, _ := run(m, hello.Command, hello.Stdin); code != agent.ExitNoBundle {
		t.Errorf("with another bundle on the node: %d", code)
	}
	m.hash = agent.BundleSHA256()
	big, err := agent.RunCommand(agent.Request{Op: agent.OpJobStart, Args: json.RawMessage(`{"input":"` + strings.Repeat("x", 5000) + `"}`)})
	if err != nil || big.Stdin == nil {
		t.Fatalf("%v", err)
	}
	if code, _, _ := run(m, big.Command, big.Stdin); code != 0 || m.ops[len(m.ops)-1] != agent.OpJobStart {
		t.Errorf("by standard input: %d %v", code, m.ops)
	}
	_, stdout, _ = run(m, big.Command, big.Stdin[:100])
	if r, err := agent.ParseFrame([]byte(stdout)); err != nil || r.OK || r.Err.Kind != "script" {
		t.Errorf("cut input: %v %+v", err, r)
	}
}

func FuzzRun(f *testing.F) {
	f.Add("echo x", []byte(nil))
	f.Add("exit -5", []byte("x"))
	f.Fuzz(func(t *testing.T, line string, stdin []byte) {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "sleep") {
			t.Skip()
		}
		code, _, stderr := run(&machine{}, line, stdin)
		if code < -1<<31 || code > 1<<32-1 {
			t.Errorf("code %d", code)
		}
		if code == exitUnknown && strings.IndexFunc(strings.NewReplacer("\r", "", "\n", "").Replace(stderr), func(r rune) bool { return r < ' ' }) >= 0 {
			t.Errorf("control characters come back: %q", stderr)
		}
	})
}
