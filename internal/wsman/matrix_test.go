package wsman_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"cau/internal/sambatest"
	"cau/internal/wsman"
)

// misbehaviour is one way in which a listener fails its client, once.
type misbehaviour struct {
	answer func(c *serverConn, w http.ResponseWriter, r <-chan struct{})
	// is judges the error that an operation which acts (Create, Command) must give.
	is func(error) bool
	// recovers is true where the operation must succeed all the same, by one more logon.
	recovers bool
}

func misbehaviours() map[string]misbehaviour {
	conn := func(stage wsman.Stage) func(error) bool {
		return func(err error) bool { var e *wsman.ConnError; return errors.As(err, &e) && e.Stage == stage }
	}
	web := func(status int) func(error) bool {
		return func(err error) bool { var e *wsman.HTTPError; return errors.As(err, &e) && e.Status == status }
	}
	status := func(code int) func(*serverConn, http.ResponseWriter, <-chan struct{}) {
		return func(_ *serverConn, w http.ResponseWriter, _ <-chan struct{}) { w.WriteHeader(code) }
	}
	sealed := func(code int, text string) func(*serverConn, http.ResponseWriter, <-chan struct{}) {
		return func(c *serverConn, w http.ResponseWriter, _ <-chan struct{}) {
			reply(w, c.session, c.session == nil, code, text)
		}
	}
	hijack := func(f func(net.Conn)) func(*serverConn, http.ResponseWriter, <-chan struct{}) {
		return func(_ *serverConn, w http.ResponseWriter, _ <-chan struct{}) {
			if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
				f(c)
				_ = c.Close()
			}
		}
	}
	return map[string]misbehaviour{
		"reset":     {answer: hijack(func(c net.Conn) { _ = c.(interface{ SetLinger(int) error }).SetLinger(0) }), is: conn(wsman.Maybe)},
		"hang":      {answer: func(_ *serverConn, _ http.ResponseWriter, end <-chan struct{}) { <-end }, is: func(err error) bool { return errors.Is(err, wsman.ErrSilent) && conn(wsman.Maybe)(err) }},
		"401":       {answer: status(401), recovers: true},
		"503":       {answer: status(503), is: web(503)},
		"empty 200": {answer: status(200), is: web(200)},
		"cut body": {answer: hijack(func(c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: multipart/encrypted\r\nContent-Length: 500\r\n\r\n--Encrypted"))
		}), is: conn(wsman.Maybe)},
		"non-SOAP body":   {answer: sealed(200, "<html><body>hello</body></html>"), is: conn(wsman.Answered)},
		"cut SOAP body":   {answer: sealed(200, soap(nsShell+"/CommandResponse", "")[:100]), is: conn(wsman.Answered)},
		"wrong action":    {answer: sealed(200, soap(nsShell+"/SendResponse", "")), is: conn(wsman.Answered)},
		"wrong fault":     {answer: sealed(500, soapFault(2150859193)), is: func(err error) bool { return wsman.Code(err) == 0x803381B9 && !wsman.Retryable(err) }},
		"time-out fault":  {answer: sealed(500, soapFault(2150858793)), is: func(err error) bool { return wsman.Code(err) == wsman.CodeTimedOut }},
		"not SOAP at all": {answer: sealed(500, "oops"), is: web(500)},
	}
}

// The same faults on every kind of channel: what a listener does wrong must not depend on how we signed in.
func TestEveryMisbehaviourIsAStructuredErrorOnEveryChannel(t *testing.T) {
	for channel, start := range map[string]func(t *testing.T) (*winServer, []func(*wsman.Config)){
		"NTLM": func(t *testing.T) (*winServer, []func(*wsman.Config)) {
			t.Helper()
			return newWinServer(t, false), nil
		},
		"Kerberos": func(t *testing.T) (*winServer, []func(*wsman.Config)) {
			t.Helper()
			return newGSSServer(t, "Kerberos", false), []func(*wsman.Config){as(wsman.Kerberos(identity(t), ""), sambatest.Node1)}
		},
	} {
		t.Run(channel, func(t *testing.T) {
			s, change := start(t)
			for name, m := range misbehaviours() {
				for _, at := range []string{"Create", "Command"} {
					t.Run(name+" at "+at, func(t *testing.T) {
						end := make(chan struct{})
						var hit atomic.Bool
						s.mu.Lock()
						s.ops, s.clear = nil, nil
						s.interceptOn = func(op string, n int, c *serverConn, w http.ResponseWriter) bool {
							if op != at || n != 1 {
								return false
							}
							hit.Store(true)
							m.answer(c, w, end)
							return true
						}
						s.mu.Unlock()
						patient := func(c *wsman.Config) { c.DeadHost = 5 * time.Second }
						if name == "hang" {
							patient = func(c *wsman.Config) { c.DeadHost = 200 * time.Millisecond }
						}
						n := s.node(t, append(change, patient)...)
						_, err := n.Run(t.Context(), "echo once", nil)
						close(end)
						if !hit.Load() {
							t.Fatal("the fault was not met")
						}
						want := 1
						if m.recovers {
							want = 2
							if err != nil || n.Stats().Handshakes != 2 {
								t.Fatalf("%v, %+v", err, n.Stats())
							}
						} else if err == nil || !m.is(err) {
							t.Fatalf("got %T %v", err, err)
						}
						if got := s.count(at); got != want {
							t.Fatalf("%s was sent %d times", at, got)
						}
						if r := run(t, n, "echo again"); string(r.Stdout) != "again" {
							t.Fatalf("afterwards %+v", r)
						}
						if err := n.Close(t.Context()); err != nil {
							t.Fatal(err)
						}
					})
				}
			}
		})
	}
}

func TestAServiceThatRestartsForgetsItsShellsAndKerberosGoesOn(t *testing.T) {
	s := newGSSServer(t, "Kerberos", false)
	n := s.node(t, as(wsman.Kerberos(identity(t), ""), sambatest.Node1))
	run(t, n, "echo 1")
	n.Age(0)
	s.CloseClientConnections()
	s.interceptOn = func(op string, k int, c *serverConn, w http.ResponseWriter) bool {
		if op != "Command" || k != 2 {
			return false
		}
		reply(w, c.session, false, 500, soapFault(2150858843))
		return true
	}
	n.Age(2 * time.Second)
	if r := run(t, n, "echo 2"); string(r.Stdout) != "2" || s.count("Create") != 2 || n.Stats().Handshakes != 2 {
		t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
	}
}

func TestACancelDuringAReceiveOverKerberosReturnsAtOnce(t *testing.T) {
	s := newGSSServer(t, "Kerberos", false)
	n := s.node(t, as(wsman.Kerberos(identity(t), ""), sambatest.Node1))
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := n.Run(ctx, "sleep", nil)
		failed <- err
	}()
	<-s.receiving
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) { // the peer still holds the Receive
		t.Fatalf("Run gave %v", err)
	}
	if err := n.Close(t.Context()); err != nil || s.count("Signal") != 1 || s.count("Delete") != 1 {
		t.Fatalf("%v after %v", err, s.heard())
	}
}
