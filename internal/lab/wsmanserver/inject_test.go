package wsmanserver

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/masterzen/winrm"
)

// inject makes a service with faults and somebody who has signed in, with a shell, before they come.
func inject(t *testing.T, list ...Fault) (s *Server, c *client, shell string) {
	t.Helper()
	s = start(t, Config{})
	c = signIn(t, s)
	shell = c.openShell()
	if err := s.Inject(list); err != nil {
		t.Fatal(err)
	}
	return s, c, shell
}

// send tries one Command that runs echo x.
func (c *client) echo(shell string) (heard, []byte, error) {
	c.t.Helper()
	return c.post("", clientSealedType, c.sealed(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params).String()))
}

func TestEachKindOfFaultIsWhatItSays(t *testing.T) {
	for kind, check := range map[string]func(t *testing.T, h heard, body []byte, err error){
		KindReset: func(t *testing.T, _ heard, _ []byte, err error) {
			t.Helper()
			if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		},
		Kind401: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if err != nil || h.StatusCode != http.StatusUnauthorized || h.Header.Get("WWW-Authenticate") != "Negotiate" || len(body) != 0 {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
		Kind503: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if err != nil || h.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(h.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(body), "503") {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
		Kind500HTML: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if err != nil || h.StatusCode != http.StatusInternalServerError || !strings.HasPrefix(h.Header.Get("Content-Type"), "text/html") || len(body) == 0 {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
		KindEmpty: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if err != nil || h.StatusCode != http.StatusOK || len(body) != 0 {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
		KindCutHead: func(t *testing.T, _ heard, _ []byte, err error) {
			t.Helper()
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Error(err)
			}
		},
		KindCutBody: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if !errors.Is(err, io.ErrUnexpectedEOF) || h.StatusCode != http.StatusOK || len(body) < 100 {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
		KindUnsealed: func(t *testing.T, h heard, body []byte, err error) {
			t.Helper()
			if err != nil || h.StatusCode != http.StatusOK || h.Header.Get("Content-Type") != soapType || !strings.Contains(string(body), "CommandResponse") {
				t.Errorf("%v %q %v", h, body, err)
			}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s, c, shell := inject(t, Fault{On: "Command", Kind: kind})
			h, body, err := c.echo(shell)
			check(t, h, body, err)
			if st := s.Stats(); st.Open != 1 {
				t.Errorf("the shell is gone: %+v", st)
			}
			if stdout, _, _ := signIn(t, s).run(shell, "echo x"); stdout != "x" {
				t.Error("it struck twice")
			}
		})
	}
}

func TestSealedAnswersThatMakeNoSense(t *testing.T) {
	_, c, shell := inject(t, Fault{On: "Command", Kind: KindNotSOAP}, Fault{On: "Command", Kind: KindWrongFault})
	command := winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)
	if status, text := c.do(command); status != 200 || !strings.Contains(text, "<HTML>") {
		t.Errorf("not-soap: %d %s", status, text)
	}
	if status, text := c.do(command); status != 500 || faultCode(text) != CodeUnexpected {
		t.Errorf("wrong-fault: %d %s", status, text)
	}
	if status, _ := c.do(command); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

func TestAHangLastsUntilTheClientLeavesOrTheServiceEnds(t *testing.T) {
	s, c, shell := inject(t, Fault{On: "Command", Kind: KindHang, Times: 2})
	c.http.Timeout = 100 * time.Millisecond
	if _, _, err := c.echo(shell); err == nil {
		t.Error("an answer")
	}
	again := signIn(t, s)
	cut := make(chan error, 1)
	go func() {
		_, _, err := again.echo(shell)
		cut <- err
	}()
	for due := true; due; {
		s.faults.mu.Lock()
		due = s.faults.list[0].Times > 0
		s.faults.mu.Unlock()
	}
	s.Close()
	if err := <-cut; err == nil {
		t.Error("an answer of a service that ended")
	}
}

func TestARestartOfTheServiceForgetsShellsAndCutsConnections(t *testing.T) {
	s, c, shell := inject(t)
	other := signIn(t, s)
	other.command(other.openShell(), "wait")
	if err := s.Inject([]Fault{{On: "Command", Kind: KindServiceRestart}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.echo(shell); err == nil {
		t.Error("an answer")
	}
	// An HTTP client may have noticed and connected again, where nobody knows it.
	if status, _, err := other.try(create(other)); err == nil && status != http.StatusUnauthorized {
		t.Errorf("another connection lives on: %d", status)
	}
	again := signIn(t, s)
	if _, text := again.do(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)); faultCode(text) != CodeUnknownSelector {
		t.Errorf("%s", text)
	}
	if stdout, _, _ := again.run(again.openShell(), "echo x"); stdout != "x" {
		t.Error("it does not work any more")
	}
}

func TestALateFaultStrikesWhenTheCommandRuns(t *testing.T) {
	for _, late := range []bool{false, true} {
		s, c, shell := inject(t, Fault{On: "Command", Kind: KindReset, Late: late})
		if _, _, err := c.echo(shell); err == nil {
			t.Error("an answer")
		}
		s.mu.Lock()
		started := s.shells[shell].started
		s.mu.Unlock()
		if (started == 1) != late {
			t.Errorf("late %t: %d commands", late, started)
		}
	}
}

func TestFaultsOnLogons(t *testing.T) {
	book := accounts(1)
	s := start(t, Config{Accounts: book, Listeners: []Listener{{Schemes: []Scheme{Negotiate, Basic}, AllowUnencrypted: true}}})
	if err := s.Inject([]Fault{{On: onLogon, Kind: KindRefuseLogon, Times: 2}, {On: onLogon, Kind: Kind503}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{401, 401, 503, 200} {
		if status := dial(t, s).logon("LAB", "admin", "right"); status != want {
			t.Errorf("logon %d: %d", i, status)
		}
	}
	if st := s.Stats(); book.FailedLogons("LAB", "admin") != 0 || st.Refused != 2 || st.Logons != 1 {
		t.Errorf("%d %+v", book.FailedLogons("LAB", "admin"), st)
	}
	if err := s.Inject([]Fault{{On: onLogon, Kind: KindRefuseLogon}}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, s)
	for _, want := range []int{401, 200} {
		if res, _, err := c.post(basicAuth("Administrator", "right"), soapType, []byte(create(c))); err != nil || res.StatusCode != want {
			t.Errorf("Basic: %v %v", res, err)
		}
	}
}

func TestFaultsAreCountedOff(t *testing.T) {
	s, c, shell := inject(t, Fault{On: onAny, Kind: KindWrongFault, Skip: 2, Times: 2}, Fault{On: "Delete", Kind: KindWrongFault, Times: -1})
	statuses := func(n int) (out []int) {
		for range n {
			status, _ := c.do(winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params))
			out = append(out, status)
		}
		return out
	}
	for i, status := range statuses(6) {
		if want := map[bool]int{false: 200, true: 500}[i == 2 || i == 3]; status != want {
			t.Errorf("message %d: %d", i, status)
		}
	}
	for range 3 {
		if status, _ := c.do(winrm.NewDeleteShellRequest(c.url, shell, c.params)); status != 500 {
			t.Errorf("always: %d", status)
		}
	}
	if err := s.Inject(nil); err != nil {
		t.Fatal(err)
	}
	if status, _ := c.do(winrm.NewDeleteShellRequest(c.url, shell, c.params)); status != 200 {
		t.Errorf("cleared: %d", status)
	}
}

func TestARequestThatSignsItselfCountsOnceAsAny(t *testing.T) {
	s := start(t, Config{Listeners: []Listener{{Schemes: []Scheme{Basic}, AllowUnencrypted: true}}})
	if err := s.Inject([]Fault{{On: onAny, Kind: KindEmpty, Skip: 1}}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, s)
	for i, empty := range []bool{false, true, false} {
		_, body, err := c.post(basicAuth("Administrator", "right"), soapType, []byte(create(c)))
		if err != nil || (len(body) == 0) != empty {
			t.Errorf("request %d: %q %v", i, body, err)
		}
	}
}

func TestFaultsOverTLS(t *testing.T) {
	a := newAuthority(t)
	s := start(t, Config{Listeners: []Listener{{Certificate: a.server()}}})
	for _, kind := range []string{KindReset, KindCutHead, KindCutBody, KindServiceRestart} {
		c := a.dialTLS(s.Address(), nil)
		if status := c.logon("LAB", "admin", "right"); status != 200 {
			t.Fatal(status)
		}
		if err := s.Inject([]Fault{{On: "Create", Kind: kind}}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.post("", soapType, []byte(create(c))); err == nil {
			t.Errorf("%s: a whole answer", kind)
		}
	}
}

func TestAFaultThatCouldNeverStrikeIsRefused(t *testing.T) {
	s := start(t, Config{})
	if err := s.Inject([]Fault{{On: onAny, Kind: Kind503, Times: -1}}); err != nil {
		t.Fatal(err)
	}
	for _, f := range []Fault{
		{},
		{On: "Command"},
		{On: "Command", Kind: "explode"},
		{On: "command", Kind: KindReset},
		{On: "Logon", Kind: KindCutBody},
		{On: "Logon", Kind: KindReset, Late: true},
		{On: "Receive", Kind: KindRefuseLogon},
		{On: "Create", Kind: KindReset, Skip: -1},
	} {
		if err := s.Inject([]Fault{{On: "Create", Kind: KindReset}, f}); err == nil {
			t.Errorf("%+v is taken", f)
		}
	}
	c := dial(t, s)
	c.header = http.Header{"Wsmanidentify": {"unauthenticated"}}
	if res, _, err := c.post("", soapType, []byte(identify)); err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the old faults are gone: %v %v", res, err)
	}
}
