package kerberos

import (
	"encoding/asn1"
	"errors"
)

func oidKerberos() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2} }

// oidKerberosOld is the one that Windows 2000 made by mistake and that Windows still may name (MS-SPNG 1.9).
func oidKerberosOld() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2} }

func oidNegotiate() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2} }

func isKerberos(oid asn1.ObjectIdentifier) bool {
	return oid.Equal(oidKerberos()) || oid.Equal(oidKerberosOld())
}

// negTokenInit offers one mechanism, Kerberos, with its first token (RFC 4178 4.2.1). With a single mechanism there
// is no list that somebody could shorten, so no mechListMIC either (RFC 4178 5).
func negTokenInit(token []byte) ([]byte, error) {
	init, err := asn1.Marshal(struct {
		Mechanisms []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
		Token      []byte                  `asn1:"explicit,tag:2"`
	}{[]asn1.ObjectIdentifier{oidKerberos()}, token})
	if err != nil {
		return nil, err
	}
	choice, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: init})
	if err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(oidNegotiate())
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: append(oid, choice...)})
}

// unwrapNegotiate gives the mechanism's token inside a NegTokenResp (RFC 4178 4.2.2); any other token comes back
// as it is. A peer that wants another mechanism than Kerberos is refused.
func unwrapNegotiate(answer []byte) ([]byte, error) {
	const respTag = 0xa1
	if answer[0] != respTag {
		return answer, nil
	}
	var choice asn1.RawValue
	rest, err := asn1.Unmarshal(answer, &choice)
	var resp struct {
		State     asn1.Enumerated       `asn1:"explicit,tag:0,optional,default:-1"`
		Mechanism asn1.ObjectIdentifier `asn1:"explicit,tag:1,optional"`
		Token     []byte                `asn1:"explicit,tag:2,optional"`
		MIC       []byte                `asn1:"explicit,tag:3,optional"`
	}
	if err == nil && len(rest) == 0 {
		rest, err = asn1.Unmarshal(choice.Bytes, &resp)
	}
	if err != nil || len(rest) > 0 {
		return nil, errors.New("the service's SPNEGO answer is malformed")
	}
	if len(resp.Mechanism) > 0 && !isKerberos(resp.Mechanism) {
		return nil, errors.New("the service wants another mechanism than Kerberos")
	}
	if len(resp.Token) == 0 {
		const reject = 2
		if resp.State == reject {
			return nil, &Error{Kind: Refused, FromService: true}
		}
		return nil, errors.New("the service accepts without proving itself")
	}
	return resp.Token, nil
}
