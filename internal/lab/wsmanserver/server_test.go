package wsmanserver

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/masterzen/winrm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestACommandGivesItsStreamsAndItsExitCode(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	shell := c.openShell()
	for _, tc := range []struct{ line, stdout, stderr, exit string }{
		{"echo <hello> & \"you\"", "<hello> & \"you\"", "", "0"},
		{"stderr trouble", "", "trouble", "0"},
		{"exit 3010", "", "", "3010"},
		{"exit -1", "", "", "-1"},
		{"exit 4294967295", "", "", "4294967295"},
		{"whoami", `LAB\admin`, "", "0"},
	} {
		stdout, stderr, exit := c.run(shell, tc.line)
		if stdout != tc.stdout || stderr != tc.stderr || exit != tc.exit {
			t.Errorf("%s: %q %q %s", tc.line, stdout, stderr, exit)
		}
	}
}

func TestAShortCommandCostsOneReceive(t *testing.T) {
	s := start(t, Config{})
	c := signIn(t, s)
	shell := c.openShell()
	before := s.Stats().Requests
	command := c.command(shell, "echo x")
	if _, _, _, receives := c.finish(shell, command); receives != 1 {
		t.Errorf("%d receives", receives)
	}
	c.do(winrm.NewSignalRequest(c.url, shell, command, c.params))
	if n := s.Stats().Requests - before; n != 3 {
		t.Errorf("%d requests", n)
	}
}

func TestInputGoesThroughToItsEnd(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	shell := c.openShell()
	command := c.piped(shell, "cat")
	want := bytes.Repeat([]byte("0123456789abcde\n"), 20_000)
	for i := 0; i < len(want); i += 96_000 {
		end := min(i+96_000, len(want))
		if status, text := c.do(winrm.NewSendInputRequest(c.url, shell, command, want[i:end], end == len(want), c.params)); status != http.StatusOK {
			t.Fatalf("send: %d %s", status, text)
		}
	}
	if status, text := c.do(winrm.NewSendInputRequest(c.url, shell, command, []byte("late"), true, c.params)); faultCode(text) != CodeInvalidBody {
		t.Errorf("input behind its end: %d %s", status, text)
	}
	stdout, _, exit, _ := c.finish(shell, command)
	if stdout != string(want) || exit != "0" {
		t.Errorf("%d bytes came back of %d, exit %s", len(stdout), len(want), exit)
	}
}

// A console has no end of input: who reads to the end waits for ever, until he is ended.
func TestR32_InputToAConsoleHasNoEnd(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	shell := c.openShell()
	command := c.command(shell, "cat")
	c.params.Timeout = "PT0.2S"
	if status, text := c.do(winrm.NewSendInputRequest(c.url, shell, command, []byte("x"), true, c.params)); status != http.StatusOK {
		t.Fatalf("send: %d %s", status, text)
	}
	for {
		_, text := c.do(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params))
		if faultCode(text) == CodeTimedOut {
			break
		}
		if strings.Contains(text, "CommandState/Done") {
			t.Fatalf("it saw an end: %s", text)
		}
	}
	c.do(winrm.NewSignalRequest(c.url, shell, command, c.params))
}

func TestALongOutputFitsTheClientsEnvelope(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	c.params.EnvelopeSize = 50_000
	shell := c.openShell()
	command := c.command(shell, "flood 3000")
	total := 0
	for {
		_, text := c.do(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params))
		if len(text) > 50_000 {
			t.Fatalf("an answer of %d bytes", len(text))
		}
		var out, errs bytes.Buffer
		done, _, err := winrm.ParseSlurpOutputErrResponse(text, &out, &errs)
		if err != nil {
			t.Fatal(err)
		}
		if total += out.Len(); done {
			break
		}
	}
	if total != 3000*1024 {
		t.Errorf("%d bytes", total)
	}
}

func TestNothingYetIsASealedFault(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	shell := c.openShell()
	command := c.command(shell, "wait")
	c.params.Timeout = "PT0.2S"
	status, text := c.do(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params))
	if status != http.StatusInternalServerError || faultCode(text) != 2150858793 {
		t.Errorf("%d %s", status, text)
	}
}

func TestASignalEndsACommandAndADeleteItsShell(t *testing.T) {
	s := start(t, Config{})
	c := signIn(t, s)
	shell := c.openShell()
	command := c.command(shell, "wait")
	if status, text := c.do(winrm.NewSignalRequest(c.url, shell, command, c.params)); status != http.StatusOK {
		t.Errorf("signal: %d %s", status, text)
	}
	if _, text := c.do(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params)); faultCode(text) != CodeUnknownSelector {
		t.Errorf("receive afterwards: %s", text)
	}
	if status, text := c.do(winrm.NewDeleteShellRequest(c.url, shell, c.params)); status != http.StatusOK {
		t.Errorf("delete: %d %s", status, text)
	}
	if _, text := c.do(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)); faultCode(text) != 2150858843 {
		t.Errorf("command afterwards: %s", text)
	}
	if n := s.Stats().Open; n != 0 {
		t.Errorf("%d shells are open", n)
	}
}

func TestShellsBelongToTheirUserAndHaveAQuota(t *testing.T) {
	s := start(t, Config{Quotas: Quotas{MaxShellsPerUser: 2}})
	c := signIn(t, s)
	first := c.openShell()
	c.openShell()
	if status, text := c.do(winrm.NewOpenShellRequest(c.url, c.params)); status != http.StatusInternalServerError || faultCode(text) != CodeMaxShells {
		t.Errorf("a third shell: %d %s", status, text)
	}
	other := dial(t, s)
	if status := other.logon("LAB", "other", "right"); status != http.StatusOK {
		t.Fatal(status)
	}
	other.openShell()
	if _, text := other.do(winrm.NewExecuteCommandRequest(c.url, first, "echo x", nil, c.params)); faultCode(text) != CodeUnknownSelector {
		t.Errorf("somebody else's shell: %s", text)
	}
	again := signIn(t, s)
	if stdout, _, _ := again.run(first, "echo x"); stdout != "x" {
		t.Error("the shell did not outlive its connection")
	}
}

func TestAnIdleShellIsForgotten(t *testing.T) {
	s := start(t, Config{Quotas: Quotas{ShellIdle: 50 * time.Millisecond}})
	c := signIn(t, s)
	shell := c.openShell()
	s.mu.Lock()
	for _, sh := range s.shells {
		sh.used = sh.used.Add(-time.Minute)
	}
	s.mu.Unlock()
	if _, text := c.do(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)); faultCode(text) != CodeUnknownSelector {
		t.Errorf("%s", text)
	}
}

func TestR03_OnlySealedBodiesOfSomebodyKnownAreRead(t *testing.T) {
	s := start(t, Config{})
	create := winrm.NewOpenShellRequest("http://x/wsman", winrm.DefaultParameters).String()
	t.Run("nobody", func(t *testing.T) {
		c := dial(t, s)
		res, _, err := c.post("", soapType, []byte(create))
		if err != nil || res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") != "Negotiate" {
			t.Errorf("%v %v", res, err)
		}
	})
	t.Run("Basic", func(t *testing.T) {
		c := dial(t, s)
		res, _, err := c.post("Basic TEFCXGFkbWluOnJpZ2h0", soapType, []byte(create))
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v %v", res, err)
		}
	})
	t.Run("readable", func(t *testing.T) {
		c := signIn(t, s)
		res, body, err := c.post("", soapType, []byte(create))
		if err != nil || res.StatusCode != http.StatusInternalServerError || len(body) != 0 {
			t.Errorf("%v %q %v", res, body, err)
		}
	})
	t.Run("changed on its way", func(t *testing.T) {
		c := signIn(t, s)
		body := c.sealed(create)
		body[len(body)-40] ^= 1
		res, _, err := c.post("", clientSealedType, body)
		if err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%v %v", res, err)
		}
		res, _, err = c.post("", clientSealedType, c.sealed(create))
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("the context survives: %v %v", res, err)
		}
	})
	t.Run("another connection", func(t *testing.T) {
		c := signIn(t, s)
		thief := dial(t, s)
		res, _, err := thief.post("", clientSealedType, c.sealed(create))
		if err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%v %v", res, err)
		}
	})
	if st := s.Stats(); st.Shells != 0 || st.Readable != 3 {
		t.Errorf("%+v", st)
	}
}

func TestAWrongPasswordIsRefusedAndCounted(t *testing.T) {
	s := start(t, Config{})
	c := dial(t, s)
	if status := c.logon("LAB", "admin", "wrong"); status != http.StatusUnauthorized {
		t.Errorf("status %d", status)
	}
	if st := s.Stats(); st.Refused != 1 || st.Logons != 0 {
		t.Errorf("%+v", st)
	}
	if status := c.logon("LAB", "admin", "right"); status != http.StatusOK {
		t.Errorf("the right one on the same connection: %d", status)
	}
}

func TestStopCutsEverythingAndAStartForgetsTheShells(t *testing.T) {
	s := start(t, Config{})
	c := signIn(t, s)
	shell := c.openShell()
	command := c.command(shell, "wait")
	cut := make(chan error, 1)
	go func() {
		_, _, err := c.try(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params).String())
		cut <- err
	}()
	for s.Stats().Requests < 5 { // two for the logon, Create, Command, Receive
		time.Sleep(time.Millisecond)
	}
	address := s.Address()
	s.Stop()
	if err := <-cut; err == nil {
		t.Error("the connection was not cut")
	}
	if _, _, err := dial(t, s).post("", "", nil); err == nil {
		t.Error("something still listens")
	}
	if err := s.Start(address); err != nil {
		t.Fatal(err)
	}
	again := signIn(t, s)
	if _, text := again.do(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)); faultCode(text) != CodeUnknownSelector {
		t.Errorf("%s", text)
	}
}

func TestAMessageThatMakesNoSenseIsAFault(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	shell := c.openShell()
	line := func(s string) string {
		return winrm.NewExecuteCommandRequest(c.url, shell, s, nil, c.params).String()
	}
	for name, tc := range map[string]struct {
		message string
		code    uint64
	}{
		"no XML":           {"<a", CodeInvalidXML},
		"two envelopes":    {line("echo x") + line("echo y"), CodeInvalidXML},
		"unknown action":   {strings.Replace(line("echo x"), "shell/Command<", "shell/Disconnect<", 1), CodeUnknownAction},
		"unknown resource": {strings.Replace(line("echo x"), "windows/shell/cmd", "windows/shell/powershell", 1), CodeUnknownAction},
		"no body":          {strings.ReplaceAll(line("echo x"), "CommandLine", "Line"), CodeInvalidBody},
		"long line":        {line("echo " + strings.Repeat("x", 8200)), CodeLineTooLong},
	} {
		status, text, err := c.try(tc.message)
		if err != nil || status != http.StatusInternalServerError || faultCode(text) != tc.code {
			t.Errorf("%s: %d %v %s", name, status, err, text)
		}
	}
	if res, _, err := c.post("", clientSealedType, make([]byte, 600<<10)); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a body beyond the quota: %v %v", res, err)
	}
}

func TestIdentifyIsAnswered(t *testing.T) {
	c := signIn(t, start(t, Config{}))
	status, text, err := c.try(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><w:Identify/></s:Body></s:Envelope>`)
	if err != nil || status != http.StatusOK || !strings.Contains(text, "simulated") {
		t.Errorf("%d %s %v", status, text, err)
	}
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	s := New(Config{})
	if err := s.Start("0.0.0.0:0"); err == nil {
		s.Close()
		t.Error("every interface is served")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT20S": 20 * time.Second, "PT15.000S": 15 * time.Second, "PT1M30.5S": 90*time.Second + 500*time.Millisecond,
		"PT2H": 2 * time.Hour, "P1DT1S": 24*time.Hour + time.Second, "PT0S": 0,
	} {
		if got, ok := duration(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "20", "PT", "P", "PTS", "PT-1S", "PT1X", "PT1S1M", "PT1e9S", "PT9999999S9"} {
		if got, ok := duration(text); ok && text != "PT" {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(winrm.NewOpenShellRequest("http://x/wsman", winrm.DefaultParameters).String()))
	f.Add([]byte("<Envelope><Header/><Body/></Envelope>"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if e, err := parse(message); err == nil {
			if d := e.timeout(time.Minute); d < 0 || d > time.Minute {
				t.Errorf("timeout %v", d)
			}
			if n := e.maxEnvelope(1000); n <= 0 || n > 1000 {
				t.Errorf("envelope %d", n)
			}
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("--Encrypted Boundary\r\n\tOriginalContent: type=x;Length=1\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n\x10\x00\x00\x000123456789abcdefx--Encrypted Boundary--\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if signature, sealed, err := split(body); err == nil && len(signature)+len(sealed) > len(body) {
			t.Error("more came out than went in")
		}
	})
}
