package spnego

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// oidSPNEGO is the mechanism of the framing itself, RFC 4178 4.2.
func oidSPNEGO() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2} }

// oidNTLM is the only mechanism that is accepted here.
func oidNTLM() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
}

// oidsKerberos are Kerberos' own number and Microsoft's, which came from a mistake in Windows 2000 (MS-SPNG 1.9).
func oidsKerberos() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{{1, 2, 840, 48018, 1, 2, 2}, {1, 2, 840, 113554, 1, 2, 2}}
}

// PrefersKerberos tells whether a client's first token is one of Kerberos, so that somebody else accepts it.
func PrefersKerberos(first []byte) bool {
	t, err := parse(first)
	return err == nil && t.initial && len(t.inner) > 0 && len(t.mechs) > 0 && slices.ContainsFunc(oidsKerberos(), t.mechs[0].Equal)
}

// Negotiation states, RFC 4178 4.2.2.
const (
	acceptCompleted  = 0
	acceptIncomplete = 1
)

// token is what a client sends, of either kind. Its slices point into the message.
type token struct {
	initial bool // NegTokenInit

	mechs    []asn1.ObjectIdentifier
	mechList []byte // the encoded list, which the list's signature covers
	inner    []byte // mechToken or responseToken
	mic      []byte
}

// element reads one DER element and what follows it.
func element(b []byte) (el asn1.RawValue, rest []byte, err error) {
	rest, err = asn1.Unmarshal(b, &el)
	return el, rest, err
}

// open takes the constructed element with this class and tag apart.
func open(b []byte, class, tag int) ([]byte, error) {
	el, rest, err := element(b)
	switch {
	case err != nil:
		return nil, err
	case len(rest) != 0:
		return nil, fmt.Errorf("%d bytes behind the element", len(rest))
	case el.Class != class || el.Tag != tag || !el.IsCompound:
		return nil, fmt.Errorf("element %d/%d where %d/%d is expected", el.Class, el.Tag, class, tag)
	}
	return el.Bytes, nil
}

func parse(b []byte) (*token, error) {
	el, _, err := element(b)
	if err != nil {
		return nil, err
	}
	if el.Class == asn1.ClassContextSpecific && el.Tag == 1 {
		return parseFields(b, &token{})
	}
	body, err := open(b, asn1.ClassApplication, 0)
	if err != nil {
		return nil, err
	}
	var mech asn1.ObjectIdentifier
	choice, err := asn1.Unmarshal(body, &mech)
	if err != nil {
		return nil, err
	}
	if !mech.Equal(oidSPNEGO()) {
		return nil, fmt.Errorf("mechanism %v is not SPNEGO", mech)
	}
	return parseFields(choice, &token{initial: true})
}

// parseFields reads NegTokenInit ([0]) or NegTokenResp ([1]). Both number the
// inner token 2 and the signature 3.
func parseFields(b []byte, t *token) (*token, error) {
	choice := 1
	if t.initial {
		choice = 0
	}
	b, err := open(b, asn1.ClassContextSpecific, choice)
	if err != nil {
		return nil, err
	}
	if b, err = open(b, asn1.ClassUniversal, asn1.TagSequence); err != nil {
		return nil, err
	}
	for len(b) > 0 {
		field, rest, err := element(b)
		if err != nil {
			return nil, err
		}
		if field.Class != asn1.ClassContextSpecific {
			return nil, errors.New("untagged field")
		}
		b = rest
		switch {
		case field.Tag == 0 && t.initial:
			t.mechList = field.Bytes
			if _, err = asn1.Unmarshal(field.Bytes, &t.mechs); err != nil {
				return nil, err
			}
		case field.Tag == 2:
			_, err = asn1.Unmarshal(field.Bytes, &t.inner)
		case field.Tag == 3:
			_, err = asn1.Unmarshal(field.Bytes, &t.mic)
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// explicit wraps encoded bytes in the context tag of a field.
func explicit(tag int, encoded []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: encoded}
}

// encode joins encodings; what goes in is always valid, so an error is ours.
func encode(values ...any) ([]byte, error) {
	var out []byte
	for _, v := range values {
		b, err := asn1.Marshal(v)
		if err != nil {
			return nil, err
		}
		out = append(out, b...)
	}
	return out, nil
}

func sequence(content []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagSequence, IsCompound: true, Bytes: content}
}

// response encodes a NegTokenResp; empty parts are left out.
func response(state int, named bool, inner, mic []byte) ([]byte, error) {
	enum, err := encode(asn1.Enumerated(state))
	if err != nil {
		return nil, err
	}
	fields := []any{explicit(0, enum)}
	if named {
		oid, err := encode(oidNTLM())
		if err != nil {
			return nil, err
		}
		fields = append(fields, explicit(1, oid))
	}
	for i, part := range [][]byte{inner, mic} {
		if len(part) == 0 {
			continue
		}
		octets, err := encode(part)
		if err != nil {
			return nil, err
		}
		fields = append(fields, explicit(2+i, octets))
	}
	body, err := encode(fields...)
	if err != nil {
		return nil, err
	}
	if body, err = encode(sequence(body)); err != nil {
		return nil, err
	}
	return encode(explicit(1, body))
}

// Hint is the token that an SMB server puts into its NEGOTIATE response: the
// mechanisms it takes (MS-SPNG 2.2.1, MS-SMB2 2.2.4), Kerberos first where it is one.
func Hint(kerberos bool) ([]byte, error) {
	mechs := []asn1.ObjectIdentifier{oidNTLM()}
	if kerberos {
		mechs = append(oidsKerberos(), mechs...)
	}
	list, err := encode(mechs)
	if err != nil {
		return nil, err
	}
	body, err := encode(explicit(0, list))
	if err != nil {
		return nil, err
	}
	if body, err = encode(sequence(body)); err != nil {
		return nil, err
	}
	content, err := encode(oidSPNEGO(), explicit(0, body))
	if err != nil {
		return nil, err
	}
	return encode(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: content})
}
