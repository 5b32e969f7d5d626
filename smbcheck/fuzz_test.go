package smbcheck

import (
	"bytes"
	"testing"
)

func FuzzProbeAnswer(f *testing.F) {
	f.Add(message(cmdNegotiate, 0, negotiateBody(SMB311, AES128GCM)), uint16(SMB311))
	f.Add(message(cmdNegotiate, 0, negotiateBody(SMB302)), uint16(SMB302))
	f.Add(message(cmdNegotiate, statusNotSupported, make([]byte, 9)), uint16(SMB210))
	f.Add(append([]byte("\xFFSMB\x72\x00\x00\x00\x00\x80"), make([]byte, 27)...), uint16(SMB202))
	f.Fuzz(func(t *testing.T, m []byte, d uint16) {
		_ = takesSMB1(m)
		o := offer{dialect: Dialect(d)}
		a, taken, err := o.read(m)
		switch {
		case taken && (err != nil || a.dialect != o.dialect || header(m).status() != 0):
			t.Errorf("taken: %+v, %v", a, err)
		case !taken && a != (negotiateAnswer{}):
			t.Errorf("not taken, but %+v", a)
		}
		if taken && o.dialect != SMB311 && (a.cipherContext || a.signingContext) {
			t.Errorf("contexts of SMB %s: %+v", a.dialect, a)
		}
	})
}

func FuzzHiddenEncryption(f *testing.F) {
	for _, d := range []Dialect{SMB202, SMB302, SMB311} {
		m, err := offer{d, allCiphers(), allSigning()}.request()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		once := append([]byte(nil), m...)
		hideEncryption(once)
		twice := append([]byte(nil), once...)
		hideEncryption(twice)
		if len(once) != len(m) || !bytes.Equal(once, twice) {
			t.Errorf("%x\nbecame %x\nthen %x", m, once, twice)
		}
	})
}

func TestAClientThatCannotEncryptDoesNotSayThatItCould(t *testing.T) {
	for _, d := range []Dialect{SMB210, SMB300, SMB302, SMB311} {
		said, err := offer{d, allCiphers(), allSigning()}.request()
		if err != nil {
			t.Fatal(err)
		}
		hideEncryption(said)
		body := said[headerSize:]
		if le.Uint32(body[8:])&capEncryption != 0 {
			t.Errorf("SMB %s: the capability", d)
		}
		if d != SMB311 {
			continue
		}
		var kinds []uint16
		at := int(le.Uint32(body[28:]))
		for range le.Uint16(body[32:]) {
			at = (at + 7) &^ 7
			kinds = append(kinds, le.Uint16(said[at:]))
			at += 8 + int(le.Uint16(said[at+2:]))
		}
		if len(kinds) != 3 || kinds[0] != contextPreauth || kinds[1] == contextEncryption || kinds[2] != contextSigning {
			t.Errorf("contexts %v", kinds)
		}
	}
}
