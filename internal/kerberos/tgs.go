package kerberos

import (
	"context"
	"errors"
	"strings"
	"time"

	gokrbasn1 "github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// maxReferrals is how many realms a service may be away from ours.
const maxReferrals = 5

func marshalTime(now time.Time) ([]byte, error) {
	now = now.UTC()
	return gokrbasn1.Marshal(types.PAEncTSEnc{PATimestamp: now, PAUSec: now.Nanosecond() / 1000})
}

// serviceTicket asks for a ticket for service, following the KDC's referrals to other realms (RFC 6806 section 8).
func (c *Client) serviceTicket(ctx context.Context, tgt *ticket, service string) (*ticket, error) {
	name := types.NewPrincipalName(nametype.KRB_NT_SRV_INST, service)
	realm := tgt.client.realm
	for range maxReferrals {
		t, err := c.exchangeTGS(ctx, tgt, realm, name, flags.Canonicalize)
		if err != nil {
			return nil, err
		}
		got := t.ticket.SName.NameString
		if len(got) != 2 || got[0] != "krbtgt" || got[1] == realm {
			return t, nil
		}
		tgt, realm = t, got[1]
	}
	return nil, &Error{Kind: UnknownService, Err: errors.New("too many referrals between realms")}
}

// renew asks for a newer ticket-granting ticket in exchange for tgt.
func (c *Client) renew(ctx context.Context, tgt *ticket) (*ticket, error) {
	realm := tgt.client.realm
	return c.exchangeTGS(ctx, tgt, realm, ticketGranting(realm, realm).name, flags.Renew)
}

// exchangeTGS makes a TGS exchange (RFC 4120 3.3) with the KDCs of realm.
func (c *Client) exchangeTGS(ctx context.Context, tgt *ticket, realm string, service types.PrincipalName, option int) (*ticket, error) {
	req := messages.TGSReq{KDCReqFields: messages.KDCReqFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REQ, ReqBody: c.requestBody(realm, service),
	}}
	types.SetFlag(&req.ReqBody.KDCOptions, option)
	message, err := c.proveTGT(&req, tgt)
	if err != nil {
		return nil, &Error{Kind: Other, Err: err}
	}
	reply, err := c.kdcs.ask(ctx, realm, message, false)
	var k messages.KRBError
	if errors.As(err, &k) {
		e := kdcError(k, c.now())
		if e.Kind == Rejected { // here it is about the ticket, not about a password
			e.Kind = Other
		}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	return readTGS(reply, &req, tgt)
}

// proveTGT puts the ticket-granting ticket and a checksum over the body into req (RFC 4120 5.4.1).
func (c *Client) proveTGT(req *messages.TGSReq, tgt *ticket) ([]byte, error) {
	body, err := req.ReqBody.Marshal()
	if err != nil {
		return nil, err
	}
	et, err := aes(tgt.key)
	if err != nil {
		return nil, err
	}
	sum, err := et.GetChecksumHash(tgt.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return nil, err
	}
	auth := c.authenticator(tgt.client)
	auth.Cksum = types.Checksum{CksumType: et.GetHashID(), Checksum: sum}
	ap, err := messages.NewAPReq(tgt.ticket, tgt.key, auth)
	if err != nil {
		return nil, err
	}
	proof, err := ap.Marshal()
	if err != nil {
		return nil, err
	}
	req.PAData = types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: proof}}
	return req.Marshal()
}

// authenticator says who and when; each has a time of its own, so that none looks like a replay.
func (c *Client) authenticator(who principal) types.Authenticator {
	now := c.stamp()
	return types.Authenticator{
		AVNO: iana.PVNO, CRealm: who.realm, CName: who.name,
		CTime: now, Cusec: now.Nanosecond() / 1000, SeqNumber: int64(nonce() >> 1),
	}
}

// readTGS opens and checks a TGS_REP (RFC 4120 3.3.4).
func readTGS(reply []byte, req *messages.TGSReq, tgt *ticket) (*ticket, error) {
	var rep messages.TGSRep
	if err := contained(func() error { return rep.Unmarshal(reply) }); err != nil {
		return nil, unproven("the KDC's answer is malformed")
	}
	plain, err := decrypt(tgt.key, rep.EncPart.Cipher, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if err != nil {
		return nil, unproven("the KDC's answer does not open with our ticket's key")
	}
	part := &rep.DecryptedEncPart
	if err := contained(func() error { return part.Unmarshal(plain) }); err != nil {
		return nil, unproven("the KDC's answer is malformed inside")
	}
	us := principal{rep.CName, rep.CRealm}
	asked := req.ReqBody.SName
	referral := len(part.SName.NameString) == 2 && part.SName.NameString[0] == "krbtgt" && asked.NameString[0] != "krbtgt"
	switch {
	case part.Nonce != req.ReqBody.Nonce:
		return nil, unproven("the KDC's answer is to another question")
	case !us.equal(tgt.client):
		return nil, unproven("the KDC's ticket is for another account")
	case part.SRealm != req.ReqBody.Realm || !part.SName.Equal(rep.Ticket.SName) || rep.Ticket.Realm != part.SRealm:
		return nil, unproven("the KDC's ticket is not the one that it describes")
	case !referral && !strings.EqualFold(part.SName.PrincipalNameString(), asked.PrincipalNameString()):
		return nil, unproven("the KDC's ticket is for another service")
	}
	return newTicket(us, rep.Ticket, part)
}
