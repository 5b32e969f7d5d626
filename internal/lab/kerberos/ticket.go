package kerberos

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// grantTimes are the times of a ticket; renewTill is zero unless it is renewable.
type grantTimes struct{ auth, start, end, renewTill time.Time }

// times gives a new ticket what the client asks for within the realm's limits.
// notAfter bounds it by the ticket it rests on, if not zero.
func (k *KDC) times(b *requestBody, auth, notAfter, renewableUntil time.Time) (grantTimes, *Error) {
	now := k.now()
	t := grantTimes{auth: auth, start: now, end: now.Add(k.config.Lifetime)}
	// The year 1970 means as long as possible, RFC 4120 5.4.1.
	asked := b.Till.Unix() > 0
	if asked && b.Till.Before(t.end) {
		t.end = b.Till.UTC()
	}
	if !notAfter.IsZero() && notAfter.Before(t.end) {
		t.end = notAfter
	}
	if !t.end.After(now) {
		return t, refuse(errorcode.KDC_ERR_NEVER_VALID, "the end lies in the past")
	}
	if renewableUntil.IsZero() {
		return t, nil
	}
	switch {
	case b.wants(flags.Renewable):
		t.renewTill = renewableUntil
		if b.RTime.Unix() > 0 && b.RTime.Before(t.renewTill) {
			t.renewTill = b.RTime.UTC()
		}
	case b.wants(flags.RenewableOK) && asked && b.Till.After(t.end):
		t.renewTill = renewableUntil
		if b.Till.Before(t.renewTill) {
			t.renewTill = b.Till.UTC()
		}
	}
	if !t.renewTill.After(t.end) {
		t.renewTill = time.Time{}
	}
	return t, nil
}

// now is the realm's time in the whole seconds that tickets carry.
func (k *KDC) now() time.Time { return k.config.Now().UTC().Truncate(time.Second) }

// issue makes a ticket and the part of the reply that tells the client about it.
func (k *KDC) issue(
	r *request, cname types.PrincipalName, to *account, t grantTimes, ticketFlags ...int,
) (messages.Ticket, messages.EncKDCRepPart, *Error) {
	fail := func(err error) (messages.Ticket, messages.EncKDCRepPart, *Error) {
		return messages.Ticket{}, messages.EncKDCRepPart{}, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	etype, no := r.body.common()
	if no != nil {
		return messages.Ticket{}, messages.EncKDCRepPart{}, no
	}
	session, err := randomKey(etype)
	if err != nil {
		return fail(err)
	}
	bits := types.NewKrbFlags()
	types.SetFlags(&bits, ticketFlags)
	if !t.renewTill.IsZero() {
		types.SetFlag(&bits, flags.Renewable)
	}
	inner, err := asn1.Marshal(messages.EncTicketPart{
		Flags: bits, Key: session, CRealm: k.config.Realm, CName: cname,
		Transited: messages.TransitedEncoding{TRType: 1}, // the usual compression, of nothing
		AuthTime:  t.auth, StartTime: t.start, EndTime: t.end, RenewTill: t.renewTill,
		CAddr: r.body.Addresses,
	})
	if err != nil {
		return fail(err)
	}
	sealed, err := seal(asn1tools.AddASNAppTag(inner, asnAppTag.EncTicketPart), to.keys[0], keyusage.KDC_REP_TICKET, to.kvno)
	if err != nil {
		return fail(err)
	}
	ticket := messages.Ticket{TktVNO: iana.PVNO, Realm: k.config.Realm, SName: r.body.SName, EncPart: sealed}
	return ticket, messages.EncKDCRepPart{
		Key: session, LastReqs: []messages.LastReq{{LRValue: t.auth}}, Nonce: r.body.Nonce, Flags: bits,
		AuthTime: t.auth, StartTime: t.start, EndTime: t.end, RenewTill: t.renewTill,
		SRealm: k.config.Realm, SName: r.body.SName, CAddr: r.body.Addresses,
	}, nil
}

// sealPart encrypts the client's part of a reply under its application tag.
func sealPart(part messages.EncKDCRepPart, tag int, key types.EncryptionKey, usage uint32, kvno int) (types.EncryptedData, error) {
	plain, err := asn1.Marshal(part)
	if err != nil {
		return types.EncryptedData{}, err
	}
	return seal(asn1tools.AddASNAppTag(plain, tag), key, usage, kvno)
}
