//go:build unix

package owngate

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var who = Question{Run: "0123abcd", Cluster: "FC1", Node: "NODE1"}

func TestACommandOpensWithZeroAndSaysItsLastLine(t *testing.T) {
	t.Setenv("CAU_SECRET", "hush")
	for _, c := range []struct {
		script, said string
		open         bool
	}{
		{"echo $CAU_RUN $CAU_CLUSTER $CAU_NODE", "0123abcd FC1 NODE1", true},
		{"echo [$CAU_SECRET]", "[]", true},
		{"echo one; echo freeze until Monday >&2; exit 3", "exit code 3: freeze until Monday", false},
		{"exit 1", "exit code 1", false},
		{"i=0; while [ $i -lt 3000 ]; do echo filler filler; i=$((i+1)); done; echo end", "end", true},
	} {
		open, said, err := Command(t.Context(), []string{"/bin/sh", "-c", c.script}, who)
		if open != c.open || said != c.said || err != nil {
			t.Errorf("%s: %v %q %v", c.script, open, said, err)
		}
	}
	for _, words := range [][]string{{"/does/not/exist"}, {"/bin/sh", "-c", "kill -9 $$"}} {
		if open, _, err := Command(t.Context(), words, who); open || err == nil {
			t.Errorf("%v: %v %v", words, open, err)
		}
	}
	if Check([]string{"/does/not/exist"}) == nil || Check([]string{"sh"}) != nil {
		t.Error("a program is looked for wrongly")
	}
}

func TestR31_ACommandThatHangsIsKilledWithAllThatItStarted(t *testing.T) {
	t.Parallel()
	mark := filepath.Join(t.TempDir(), "alive")
	// Its child would leave a mark when the limit is long over.
	open, _, err := command(t.Context(), []string{"/bin/sh", "-c", "(sleep 3; touch " + mark + ") & sleep 30"}, who, time.Second)
	if open || err == nil || !strings.Contains(err.Error(), "did not end within 1s") {
		t.Errorf("%v %v", open, err)
	}
	time.Sleep(3 * time.Second)
	if _, err := os.Stat(mark); err == nil {
		t.Error("its child lives on")
	}
}

func TestAnAddressOpensWithItsStatusAlone(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/open", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if r.Header.Get("Cau-Node") != "NODE1" || r.Header.Get("Cau-Run") != "0123abcd" || r.Header.Get("Cau-Cluster") != "FC1" {
			t.Errorf("%v", r.Header)
		}
	})
	mux.HandleFunc("/closed", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no\nfreeze\n"))
	})
	mux.Handle("/moved", http.RedirectHandler("/open", http.StatusFound))
	plain, sealed := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	defer plain.Close()
	defer sealed.Close()
	for path, want := range map[string]struct {
		open bool
		said string
	}{"/open": {true, "status 204"}, "/closed": {false, "status 503: freeze"}, "/moved": {false, "status 302"}} {
		if open, said, err := URL(t.Context(), plain.URL+path, http.StatusNoContent, who); open != want.open || !strings.HasPrefix(said, want.said) || err != nil {
			t.Errorf("%s: %v %q %v", path, open, said, err)
		}
		if open, _, err := get(t.Context(), sealed.URL+path, http.StatusNoContent, who, sealed.Client().Transport); open != want.open || err != nil {
			t.Errorf("sealed %s: %v %v", path, open, err)
		}
	}
	if open, _, err := URL(t.Context(), sealed.URL+"/open", http.StatusNoContent, who); open || err == nil {
		t.Errorf("a certificate that nobody vouches for: %v %v", open, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if open, _, err := URL(ended, plain.URL+"/open", http.StatusNoContent, who); open || err == nil {
		t.Errorf("%v %v", open, err)
	}
}
