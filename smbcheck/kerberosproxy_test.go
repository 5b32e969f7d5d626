package smbcheck_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"cau/internal/kerberos"
	"cau/internal/sambatest"
	"cau/smbcheck"
)

// apRep finds the sealed part of an AP_REP in a message, behind its token id (RFC 4121 4.1).
func apRep(f frame) []byte {
	id := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02, 0x02, 0x00}
	if at := bytes.Index(f, id); at >= 0 {
		return f[at+len(id):]
	}
	return nil
}

func middleOfKerberos(t *testing.T, d *sambatest.Controller) {
	t.Helper()
	who := byTicket(identity(t, d))
	// change gets the end of the sign-in, which carries the AP_REP.
	through := func(t *testing.T, change func(f frame)) string {
		t.Helper()
		return startMiddle(t, d.SMB, func(in bool, f frame) []frame {
			if in && f.answer(setup) {
				change(f)
			}
			return []frame{f}
		}).addr
	}
	var recorded []byte
	reads(t, through(t, func(f frame) { recorded = bytes.Clone(apRep(f)) }), on("plain"), who)
	if len(recorded) < 80 {
		t.Fatalf("an AP_REP of %d bytes", len(recorded))
	}
	for name, change := range map[string]func(f frame){
		"a bit of the AP_REP flipped": func(f frame) { apRep(f)[60] ^= 1 },
		"another logon's AP_REP":      func(f frame) { copy(apRep(f), recorded) },
	} {
		t.Run(name, func(t *testing.T) {
			_ = denied(t, through(t, change), on("plain"), who, smbcheck.ErrTampered, kerberos.Unproven)
		})
	}
	for name, change := range map[string]func(f frame){
		"signature stripped":        func(f frame) { f.unsign() },
		"session's flags altered":   func(f frame) { f[64+2] ^= 4 },
		"a bit of the header's end": func(f frame) { f[63] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := smbcheck.Connect(t.Context(), on("plain"), who, smbcheck.Options{Addr: through(t, change), AllowOlder: true})
			if !errors.Is(err, smbcheck.ErrTampered) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("the server's own complaint is told", func(t *testing.T) {
		// As Windows says it: one more round is due, whose token is a KRB_ERROR (RFC 4121 4.1).
		m := startMiddle(t, d.SMB, func(in bool, f frame) []frame {
			if in && f.answer(setup) {
				return []frame{complaint(t, f)}
			}
			return []frame{f}
		})
		if k := denied(t, m.addr, on("plain"), who, smbcheck.ErrTicket, kerberos.ClockSkew); k.Final() || !k.FromService {
			t.Errorf("%+v", k)
		}
	})
	t.Run("guest", func(t *testing.T) {
		_, err := smbcheck.Connect(t.Context(), on("plain"), who, smbcheck.Options{Addr: through(t, func(f frame) { f[64+2] |= 1; f.unsign() })})
		if !errors.Is(err, smbcheck.ErrGuest) && !errors.Is(err, smbcheck.ErrTampered) {
			t.Errorf("got %v", err)
		}
	})
}

// complaint puts a KRB_ERROR about clocks in the place of the end of a sign-in.
func complaint(t *testing.T, f frame) frame {
	t.Helper()
	e := messages.NewKRBError(types.NewPrincipalName(2, "cifs/"+sambatest.FileServer), sambatest.Realm, errorcode.KRB_AP_ERR_SKEW, "")
	body, err := e.Marshal()
	if err != nil {
		t.Error(err)
	}
	tlv := func(tag byte, parts ...[]byte) []byte {
		b, err := asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), IsCompound: tag&0x20 != 0, Tag: int(tag & 0x1f), Bytes: slices.Concat(parts...)})
		if err != nil {
			t.Error(err)
		}
		return b
	}
	kerberosOID := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}
	token := tlv(0x60, kerberosOID, []byte{3, 0}, body)
	blob := tlv(0xa1, tlv(0x30, []byte{0xa0, 3, 0x0a, 1, 1}, tlv(0xa1, kerberosOID), tlv(0xa2, tlv(0x04, token))))
	g := slices.Concat(f[:64], []byte{9, 0, 0, 0, 72, 0, byte(len(blob)), byte(len(blob) >> 8)}, blob)
	binary.LittleEndian.PutUint32(g[8:], 0xC0000016) // STATUS_MORE_PROCESSING_REQUIRED
	return g
}
