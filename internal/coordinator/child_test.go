package coordinator

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"

	"cau/internal/fault"
)

func TestSecretsThatDidNotArriveWholeAreNoSecrets(t *testing.T) {
	var whole bytes.Buffer
	if err := writeSecrets(&whole, []byte(`{"a":"b"}`)); err != nil {
		t.Fatal(err)
	}
	for cut := range whole.Len() {
		if got, err := readSecrets(bytes.NewReader(whole.Bytes()[:cut])); err == nil {
			t.Errorf("%d of %d bytes gave %q", cut, whole.Len(), got)
		}
	}
	if got, err := readSecrets(&whole); err != nil || string(got) != `{"a":"b"}` {
		t.Errorf("%q, %v", got, err)
	}
	if err := writeSecrets(&whole, make([]byte, maxSecrets+1)); err == nil {
		t.Error("sent more than is read")
	}
}

func TestSecretsAreForgotten(t *testing.T) {
	c := &Child{secrets: []byte("hunter2")}
	kept := c.Secrets()
	c.Forget()
	if c.Secrets() != nil || string(kept) != "\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("%q", kept)
	}
}

type pipe struct{ bytes.Buffer }

func (*pipe) Close() error { return nil }

func TestTheStarterGetsTheErrorThatTheCoordinatorHad(t *testing.T) {
	for _, want := range []error{ErrAlive, ErrEnded, ErrClusterBusy} {
		var sent error = &fault.Error{Op: "serve", Err: want, Hint: "Wait."}
		if errors.Is(want, ErrClusterBusy) {
			sent = &fault.Error{Op: "serve", Err: &ClusterBusyError{Cluster: "C", Run: "00000001", PID: 7}, Hint: "Wait."}
		}
		p := &pipe{}
		c := &Child{pipe: p}
		c.Fail(sent)
		c.Ready() // out of turn: the first word counts
		_, got := readReport(bufio.NewReader(p))
		if !errors.Is(got, want) || !strings.Contains(got.Error(), sent.Error()) || fault.Hint(got) != "Wait." {
			t.Errorf("%v became %v, hint %q", sent, got, fault.Hint(got))
		}
		if p.Len() != 0 {
			t.Errorf("said more than one thing: %q", p.String())
		}
		var busy *ClusterBusyError
		if errors.As(got, &busy) && busy.Run != "00000001" {
			t.Errorf("%+v", busy)
		}
	}
}

func FuzzReadSecrets(f *testing.F) {
	f.Add([]byte("3\nabc"))
	f.Add([]byte("99999999999999\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readSecrets(bytes.NewReader(data))
		if err == nil && (len(got) > maxSecrets || !bytes.Contains(data, got)) {
			t.Fatalf("%q from %q", got, data)
		}
	})
}
