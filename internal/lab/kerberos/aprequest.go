package kerberos

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// presented is an AP-REQ that was opened and found good: a ticket and the proof
// that its owner sent it.
type presented struct {
	options asn1.BitString
	sname   types.PrincipalName
	part    messages.EncTicketPart
	auth    types.Authenticator
	proof   []byte // the encrypted authenticator, which never repeats
}

// openRequest checks an AP-REQ as RFC 4120 3.2.3 says, short of replays: keyOf
// chooses the key of the ticket, usage is that of the authenticator.
func openRequest(
	raw []byte, usage uint32, now time.Time, keyOf func(*messages.Ticket) (types.EncryptionKey, *Error),
) (*presented, *Error) {
	var ap messages.APReq
	if err := ap.Unmarshal(raw); err != nil {
		return nil, refuse(errorcode.KRB_AP_ERR_MSG_TYPE, err.Error())
	}
	if ap.PVNO != iana.PVNO || ap.Ticket.TktVNO != iana.PVNO {
		return nil, refuse(errorcode.KRB_AP_ERR_BADVERSION, "")
	}
	if ap.APOptions.At(flags.APOptionUseSessionKey) != 0 {
		return nil, refuse(errorcode.KRB_AP_ERR_METHOD, "user to user")
	}
	key, no := keyOf(&ap.Ticket)
	if no != nil {
		return nil, no
	}
	p := &presented{options: ap.APOptions, sname: ap.Ticket.SName, proof: ap.EncryptedAuthenticator.Cipher}
	plain, err := unseal(ap.Ticket.EncPart.Cipher, key, keyusage.KDC_REP_TICKET)
	if err != nil {
		return nil, refuse(errorcode.KRB_AP_ERR_MODIFIED, "the ticket is sealed with another key")
	}
	if err := p.part.Unmarshal(plain); err != nil {
		return nil, refuse(errorcode.KRB_AP_ERR_MODIFIED, err.Error())
	}
	if plain, err = unseal(p.proof, p.part.Key, usage); err != nil {
		return nil, refuse(errorcode.KRB_AP_ERR_BAD_INTEGRITY, "the authenticator is sealed with another key")
	}
	if err := p.auth.Unmarshal(plain); err != nil {
		return nil, refuse(errorcode.KRB_AP_ERR_BAD_INTEGRITY, err.Error())
	}
	return p, p.check(now)
}

func (p *presented) check(now time.Time) *Error {
	switch {
	case !p.auth.CName.Equal(p.part.CName) || p.auth.CRealm != p.part.CRealm:
		return refuse(errorcode.KRB_AP_ERR_BADMATCH, "")
	case skewed(now, p.auth.CTime, p.auth.Cusec):
		return refuse(errorcode.KRB_AP_ERR_SKEW, p.auth.CTime.String())
	case started(&p.part).After(now.Add(maxSkew)) || p.part.Flags.At(flags.Invalid) != 0:
		return refuse(errorcode.KRB_AP_ERR_TKT_NYV, "")
	case !now.Before(p.part.EndTime):
		return refuse(errorcode.KRB_AP_ERR_TKT_EXPIRED, p.part.EndTime.String())
	}
	return nil
}
