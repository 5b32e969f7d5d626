package agent_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"cau/internal/winnode/agent"
)

func invocation(t *testing.T, op, args string) agent.Invocation {
	t.Helper()
	inv, err := agent.RunCommand(agent.Request{Op: op, Args: json.RawMessage(args)})
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// scriptOf decodes a command line independently of the package.
func scriptOf(t *testing.T, line string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(line[strings.LastIndexByte(line, ' ')+1:])
	if err != nil {
		t.Fatal(err)
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i]) | uint16(raw[2*i+1])<<8
	}
	return string(utf16.Decode(units))
}

func encode(script string) string {
	raw := make([]byte, 0, 2*len(script))
	for _, u := range utf16.Encode([]rune(script)) {
		raw = append(raw, byte(u), byte(u>>8))
	}
	return `%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe` + " -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand " + base64.StdEncoding.EncodeToString(raw)
}

func TestCommandsFitACommandLine(t *testing.T) {
	big := `{"x":"` + strings.Repeat("y", agent.MaxInline-40) + `"}`
	for name, line := range map[string]string{
		"upload": agent.UploadCommand(), "small": invocation(t, "hello", "").Command, "largest inline": invocation(t, "hello", big).Command,
	} {
		t.Logf("%s: %d characters", name, len(line))
		if len(line) >= agent.MaxCommand {
			t.Errorf("%s: %d characters", name, len(line))
		}
		if strings.ContainsAny(strings.TrimPrefix(line, "%SystemRoot%"), "%\"'&|<>^\r\n") {
			t.Errorf("%s holds what cmd.exe interprets", name)
		}
	}
}

func TestARequestTravelsInlineOrByStandardInput(t *testing.T) {
	for _, c := range []struct {
		name  string
		size  int
		stdin bool
	}{{"small", 10, false}, {"just inline", agent.MaxInline - 40, false}, {"just too large", agent.MaxInline - 39, true}, {"large", 100_000, true}} {
		t.Run(c.name, func(t *testing.T) {
			args := `{"x":"` + strings.Repeat("y", c.size) + `"}`
			inv := invocation(t, "job.start", args)
			if (inv.Stdin != nil) != c.stdin {
				t.Fatalf("by standard input: %v", inv.Stdin != nil)
			}
			for line := range strings.Lines(string(inv.Stdin)) {
				if len(line) > 1001 {
					t.Fatalf("a line of %d characters", len(line))
				}
			}
			p, err := agent.ParseCommand(inv.Command)
			if err != nil || p.Upload || p.FromStdin != c.stdin {
				t.Fatalf("%+v %v", p, err)
			}
			req, err := p.Request(inv.Stdin)
			if err != nil || req.Op != "job.start" || string(req.Args) != args || req.V != agent.Version {
				t.Fatalf("%+v %v", req, err)
			}
			if c.stdin {
				if _, err := p.Request(inv.Stdin[:len(inv.Stdin)-9]); !errors.Is(err, agent.ErrBadInput) {
					t.Errorf("cut input: %v", err)
				}
			}
		})
	}
}

func TestR32_OnlyOurOwnCommandsAreRecognised(t *testing.T) {
	p, err := agent.ParseCommand(agent.UploadCommand())
	if err != nil || !p.Upload || !p.FromStdin {
		t.Fatalf("%+v %v", p, err)
	}
	if err := p.CheckUpload(agent.Bundle()); err != nil {
		t.Errorf("the bundle itself: %v", err)
	}
	if err := p.CheckUpload(agent.Bundle()[1:]); !errors.Is(err, agent.ErrBadInput) {
		t.Errorf("another bundle: %v", err)
	}

	good := invocation(t, "hello", "{}").Command
	script := scriptOf(t, good)
	if encode(script) != good {
		t.Fatal("the test's own encoder differs")
	}
	for name, line := range map[string]string{
		"empty":             "",
		"other program":     "cmd.exe /c whoami",
		"other flags":       strings.Replace(good, "-NonInteractive ", "", 1),
		"trailing word":     good + " -NoExit",
		"not base64":        good[:len(good)-1] + "!",
		"added statement":   encode(script + "Get-ChildItem\n"),
		"changed statement": encode(strings.Replace(script, "Exit(91)", "Exit(0)", 1)),
		"other bundle":      encode(strings.ReplaceAll(script, agent.BundleSHA256(), strings.Repeat("0", 64))),
		"quote in argument": encode(strings.Replace(script, "$argument = '", "$argument = 'x'; Get-Process; '", 1)),
		"job verb":          encode(strings.Replace(script, "'run'", "'job'", 1)),
		"changed upload":    encode(scriptOf(t, agent.UploadCommand()) + " "),
	} {
		if _, err := agent.ParseCommand(line); !errors.Is(err, agent.ErrNotOurs) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestR33_NoArgumentLeavesItsQuotes(t *testing.T) {
	for _, hostile := range []string{`'; Remove-Item C:\ -Recurse #`, "\u2019; x", "`n$(x)", "@ARGUMENT@", "\x00"} {
		args, _ := json.Marshal(map[string]string{"node": hostile})
		inv := invocation(t, "node.pause", string(args))
		script := scriptOf(t, inv.Command)
		if strings.Contains(script, hostile) {
			t.Errorf("%q reached the script", hostile)
		}
		p, err := agent.ParseCommand(inv.Command)
		if err != nil {
			t.Fatal(err)
		}
		req, err := p.Request(nil)
		var got map[string]string
		if err != nil || json.Unmarshal(req.Args, &got) != nil || got["node"] != hostile {
			t.Errorf("%q arrived as %q, %v", hostile, got["node"], err)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	f.Add(agent.UploadCommand())
	f.Add(`%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe` + " -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand QQA=")
	f.Fuzz(func(t *testing.T, line string) {
		p, err := agent.ParseCommand(line)
		if err != nil {
			return
		}
		if p.Upload != (line == agent.UploadCommand()) {
			t.Errorf("accepted %q as upload", line)
		}
		if req, err := p.Request([]byte(line)); err == nil && req.Op == "" {
			t.Error("a request without an operation")
		}
	})
}
