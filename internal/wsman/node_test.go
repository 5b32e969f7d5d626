package wsman_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"strings"
	"sync"
	"testing"

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

func TestInputIsPipedInChunksBeforeTheFirstReceive(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	s := newWinServer(t, false)
	n := s.node(t, func(c *wsman.Config) { c.MaxOutput = 10 })
	if r := run(t, n, "echo 0123456789"); len(r.Stdout) != 10 {
		t.Fatal("what fits is kept")
	}
	if r, err := n.Run(t.Context(), "echo 01234567890", nil); err == nil {
		t.Fatalf("got %d bytes", len(r.Stdout))
	}
}

func TestR33_CommandLinesThatWouldArriveChangedAreRefused(t *testing.T) {
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
