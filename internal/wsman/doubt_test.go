package wsman_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cau/internal/wsman"
)

// A first proof without a verdict may have counted as a failed logon: sixty-four such nodes must not make it sixty-four.
func TestR02_AFirstProofWithoutAVerdictIsSentToNoOtherNode(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter) bool{
		"hang-up":      hang,
		"503":          func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusServiceUnavailable); return true },
		"closing 200":  func(w http.ResponseWriter) bool { w.Header().Set("Connection", "close"); return true },
		"forbidden":    func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusForbidden); return true },
		"no HTTP head": func(w http.ResponseWriter) bool { return spill(w, "SSH-2.0-OpenSSH_9.6\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newWinServer(t, false)
			s.refuseProof = answer
			shared := wsman.NTLM(user, domain, password)
			var group sync.WaitGroup
			var final sync.Map
			nodes := 8
			if name == "hang-up" {
				nodes = 64
			}
			for i := range nodes {
				n := s.node(t, func(c *wsman.Config) { c.Auth = shared })
				group.Go(func() {
					_, err := n.Run(t.Context(), "echo x", nil)
					if err == nil || wsman.Retryable(err) && !strings.Contains(err.Error(), "503") {
						t.Errorf("got %v", err)
					}
					var auth *wsman.AuthError
					if errors.As(err, &auth) && auth.Reason == wsman.Unanswered && auth.Final() && wsman.Hint(err) != "" {
						final.Store(i, true)
					}
				})
			}
			group.Wait()
			waiting := 0
			final.Range(func(any, any) bool { waiting++; return true })
			if s.logons() != 1 || waiting != nodes-1 || shared.Rejected() == nil {
				t.Fatalf("%d proofs, %d were told why theirs was not sent", s.logons(), waiting)
			}
		})
	}
}

func spill(w http.ResponseWriter, text string) bool {
	c, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_, _ = c.Write([]byte(text))
		_ = c.Close()
	}
	return true
}

// While a secret is in use a node that restarts may swallow a proof; that says nothing about the secret.
func TestAProvenCredentialOutlivesALostAnswer(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	shared := wsman.NTLM(user, domain, password)
	n := s.node(t, func(c *wsman.Config) { c.Auth = shared })
	run(t, n, "echo 1")
	s.mu.Lock()
	s.refuseProof = hang
	s.mu.Unlock()
	n.Drop()
	if _, err := n.Run(t.Context(), "echo 2", nil); err == nil || wsman.Final(err) {
		t.Fatalf("got %v", err)
	}
	s.mu.Lock()
	s.refuseProof = nil
	s.mu.Unlock()
	if r := run(t, n, "echo 3"); string(r.Stdout) != "3" {
		t.Fatalf("%+v", r)
	}
}

// A 401 after the proof is a refusal whatever else stands in it.
func TestR02_A401WithAGarbledTokenAfterTheProofIsARejection(t *testing.T) {
	t.Parallel()
	w := newWiretap(t, func(n int, r *http.Request, _ []byte) string {
		if n == 1 {
			return negotiate(challenge(t, r))
		}
		return status("401 Unauthorized", "WWW-Authenticate: Negotiate !!!")
	})
	auth := wsman.NTLM(user, domain, password)
	_, err := w.node(t, func(c *wsman.Config) { c.Auth = auth }).Run(t.Context(), "echo x", nil)
	if !rejected(err) || auth.Rejected() == nil {
		t.Fatalf("got %v", err)
	}
}

// stuck makes a server that keeps proofs waiting until the test ends, and says when one arrives.
func stuck(t *testing.T) (s *winServer, arrived chan struct{}, release func(refuse bool)) {
	t.Helper()
	s = newWinServer(t, false)
	arrived = make(chan struct{}, 64)
	verdict := make(chan bool)
	s.refuseProof = func(w http.ResponseWriter) bool {
		arrived <- struct{}{}
		if refuse, ok := <-verdict; ok && refuse {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	}
	once := sync.OnceFunc(func() { close(verdict) })
	t.Cleanup(once)
	return s, arrived, func(refuse bool) {
		if refuse {
			verdict <- true
			return
		}
		once()
	}
}

// impatient is a proven credential whose proofs keep nobody waiting for long.
func impatient(t *testing.T, s *winServer) (shared *wsman.Credential, share func(*wsman.Config)) {
	t.Helper()
	shared = wsman.NTLM(user, domain, password)
	share = func(c *wsman.Config) { c.Auth = shared }
	run(t, s.node(t, share), "echo first")
	shared.LendAfter(20 * time.Millisecond)
	return shared, share
}

func TestANodeThatHangsInItsProofDoesNotKeepTheOthersWaiting(t *testing.T) {
	t.Parallel()
	good := newWinServer(t, false)
	bad, arrived, release := stuck(t)
	_, share := impatient(t, good)
	var group sync.WaitGroup
	held := bad.node(t, share)
	group.Go(func() {
		if r, err := held.Run(t.Context(), "echo late", nil); err != nil || string(r.Stdout) != "late" {
			t.Errorf("%+v, %v", r, err)
		}
	})
	<-arrived
	var others sync.WaitGroup
	for range 63 {
		n := good.node(t, share)
		others.Go(func() {
			if _, err := n.Run(t.Context(), "echo x", nil); err != nil {
				t.Error(err)
			}
		})
	}
	others.Wait()
	release(false)
	group.Wait()
}

// Each proof that hangs may be a failed logon by now, so no more than two are out at once.
func TestR02_OneProofAtMostIsOvertaken(t *testing.T) {
	t.Parallel()
	good := newWinServer(t, false)
	bad, arrived, release := stuck(t)
	_, share := impatient(t, good)
	var group sync.WaitGroup
	for range 8 {
		n := bad.node(t, share)
		group.Go(func() {
			if _, err := n.Run(t.Context(), "echo x", nil); err != nil {
				t.Error(err)
			}
		})
	}
	<-arrived
	<-arrived
	select {
	case <-arrived:
		t.Error("a third proof left while two had no verdict")
	case <-time.After(200 * time.Millisecond):
	}
	release(false)
	group.Wait()
}

func TestR02_ARefusalThatOvertakesIsTheLastProof(t *testing.T) {
	t.Parallel()
	good := newWinServer(t, false)
	bad, arrived, release := stuck(t)
	shared, share := impatient(t, good)
	refusing := newWinServer(t, false)
	refusing.refuseProof = func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusUnauthorized); return true }
	held := bad.node(t, share)
	var group sync.WaitGroup
	group.Go(func() {
		if _, err := held.Run(t.Context(), "echo x", nil); !rejected(err) {
			t.Errorf("got %v", err)
		}
	})
	<-arrived
	for range 16 {
		n := refusing.node(t, share)
		group.Go(func() {
			if _, err := n.Run(t.Context(), "echo x", nil); !wsman.Final(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	for shared.Rejected() == nil {
		time.Sleep(time.Millisecond)
	}
	release(true)
	group.Wait()
	if refusing.logons() != 1 || bad.logons() != 1 {
		t.Fatalf("%d and %d proofs", refusing.logons(), bad.logons())
	}
}

func TestR02_ASecretThatSMBRefusedIsNotSentByWinRMEither(t *testing.T) {
	t.Parallel()
	s := newWinServer(t, false)
	shared := wsman.NTLM(user, domain, password)
	logons := 0
	try := func(verdict error) error {
		return shared.Prove(t.Context(), func(context.Context) error { logons++; return verdict })
	}
	unsent := &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: errors.New("no route")}
	if err := try(unsent); !errors.Is(err, unsent) || shared.Rejected() != nil {
		t.Fatalf("got %v", err)
	}
	if err := try(nil); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if err := try(&wsman.AuthError{Reason: wsman.Rejected}); !rejected(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	_, err := s.node(t, func(c *wsman.Config) { c.Auth = shared }).Run(t.Context(), "echo x", nil)
	if !rejected(err) || logons != 3 || s.requests() != 0 {
		t.Fatalf("%v after %d logons and %d requests", err, logons, s.requests())
	}
	other := wsman.NTLM(user, domain, password)
	_ = other.Prove(t.Context(), func(context.Context) error { return errors.New("reset") })
	if !wsman.Final(other.Rejected()) {
		t.Fatal("a first logon without a verdict is followed by others")
	}
}
