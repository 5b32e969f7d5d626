package fileserver

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestNegotiateChoosesTheBestAndAlwaysRequiresSigning(t *testing.T) {
	for name, c := range map[string]struct {
		frame []byte
		want  status
		got   uint16
	}{
		"all":              {negotiateFrame(0x202, 0x210, 0x300, 0x302, 0x311), statusOK, 0x311},
		"up to 3.0.2":      {negotiateFrame(0x202, 0x210, 0x300, 0x302), statusOK, 0x302},
		"2.1":              {negotiateFrame(0x210), statusOK, 0x210},
		"2.0.2 alone":      {negotiateFrame(0x202), statusNotSupported, 0},
		"none":             {negotiateFrame(), statusInvalidParameter, 0},
		"3.1.1 no context": {func() []byte { b := negotiateFrame(0x311); b[headerSize+32] = 0; return b }(), statusInvalidParameter, 0},
		"3.1.1 other hash": {func() []byte { b := negotiateFrame(0x311); b[headerSize+40+12] = 9; return b }(), statusNoHashOverlap, 0},
		"contexts outside": {func() []byte { b := negotiateFrame(0x311); b[headerSize+30] = 1; return b }(), statusInvalidParameter, 0},
	} {
		w := newWire(t, 0)
		w.conn.sessions = map[uint64]*session{}
		r := w.one(c.frame)
		if r.status != c.want {
			t.Errorf("%s: %#x, want %#x", name, uint32(r.status), uint32(c.want))
			continue
		}
		if r.status == statusOK && (le.Uint16(r.body[4:]) != c.got || le.Uint16(r.body[2:]) != 3) {
			t.Errorf("%s: dialect %#x, security mode %d", name, le.Uint16(r.body[4:]), le.Uint16(r.body[2:]))
		}
	}
}

func TestNegotiateIsValidatedForOlderDialects(t *testing.T) {
	client := negotiated{capabilities: 0x7f, guid: [16]byte{1, 2}, mode: signingRequired, dialects: []uint16{0x210, 0x302}}
	input := func(n negotiated) []byte {
		b := builder{}
		b.u32(n.capabilities)
		b.raw(n.guid[:])
		b.u16(n.mode, uint16(len(n.dialects)))
		b.u16(n.dialects...)
		return b.b
	}
	w := newWire(t, smb302)
	w.conn.client = client
	r := w.one(w.signed(w.message(cmdIoctl, ioctlBody(fsctlValidateNegotiate, input(client), 24))))
	if r.status != statusOK || len(r.body) != 72 {
		t.Fatalf("%#x, %d bytes", uint32(r.status), len(r.body))
	}
	got := r.body[48:]
	if le.Uint32(got) != capLargeMTU || !bytes.Equal(got[4:20], w.conn.server.guid[:]) || le.Uint16(got[20:]) != 3 || le.Uint16(got[22:]) != 0x302 {
		t.Errorf("answered % x", got)
	}
	for name, alter := range map[string]func(*negotiated){
		"dialects":     func(n *negotiated) { n.dialects = slices.Concat(n.dialects, []uint16{0x311}) },
		"capabilities": func(n *negotiated) { n.capabilities = 0 },
		"mode":         func(n *negotiated) { n.mode = signingEnabled },
		"guid":         func(n *negotiated) { n.guid[0]++ },
	} {
		said := client
		alter(&said)
		w := newWire(t, smb302)
		w.conn.client = client
		if _, err := w.send(w.signed(w.message(cmdIoctl, ioctlBody(fsctlValidateNegotiate, input(said), 24)))); !errors.Is(err, errHangUp) {
			t.Errorf("other %s: %v, want the connection closed", name, err)
		}
	}
}
