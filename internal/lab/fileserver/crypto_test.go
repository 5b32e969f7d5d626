package fileserver

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestCMACIsThatOfTheRFC(t *testing.T) {
	sign, err := cmacSigner(unhex(t, "2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	message := unhex(t, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"+
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{ // RFC 4493 section 4
		0:  "bb1d6929e95937287fa37d129b756746",
		16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827",
		64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		got := sign(message[:n])
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%d bytes: %x, want %s", n, got, want)
		}
	}
}

func TestSigningKeysAreThoseMicrosoftPublished(t *testing.T) {
	// "SMB 2 and SMB 3 security in Windows 10: the anatomy of signing and
	// cryptographic keys", Microsoft Open Specifications, 2015.
	for _, c := range []struct{ name, key, label, context, want string }{
		{
			"3.0", "7cd451825d0450d235424e44ba6e78cc", "SMB2AESCMAC\x00", hex.EncodeToString([]byte("SmbSign\x00")),
			"0b7e9c5cac36c0f6ea9ab275298cedce",
		},
		{
			"3.1.1", "270e1ba896585eeb7af3472d3b4c75a7", "SMBSigningKey\x00",
			"0dd13628cc3ed218ef9df9772d436d0887ab9814bfae63a80aa845f36909db79" +
				"28622dddad522d9751640a459762c5a9d6bb084cbb3ce6bdadef5d5bce3c6c01",
			"73fe7a9a77bef0bde49c650d8ccb5f76",
		},
	} {
		got := deriveKey(unhex(t, c.key), []byte(c.label), unhex(t, c.context))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %x, want %s", c.name, got, c.want)
		}
	}
}

func TestSignatureCoversTheWholeMessage(t *testing.T) {
	sign, err := cmacSigner(bytes.Repeat([]byte{7}, 16))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]macFunc{"AES-CMAC": sign, "HMAC-SHA256": hmacSigner([]byte("key"))} {
		message := append(make([]byte, headerSize), "a body"...)
		f.sign(message)
		if !f.verify(bytes.Clone(message)) {
			t.Fatalf("%s: own signature refused", name)
		}
		for i := range message {
			altered := bytes.Clone(message)
			altered[i] ^= 0x10
			if f.verify(altered) {
				t.Errorf("%s: byte %d altered and not noticed", name, i)
			}
		}
	}
}

func TestSealedMessageOpensAndNoncesDiffer(t *testing.T) {
	key := bytes.Repeat([]byte{9}, 16)
	aead, err := newGCM(key)
	if err != nil {
		t.Fatal(err)
	}
	s := &session{id: 5, valid: true, toClient: aead, fromClient: aead}
	c := &conn{sessions: map[uint64]*session{5: s}}
	plain := append([]byte(magicPlain), make([]byte, headerSize)...)
	one, err := s.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(one[20:36], two[20:36]) {
		t.Error("two messages under one nonce")
	}
	if _, got, err := c.unseal(bytes.Clone(one)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opened %x, %v", got, err)
	}
	for i := range one {
		altered := bytes.Clone(one)
		altered[i] ^= 1
		if string(altered[:4]) != magicSealed {
			continue // not offered to unseal
		}
		if _, _, err := c.unseal(altered); err == nil {
			t.Errorf("byte %d altered and not noticed", i)
		}
	}
}
