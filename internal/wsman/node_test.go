package wsman_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cau/internal/wsman"
)

func run(t *testing.T, n *wsman.Node, command string) wsman.Result {
	t.Helper()
	r, err := n.Run(t.Context(), command, nil)
	if err != nil {
		t.Fatalf("Run(%q): %v", command, err)
	}
	return r
}

func TestACommandGivesItsOutputThroughASealedConnection(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	if r := run(t, n, "echo hällo ]]> <&> 'x' \"y\" 😀"); string(r.Stdout) != "hällo ]]> <&> 'x' \"y\" 😀" || r.Exit != 0 || r.Receives != 1 || r.Repeats != 0 {
		t.Fatalf("got %+v (%q)", r, r.Stdout)
	}
	facts, ok := n.Negotiated()
	want := wsman.Negotiated{Scheme: "Negotiate", Mechanism: "NTLMv2", Sealed: true, Computer: "NODE1", Domain: domain}
	if !ok || facts != want {
		t.Fatalf("negotiated %+v", facts)
	}
	if got := facts.String(); got != "NTLMv2 (Negotiate), sealed, plain HTTP" {
		t.Fatalf("facts read %q", got)
	}
	if id := s.who(); id.User != user || !id.MIC || id.TargetName != "HTTP/node1" {
		t.Fatalf("the server saw %+v", id)
	}
}

func TestAWarmCommandCostsThreeRequests(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	run(t, n, "echo 1")
	run(t, n, "echo 2")
	before := n.Stats()
	run(t, n, "echo 3") // it waits for the Signal of the one before
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := n.Stats()
	if after.Dials != 1 || after.Handshakes != 1 || after.Requests > before.Requests+3+1+1 {
		t.Fatalf("before %+v, after %+v", before, after)
	}
	if want := []string{"Create", "Command", "Receive", "Signal", "Command", "Receive", "Signal", "Command", "Receive", "Signal", "Delete"}; fmt.Sprint(s.heard()) != fmt.Sprint(want) {
		t.Fatalf("the server heard %v", s.heard())
	}
}

func TestExitCodesAre32Bits(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	for text, want := range map[string]int32{"0": 0, "3010": 3010, "-5": -5, "4294967295": -1, "2147942606": -2147024690} {
		r := run(t, n, "exit "+text)
		if r.Exit != want || string(r.Stderr) != "oops" {
			t.Errorf("exit %s gave %d, stderr %q", text, r.Exit, r.Stderr)
		}
	}
}

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

func TestInputIsPipedInChunksBeforeTheFirstReceive(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	for _, size := range []int{0, 1, 96 << 10, 96<<10 + 1, 300 << 10} {
		input := make([]byte, size)
		rand.New(rand.NewSource(int64(size))).Read(input)
		s.mu.Lock()
		s.ops, s.clear = nil, nil
		s.mu.Unlock()
		r, err := n.Run(t.Context(), "cat <&>", input)
		if err != nil || !bytes.Equal(r.Stdout, input) {
			t.Fatalf("%d bytes in, %d out, %v", size, len(r.Stdout), err)
		}
		s.mu.Lock()
		sends, ends := 0, 0
		for i, op := range s.ops {
			switch op {
			case "Command":
				for _, o := range s.clear[i].Options {
					if o.Name == "WINRS_CONSOLEMODE_STDIN" && o.Value != "FALSE" {
						t.Error("stdin is a console although it is piped")
					}
				}
				if s.clear[i].Command != "cat <&>" || s.clear[i].Shell != shellID || len(s.clear[i].Options) != 2 {
					t.Errorf("the command arrived as %+v", s.clear[i])
				}
			case "Send":
				sends++
				if s.clear[i].Stream.End {
					ends++
					if sends != max(1, (size+96<<10-1)/(96<<10)) {
						t.Errorf("%d bytes: End at Send %d", size, sends)
					}
				}
			case "Receive":
				if ends != 1 {
					t.Errorf("Receive before the end of input: %v", s.heard())
				}
			}
		}
		s.mu.Unlock()
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

func TestAForgottenShellIsReopenedForANewCommandOnly(t *testing.T) {
	for _, lostAt := range []string{"Command", "Receive"} {
		t.Run(lostAt, func(t *testing.T) {
			s := newWinServer(t, true)
			s.intercept = func(op string, n int, w http.ResponseWriter) bool {
				if op != lostAt || n != 2 {
					return false
				}
				reply(w, nil, true, 500, soapFault(2150858843))
				return true
			}
			n := s.node(t, trusting(s))
			run(t, n, "echo 1")
			r, err := n.Run(t.Context(), "echo 2", nil)
			if lostAt == "Command" {
				if err != nil || string(r.Stdout) != "2" || s.count("Create") != 2 {
					t.Fatalf("%+v, %v, %d shells", r, err, s.count("Create"))
				}
				return
			}
			if wsman.Code(err) != wsman.CodeShellGone || s.count("Command") != 2 {
				t.Fatalf("a command that was lost with its shell gave %v; %d Commands", err, s.count("Command"))
			}
			if r := run(t, n, "echo 3"); string(r.Stdout) != "3" || s.count("Create") != 2 {
				t.Fatalf("got %+v, %d shells", r, s.count("Create"))
			}
		})
	}
}

func TestAShellThatIsAlwaysForgottenEndsInAFault(t *testing.T) {
	s := newWinServer(t, true)
	s.intercept = func(op string, _ int, w http.ResponseWriter) bool {
		if op != "Command" {
			return false
		}
		reply(w, nil, true, 500, soapFault(2150858843))
		return true
	}
	_, err := s.node(t, trusting(s)).Run(t.Context(), "echo 1", nil)
	if wsman.Code(err) != wsman.CodeShellGone || s.count("Create") != 1 || s.count("Command") != 1 {
		t.Fatalf("%v after %v", err, s.heard())
	}
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
		"endless head":          {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 4<<20)), isConn},
		"only 100 Continue":     {raw(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 200000)), isConn},
		"3 MB body":             {text(200, multipart, strings.Repeat("x", 3<<20)), isConn},
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

func TestALostReceiveIsRepeatedOnANewConnection(t *testing.T) {
	s := newWinServer(t, false)
	s.intercept = func(op string, n int, w http.ResponseWriter) bool { return op == "Receive" && n == 1 && hang(w) }
	n := s.node(t)
	if r := run(t, n, "echo kept"); string(r.Stdout) != "kept" || r.Repeats != 1 || r.Receives != 2 || n.Stats().Handshakes != 2 || s.count("Command") != 1 {
		t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
	}
}

func TestAConnectionThatDiedIdleIsNoticedBeforeAnythingIsSent(t *testing.T) {
	for name, age := range map[string]time.Duration{"peek": 2 * time.Second, "too old": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, false)
			n := s.node(t)
			run(t, n, "echo 1")
			n.Age(0) // the Signal is out
			if age < time.Minute {
				s.CloseClientConnections()
			}
			n.Age(age)
			if r := run(t, n, "echo 2"); string(r.Stdout) != "2" || n.Stats().Dials != 2 || s.count("Create") != 1 || s.count("Command") != 2 {
				t.Fatalf("%+v, %+v, %v", r, n.Stats(), s.heard())
			}
		})
	}
	t.Run("alive", func(t *testing.T) {
		s := newWinServer(t, false)
		n := s.node(t)
		run(t, n, "echo 1")
		n.Age(2 * time.Second)
		if r := run(t, n, "echo 2"); string(r.Stdout) != "2" || n.Stats().Dials != 1 {
			t.Fatalf("%+v, %+v", r, n.Stats())
		}
	})
}

func TestASilentHostIsGivenUpByTheClock(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t, func(c *wsman.Config) { c.DeadHost = 300 * time.Millisecond; c.TidyTimeout = 100 * time.Millisecond })
	began := time.Now()
	_, err := n.Run(t.Context(), "sleep", nil)
	if !errors.Is(err, wsman.ErrSilent) || time.Since(began) < 300*time.Millisecond || wsman.Hint(err) == "" {
		t.Fatalf("%v after %v", err, time.Since(began))
	}
}

func TestAnAnswerThatComesAtOnceWithoutNewsDoesNotMakeUsSpin(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	began := time.Now()
	r := run(t, n, "slow 4")
	if waited := time.Since(began); r.Receives != 5 || waited < 4*50*time.Millisecond {
		t.Fatalf("%d Receives in %v", r.Receives, waited)
	}
}

func TestCancelReturnsAtOnceAndEndsTheCommandBehind(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := n.Run(ctx, "sleep", nil)
		failed <- err
	}()
	<-s.receiving
	cancel()
	// The peer goes on holding the Receive until it sees the Signal: only the cancel can have ended Run.
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("Run gave %v", err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.count("Signal") != 1 || s.count("Delete") != 1 || s.count("Command") != 1 {
		t.Fatalf("the server heard %v", s.heard())
	}
}

func TestACancelledContextSendsNothing(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := n.Run(ctx, "echo x", nil)
	if !errors.Is(err, context.Canceled) || n.Stats() != (wsman.Stats{}) || !wsman.Retryable(err) {
		t.Fatalf("%v, %+v", err, n.Stats())
	}
	run(t, n, "echo 1")
	n.Age(0)
	before := n.Stats()
	if _, err = n.Run(ctx, "echo x", nil); !errors.Is(err, context.Canceled) || n.Stats() != before {
		t.Fatalf("%v, %+v", err, n.Stats())
	}
}

func TestOneThatWaitsForItsTurnObeysItsContext(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	first := make(chan error, 1)
	go func() {
		_, err := n.Run(context.WithoutCancel(t.Context()), "sleep", nil)
		first <- err
	}()
	<-s.receiving
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := n.Run(ctx, "echo x", nil); !errors.Is(err, context.DeadlineExceeded) || s.count("Command") != 1 {
		t.Fatalf("%v, %v", err, s.heard())
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-first; !errors.Is(err, wsman.ErrClosed) {
		t.Fatalf("the running command ended with %v", err)
	}
	if _, err := n.Run(t.Context(), "echo x", nil); !errors.Is(err, wsman.ErrClosed) || s.count("Command") != 1 {
		t.Fatalf("after Close: %v, %v", err, s.heard())
	}
	if err := n.Close(t.Context()); err != nil {
		t.Fatalf("closing twice: %v", err)
	}
}

func TestManyCallersShareANode(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			want := fmt.Sprint("caller ", i)
			if r, err := n.Run(t.Context(), "echo "+want, nil); err != nil || string(r.Stdout) != want {
				t.Errorf("%s got %q, %v", want, r.Stdout, err)
			}
			_ = n.Stats()
			_, _ = n.Negotiated()
		})
	}
	group.Wait()
	if st := n.Stats(); st.Dials != 1 || s.count("Create") != 1 {
		t.Fatalf("%+v", st)
	}
}

func TestOutputIsBounded(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t, func(c *wsman.Config) { c.MaxOutput = 10 })
	if r := run(t, n, "echo 0123456789"); len(r.Stdout) != 10 {
		t.Fatal("what fits is kept")
	}
	if r, err := n.Run(t.Context(), "echo 01234567890", nil); err == nil {
		t.Fatalf("got %d bytes", len(r.Stdout))
	}
}

func TestR33CommandLinesThatWouldArriveChangedAreRefused(t *testing.T) {
	s := newWinServer(t, false)
	n := s.node(t)
	for _, line := range []string{"", "a\nb", "a\rb", "a\x00b", "a\tb", "a\x1b[2Jb", "a\x7fb", "a\u0085b", "a\xffb", "a\uFFFEb", "a\uFFFDb", strings.Repeat("x", 8112), strings.Repeat("😀", 4056)} {
		_, err := n.Run(t.Context(), line, nil)
		var c *wsman.ConnError
		if !errors.As(err, &c) || c.Stage != wsman.NotSent {
			t.Errorf("%.20q: %v", line, err)
		}
	}
	if st := n.Stats(); st.Requests != 0 {
		t.Fatalf("%+v", st)
	}
	if r := run(t, n, "echo "+strings.Repeat("x", 8111-5)); len(r.Stdout) != 8111-5 {
		t.Fatal("the longest line")
	}
}

func TestR33IDsFromThePeerAreChecked(t *testing.T) {
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
