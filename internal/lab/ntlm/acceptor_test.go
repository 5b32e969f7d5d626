package ntlm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/bodgit/ntlmssp"
)

var node = Config{NetBIOSName: "NODE1", NetBIOSDomain: "CONTOSO", DNSName: "node1.contoso.com", DNSDomain: "contoso.com", RequireSeal: true}

func contoso() *Book {
	b := &Book{Threshold: 3}
	b.Alias("contoso.com", "CONTOSO")
	b.Add(Account{Domain: "CONTOSO", User: "admin", Password: "Sesame-1"})
	return b
}

func client(tb testing.TB, domain, user, password string) *ntlmssp.Client {
	tb.Helper()
	c, err := ntlmssp.NewClient(ntlmssp.SetUserInfo(user, password), ntlmssp.SetDomain(domain), ntlmssp.SetWorkstation("ADMINPC"))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// shake runs a handshake; tamper may alter each message on its way.
func shake(tb testing.TB, a *Acceptor, c *ntlmssp.Client, cb *ntlmssp.ChannelBindings, tamper func(n int, token []byte)) error {
	tb.Helper()
	if tamper == nil {
		tamper = func(int, []byte) {}
	}
	one, err := c.Authenticate(nil, nil)
	if err != nil {
		tb.Fatal(err)
	}
	one = bytes.Clone(one)
	tamper(1, one)
	two, done, err := a.Next(one)
	if err != nil {
		return err
	}
	if done {
		tb.Fatal("done after the first message")
	}
	two = bytes.Clone(two)
	tamper(2, two)
	three, err := c.Authenticate(two, cb)
	if err != nil {
		tb.Fatal(err)
	}
	three = bytes.Clone(three)
	tamper(3, three)
	_, done, err = a.Next(three)
	if err == nil && !done {
		tb.Fatal("not done after the last message")
	}
	return err
}

func TestIndependentClientSignsInAndTalksBothWays(t *testing.T) {
	a := NewAcceptor(node, contoso())
	c := client(t, "CONTOSO", "Admin", "Sesame-1")
	cb := &ntlmssp.ChannelBindings{ApplicationData: []byte("tls-server-end-point:x")}
	if err := shake(t, a, c, cb, nil); err != nil {
		t.Fatal(err)
	}
	id := a.Identity()
	if id.String() != `CONTOSO\admin` || id.Workstation != "ADMINPC" || !id.MIC || len(id.ChannelBindings) != 16 {
		t.Errorf("identity %+v", id)
	}
	ours, err := a.Session()
	if err != nil {
		t.Fatal(err)
	}
	theirs := c.SecuritySession()
	for n := range 5 {
		text := fmt.Appendf(nil, "message %d", n)
		sealed, sig, err := theirs.Wrap(text)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := ours.Unwrap(sealed, sig); err != nil || !bytes.Equal(plain, text) {
			t.Fatalf("to us, %d: %q, %v", n, plain, err)
		}
		sealed, sig = ours.Wrap(text)
		if bytes.Contains(sealed, text) {
			t.Fatal("sealed message is readable")
		}
		if plain, err := theirs.Unwrap(sealed, sig); err != nil || !bytes.Equal(plain, text) {
			t.Fatalf("to them, %d: %q, %v", n, plain, err)
		}
	}
}

func TestAlteredOrRepeatedMessageBreaksTheSession(t *testing.T) {
	for name, alter := range map[string]func(sealed, sig []byte) ([]byte, []byte){
		"flipped bit":     func(m, s []byte) ([]byte, []byte) { m[0] ^= 1; return m, s },
		"cut signature":   func(m, s []byte) ([]byte, []byte) { return m, s[:15] },
		"empty signature": func(m, _ []byte) ([]byte, []byte) { return m, nil },
		"wrong sequence":  func(m, s []byte) ([]byte, []byte) { s[12]++; return m, s },
		"cut message":     func(m, s []byte) ([]byte, []byte) { return m[1:], s },
	} {
		t.Run(name, func(t *testing.T) {
			a := NewAcceptor(node, contoso())
			c := client(t, "CONTOSO", "admin", "Sesame-1")
			if err := shake(t, a, c, nil, nil); err != nil {
				t.Fatal(err)
			}
			ours, err := a.Session()
			if err != nil {
				t.Fatal(err)
			}
			sealed, sig, err := c.SecuritySession().Wrap([]byte("drain NODE2"))
			if err != nil {
				t.Fatal(err)
			}
			badMessage, badSig := alter(bytes.Clone(sealed), bytes.Clone(sig))
			if _, err := ours.Unwrap(badMessage, badSig); !errors.Is(err, ErrSignature) {
				t.Fatalf("altered message: %v", err)
			}
			if _, err := ours.Unwrap(sealed, sig); !errors.Is(err, ErrBroken) {
				t.Errorf("the genuine message afterwards: %v, want a broken session", err)
			}
		})
	}
}

func TestTamperedHandshakeIsRefused(t *testing.T) {
	for name, tamper := range map[string]func(n int, token []byte){
		"downgraded negotiate flags": func(n int, b []byte) {
			if n == 1 {
				b[15] &^= 0x80 // NEGOTIATE_56, which nobody checks but the integrity code
			}
		},
		"altered workstation": func(n int, b []byte) {
			if n == 3 {
				at := binary.LittleEndian.Uint32(b[48:])
				b[at] ^= 1
			}
		},
		"altered integrity code": func(n int, b []byte) {
			if n == 3 {
				b[micOffset] ^= 1
			}
		},
		"altered session key": func(n int, b []byte) {
			if n == 3 {
				at := binary.LittleEndian.Uint32(b[56:])
				b[at] ^= 1
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			book := contoso()
			a := NewAcceptor(node, book)
			err := shake(t, a, client(t, "CONTOSO", "admin", "Sesame-1"), nil, tamper)
			if bad := (*MessageError)(nil); !errors.As(err, &bad) {
				t.Fatalf("got %v, want a message error", err)
			}
			if a.SessionKey() != nil || a.Done() {
				t.Error("a key is given out although nobody signed in")
			}
			if n := book.FailedLogons("CONTOSO", "admin"); n != 0 {
				t.Errorf("%d failed logons counted for a correct password", n)
			}
		})
	}
}

func TestWeakClientIsRefusedBeforeAnyAccountIsTouched(t *testing.T) {
	for _, missing := range []uint32{flagUnicode, flagSign, flagSeal, flagExtended, flag128, flagKeyExchange} {
		t.Run(missingFlags(0, missing)[0], func(t *testing.T) {
			offered := NewAcceptor(node, contoso())
			_, _, err := offered.Next(negotiateMessage(vectorFlags &^ missing))
			if weak := (*WeakError)(nil); !errors.As(err, &weak) {
				t.Errorf("in the first message: %v", err)
			}
			book := &Book{}
			book.Add(Account{Domain: "Domain", User: "User", Password: "Password"})
			later := vectorAcceptor(t, book)
			later.config.RequireSeal = true
			m := vectorMessage(t)
			m.flags &^= missing
			_, _, err = later.Next(m.bytes())
			if weak := (*WeakError)(nil); !errors.As(err, &weak) {
				t.Errorf("in the last message: %v", err)
			}
		})
	}
	for name, change := range map[string]func(*message){
		"anonymous":      func(m *message) { m.user, m.response = "", nil },
		"anonymous flag": func(m *message) { m.flags |= flagAnonymous },
		"NTLMv1":         func(m *message) { m.response = make([]byte, 24) },
		"version 2 blob": func(m *message) { m.response[16] = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			book := &Book{}
			book.Add(Account{Domain: "Domain", User: "User", Password: "Password"})
			a := vectorAcceptor(t, book)
			m := vectorMessage(t)
			change(&m)
			_, _, err := a.Next(m.bytes())
			if weak := (*WeakError)(nil); !errors.As(err, &weak) {
				t.Errorf("got %v, want a weak client", err)
			}
			if book.FailedLogons("Domain", "User") != 0 {
				t.Error("counted as a failed logon")
			}
		})
	}
	t.Run("no MIC where one is demanded", func(t *testing.T) {
		book := &Book{}
		book.Add(Account{Domain: "Domain", User: "User", Password: "Password"})
		a := vectorAcceptor(t, book)
		a.config.RequireMIC = true
		_, _, err := a.Next(vectorMessage(t).bytes())
		if weak := (*WeakError)(nil); !errors.As(err, &weak) {
			t.Errorf("got %v, want a weak client", err)
		}
	})
}

func TestOneHandshakeTestsOnePassword(t *testing.T) {
	book := &Book{}
	book.Add(Account{Domain: "Domain", User: "User", Password: "another"})
	a := vectorAcceptor(t, book)
	if _, _, err := a.Next(vectorMessage(t).bytes()); err == nil {
		t.Fatal("wrong password accepted")
	}
	for range 3 {
		if _, _, err := a.Next(vectorMessage(t).bytes()); err == nil {
			t.Fatal("accepted after a refusal")
		}
		if _, _, err := a.Next(negotiateMessage(vectorFlags)); err == nil {
			t.Fatal("a second handshake on one acceptor")
		}
	}
	if n := book.FailedLogons("Domain", "User"); n != 1 {
		t.Errorf("%d failed logons counted, want 1", n)
	}
}

func TestMessagesOutOfOrderAreRefused(t *testing.T) {
	for name, token := range map[string][]byte{
		"authenticate first": vectorMessage(t).bytes(),
		"challenge":          buildChallenge(vectorFlags, [8]byte{}, "X", nil),
		"SPNEGO":             {0x60, 0x48, 6, 6, 0x2b, 6, 1, 5, 5, 2, 0, 0},
		"empty":              nil,
		"huge":               append(negotiateMessage(vectorFlags), make([]byte, maxToken)...),
	} {
		_, done, err := NewAcceptor(node, contoso()).Next(token)
		if bad := (*MessageError)(nil); done || !errors.As(err, &bad) {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
}

func TestSessionNeedsAFinishedHandshake(t *testing.T) {
	if _, err := NewAcceptor(node, contoso()).Session(); err == nil {
		t.Error("a session before anybody signed in")
	}
}

func FuzzNext(f *testing.F) {
	f.Add(negotiateMessage(vectorFlags), vectorMessage(f).bytes())
	f.Add([]byte{}, []byte(signature))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		book := &Book{}
		book.Add(Account{Domain: "Domain", User: "User", Password: "unknown to the fuzzer"})
		for _, a := range []*Acceptor{vectorAcceptor(t, book), NewAcceptor(node, book)} {
			for _, token := range [][]byte{first, second} {
				if _, done, _ := a.Next(token); done || a.SessionKey() != nil {
					t.Fatal("signed in without the password")
				}
			}
		}
	})
}
