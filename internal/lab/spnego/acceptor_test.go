package spnego

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/bodgit/ntlmssp"

	"cau/internal/lab/ntlm"
)

var oidKerberos = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}

func initial(tb testing.TB, inner []byte, mechs ...asn1.ObjectIdentifier) []byte {
	tb.Helper()
	list, err := asn1.Marshal(mechs)
	if err != nil {
		tb.Fatal(err)
	}
	fields := []any{explicit(0, list)}
	if inner != nil {
		octets, err := encode(inner)
		if err != nil {
			tb.Fatal(err)
		}
		fields = append(fields, explicit(2, octets))
	}
	body, err := encode(fields...)
	if err != nil {
		tb.Fatal(err)
	}
	if body, err = encode(sequence(body)); err != nil {
		tb.Fatal(err)
	}
	content, err := encode(oidSPNEGO(), explicit(0, body))
	if err != nil {
		tb.Fatal(err)
	}
	tok, err := encode(asn1.RawValue{Class: asn1.ClassApplication, IsCompound: true, Bytes: content})
	if err != nil {
		tb.Fatal(err)
	}
	return tok
}

func pair(tb testing.TB) (*Acceptor, *ntlmssp.Client) {
	tb.Helper()
	book := &ntlm.Book{}
	book.Add(ntlm.Account{Domain: "CONTOSO", User: "svc", Password: "pw"})
	c, err := ntlmssp.NewClient(ntlmssp.SetUserInfo("svc", "pw"), ntlmssp.SetDomain("CONTOSO"))
	if err != nil {
		tb.Fatal(err)
	}
	return NewAcceptor(ntlm.NewAcceptor(ntlm.Config{NetBIOSName: "FS1", NetBIOSDomain: "CONTOSO", DNSName: "fs1.contoso.com"}, book)), c
}

// must unwraps what cannot fail in a test; a nil token then fails the handshake.
func must(b []byte, _ error) []byte { return b }

func TestClientThatPrefersKerberosIsLedToNTLM(t *testing.T) {
	for _, preferred := range []bool{true, false} {
		a, c := pair(t)
		one := must(c.Authenticate(nil, nil))
		mechs, inner := []asn1.ObjectIdentifier{oidNTLM()}, one
		if !preferred {
			mechs, inner = []asn1.ObjectIdentifier{oidKerberos, oidNTLM()}, []byte("a Kerberos token")
		}
		tok := initial(t, inner, mechs...)
		out, done, err := a.Next(tok)
		if err != nil || done {
			t.Fatalf("first token: done %v, %v", done, err)
		}
		if !preferred {
			out, done, err = a.Next(must(response(acceptIncomplete, false, one, nil)))
			if err != nil || done {
				t.Fatalf("second token: done %v, %v", done, err)
			}
		}
		answer := parseInner(t, out)
		three := must(c.Authenticate(answer, nil))
		out, done, err = a.Next(must(response(acceptIncomplete, false, three, nil)))
		if err != nil || !done {
			t.Fatalf("last token: done %v, %v", done, err)
		}
		if hex.EncodeToString(out) != "a1073005a0030a0100" {
			t.Errorf("final answer %x, want accept-completed alone", out)
		}
	}
}

func parseInner(t *testing.T, out []byte) []byte {
	t.Helper()
	tok, err := parse(out)
	if err != nil {
		t.Fatal(err)
	}
	return tok.inner
}

func TestAlteredMechanismListIsRefused(t *testing.T) {
	a, c := pair(t)
	tok := initial(t, must(c.Authenticate(nil, nil)), oidNTLM())
	out, _, err := a.Next(tok)
	if err != nil {
		t.Fatal(err)
	}
	three := must(c.Authenticate(parseInner(t, out), nil))
	_, _, err = a.Next(must(response(acceptIncomplete, false, three, make([]byte, 16))))
	if bad := (*TokenError)(nil); !errors.As(err, &bad) || !errors.Is(err, ntlm.ErrSignature) {
		t.Errorf("got %v, want a refused mechanism list", err)
	}
}

func TestOtherMechanismsAndDisorderAreRefused(t *testing.T) {
	kerberos := initial(t, nil, oidKerberos)
	many := initial(t, nil, slices.Repeat([]asn1.ObjectIdentifier{oidNTLM()}, maxMechs+1)...)
	for name, tok := range map[string][]byte{
		"Kerberos alone":  kerberos,
		"too many":        many,
		"response first":  must(response(acceptIncomplete, false, []byte("x"), nil)),
		"empty":           {},
		"trailing bytes":  append(slices.Clone(kerberos), 0),
		"unknown element": {0x30, 0x00},
	} {
		a, _ := pair(t)
		if _, done, err := a.Next(tok); err == nil || done {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
}

func TestBareNTLMIsAnsweredBare(t *testing.T) {
	a, c := pair(t)
	out, _, err := a.Next(must(c.Authenticate(nil, nil)))
	if err != nil || string(out[:7]) != "NTLMSSP" {
		t.Fatalf("answer %q, %v", out, err)
	}
	if _, done, err := a.Next(must(c.Authenticate(out, nil))); err != nil || !done {
		t.Errorf("done %v, %v", done, err)
	}
}

func TestHintNamesNTLM(t *testing.T) {
	for kerberos, want := range map[bool]int{false: 1, true: 3} {
		hint, err := Hint(kerberos)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := parse(hint)
		if err != nil || !tok.initial || len(tok.mechs) != want || !tok.mechs[want-1].Equal(oidNTLM()) {
			t.Errorf("%+v, %v", tok, err)
		}
	}
}

func TestKerberosIsPreferredOnlyWhereItComesFirstWithItsToken(t *testing.T) {
	ap := []byte("an AP-REQ")
	for name, c := range map[string]struct {
		token []byte
		want  bool
	}{
		"Microsoft's number":    {initial(t, ap, oidKerberos, oidNTLM()), true},
		"Kerberos' own, alone":  {initial(t, ap, oidsKerberos()[1]), true},
		"after NTLM":            {initial(t, ap, oidNTLM(), oidKerberos), false},
		"without a token":       {initial(t, nil, oidKerberos), false},
		"a response":            {must(response(acceptIncomplete, false, ap, nil)), false},
		"bare NTLM":             {[]byte("NTLMSSP\x00"), false},
		"nothing":               {nil, false},
		"cut in its own middle": {initial(t, ap, oidKerberos)[:20], false},
	} {
		if got := PrefersKerberos(c.token); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	hint, err := Hint(true)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hint)
	f.Add(must(response(acceptIncomplete, true, []byte("inner"), []byte("mic"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, _ := pair(t)
		for range 2 {
			if _, done, _ := a.Next(b); done {
				t.Fatal("signed in without a password")
			}
		}
	})
}
