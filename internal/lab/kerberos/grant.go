package kerberos

import (
	"time"

	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// grant is the TGS exchange, RFC 4120 3.3: a ticket for a service, or a renewed
// ticket-granting ticket.
func (k *KDC) grant(r *request) ([]byte, *Error) {
	raw, ok := r.padata(patype.PA_TGS_REQ)
	if !ok {
		return nil, refuse(errorcode.KDC_ERR_PADATA_TYPE_NOSUPP, "no ticket")
	}
	shown, no := openRequest(raw, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR, k.config.Now(), k.ownKey)
	if no != nil {
		return nil, no
	}
	// The checksum ties the request's body, which is sent in clear, to the ticket's owner.
	if !verifyChecksum(shown.auth.Cksum, r.Body.Bytes, shown.part.Key, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM) {
		return nil, refuse(errorcode.KRB_AP_ERR_MODIFIED, "checksum of the request")
	}
	if no := r.body.checkOptions(); no != nil {
		return nil, no
	}
	if no := k.inGoodStanding(&shown.part); no != nil {
		return nil, no
	}
	to, ok := k.server(r.body.SName)
	if !ok {
		return nil, refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.body.SName.PrincipalNameString())
	}
	t, no := k.serviceTimes(r, &shown.part)
	if no != nil {
		return nil, no
	}
	ticket, part, no := k.issue(r, shown.part.CName, to, t, flags.PreAuthent)
	if no != nil {
		return nil, no
	}
	return k.handOver(shown, ticket, part)
}

// ownKey opens ticket-granting tickets and no others.
func (k *KDC) ownKey(t *messages.Ticket) (types.EncryptionKey, *Error) {
	if t.Realm != k.config.Realm || !k.isTicketGranter(t.SName) {
		return types.EncryptionKey{}, refuse(errorcode.KRB_AP_ERR_NOT_US, t.SName.PrincipalNameString())
	}
	key, ok := k.granter.key(t.EncPart.EType)
	if !ok {
		return key, refuse(errorcode.KDC_ERR_ETYPE_NOSUPP, "the ticket's encryption type")
	}
	return key, nil
}

// inGoodStanding looks at the account again when its ticket is older than 20
// minutes, MS-KILE 3.3.5.7.1. A younger ticket outlives the lock.
func (k *KDC) inGoodStanding(part *messages.EncTicketPart) *Error {
	if k.now().Sub(part.AuthTime) <= standing {
		return nil
	}
	if a, ok := k.client(part.CName); !ok || a.locked {
		return refuse(errorcode.KDC_ERR_CLIENT_REVOKED, part.CName.PrincipalNameString())
	}
	return nil
}

// serviceTimes are the times of a ticket that rests on another one.
func (k *KDC) serviceTimes(r *request, held *messages.EncTicketPart) (grantTimes, *Error) {
	if !r.body.wants(flags.Renew) {
		return k.times(&r.body, held.AuthTime, held.EndTime, held.RenewTill)
	}
	now := k.now()
	// Who may no longer renew was refused before: no ticket ends after its renew-till time.
	if held.RenewTill.IsZero() || !k.isTicketGranter(r.body.SName) {
		return grantTimes{}, refuse(errorcode.KDC_ERR_BADOPTION, "not renewable")
	}
	t := grantTimes{auth: held.AuthTime, start: now, end: now.Add(held.EndTime.Sub(started(held))), renewTill: held.RenewTill}
	if t.renewTill.Before(t.end) {
		t.end = t.renewTill
	}
	return t, nil
}

func started(part *messages.EncTicketPart) time.Time {
	if part.StartTime.IsZero() {
		return part.AuthTime
	}
	return part.StartTime
}

// handOver makes the TGS-REP, sealed with the client's sub-session key if it
// chose one.
func (k *KDC) handOver(shown *presented, ticket messages.Ticket, part messages.EncKDCRepPart) ([]byte, *Error) {
	key, usage := shown.part.Key, uint32(keyusage.TGS_REP_ENCPART_SESSION_KEY)
	if len(shown.auth.SubKey.KeyValue) > 0 {
		key, usage = shown.auth.SubKey, keyusage.TGS_REP_ENCPART_AUTHENTICATOR_SUB_KEY
		if checkKey(key) != nil {
			return nil, refuse(errorcode.KDC_ERR_ETYPE_NOSUPP, "the sub-session key")
		}
	}
	sealed, err := sealPart(part, asnAppTag.EncTGSRepPart, key, usage, 0)
	if err != nil {
		return nil, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	reply := messages.TGSRep{KDCRepFields: messages.KDCRepFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REP,
		CRealm: k.config.Realm, CName: shown.part.CName, Ticket: ticket, EncPart: sealed,
	}}
	out, err := reply.Marshal()
	if err != nil {
		return nil, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	return out, nil
}
