package wsman_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"cau/internal/wsman"
)

func TestACancelEndsALogonThatIsUnderWay(t *testing.T) {
	heard, end := make(chan struct{}), make(chan struct{})
	w := newWiretap(t, func(int, *http.Request, []byte) string { close(heard); <-end; return "" })
	defer close(end)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-heard; cancel() }()
	_, err := w.node(t).Run(ctx, "echo x", nil)
	if _, requests := w.heard(); !errors.Is(err, context.Canceled) || requests != 1 {
		t.Fatalf("%v after %d requests", err, requests)
	}
}

func TestR02_A401AfterTheProofIsARejectionInEveryForm(t *testing.T) {
	for name, answer := range map[string]func(r *http.Request) string{
		"bare":               func(*http.Request) string { return status("401 Unauthorized", "WWW-Authenticate: Negotiate") },
		"without a scheme":   func(*http.Request) string { return status("401 Unauthorized") },
		"another challenge":  func(*http.Request) string { return negotiate([]byte("NTLMSSP\x00 again")) },
		"closing":            func(*http.Request) string { return status("401 Unauthorized", "Connection: close") },
		"only Basic is left": func(*http.Request) string { return status("401 Unauthorized", "WWW-Authenticate: Basic") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(n int, r *http.Request, _ []byte) string {
				if n == 1 {
					return negotiate(challenge(t, r))
				}
				return answer(r)
			})
			_, err := w.node(t).Run(t.Context(), "echo x", nil)
			if _, requests := w.heard(); !rejected(err) || requests != 2 {
				t.Fatalf("%v after %d requests", err, requests)
			}
		})
	}
}

func TestALogonOnAConnectionThatClosesIsNone(t *testing.T) {
	for name, closing := range map[string]int{"with the challenge": 1, "with the acceptance": 2} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(n int, r *http.Request, _ []byte) string {
				answer := status("200 OK")
				if n == 1 {
					answer = negotiate(challenge(t, r))
				}
				if n == closing {
					answer = strings.Replace(answer, "\r\n", "\r\nConnection: close\r\n", 1)
				}
				return answer
			})
			_, err := w.node(t).Run(t.Context(), "echo x", nil)
			var c *wsman.ConnError
			if _, requests := w.heard(); !errors.As(err, &c) || c.Op != "authenticate" || c.Stage != wsman.Maybe || requests != closing {
				t.Fatalf("%v after %d requests", err, requests)
			}
		})
	}
}

func TestAMessageThatDidNotLeaveIsSentAgainOnce(t *testing.T) {
	for failures, want := range map[int]bool{1: true, 2: false} {
		s := newWinServer(t, false)
		dials := 0
		n := s.node(t, func(c *wsman.Config) {
			c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if dials++; dials <= failures {
					return nil, errors.New("no route")
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
		})
		_, err := n.Run(t.Context(), "echo x", nil)
		if (err == nil) != want || n.Stats().Dials != 2 {
			t.Errorf("%d failures: %v, %+v", failures, err, n.Stats())
		}
		if !want && (err.Error() != "WinRM connect: no route" || !wsman.Retryable(err)) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnAnswerThatClosesItsConnectionIsStillGood(t *testing.T) {
	s := newWinServer(t, false)
	s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
		if op == "Command" {
			w.Header().Set("Connection", "close")
		}
		return false
	}
	n := s.node(t)
	if r := run(t, n, "echo x"); string(r.Stdout) != "x" || n.Stats().Dials != 2 || s.count("Command") != 1 {
		t.Fatalf("%+v, %+v", r, n.Stats())
	}
}

func TestOnTLSTooOnlyWinRMsOwnAnswersCount(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"503": {503, "<html>"}, "302": {302, "moved"}, "empty": {200, ""}, "500 of a web server": {500, "<html>"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, true)
			s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
				if op == "Receive" {
					reply(w, nil, true, c.status, c.body)
				}
				return op == "Receive"
			}
			_, err := s.node(t, trusting(s)).Run(t.Context(), "echo x", nil)
			var web *wsman.HTTPError
			if !errors.As(err, &web) || web.Status != c.status || web.Op != "Receive" || wsman.Retryable(err) != (c.status == 503) || wsman.Hint(err) == "" {
				t.Fatalf("got %v", err)
			}
		})
	}
	for name, body := range map[string]string{
		"another action": soap(nsShell+"/SendResponse", ""),
		"HTML":           "<html><body>hello</body></html>",
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, true)
			s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
				if op == "Receive" {
					reply(w, nil, true, 200, body)
				}
				return op == "Receive"
			}
			_, err := s.node(t, trusting(s)).Run(t.Context(), "echo x", nil)
			var c *wsman.ConnError
			if !errors.As(err, &c) || c.Stage != wsman.Answered || s.count("Receive") != 1 {
				t.Fatalf("got %v after %v", err, s.heard())
			}
		})
	}
	t.Run("a fault with status 200", func(t *testing.T) {
		s := newWinServer(t, true)
		s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
			if op == "Create" {
				reply(w, nil, true, 200, soapFault(5))
			}
			return op == "Create"
		}
		_, err := s.node(t, trusting(s)).Run(t.Context(), "echo x", nil)
		if wsman.Code(err) != wsman.CodeAccessDenied || !strings.Contains(wsman.Hint(err), "administrator") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestInputThatIsLostEndsTheCommand(t *testing.T) {
	s := newWinServer(t, false)
	s.intercept = func(op string, n int, w http.ResponseWriter) bool { return op == "Send" && n == 2 && hang(w) }
	n := s.node(t)
	_, err := n.Run(t.Context(), "cat", make([]byte, 200<<10))
	var c *wsman.ConnError
	if !errors.As(err, &c) || c.Op != "Send" || c.Stage != wsman.Maybe {
		t.Fatalf("got %v", err)
	}
	n.Age(0)
	if s.count("Send") != 2 || s.count("Signal") != 1 || s.count("Receive") != 0 {
		t.Fatalf("the server heard %v", s.heard())
	}
	if r := run(t, n, "echo x"); string(r.Stdout) != "x" || s.count("Create") != 1 {
		t.Fatalf("%+v, %v", r, s.heard())
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	for want, err := range map[string]error{
		"WinRM Command (sent, no answer): gone":                                        &wsman.ConnError{Op: "Command", Stage: wsman.Maybe, Err: errors.New("gone")},
		"WinRM Command (not sent): gone":                                               &wsman.ConnError{Op: "Command", Err: errors.New("gone")},
		"WinRM Receive (answered): odd":                                                &wsman.ConnError{Op: "Receive", Stage: wsman.Answered, Err: errors.New("odd")},
		"WinRM authentication: no acceptable authentication is offered [Basic]":        &wsman.AuthError{Reason: wsman.NotOffered, Offered: []string{"Basic"}},
		"WinRM authentication: the challenge is malformed or weak: no SEAL":            &wsman.AuthError{Reason: wsman.WeakChallenge, Err: errors.New("no SEAL")},
		"WinRM authentication: the answer's signature does not match":                  &wsman.AuthError{Reason: wsman.Tampered},
		"WinRM Create: HTTP 503 Service Unavailable: not yet":                          &wsman.HTTPError{Op: "Create", Status: 503, Reason: "Service Unavailable", Head: "not yet"},
		"WinRM Create refused: no (0x00000005 ERROR_ACCESS_DENIED)":                    &wsman.Fault{Op: "Create", Code: 5, Message: "no", Reason: "r"},
		"WinRM Create refused: w:X":                                                    &wsman.Fault{Op: "Create", Subcode: "w:X"},
		"WinRM Receive refused: r (0x80338029 ERROR_WSMAN_OPERATION_TIMEDOUT)":         &wsman.Fault{Op: "Receive", Code: wsman.CodeTimedOut, Reason: "r"},
		"WinRM connect: the connection to the node was closed by us":                   &wsman.ConnError{Op: "connect", Err: wsman.ErrClosed},
		"WinRM Signal (stage 9): the connection to the node was closed by us":          &wsman.ConnError{Op: "Signal", Stage: 9, Err: wsman.ErrClosed},
		"WinRM authentication: reason 99: the connection to the node was closed by us": &wsman.AuthError{Reason: 99, Err: wsman.ErrClosed},
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err.Error(), want)
		}
	}
	if wsman.Hint(nil) != "" || wsman.Code(nil) != 0 || wsman.Retryable(nil) || wsman.Hint(errors.New("x")) != "" {
		t.Error("nothing to say about what is not ours")
	}
}
