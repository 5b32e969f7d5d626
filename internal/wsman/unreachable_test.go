package wsman_test

import (
	"crypto/tls"
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

func TestHTTPSAgainstAPlainListenerSaysSo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1<<16)) // the whole greeting: what is left unread would reset the connection
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	n := wsman.NewNode(wsman.Config{Addr: l.Addr().String(), TLS: &tls.Config{MinVersion: tls.VersionTLS12}, Auth: wsman.NTLM("u", "D", "p")})
	_, err = n.Run(t.Context(), "echo", nil)
	_ = l.Close()
	<-served
	if err == nil || !strings.Contains(wsman.Hint(err), "plain HTTP") {
		t.Errorf("%v, hint %q", err, wsman.Hint(err))
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
