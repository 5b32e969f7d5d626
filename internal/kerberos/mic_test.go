package kerberos_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"cau/internal/kerberos"
	"cau/internal/sambatest"
)

func TestMITVerifiesOurMICs(t *testing.T) {
	acceptor := domain.Get(t).NewAcceptor(t)
	for _, host := range []string{sambatest.Node1, sambatest.Node3} {
		t.Run(host, func(t *testing.T) {
			i, err := client(t).Initiate(t.Context(), wsman(host), nil)
			if err != nil {
				t.Fatal(err)
			}
			out, _, _, err := acceptor.Accept(host, i.Token(), nil)
			if err != nil {
				t.Fatal(err)
			}
			s, err := i.Accept(out)
			if err != nil {
				t.Fatal(err)
			}
			mic := func(message string) []byte {
				m, err := s.MIC([]byte(message))
				if err != nil || len(m) != 16+12 {
					t.Fatalf("%d bytes, %v", len(m), err)
				}
				return m
			}
			for _, message := range []string{"a list of mechanisms", "", strings.Repeat("x", 4097)} {
				if err := acceptor.Verify(host, []byte(message), mic(message)); err != nil {
					t.Errorf("%d bytes: %v", len(message), err)
				}
			}
			// A MIC takes its place in the sequence: what is sealed afterwards is in order.
			header, sealed, err := s.Wrap([]byte("sealed"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := acceptor.Unwrap(host, append(header, sealed...)); err != nil {
				t.Errorf("sealed afterwards: %v", err)
			}
			if err := acceptor.Verify(host, []byte("other"), mic("one")); err == nil {
				t.Error("MIT verifies a MIC of another message")
			}
		})
	}
}

func TestR04_ASessionKeyIsACopyThatNoVerbShows(t *testing.T) {
	s, _, _ := established(t)
	key := s.SessionKey()
	if len(key) != 16 || bytes.Equal(key, make([]byte, 16)) {
		t.Fatalf("%d bytes", len(key))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{s, *s, []any{s}, struct{ S *kerberos.SecurityContext }{s}} {
			text := fmt.Sprintf(verb, v)
			if strings.Contains(text, hex.EncodeToString(key[:4])) || strings.Contains(text, strings.Trim(fmt.Sprintf("%d", key[:4]), "[]")) {
				t.Errorf("%s shows the key: %s", verb, text)
			}
		}
	}
	clear(key)
	if bytes.Equal(s.SessionKey(), key) {
		t.Error("the caller's copy is the context's own key")
	}
}
