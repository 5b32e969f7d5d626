package wsmanserver

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/masterzen/winrm"
)

func TestAShellRunsOnlySoManyProcesses(t *testing.T) {
	c := signIn(t, start(t, Config{Quotas: Quotas{MaxProcessesPerShell: 2}}))
	shell := c.openShell()
	first := c.command(shell, "wait")
	c.command(shell, "wait")
	third := winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params)
	if status, text := c.do(third); status != 500 || faultCode(text) != CodeProcesses {
		t.Errorf("a third: %d %s", status, text)
	}
	c.do(winrm.NewSignalRequest(c.url, shell, first, c.params))
	if stdout, _, _ := c.run(shell, "echo x"); stdout != "x" {
		t.Errorf("after one has ended: %q", stdout)
	}
}

func TestCommandsOfAShellCountAsOperationsUntilItIsGone(t *testing.T) {
	s := start(t, Config{Quotas: Quotas{MaxConcurrentOperationsPerUser: 3}})
	c := signIn(t, s)
	shell := c.openShell()
	for range 3 {
		command := c.command(shell, "echo x")
		c.do(winrm.NewSignalRequest(c.url, shell, command, c.params))
	}
	for _, m := range []fmt.Stringer{
		winrm.NewExecuteCommandRequest(c.url, shell, "echo x", nil, c.params), winrm.NewOpenShellRequest(c.url, c.params),
	} {
		if status, text := c.do(m); status != 500 || faultCode(text) != CodeBusy || !strings.Contains(text, "operations for this user") {
			t.Errorf("%d %s", status, text)
		}
	}
	other := dial(t, s)
	if other.logon("LAB", "other", "right") != 200 || other.openShell() == "" {
		t.Error("somebody else pays too")
	}
	if status, text := c.do(winrm.NewDeleteShellRequest(c.url, shell, c.params)); status != 200 {
		t.Errorf("tidying up: %d %s", status, text)
	}
	if stdout, _, _ := c.run(c.openShell(), "echo x"); stdout != "x" {
		t.Error("a new shell does not help")
	}
}

func TestRequestsAtWorkAreOperations(t *testing.T) {
	s := start(t, Config{Quotas: Quotas{MaxConcurrentOperationsPerUser: 2}})
	c := signIn(t, s)
	shell := c.openShell()
	command := c.command(shell, "wait")
	held := make(chan error, 1)
	go func() {
		_, _, err := c.try(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params).String())
		held <- err
	}()
	for !atWork(s, `LAB\admin`, 2) {
		time.Sleep(time.Millisecond)
	}
	second := signIn(t, s)
	if status, text := second.do(winrm.NewOpenShellRequest(second.url, second.params)); status != 500 || faultCode(text) != CodeBusy {
		t.Errorf("%d %s", status, text)
	}
	second.do(winrm.NewSignalRequest(second.url, shell, command, second.params))
	if err := <-held; err != nil {
		t.Error(err)
	}
}

// atWork tells whether a user has so many operations.
func atWork(s *Server, user string, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operations(user) == n
}

func TestAConnectionTooManyIsTurnedAway(t *testing.T) {
	a := newAuthority(t)
	s := start(t, Config{Quotas: Quotas{MaxConnections: 2}, Listeners: []Listener{{}, {Certificate: a.server()}}})
	c := signIn(t, s)
	silent, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addresses()[1])
	if err != nil {
		t.Fatal(err)
	}
	for s.Stats().Connections < 2 {
		time.Sleep(time.Millisecond)
	}
	third := dial(t, s)
	res, body, err := third.post("", "", nil)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "<HTML>") {
		t.Errorf("%v %q %v", res, body, err)
	}
	_ = silent.Close()
	for s.Stats().Connections > 1 {
		time.Sleep(time.Millisecond)
	}
	signIn(t, s)
	c.openShell()
	st := s.Stats()
	if st.MostConnections != 3 || st.Listeners[0].MostConnections != 2 || st.Listeners[1].MostConnections != 1 || st.Connections != 2 {
		t.Errorf("%+v", st)
	}
}

func TestWhatAMessageAsksForBeyondTheQuotasIsRefused(t *testing.T) {
	c := signIn(t, start(t, Config{Quotas: Quotas{MaxTimeout: 20 * time.Second, MaxEnvelopeKB: 32}}))
	ask := func(timeout string, envelope int) (int, string) {
		c.params.Timeout, c.params.EnvelopeSize = timeout, envelope
		return c.do(winrm.NewOpenShellRequest(c.url, c.params))
	}
	for _, tc := range []struct {
		timeout  string
		envelope int
		code     uint64
	}{
		{"PT20S", 153600, 0},
		{"PT20.001S", 153600, CodeTimeoutHeader},
		{"P1D", 153600, CodeTimeoutHeader},
		{"soon", 153600, CodeTimeoutHeader},
		{"PT20S", 8192, 0},
		{"PT20S", 8191, CodeSmallEnvelope},
	} {
		if _, text := ask(tc.timeout, tc.envelope); faultCode(text) != tc.code {
			t.Errorf("%s, %d bytes: %s", tc.timeout, tc.envelope, text)
		}
	}
	if res, _, err := c.post("", clientSealedType, make([]byte, 40<<10)); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a request beyond MaxEnvelopeSizekb: %v %v", res, err)
	}
}

func TestTheMostShellsAtOneTimeAreRemembered(t *testing.T) {
	s := start(t, Config{})
	c := signIn(t, s)
	a, b := c.openShell(), c.openShell()
	for _, id := range []string{a, b} {
		c.do(winrm.NewDeleteShellRequest(c.url, id, c.params))
	}
	c.openShell()
	if st := s.Stats(); st.Shells != 3 || st.MostShells != 2 || st.Open != 1 || st.Listeners[0].MostShells != 2 {
		t.Errorf("%+v", st)
	}
}

func TestTheCountsGoDownWithTheConnections(t *testing.T) {
	s := start(t, Config{})
	transport := &http.Transport{}
	c := dialBy(t, transport, "http://"+s.Address())
	if _, _, err := c.post("", "", nil); err != nil {
		t.Fatal(err)
	}
	transport.CloseIdleConnections()
	for s.Stats().Connections > 0 {
		time.Sleep(time.Millisecond)
	}
	if s.Stats().MostConnections != 1 {
		t.Errorf("%+v", s.Stats())
	}
}
