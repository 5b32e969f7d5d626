package kerberos

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// request is a KDC-REQ, RFC 4120 5.4.1. The library's own type forgets the bytes
// of the body, which the checksum of a TGS request covers.
type request struct {
	wire
	body requestBody
}

// wire is what request is on the wire, its body still encoded.
type wire struct {
	PVNO    int                  `asn1:"explicit,tag:1"`
	MsgType int                  `asn1:"explicit,tag:2"`
	PAData  types.PADataSequence `asn1:"explicit,optional,tag:3"`
	Body    asn1.RawValue        `asn1:"explicit,tag:4"`
}

type requestBody struct {
	Options     asn1.BitString      `asn1:"explicit,tag:0"`
	CName       types.PrincipalName `asn1:"explicit,optional,tag:1"`
	Realm       string              `asn1:"generalstring,explicit,tag:2"`
	SName       types.PrincipalName `asn1:"explicit,optional,tag:3"`
	From        time.Time           `asn1:"generalized,explicit,optional,tag:4"`
	Till        time.Time           `asn1:"generalized,explicit,tag:5"`
	RTime       time.Time           `asn1:"generalized,explicit,optional,tag:6"`
	Nonce       int                 `asn1:"explicit,tag:7"`
	ETypes      []int32             `asn1:"explicit,tag:8"`
	Addresses   []types.HostAddress `asn1:"explicit,optional,tag:9"`
	EncAuthData types.EncryptedData `asn1:"explicit,optional,tag:10"`
	Tickets     asn1.RawValue       `asn1:"explicit,optional,tag:11"`
}

// wants tells whether a KDC option is set; unlike the library's function it takes
// a short bit string.
func (b *requestBody) wants(option int) bool { return b.Options.At(option) != 0 }

func parseRequest(b []byte) (*request, error) {
	if len(b) == 0 {
		return nil, errors.New("empty request")
	}
	tag := asnAppTag.ASREQ
	if b[0]&0x1f == asnAppTag.TGSREQ {
		tag = asnAppTag.TGSREQ
	}
	var r request
	rest, err := asn1.UnmarshalWithParams(b, &r.wire, fmt.Sprintf("application,explicit,tag:%d", tag))
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 || r.PVNO != iana.PVNO || r.MsgType != tag {
		return nil, errors.New("neither AS-REQ nor TGS-REQ of version 5")
	}
	if _, err := asn1.Unmarshal(r.Body.Bytes, &r.body); err != nil {
		return nil, err
	}
	return &r, nil
}

// padata finds the first pre-authentication data of a kind.
func (r *request) padata(kind int32) ([]byte, bool) {
	for _, p := range r.PAData {
		if p.PADataType == kind {
			return p.PADataValue, true
		}
	}
	return nil, false
}

// answer gives the reply to a request, or nil for what is no request.
func (k *KDC) answer(b []byte) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests++
	r, err := parseRequest(b)
	if err != nil {
		k.malform++
		return nil
	}
	var out []byte
	var no *Error
	switch {
	case !strings.EqualFold(r.body.Realm, k.config.Realm):
		no = refuse(errorcode.KDC_ERR_WRONG_REALM, r.body.Realm)
	case r.MsgType == msgtype.KRB_AS_REQ:
		out, no = k.authenticate(r)
	default:
		out, no = k.grant(r)
	}
	if no != nil {
		return k.refusal(no, r.body.SName)
	}
	k.tickets++
	return out
}

func (k *KDC) refusal(e *Error, sname types.PrincipalName) []byte {
	if len(sname.NameString) == 0 {
		sname = types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", k.config.Realm}}
	}
	out, err := e.message(k.config.Realm, sname, k.config.Now())
	if err != nil { // a name that ASN.1 cannot carry: no answer
		return nil
	}
	return out
}

// common is the client's first encryption type that the lab has.
func (b *requestBody) common() (int32, *Error) {
	for _, e := range b.ETypes {
		if keySize(e) != 0 {
			return e, nil
		}
	}
	return 0, refuse(errorcode.KDC_ERR_ETYPE_NOSUPP, fmt.Sprint(b.ETypes))
}

// checkOptions refuses what the lab does not do instead of leaving it out.
func (b *requestBody) checkOptions() *Error {
	for _, option := range []int{
		flags.Forwarded, flags.Proxy, flags.PostDated, flags.RequestAnonymous, flags.EncTktInSkey, flags.Validate,
	} {
		if b.wants(option) {
			return refuse(errorcode.KDC_ERR_BADOPTION, fmt.Sprintf("option %d", option))
		}
	}
	if len(b.EncAuthData.Cipher) > 0 {
		return refuse(errorcode.KDC_ERR_BADOPTION, "authorization data")
	}
	return nil
}
