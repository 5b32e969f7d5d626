package wsman_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"cau/internal/wsman"
)

func TestAHostThatIsNotThereSaysWhatToLookAt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	n := wsman.NewNode(wsman.Config{Addr: l.Addr().String(), Auth: wsman.NTLM("u", "D", "p")})
	_, err = n.Run(t.Context(), "echo", nil)
	var conn *wsman.ConnError
	if !errors.As(err, &conn) || conn.Stage != wsman.NotSent || !strings.Contains(wsman.Hint(err), "5985") {
		t.Errorf("%v, hint %q", err, wsman.Hint(err))
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
