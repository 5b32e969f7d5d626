package wsman_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"cau/internal/wsman"
)

func TestUnreadableOutputIsAnError(t *testing.T) {
	stream := func(name, id, data string) string {
		return `<rsp:Stream Name="` + name + `" CommandId="` + id + `">` + data + `</rsp:Stream>`
	}
	done := `<rsp:CommandState CommandId="` + commandID + `" State="` + nsShell + `/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>`
	other := strings.Replace(commandID, "7C", "7D", 1)
	for name, body := range map[string]string{
		"no exit code":           strings.Replace(done, "<rsp:ExitCode>0</rsp:ExitCode>", "", 1),
		"exit code with a blank": strings.Replace(done, ">0<", "> 0<", 1),
		"exit code a word":       strings.Replace(done, ">0<", ">zero<", 1),
		"exit code of 33 bits":   strings.Replace(done, ">0<", ">4294967296<", 1),
		"another's output":       stream("stdout", other, "aGk=") + done,
		"another's state":        strings.Replace(done, commandID, other, 1),
		"bad base64":             stream("stdout", commandID, "a*==") + done,
		"an unknown stream":      stream("stdlog", commandID, "aGk=") + done,
		"an element in a stream": stream("stdout", commandID, "aG<x/>k=") + done,
		"an unknown state":       strings.Replace(done, "State/Done", "State/Gone", 1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, true)
			s.intercept = func(op string, n int, w http.ResponseWriter) bool {
				if op != "Receive" || n > 1 {
					return false
				}
				reply(w, nil, true, 200, soap(nsShell+"/ReceiveResponse", `<rsp:ReceiveResponse>`+body+`</rsp:ReceiveResponse>`))
				return true
			}
			n := s.node(t, trusting(s))
			r, err := n.Run(t.Context(), "echo hi", nil)
			var c *wsman.ConnError
			if !errors.As(err, &c) || c.Op != "Receive" || c.Stage != wsman.Answered {
				t.Fatalf("Run gave %+v, %v", r, err)
			}
			if r := run(t, n, "echo again"); string(r.Stdout) != "again" {
				t.Fatalf("the node is unusable afterwards: %+v", r)
			}
		})
	}
}

func TestOnlyTheTimeOutFaultMeansAskAgain(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	if r := run(t, n, "slow 2"); string(r.Stdout) != "late" || r.Receives != 3 || r.Repeats != 0 {
		t.Fatalf("got %+v", r)
	}
	s2 := newWinServer(t, true)
	s2.intercept = func(op string, _ int, w http.ResponseWriter) bool {
		if op != "Receive" {
			return false
		}
		reply(w, nil, true, 500, soapFault(5))
		return true
	}
	_, err := s2.node(t, trusting(s2)).Run(t.Context(), "echo x", nil)
	var f *wsman.Fault
	if !errors.As(err, &f) || f.Code != 5 || f.Op != "Receive" || f.Status != 500 || f.Message != "message text" || f.Reason != "reason text" {
		t.Fatalf("got %#v", err)
	}
	if s2.count("Receive") != 1 || wsman.Retryable(err) || wsman.Code(err) != 5 || wsman.Hint(err) == "" {
		t.Fatalf("%d Receives, %v", s2.count("Receive"), err)
	}
}

// hang cuts the connection without an answer.
func hang(w http.ResponseWriter) bool {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = c.Close()
	}
	return true
}

func TestFaultsAfterTheLogonAreErrorsAndTheNodeStaysUsable(t *testing.T) {
	text := func(status int, contentType, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}
	}
	raw := func(s string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			c, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = buf.WriteString(s)
			_ = buf.Flush()
			_ = c.Close()
		}
	}
	multipart := `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
	reset := func(w http.ResponseWriter) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}
	isConn := func(err error) bool { var e *wsman.ConnError; return errors.As(err, &e) && e.Stage != wsman.NotSent }
	isTooLarge := func(err error) bool { return isConn(err) && strings.Contains(err.Error(), "larger than allowed") }
	isHTTP := func(status int) func(error) bool {
		return func(err error) bool {
			var e *wsman.HTTPError
			return errors.As(err, &e) && e.Status == status && !e.Sealed
		}
	}
	isAuth := func(reason wsman.AuthReason) func(error) bool {
		return func(err error) bool { var e *wsman.AuthError; return errors.As(err, &e) && e.Reason == reason }
	}
	plain := soap(nsShell+"/CommandResponse", `<rsp:CommandResponse><rsp:CommandId>`+commandID+`</rsp:CommandId></rsp:CommandResponse>`)
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		is     func(error) bool
	}{
		"reset":                 {reset, isConn},
		"hang-up":               {func(w http.ResponseWriter) { hang(w) }, isConn},
		"503":                   {text(503, "text/html", "<h2>Service Unavailable</h2>"), isHTTP(503)},
		"500 of a web server":   {text(500, "text/html", "<h1>oops</h1>"), isHTTP(500)},
		"302":                   {text(302, "text/html", "moved"), isHTTP(302)},
		"empty 200":             {text(200, multipart, ""), isHTTP(200)},
		"empty 500":             {text(500, multipart, ""), isHTTP(500)},
		"cut body":              {raw("HTTP/1.1 200 OK\r\nContent-Type: " + multipart + "\r\nContent-Length: 1000\r\n\r\n--Encry"), isConn},
		"cut head":              {raw("HTTP/1.1 200 OK\r\nContent-Ty"), isConn},
		"no HTTP":               {raw("\x16\x03\x01 what is this\r\n\r\n"), isConn},
		"endless head":          {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 4<<20)), isTooLarge},
		"only 100 Continue":     {raw(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 200000)), isTooLarge},
		"3 MB body":             {text(200, multipart, strings.Repeat("x", 3<<20)), isTooLarge},
		"garbage frame":         {text(200, multipart, "--Encrypted Boundary\r\n\tgarbage\r\n"), isConn},
		"empty frame":           {text(200, multipart, "--Encrypted Boundary--\r\n"), isConn},
		"plain SOAP":            {text(200, "application/soap+xml;charset=UTF-8", plain), isAuth(wsman.NotSealed)},
		"plain SOAP fault":      {text(500, "application/soap+xml;charset=UTF-8", soapFault(2150858843)), isHTTP(500)},
		"plain TimedOut":        {text(500, "application/soap+xml;charset=UTF-8", soapFault(2150858793)), isHTTP(500)},
		"frame by somebody":     {text(200, multipart, foreignFrame(plain)), isAuth(wsman.Tampered)},
		"500 frame by somebody": {text(500, multipart, foreignFrame(soapFault(2150858843))), isAuth(wsman.Tampered)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, false)
			s.intercept = func(op string, n int, w http.ResponseWriter) bool {
				if op != "Command" || n != 1 {
					return false
				}
				c.answer(w)
				return true
			}
			n := s.node(t)
			_, err := n.Run(t.Context(), "echo once", nil)
			if err == nil || !c.is(err) {
				t.Fatalf("got %T %v", err, err)
			}
			if got := s.count("Command"); got != 1 {
				t.Fatalf("the command was sent %d times", got)
			}
			if r := run(t, n, "echo again"); string(r.Stdout) != "again" {
				t.Fatalf("afterwards %+v", r)
			}
			if got := s.count("Delete"); got != 1 {
				t.Errorf("the shell in which the command may run was deleted %d times", got)
			}
		})
	}
}

// foreignFrame is a well-formed sealed body under a key that is not ours.
func foreignFrame(plain string) string {
	return "--Encrypted Boundary\r\n\tContent-Type: " + protocol + "\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + fmt.Sprint(len(plain)) +
		"\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n\x10\x00\x00\x00\x01\x00\x00\x00signatur\x00\x00\x00\x00" + plain + "--Encrypted Boundary--\r\n"
}

func TestA401InMidSessionCostsOneNewLogonAndOneResend(t *testing.T) {
	for _, at := range []string{"Create", "Command", "Receive"} {
		t.Run(at, func(t *testing.T) {
			s := newWinServer(t, false)
			s.intercept = func(op string, n int, w http.ResponseWriter) bool {
				if op != at || n != 1 {
					return false
				}
				w.Header().Set("WWW-Authenticate", "Negotiate")
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			n := s.node(t)
			if r := run(t, n, "echo once"); string(r.Stdout) != "once" || n.Stats().Handshakes != 2 || s.logons() != 2 || s.count(at) != 2 {
				t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
			}
		})
	}
	t.Run("for ever", func(t *testing.T) {
		s := newWinServer(t, false)
		s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
			if op == "Command" {
				w.WriteHeader(http.StatusUnauthorized)
			}
			return op == "Command"
		}
		_, err := s.node(t).Run(t.Context(), "echo x", nil)
		var h *wsman.HTTPError
		if !errors.As(err, &h) || h.Status != 401 || s.count("Command") != 2 || s.logons() != 2 {
			t.Fatalf("%v after %v and %d logons", err, s.heard(), s.logons())
		}
	})
}

func TestR33_IDsFromThePeerAreChecked(t *testing.T) {
	for name, id := range map[string]string{"markup": "A&lt;x/&gt;", "empty": "", "long": strings.Repeat("A", 65), "word": "shell", "quote": "A&quot;"} {
		t.Run(name, func(t *testing.T) {
			for _, op := range []string{"Create", "Command"} {
				s := newWinServer(t, true)
				s.intercept = func(got string, _ int, w http.ResponseWriter) bool {
					if got != op {
						return false
					}
					if op == "Create" {
						reply(w, nil, true, 200, soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse", `<rsp:Shell><rsp:ShellId>`+id+`</rsp:ShellId></rsp:Shell>`))
					} else {
						reply(w, nil, true, 200, soap(nsShell+"/CommandResponse", `<rsp:CommandResponse><rsp:CommandId>`+id+`</rsp:CommandId></rsp:CommandResponse>`))
					}
					return true
				}
				n := s.node(t, trusting(s))
				if _, err := n.Run(t.Context(), "echo x", nil); err == nil || s.count("Receive") != 0 {
					t.Errorf("%s: %v, %v", op, err, s.heard())
				}
			}
		})
	}
}
