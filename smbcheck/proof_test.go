package smbcheck

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/cloudsoda/go-smb2"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCMACGivesTheValuesOfRFC4493(t *testing.T) {
	key := unhex(t, "2b7e151628aed2a6abf7158809cf4f3c")
	m := unhex(t, "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51 30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710")
	for n, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		got, err := cmac(key, m[:n])
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%d bytes: %x, %v", n, got, err)
		}
	}
}

// sealCCM is the other direction of openCCM, written from RFC 3610 step by step.
func sealCCM(t *testing.T, key, nonce, text, extra []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	blocks := append([]byte{0x7B}, nonce...)
	blocks = append(blocks, byte(len(text)>>24), byte(len(text)>>16), byte(len(text)>>8), byte(len(text)), 0, byte(len(extra)))
	blocks = append(blocks, extra...)
	pad := func() {
		for len(blocks)%16 != 0 {
			blocks = append(blocks, 0)
		}
	}
	pad()
	blocks = append(blocks, text...)
	pad()
	mac := make([]byte, 16)
	for i := 0; i < len(blocks); i += 16 {
		for j := range 16 {
			mac[j] ^= blocks[i+j]
		}
		block.Encrypt(mac, mac)
	}
	stream := func(i byte) []byte {
		a := append(append([]byte{3}, nonce...), 0, 0, 0, i)
		block.Encrypt(a, a)
		return a
	}
	out := append([]byte(nil), text...)
	for i := range out {
		out[i] ^= stream(byte(i/16 + 1))[i%16]
	}
	for i, s := range stream(0) {
		mac[i] ^= s
	}
	return append(out, mac...)
}

func TestAnAlteredCCMTextDoesNotOpen(t *testing.T) {
	key, nonce, extra := []byte("0123456789abcdef"), []byte("elevenbytes"), bytes.Repeat([]byte("x"), 32)
	for _, n := range []int{0, 1, 15, 16, 17, 100} {
		text := bytes.Repeat([]byte("m"), n)
		sealed := sealCCM(t, key, nonce, text, extra)
		block, _ := aes.NewCipher(key)
		if got, err := openCCM(block, nonce, sealed, extra); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%d bytes: %q %v", n, got, err)
		}
		for i := range sealed {
			sealed[i] ^= 1
			if _, err := openCCM(block, nonce, sealed, extra); err == nil {
				t.Errorf("%d bytes: byte %d altered", n, i)
			}
			sealed[i] ^= 1
		}
		if _, err := openCCM(block, nonce, sealed, extra[1:]); err == nil {
			t.Error("other header")
		}
	}
}

// message builds an SMB2 message for tests.
func message(command uint16, status uint32, body []byte) []byte {
	m := make([]byte, headerSize, headerSize+len(body))
	copy(m, "\xFESMB\x40")
	le.PutUint32(m[offStatus:], status)
	le.PutUint16(m[offCommand:], command)
	le.PutUint32(m[offFlags:], flagResponse)
	return append(m, body...)
}

func negotiateBody(d Dialect, ciphers ...Cipher) []byte {
	b := make([]byte, 64)
	le.PutUint16(b, 65)
	le.PutUint16(b[4:], uint16(d))
	le.PutUint16(b[6:], uint16(len(ciphers)))
	le.PutUint32(b[60:], headerSize+64)
	for _, c := range ciphers {
		b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 1, 0, byte(c), byte(c>>8), 0, 0, 0, 0)
	}
	return b
}

func framed(ms ...[]byte) []byte {
	var b []byte
	for _, m := range ms {
		b = append(b, 0, byte(len(m)>>16), byte(len(m)>>8), byte(len(m)))
		b = append(b, m...)
	}
	return b
}

// stream is a connection from which a fixed stream comes, in pieces of at most n bytes.
type stream struct {
	net.Conn
	b []byte
	n int
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	k := copy(p[:min(len(p), s.n)], s.b)
	s.b = s.b[k:]
	return k, nil
}

// through reads b through a tap and returns it at its end, and whether all of b came out.
func through(b []byte, chunk int) (*tap, bool) {
	t := newTap(&stream{b: b, n: chunk}, SMB311)
	got, err := io.ReadAll(t)
	return t, err == nil && bytes.Equal(got, b)
}

func TestTheTapRecordsTheHandshakeAndPassesTheRest(t *testing.T) {
	n := message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM))
	more := message(cmdSessionSetup, statusMoreProcessing, make([]byte, 9))
	end := message(cmdSessionSetup, 0, []byte{9, 0, 0, 0, 0, 0, 0, 0})
	tree := message(cmdTreeConnect, 0, append([]byte{16, 0, 1, 0, 0, 0x80}, make([]byte, 10)...))
	le.PutUint32(tree[offFlags:], flagResponse|flagSigned)
	big := message(8, 0, make([]byte, 1<<20))
	le.PutUint32(big[offFlags:], flagResponse|flagSigned)
	sealed := append([]byte("\xFDSMB"), make([]byte, 200)...)
	pending := message(cmdTreeConnect, statusPending, make([]byte, 9))
	all := framed(n, more, end, pending, tree, big, sealed)
	for _, chunk := range []int{1, 3, 4, 63, 4096, 1 << 21} {
		tp, ok := through(all, chunk)
		if !ok {
			t.Fatalf("chunks of %d: %v", chunk, tp.refused())
		}
		rec := tp.handshake(false)
		if !reflect.DeepEqual(rec.transcript, [][]byte{n, more}) || !bytes.Equal(rec.setup, end) || len(rec.trees) != 1 || !bytes.Equal(rec.trees[0], tree) || len(rec.sealed) != 1 {
			t.Errorf("chunks of %d: %+v", chunk, rec)
		}
		if _, r := tp.traffic(); r != (Traffic{Plain: 4, Signed: 2, Sealed: 1}) {
			t.Errorf("%+v", r)
		}
	}
}

func TestTheTapStopsWhatMustNotBe(t *testing.T) {
	n := message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM))
	end := message(cmdSessionSetup, 0, make([]byte, 8))
	tree := message(cmdTreeConnect, 0, make([]byte, 16))
	signedTree := message(cmdTreeConnect, 0, make([]byte, 16))
	le.PutUint32(signedTree[offFlags:], flagResponse|flagSigned)
	chained := message(cmdSessionSetup, 0, make([]byte, 64))
	le.PutUint32(chained[offNext:], 64)
	back := message(8, 0, make([]byte, 16))
	le.PutUint32(back[offFlags:], flagSigned)
	forgotten := message(8, statusSessionExpired, make([]byte, 9))
	sealed := append([]byte("\xFDSMB"), make([]byte, 200)...)
	var endless [][]byte
	for range maxRecorded + 1 {
		endless = append(endless, message(cmdSessionSetup, statusMoreProcessing, make([]byte, 9)))
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"older dialect":          {framed(message(cmdNegotiate, 0, negotiateBody(SMB302))), ErrTampered},
		"start over":             {framed(message(cmdNegotiate, 0, negotiateBody(0x2FF))), ErrTampered},
		"AES-256":                {framed(message(cmdNegotiate, 0, negotiateBody(SMB311, AES256GCM))), ErrCipher},
		"no common cipher":       {framed(message(cmdNegotiate, 0, negotiateBody(SMB311, 0))), ErrCipher},
		"two ciphers":            {framed(message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM, AES128CCM))), ErrProtocol},
		"negotiated twice":       {framed(n, n), ErrTampered},
		"signed in twice":        {framed(n, end, end), ErrTampered},
		"two shares":             {framed(n, end, signedTree, signedTree), ErrTampered},
		"a request thrown back":  {framed(n, end, back), ErrTampered},
		"unsigned afterwards":    {framed(n, end, message(8, 0, make([]byte, 16))), ErrTampered},
		"unsigned, by the share": {framed(n, end, tree), ErrTampered},
		"a forgotten session":    {framed(n, end, forgotten), ErrBroken},
		"sealed before the end":  {framed(n, sealed), ErrProtocol},
		"sealed by nothing":      {framed(message(cmdNegotiate, 0, negotiateBody(SMB311)), end, sealed), ErrProtocol},
		"going on afterwards":    {framed(n, end, message(cmdSessionSetup, statusMoreProcessing, make([]byte, 9))), ErrTampered},
		"chained sign-in":        {framed(chained), ErrProtocol},
		"endless sign-in":        {framed(endless...), ErrProtocol},
		"handshake too large":    {framed(message(cmdSessionSetup, 0, make([]byte, maxKept))), ErrProtocol},
		"frame too large":        {[]byte{0, 0x20, 0, 0}, ErrProtocol},
		"empty frame":            {[]byte{0, 0, 0, 0}, ErrProtocol},
		"NetBIOS keep-alive":     {[]byte{0x85, 0, 0, 0}, ErrNotSMB},
		"truncated NEGOTIATE":    {framed(n[:80]), ErrProtocol},
		"context out of range":   {framed(n[:len(n)-8]), ErrProtocol},
	} {
		for _, chunk := range []int{1, 1 << 20} {
			tp, ok := through(c.b, chunk)
			if ok || !errors.Is(tp.refused(), c.want) {
				t.Errorf("%s in chunks of %d: %v", name, chunk, tp.refused())
			}
			if _, err := tp.Read(make([]byte, 4)); !errors.Is(err, c.want) {
				t.Errorf("%s: the next read: %v", name, err)
			}
		}
	}
}

// written is a connection that takes everything.
type written struct {
	net.Conn
	n int
}

func (w *written) Write(p []byte) (int, error) {
	w.n += len(p)
	return len(p), nil
}

func TestNothingLeavesInClearOnceEncryptionIsDemanded(t *testing.T) {
	request := func(command uint16) []byte {
		m := message(command, 0, make([]byte, 24))
		le.PutUint32(m[offFlags:], flagSigned)
		return m
	}
	sealed := append([]byte("\xFDSMB"), make([]byte, 200)...)
	chained := append(request(cmdLogoff), request(8)...)
	le.PutUint32(chained[offNext:], headerSize+24)
	for name, c := range map[string]struct {
		m     []byte
		leave bool
	}{
		"READ": {request(8), false}, "TREE_CONNECT": {request(cmdTreeConnect), false}, "sealed": {sealed, true},
		"LOGOFF, which belongs to no share": {request(cmdLogoff), true}, "LOGOFF with something behind it": {chained, false},
	} {
		w := &written{}
		tp := newTap(w, SMB311)
		if _, err := tp.Write(framed(request(8))); err != nil {
			t.Fatal(err)
		}
		w.n = 0
		tp.demandSeal()
		_, err := tp.Write(framed(c.m))
		if c.leave != (err == nil) || c.leave != (w.n > 0) || err != nil && !errors.Is(err, ErrTampered) {
			t.Errorf("%s: %v, %d bytes left", name, err, w.n)
		}
	}
}

func TestNothingIsProvenWithoutTheRightKey(t *testing.T) {
	sign := func(k keys, m []byte) []byte {
		m = append([]byte(nil), m...)
		le.PutUint32(m[offFlags:], flagResponse|flagSigned)
		mac, err := cmac(k.signing, m)
		if err != nil {
			t.Fatal(err)
		}
		copy(m[offSignature:], mac)
		return m
	}
	key := []byte("the session's ke")
	build := func(shareFlags uint32, kind byte) handshake {
		rec := handshake{negotiate: message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM))}
		rec.transcript = [][]byte{[]byte("request"), rec.negotiate, []byte("setup")}
		a, err := parseNegotiate(rec.negotiate)
		if err != nil {
			t.Fatal(err)
		}
		k := keysFor(a, rec.transcript, key)
		rec.setup = sign(k, message(cmdSessionSetup, 0, []byte{9, 0, 0, 0, 0, 0, 0, 0}))
		body := make([]byte, 16)
		body[0], body[2] = 16, kind
		le.PutUint32(body[4:], shareFlags)
		rec.trees = [][]byte{sign(k, message(cmdTreeConnect, 0, body))}
		return rec
	}
	rec := build(shareDFS, uint8(DiskShare))
	f, k, err := prove(rec, key)
	if err != nil || !f.SetupVerified || !f.DowngradeProtected {
		t.Fatalf("%+v %v", f, err)
	}
	if err := f.proveShare(rec, k); err != nil || !f.ShareVerified || !f.DFS || f.DFSRoot {
		t.Errorf("%+v %v", f, err)
	}
	for name, c := range map[string]struct {
		change func(*handshake)
		key    []byte
		want   error
	}{
		"other key":              {func(*handshake) {}, []byte("another key here"), ErrTampered},
		"no key":                 {func(*handshake) {}, nil, ErrTampered},
		"request differs":        {func(r *handshake) { r.transcript[0] = []byte("requesT") }, key, ErrTampered},
		"negotiation differs":    {func(r *handshake) { r.negotiate[70] ^= 1; r.transcript[1] = r.negotiate }, key, ErrTampered},
		"flags differ":           {func(r *handshake) { r.setup[66] ^= 4 }, key, ErrTampered},
		"guest":                  {func(r *handshake) { r.setup[66] |= 1 }, key, ErrGuest},
		"anonymous":              {func(r *handshake) { r.setup[66] |= 2 }, key, ErrGuest},
		"sign-in not seen":       {func(r *handshake) { r.setup = nil }, key, ErrTampered},
		"negotiation not seen":   {func(r *handshake) { r.negotiate = nil }, key, ErrTampered},
		"share's answer differs": {func(r *handshake) { r.trees[0][69] ^= 0x80 }, key, ErrTampered},
	} {
		rec := build(0, uint8(DiskShare))
		c.change(&rec)
		f, k, err := prove(rec, c.key)
		if err == nil {
			err = f.proveShare(rec, k)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	pipe := build(0, 2)
	f, k, _ = prove(pipe, key)
	if err := f.proveShare(pipe, k); !errors.Is(err, ErrShare) {
		t.Errorf("a pipe: %v", err)
	}
}

func TestR33_WhatAListingSaysIsChecked(t *testing.T) {
	for _, s := range []smb2.FileStat{
		{FileName: `..\y`},
		{FileName: "a/b"},
		{FileName: ".."},
		{FileName: ""},
		{FileName: "a\x1b[31m"},
		{FileName: "a:b"},
		{FileName: "CON"},
		{FileName: "a\ufffd"},
		{FileName: "a", EndOfFile: -1},
	} {
		if e, err := entry("folder", &s); err == nil {
			t.Errorf("%q became %+v", s.FileName, e)
		} else if strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("raw: %q", err)
		}
	}
}

// wrongReader is a file that is not as long as it said.
type wrongReader struct{ size int64 }

func (w wrongReader) ReadAt(b []byte, off int64) (int, error) {
	if off >= w.size {
		return 0, io.EOF
	}
	return int(min(int64(len(b)), w.size-off)), nil
}

func TestAFileLongerOrShorterThanItSaidIsChanged(t *testing.T) {
	for _, size := range []int64{0, 1, pieceSize - 1, pieceSize, 5*pieceSize + 7} {
		var got int64
		count := func(b []byte) error { got += int64(len(b)); return nil }
		nothing := func() {}
		if err := pump(wrongReader{size}, size, nothing, count); err != nil || got != size {
			t.Errorf("%d: read %d, %v", size, got, err)
		}
		if err := pump(wrongReader{size + 1}, size, nothing, count); !errors.Is(err, ErrChanged) {
			t.Errorf("%d: longer: %v", size, err)
		}
		if err := pump(wrongReader{size}, size+1, nothing, count); !errors.Is(err, ErrChanged) {
			t.Errorf("%d: shorter: %v", size, err)
		}
	}
}

func TestR04_APasswordIsNeverFormatted(t *testing.T) {
	n := NTLM{User: "me", Domain: "CONTOSO", Password: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, x := range []any{n, &n, []Credentials{n}} {
			if s := fmt.Sprintf(verb, x); strings.Contains(s, "hunter2") || strings.Contains(s, hex.EncodeToString([]byte("hunter2"))) {
				t.Errorf("%s: %s", verb, s)
			}
		}
	}
	in, err := NTLM{User: `CONTOSO\me`, Password: "x"}.initiator(t.Context(), "s")
	if got, ok := in.(*smb2.NTLMInitiator); err != nil || !ok || got.User != "me" || got.Domain != "CONTOSO" {
		t.Errorf("%+v %v", in, err)
	}
	if _, err := (NTLM{Password: "x"}).initiator(t.Context(), "s"); err == nil {
		t.Error("no user")
	}
}

func FuzzTap(f *testing.F) {
	f.Add(framed(message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM)), message(cmdSessionSetup, 0, make([]byte, 8)),
		message(cmdTreeConnect, 0, make([]byte, 16))), 7)
	f.Add(framed(message(cmdNegotiate, 0, negotiateBody(SMB311)), append([]byte("\xFDSMB"), make([]byte, 100)...)), 1)
	f.Add([]byte("HTTP/1.1"), 3)
	f.Fuzz(func(t *testing.T, b []byte, chunk int) {
		if chunk < 1 {
			chunk = 1
		}
		whole, _ := through(b, len(b)+1)
		parts, _ := through(b, chunk)
		if (whole.refused() == nil) != (parts.refused() == nil) || !reflect.DeepEqual(whole.record, parts.record) || whole.received != parts.received {
			t.Errorf("chunks of %d make a difference: %v, %v", chunk, whole.refused(), parts.refused())
		}
		rec := whole.handshake(true)
		if len(rec.transcript) > maxRecorded || len(rec.sealed) > maxRecorded || len(rec.trees) > 2 {
			t.Errorf("%d, %d, %d kept", len(rec.transcript), len(rec.sealed), len(rec.trees))
		}
		facts, k, err := prove(rec, []byte("not the real key"))
		if err == nil || facts.SetupVerified {
			t.Errorf("proven: %+v", facts)
		}
		if rec.negotiate != nil {
			_ = facts.proveShare(rec, k)
		}
	})
}
