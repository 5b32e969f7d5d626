package kerberos

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

func TestWhatKrb5ConfSaysIsRead(t *testing.T) {
	dir := t.TempDir()
	drop := filepath.Join(dir, "conf.d")
	if err := os.Mkdir(drop, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"krb5.conf":        "# comment\nincludedir " + drop + "\n[libdefaults]\n  default_realm = FIRST.COM\n  default_realm = SECOND.COM\n  dns_lookup_kdc = false\n  default_ccache_name = \"FILE:/tmp/krb5cc_%{uid}\"\n[realms]\n FIRST.COM = {\n   kdc = dc1.first.com\n   kdc = dc2.first.com:750*\n   admin_server = x\n   v4_instance_convert = {\n     kdc = nested\n   }\n }\n ONE.COM = { kdc = dc.one.com }\n[domain_realm]\n .first.com = FIRST.COM\n kdc = x\n",
		"conf.d/types":     "[libdefaults]\npermitted_enctypes = aes256-cts-hmac-sha1-96,aes128-cts\n",
		"conf.d/x.conf":    "[realms]\nEXTRA.COM = {\nkdc = dc.extra.com\n}\n",
		"conf.d/x.rpmsave": "[libdefaults]\ndefault_realm = WRONG.COM\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readConf(filepath.Join(dir, "krb5.conf"), true)
	want := krb5conf{
		defaultRealm: "FIRST.COM", cache: "FILE:/tmp/krb5cc_%{uid}", noDNS: true,
		permitted: []string{"aes256-cts-hmac-sha1-96", "aes128-cts"},
		kdcs:      map[string][]string{"FIRST.COM": {"dc1.first.com", "dc2.first.com:750"}, "ONE.COM": {"dc.one.com"}, "EXTRA.COM": {"dc.extra.com"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	types, err := permittedTypes(got.permitted)
	if err != nil || !reflect.DeepEqual(types, []int32{18, 17}) {
		t.Fatalf("%v, %v", types, err)
	}
	for _, names := range [][]string{{"aes"}, {"default"}, nil} {
		if types, err := permittedTypes(names); err != nil || len(types) != 4 {
			t.Errorf("%v: %v, %v", names, types, err)
		}
	}
}

func TestAnAddressWithoutAPortMeans88(t *testing.T) {
	d := &directory{realm: "R", own: []string{"dc1", "dc2:750", "10.0.0.1", "[fd00::1]:88", "fd00::2"}}
	got, err := d.addresses(t.Context(), "R")
	if want := []string{"dc1:88", "dc2:750", "10.0.0.1:88", "[fd00::1]:88", "[fd00::2]:88"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v, %v", got, err)
	}
}

// contexts are the two ends of one security context.
func contexts(tb testing.TB, etype int32) (ours, theirs *SecurityContext) {
	tb.Helper()
	et, err := crypto.GetEtype(etype)
	if err != nil {
		tb.Fatal(err)
	}
	key := types.EncryptionKey{KeyType: etype, KeyValue: bytes.Repeat([]byte{7}, keySize(etype))}
	return &SecurityContext{key: key, etype: et, receive: 9}, &SecurityContext{key: key, etype: et, send: 9}
}

// fromService seals plain as the service does, with the given filler and rotation.
func fromService(tb testing.TB, s *SecurityContext, plain []byte, filler, rotation int) []byte {
	tb.Helper()
	head := []byte{5, 4, flagFromAcceptor | flagSealed, 0xff, 0, byte(filler), 0, 0}
	head = binary.BigEndian.AppendUint64(head, s.send)
	s.send++
	inside := append(append(bytes.Clone(plain), make([]byte, filler)...), head...)
	_, cipher, err := s.etype.EncryptMessage(s.key.KeyValue, inside, 22)
	if err != nil {
		tb.Fatal(err)
	}
	binary.BigEndian.PutUint16(head[6:], uint16(rotation))
	n := len(cipher) - rotation%len(cipher)
	return append(head, rotate(cipher, n)...)
}

// MIT's KDC here gives out no SHA-2 keys, so these two are proven against ourselves only.
func TestAnyRotationAndFillerIsUndoneForEveryEncryptionType(t *testing.T) {
	for _, etype := range ourTypes() {
		ours, theirs := contexts(t, etype)
		for _, rotation := range []int{0, 1, 28, 40, 65535} {
			for _, filler := range []int{0, 1, 16} {
				plain := []byte("some text of no particular length")
				got, err := ours.Unwrap(fromService(t, theirs, plain, filler, rotation), nil)
				if err != nil || !bytes.Equal(got, plain) {
					t.Fatalf("%s, rotated by %d, filler %d: %q, %v", etypeName(etype), rotation, filler, got, err)
				}
			}
		}
		header, sealed, err := ours.Wrap([]byte("out"))
		if err != nil || len(sealed) != 3 || len(header) != 16+16+16+ours.etype.GetHMACBitLength()/8 {
			t.Fatalf("%s: %d, %d, %v", etypeName(etype), len(header), len(sealed), err)
		}
	}
}

func TestRC4IsRefusedByName(t *testing.T) {
	if err := aesOnly(23); err == nil || err.Error() != "no AES encryption is offered: RC4 (arcfour-hmac) is not used" {
		t.Fatalf("got %v", err)
	}
}

func FuzzUnwrap(f *testing.F) {
	_, theirs := contexts(f, 18)
	f.Add(fromService(f, theirs, []byte("hello"), 0, 28))
	f.Add(bytes.Repeat([]byte{5, 4, 3, 255}, 30))
	f.Fuzz(func(t *testing.T, token []byte) {
		ours, theirs := contexts(t, 18)
		if plain, err := ours.Unwrap(token, nil); err == nil && !bytes.Equal(plain, []byte("hello")) {
			t.Fatalf("opened to %q", plain)
		}
		if plain, err := ours.Unwrap(fromService(t, theirs, []byte("good"), 0, 28), nil); err == nil && string(plain) != "good" {
			t.Fatalf("opened to %q", plain)
		}
	})
}

func FuzzCache(f *testing.F) {
	f.Add(append([]byte{5, 4, 0, 12, 0, 1, 0, 8}, make([]byte, 80)...))
	f.Add([]byte{5, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 'R', 0, 0, 0, 1, 'u'})
	f.Fuzz(func(t *testing.T, b []byte) {
		if ticket, err := parseCCache(b); err == nil && ticket.client.realm == "" {
			t.Fatal("a ticket of nobody")
		}
	})
}

func FuzzKeytab(f *testing.F) {
	f.Add([]byte{5, 2, 0, 0, 0, 21, 0, 1, 0, 1, 'R', 0, 1, 'u', 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 18, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{5, 2, 0xff, 0xff, 0xff, 0xf0})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseKeytab(b)
		if err == nil && len(entries) > len(b) {
			t.Fatal("more entries than bytes")
		}
	})
}

func FuzzKrb5Conf(f *testing.F) {
	f.Add("[realms]\nA = {\nkdc = x\n}\n[libdefaults]\ndefault_realm = A\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := &confParser{conf: &krb5conf{kdcs: map[string][]string{}}, root: map[string]bool{}, files: maxConfFiles} // nothing is included
		for _, line := range bytes.Split([]byte(text), []byte("\n")) {
			if p.line(string(bytes.TrimSpace(line)), maxConfDepth+1) != nil {
				return
			}
		}
	})
}

func FuzzServiceToken(f *testing.F) {
	i := Initiator{client: &Client{}, ticket: &ticket{key: types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}}}
	framed, err := frameToken(tokenAPRep, []byte{0x6f, 3, 1, 2, 3})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(framed)
	f.Add([]byte{0xa1, 7, 0x30, 5, 0xa0, 3, 0x0a, 1, 2})
	f.Fuzz(func(t *testing.T, token []byte) {
		if s, err := i.accept(token); err == nil && s != nil {
			t.Fatal("accepted without the key")
		}
	})
}

func FuzzKDCAnswer(f *testing.F) {
	c := &Client{secret: &secret{password: "p"}, etypes: ourTypes(), who: principal{types.NewPrincipalName(1, "u"), "R"}, now: time.Now}
	key := types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}
	f.Add([]byte{0x6b, 3, 1, 2, 3})
	f.Add([]byte{0x7e, 3, 1, 2, 3})
	f.Add([]byte{0x6d, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, reply []byte) {
		_ = krbError(reply)
		_ = extendedStatus(reply)
		if _, err := c.readAS(reply, nil, c.asRequest(), key); err == nil {
			t.Fatal("an AS_REP without the key")
		}
		req := messages.TGSReq{KDCReqFields: messages.KDCReqFields{ReqBody: c.requestBody("R", types.NewPrincipalName(2, "a/b"))}}
		if _, err := readTGS(reply, &req, &ticket{key: key, client: c.who}); err == nil {
			t.Fatal("a TGS_REP without the key")
		}
	})
}
