package kerberos

import (
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	crand "crypto/rand"
)

// Token ids of RFC 4121 4.1.
const (
	tokenAPReq = 0x0100
	tokenAPRep = 0x0200
	tokenError = 0x0300
)

// What we ask of a security context (RFC 4121 4.1.1.1): the service proves itself, messages are sealed and in order.
const gssFlags = 2 /* mutual */ | 4 /* replay */ | 8 /* sequence */ | 16 /* confidentiality */ | 32 /* integrity */

// maxToken is far above a ticket with the largest authorization data in base64-free form.
const maxToken = 128 << 10

// Initiator is one logon at one service, used once.
type Initiator struct {
	client  *Client
	service string
	ticket  *ticket
	auth    types.Authenticator
	token   []byte
}

// initiator builds the AP_REQ (RFC 4120 5.5.1) with the checksum of RFC 4121 4.1.1.
func (c *Client) initiator(service string, t *ticket, channelBinding []byte) (*Initiator, error) {
	if n := len(channelBinding); n != 0 && n != 16 {
		return nil, &Error{Kind: Other, Err: errors.New("a channel binding has 16 bytes")}
	}
	if _, err := aes(t.key); err != nil {
		return nil, err
	}
	auth := c.authenticator(t.client)
	auth.SubKey = types.EncryptionKey{KeyType: t.key.KeyType, KeyValue: make([]byte, keySize(t.key.KeyType))}
	_, _ = crand.Read(auth.SubKey.KeyValue) // never fails, by its contract
	sum := make([]byte, 24)
	binary.LittleEndian.PutUint32(sum, 16)
	copy(sum[4:20], channelBinding)
	binary.LittleEndian.PutUint32(sum[20:], gssFlags)
	auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: sum}
	req, err := messages.NewAPReq(t.ticket, t.key, auth)
	if err != nil {
		return nil, &Error{Kind: Other, Err: err}
	}
	types.SetFlag(&req.APOptions, flags.APOptionMutualRequired)
	body, err := req.Marshal()
	if err != nil {
		return nil, &Error{Kind: Other, Err: err}
	}
	token, err := frameToken(tokenAPReq, body)
	if err != nil {
		return nil, &Error{Kind: Other, Err: err}
	}
	return &Initiator{client: c, service: service, ticket: t, auth: auth, token: token}, nil
}

// Token is the GSS token to send (RFC 4121 4.1).
func (i *Initiator) Token() []byte { return i.token }

// Negotiate is the same inside a SPNEGO NegTokenInit that offers Kerberos only (RFC 4178 4.2.1).
func (i *Initiator) Negotiate() ([]byte, error) { return negTokenInit(i.token) }

// Service is the name that the logon is for.
func (i *Initiator) Service() string { return i.service }

// Expires is the end of the ticket in use.
func (i *Initiator) Expires() time.Time { return i.ticket.end }

// Accept checks the service's answer, bare or inside a SPNEGO NegTokenResp, which must prove that it could read
// our ticket (mutual authentication). Errors are *Error inside a *fault.Error.
func (i *Initiator) Accept(answer []byte) (*SecurityContext, error) {
	s, err := i.accept(answer)
	if err == nil {
		return s, nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = unproven(err.Error())
	}
	if e.FromService { // whatever is wrong with the ticket, a new one is the only remedy in our hands
		i.client.forget(i.service)
	}
	return nil, failed("Kerberos logon at "+i.service, e)
}

func (i *Initiator) accept(answer []byte) (*SecurityContext, error) {
	if len(answer) == 0 {
		return nil, errors.New("the service accepts without proving itself")
	}
	if len(answer) > maxToken {
		return nil, errors.New("the service's token is too large")
	}
	token, err := unwrapNegotiate(answer)
	if err != nil {
		return nil, err
	}
	id, body, err := openToken(token)
	if err != nil {
		return nil, err
	}
	switch id {
	case tokenAPRep:
		return i.verify(body)
	case tokenError:
		return nil, i.serviceError(body)
	default:
		return nil, errors.New("the service's token is neither AP_REP nor KRB_ERROR")
	}
}

// verify checks the AP_REP (RFC 4120 3.2.5): it is encrypted with the ticket's key and repeats our time.
func (i *Initiator) verify(body []byte) (*SecurityContext, error) {
	var rep messages.APRep
	if err := contained(func() error { return rep.Unmarshal(body) }); err != nil {
		return nil, errors.New("the AP_REP is malformed")
	}
	if rep.EncPart.EType != i.ticket.key.KeyType {
		return nil, errors.New("the AP_REP is encrypted with another type than the ticket's")
	}
	plain, err := decrypt(i.ticket.key, rep.EncPart.Cipher, keyusage.AP_REP_ENCPART)
	if err != nil {
		return nil, errors.New("the service does not know the ticket's key")
	}
	var part messages.EncAPRepPart
	if err := contained(func() error { return part.Unmarshal(plain) }); err != nil {
		return nil, errors.New("the AP_REP is malformed inside")
	}
	if part.CTime.Unix() != i.auth.CTime.Unix() || part.Cusec != i.auth.Cusec {
		return nil, errors.New("the AP_REP answers another logon")
	}
	s := &SecurityContext{key: i.auth.SubKey, send: uint64(uint32(i.auth.SeqNumber)), receive: uint64(uint32(part.SequenceNumber))}
	if len(part.Subkey.KeyValue) > 0 {
		s.key, s.acceptorSubkey = part.Subkey, true
	}
	if s.etype, err = aes(s.key); err != nil {
		return nil, err
	}
	return s, nil
}

// serviceError is what the node says about our ticket.
func (i *Initiator) serviceError(body []byte) error {
	var k messages.KRBError
	if err := contained(func() error { return k.Unmarshal(body) }); err != nil {
		return errors.New("the service's KRB_ERROR is malformed")
	}
	e := kdcError(k, i.client.now())
	e.FromService = true
	switch k.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_NYV:
		e.Kind, e.Err = ClockSkew, skew(k.STime, i.client.now())
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		e.Kind = Expired
	default:
		e.Kind = Refused
	}
	return e
}

// frameToken puts a Kerberos message into the frame of RFC 2743 3.1.
func frameToken(id uint16, body []byte) ([]byte, error) {
	oid, err := asn1.Marshal(oidKerberos())
	if err != nil {
		return nil, err
	}
	inner := append(binary.BigEndian.AppendUint16(oid, id), body...)
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: inner})
}

// openToken takes the frame off again.
func openToken(token []byte) (id uint16, body []byte, err error) {
	var frame asn1.RawValue
	rest, err := asn1.Unmarshal(token, &frame)
	if err != nil || len(rest) > 0 || frame.Class != asn1.ClassApplication || frame.Tag != 0 || !frame.IsCompound {
		return 0, nil, errors.New("the service's token is malformed")
	}
	var oid asn1.ObjectIdentifier
	rest, err = asn1.Unmarshal(frame.Bytes, &oid)
	if err != nil || !isKerberos(oid) || len(rest) < 2 {
		return 0, nil, errors.New("the service's token is not one of Kerberos")
	}
	return binary.BigEndian.Uint16(rest), rest[2:], nil
}
