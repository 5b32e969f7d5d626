package ntlm

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// The values of MS-NLMP 4.2.1 and 4.2.4: user "User" of "Domain" with password
// "Password", server challenge 0123456789abcdef, session key 0x55 x 16.
const (
	vectorFlags      = uint32(0xe2888235)
	vectorNonce      = "0123456789abcdef"
	vectorKey        = "55555555555555555555555555555555"
	vectorProof      = "68cd0ab851e51c96aabc927bebef6a1c"
	vectorWrappedKey = "c5dad2544fc9799094ce1ce90bc9d03e"
	vectorBlob       = "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000" +
		"02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000" + "00000000"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func same(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s = %x, the specification says %s", what, got, want)
	}
}

func TestKeysAreThoseOfTheSpecification(t *testing.T) {
	key := responseKey("Password", "User", "Domain")
	same(t, "NTOWFv2 (4.2.4.1.1)", key, "0c868a403bfd7a93a3001ef22ef02e3f")
	proof := hmacMD5(key, unhex(t, vectorNonce), unhex(t, vectorBlob))
	same(t, "NT proof (4.2.4.2.2)", proof, vectorProof)
	base := hmacMD5(key, proof)
	same(t, "session base key (4.2.4.1.2)", base, "8de40ccadbc14a82f15cb0ad0de95ca3")
	wrapped, err := rc4Once(base, unhex(t, vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "encrypted session key (4.2.4.2.3)", wrapped, vectorWrappedKey)
	same(t, "client signing key (4.2.4.4)", deriveKey(unhex(t, vectorKey), clientSigning), "4788dc861b4782f35d43fd98fe1a2d39")
	same(t, "client sealing key (4.2.4.4)", deriveKey(unhex(t, vectorKey), clientSealing), "59f600973cc4960a25480a7c196e4c58")
}

func TestSealedMessageOfTheSpecificationIsOpened(t *testing.T) {
	s, err := newSession(unhex(t, vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	sealed := unhex(t, "54e50165bf1936dc996020c1811b0f06fb5f")
	plain, err := s.Unwrap(sealed, unhex(t, "010000007fb38ec5c55d497600000000"))
	if err != nil {
		t.Fatal(err)
	}
	if got := decodeUTF16(plain); got != "Plaintext" {
		t.Errorf("opened %q", got)
	}
}

// message builds an AUTHENTICATE_MESSAGE from the parts a test cares about.
type message struct {
	flags             uint32
	domain, user      string
	response, wrapped []byte
}

func vectorMessage(tb testing.TB) message {
	tb.Helper()
	return message{
		flags: vectorFlags, domain: "Domain", user: "User",
		response: append(unhex(tb, vectorProof), unhex(tb, vectorBlob)...), wrapped: unhex(tb, vectorWrappedKey),
	}
}

func (m message) bytes() []byte {
	parts := [][]byte{make([]byte, 24), m.response, encodeUTF16(m.domain), encodeUTF16(m.user), encodeUTF16("COMPUTER"), m.wrapped}
	b := append([]byte(signature), 3, 0, 0, 0)
	offset := micEnd
	for _, p := range parts {
		b = appendField(b, len(p), offset)
		offset += len(p)
	}
	b = binary.LittleEndian.AppendUint32(b, m.flags)
	b = append(b, version...)
	b = append(b, make([]byte, 16)...)
	return append(b, bytes.Join(parts, nil)...)
}

func vectorAcceptor(tb testing.TB, accounts Accounts) *Acceptor {
	tb.Helper()
	a := NewAcceptor(Config{
		NetBIOSName: "Server", NetBIOSDomain: "Domain", DNSName: "server.domain",
		Rand: bytes.NewReader(unhex(tb, vectorNonce)),
		Now:  func() time.Time { return time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC) },
	}, accounts)
	if _, done, err := a.Next(negotiateMessage(vectorFlags)); err != nil || done {
		tb.Fatalf("negotiate: done %v, %v", done, err)
	}
	return a
}

func negotiateMessage(flags uint32) []byte {
	b := append([]byte(signature), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, flags)
	return append(b, make([]byte, 24)...)
}

func TestAuthenticateMessageOfTheSpecificationIsAccepted(t *testing.T) {
	book := &Book{}
	book.Add(Account{Domain: "DOMAIN", User: "user", Password: "Password"})
	a := vectorAcceptor(t, book)
	_, done, err := a.Next(vectorMessage(t).bytes())
	if err != nil || !done {
		t.Fatalf("authenticate: done %v, %v", done, err)
	}
	same(t, "exported session key", a.SessionKey(), vectorKey)
	if got := a.Identity().String(); got != `DOMAIN\user` {
		t.Errorf("signed in as %s, want the account's own spelling", got)
	}
	if a.Identity().MIC {
		t.Error("claims an integrity code that the message does not carry")
	}
}
