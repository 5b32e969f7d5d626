package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"))
}

const token = "T0ken-that-nobody-may-see"

// hook is a real web server that takes what is posted.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	// answer is the status; hang makes it wait.
	answer atomic.Int32
	hang   chan struct{}
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{hang: make(chan struct{})}
	h.answer.Store(200)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/hang" {
			<-h.hang
		}
		h.mu.Lock()
		h.bodies = append(h.bodies, string(body))
		h.mu.Unlock()
		w.WriteHeader(int(h.answer.Load()))
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) address(path string) string {
	return "generic+" + h.URL + path + "?token=" + token
}

func (h *hook) got() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string{}, h.bodies...)
}

// mailbox is a small SMTP server: it takes one mail after the other and refuses whoever it is told to.
type mailbox struct {
	listener net.Listener
	mu       sync.Mutex
	mails    []string
	refuse   bool
	serving  sync.WaitGroup
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mailbox{listener: l}
	m.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.serving.Go(func() { m.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		m.serving.Wait()
	})
	return m
}

func (m *mailbox) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 mailbox")
	in := bufio.NewScanner(c)
	for in.Scan() {
		switch verb := strings.ToUpper(strings.SplitN(in.Text(), " ", 2)[0]); verb {
		case "EHLO", "HELO":
			say("250 mailbox")
		case "MAIL":
			say("250 ok")
		case "RCPT":
			m.mu.Lock()
			refuse := m.refuse
			m.mu.Unlock()
			if refuse {
				say("550 " + in.Text()) // a server that repeats what it was told
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go on")
			var mail strings.Builder
			for in.Scan() && in.Text() != "." {
				mail.WriteString(in.Text() + "\n")
			}
			m.mu.Lock()
			m.mails = append(m.mails, mail.String())
			m.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 no")
		}
	}
}

func (m *mailbox) address() string {
	return fmt.Sprintf("smtp://%s/?from=cau@example.test&to=%s@example.test&usestarttls=no", m.listener.Addr(), token)
}

func open(t *testing.T, addresses ...string) *Sender {
	t.Helper()
	s, err := Open(addresses)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAMessageComesToAWebhookAndToAMailbox(t *testing.T) {
	h, m := newHook(t), newMailbox(t)
	s := open(t, h.address("/x"), m.address())
	if got := strings.Join(s.Services(), " "); got != "generic smtp" {
		t.Errorf("%s", got)
	}
	for i, err := range s.Send(t.Context(), "cau: NODE2 failed", "cau: NODE2 failed\nbecause of 0x80070643") {
		if err != nil {
			t.Errorf("service %d: %v", i, err)
		}
	}
	if got := h.got(); len(got) != 1 || got[0] != "cau: NODE2 failed\nbecause of 0x80070643" {
		t.Errorf("the webhook got %q", got)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mails) != 1 || !strings.Contains(m.mails[0], "Subject: cau: NODE2 failed\n") || !strings.Contains(m.mails[0], "\nbecause of 0x80070643") {
		t.Errorf("the mailbox got %q", m.mails)
	}
}

func TestAServiceThatFailsIsTriedAgainAndTheOthersAreNotToldTwice(t *testing.T) {
	good, bad := newHook(t), newHook(t)
	bad.answer.Store(503)
	s := open(t, good.address("/x"), bad.address("/x"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	time.AfterFunc(time.Second, func() { bad.answer.Store(200) })
	for i, err := range s.Send(ctx, "t", "text") {
		if err != nil {
			t.Errorf("service %d: %v", i, err)
		}
	}
	if len(good.got()) != 1 || len(bad.got()) != 2 {
		t.Errorf("%d and %d messages", len(good.got()), len(bad.got()))
	}
}

func TestR04_NoErrorHoldsAnythingOfAnAddress(t *testing.T) {
	closed := newHook(t)
	gone := closed.address("/" + token)
	closed.Close()
	refusing := newHook(t)
	refusing.answer.Store(500)
	mail := newMailbox(t)
	mail.refuse = true
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // one attempt for each
	defer cancel()
	s := open(t, gone, refusing.address("/404/"+token), mail.address(), "generic+http://"+token+"..invalid/x", "generic+https://"+strings.TrimPrefix(refusing.URL, "http://")+"/"+token)
	want := []string{"generic: the connection was refused", "generic: it answered 500 Internal Server Error", "smtp: it answered 550", "generic: its name", "generic: "}
	for i, err := range s.Send(ctx, "t", "text") {
		if i < len(want) {
			var e *Error
			if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want[i]) {
				t.Errorf("%d: %v, not %s", i, err, want[i])
			}
		}
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "404")) {
			t.Errorf("%d shows the address: %v", i, err)
		}
	}
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%s", s)} {
		if strings.Contains(shown, token) || !strings.HasPrefix(shown, "notify.Sender") {
			t.Errorf("it prints %s", shown)
		}
	}
}

func TestR04_AListWithAMistakeNamesTheLineAndNotWhatStandsThere(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "holds no address",
		"# only a comment\n\n":                 "holds no address",
		"# one\n" + token:                      "line 2: it is no address",
		"https://hooks.example.test/" + token:  "line 1: shoutrrr knows no such service",
		token + "://x":                         "line 1: shoutrrr knows no such service",
		"smtp://user:" + token + "@":           "line 1: it is no complete address of the service smtp",
		"discord://" + token:                   "line 1: it is no complete address of the service discord",
		"ntfy://%zz" + token:                   "line 1: it is no complete address of the service ntfy",
		"logger://":                            "line 1: the service logger tells nobody",
		strings.Repeat("#"+token+"\n", 1<<13):  "larger than",
		strings.Repeat("ntfy://ntfy/x\n", 100): "more than 32",
	} {
		_, err := Read(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), strings.ToLower(token)) {
			t.Errorf("%.40q: %v, not %q", text, err, want)
		}
	}
	got, err := Read(strings.NewReader("\ufeff# mine\r\n ntfy://ntfy/topic \r\n\r\ngeneric+https://x.test/y\r\n"))
	if err != nil || strings.Join(got, "|") != "ntfy://ntfy/topic|generic+https://x.test/y" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAServiceThatHangsHoldsUpNobodyAndGetsNothingMoreMeanwhile(t *testing.T) {
	h := newHook(t)
	s := open(t, h.address("/hang"), h.address("/x"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	errs := s.Send(ctx, "t", "one")
	if errs[0] == nil || errs[1] != nil || !strings.Contains(errs[0].Error(), "did not answer in time") {
		t.Errorf("%v", errs)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	again, cancelAgain := context.WithTimeout(t.Context(), time.Second)
	defer cancelAgain()
	if errs = s.Send(again, "t", "two"); errs[0] == nil || !strings.Contains(errs[0].Error(), "still has not answered") || errs[1] != nil {
		t.Errorf("%v", errs)
	}
	close(h.hang)
	s.services[0].busy <- struct{}{} // the call that hung has ended
	if got := h.got(); len(got) != 3 {
		t.Errorf("%q", got)
	}
}
