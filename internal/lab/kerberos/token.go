package kerberos

import (
	encasn1 "encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// TokenError says that a token is not what a Kerberos initiator sends.
type TokenError struct{ Err error }

func (e *TokenError) Error() string { return "bad Kerberos token: " + e.Err.Error() }

// Unwrap gives the reason.
func (e *TokenError) Unwrap() error { return e.Err }

func badToken(text string) error { return &TokenError{Err: errors.New(text)} }

// Mechanisms, RFC 4121 4.1 and RFC 4178 4.2; Microsoft's number came from a
// mistake in Windows 2000 and is still offered, MS-SPNG 1.9.
func oidKerberos() encasn1.ObjectIdentifier {
	return encasn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
}

func oidMicrosoft() encasn1.ObjectIdentifier {
	return encasn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}
}

func oidSPNEGO() encasn1.ObjectIdentifier { return encasn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2} }

// Token ids, RFC 4121 4.1.
const (
	idRequest = 0x0100
	idReply   = 0x0200
	idError   = 0x0300
)

// Negotiation states, RFC 4178 4.2.2.
const (
	acceptCompleted = 0
	rejected        = 2
)

const maxMechs = 16

func isKerberos(mech encasn1.ObjectIdentifier) bool {
	return mech.Equal(oidKerberos()) || mech.Equal(oidMicrosoft())
}

// framing is how the initiator wraps its tokens; answers are wrapped alike.
type framing struct {
	spnego bool
	mech   encasn1.ObjectIdentifier
}

// readInitial takes the AP-REQ out of an initiator's first token.
func readInitial(token []byte) (ap []byte, f framing, err error) {
	mech, body, err := readGSS(token)
	if err != nil {
		return nil, f, err
	}
	f.mech = mech
	if mech.Equal(oidSPNEGO()) {
		f.spnego = true
		if f.mech, token, err = readNegotiation(body); err != nil {
			return nil, f, err
		}
		if mech, body, err = readGSS(token); err != nil {
			return nil, f, err
		}
	}
	if !isKerberos(mech) {
		return nil, f, badToken("mechanism " + mech.String())
	}
	s := cryptobyte.String(body)
	var id uint16
	if !s.ReadUint16(&id) || id != idRequest {
		return nil, f, badToken("no AP-REQ")
	}
	return s, f, nil
}

// readGSS reads the frame of RFC 2743 3.1.
func readGSS(token []byte) (encasn1.ObjectIdentifier, []byte, error) {
	s := cryptobyte.String(token)
	var frame cryptobyte.String
	var mech encasn1.ObjectIdentifier
	if !s.ReadASN1(&frame, asn1.Tag(0).Constructed()|0x40) || !s.Empty() || !frame.ReadASN1ObjectIdentifier(&mech) {
		return nil, nil, badToken("no GSS frame")
	}
	return mech, frame, nil
}

// readNegotiation reads a NegTokenInit whose preferred mechanism is Kerberos; its
// first token belongs to that one, RFC 4178 4.2.1.
func readNegotiation(b []byte) (mech encasn1.ObjectIdentifier, token []byte, err error) {
	s := cryptobyte.String(b)
	var choice, seq, mechs, octets, inner cryptobyte.String
	var present bool
	context := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }
	if !s.ReadASN1(&choice, context(0)) || !s.Empty() || !choice.ReadASN1(&seq, asn1.SEQUENCE) || !choice.Empty() ||
		!seq.ReadASN1(&mechs, context(0)) || !mechs.ReadASN1(&mechs, asn1.SEQUENCE) ||
		!seq.SkipOptionalASN1(context(1)) || !seq.ReadOptionalASN1(&octets, &present, context(2)) {
		return nil, nil, badToken("no NegTokenInit")
	}
	var list []encasn1.ObjectIdentifier
	for !mechs.Empty() {
		var one encasn1.ObjectIdentifier
		if len(list) == maxMechs || !mechs.ReadASN1ObjectIdentifier(&one) {
			return nil, nil, badToken("mechanism list")
		}
		list = append(list, one)
	}
	if len(list) == 0 || !isKerberos(list[0]) {
		return nil, nil, badToken("Kerberos is not the initiator's first choice")
	}
	if !present || !octets.ReadASN1(&inner, asn1.OCTET_STRING) {
		return nil, nil, badToken("a negotiation without its first token")
	}
	return list[0], inner, nil
}

// write wraps an answer as the initiator wrapped its token.
func (f framing) write(id uint16, message []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.Tag(0).Constructed()|0x40, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidKerberos())
		b.AddUint16(id)
		b.AddBytes(message)
	})
	token, err := b.Bytes()
	if err != nil || !f.spnego {
		return token, err
	}
	state := uint8(acceptCompleted)
	if id == idError {
		state = rejected
	}
	return response(state, f.mech, token)
}

// response writes a NegTokenResp. It carries no mechListMIC: Kerberos was the
// initiator's first choice, so the list cannot have been cut, RFC 4178 5.
func response(state uint8, mech encasn1.ObjectIdentifier, token []byte) ([]byte, error) {
	var b cryptobyte.Builder
	context := func(b *cryptobyte.Builder, n uint8, f func(*cryptobyte.Builder)) {
		b.AddASN1(asn1.Tag(n).ContextSpecific().Constructed(), f)
	}
	context(&b, 1, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			context(b, 0, func(b *cryptobyte.Builder) { b.AddASN1(asn1.ENUM, func(b *cryptobyte.Builder) { b.AddUint8(state) }) })
			context(b, 1, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(mech) })
			if token != nil {
				context(b, 2, func(b *cryptobyte.Builder) { b.AddASN1OctetString(token) })
			}
		})
	})
	return b.Bytes()
}
