package kerberos

import (
	"fmt"
	"slices"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// authenticate is the AS exchange: a password's key proven by an encrypted time,
// RFC 4120 5.2.7.2. The account is looked at before the password (locked or
// disabled, MS-KILE 3.3.5.6.3); that the password must be changed is told only to
// who knows it.
func (k *KDC) authenticate(r *request) ([]byte, *Error) {
	a, ok := k.client(r.body.CName)
	if !ok {
		return nil, refuse(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, r.body.CName.PrincipalNameString())
	}
	if a.locked {
		return nil, refuse(errorcode.KDC_ERR_CLIENT_REVOKED, a.names[0])
	}
	if no := r.body.checkOptions(); no != nil {
		return nil, no
	}
	if r.body.wants(flags.Renew) {
		return nil, refuse(errorcode.KDC_ERR_BADOPTION, "renewal without a ticket")
	}
	if _, no := r.body.common(); no != nil {
		return nil, no
	}
	to, ok := k.server(r.body.SName)
	if !ok {
		return nil, refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.body.SName.PrincipalNameString())
	}
	key, no := k.checkPassword(a, r)
	if no != nil {
		return nil, no
	}
	if a.expired {
		return nil, refuse(errorcode.KDC_ERR_KEY_EXPIRED, a.names[0])
	}
	return k.welcome(r, a, to, key)
}

// checkPassword gives the key that the client proved to have.
func (k *KDC) checkPassword(a *account, r *request) (types.EncryptionKey, *Error) {
	var none types.EncryptionKey
	hint, err := methodData(a, r.body.ETypes)
	if err != nil {
		return none, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	proof, ok := r.padata(patype.PA_ENC_TIMESTAMP)
	if !ok {
		return none, &Error{Code: errorcode.KDC_ERR_PREAUTH_REQUIRED, data: hint}
	}
	failed := &Error{Code: errorcode.KDC_ERR_PREAUTH_FAILED, data: hint}
	var sealed types.EncryptedData
	if rest, err := asn1.Unmarshal(proof, &sealed); err != nil || len(rest) != 0 {
		return none, failed
	}
	key, ok := a.key(sealed.EType)
	if !ok {
		return none, refuse(errorcode.KDC_ERR_ETYPE_NOSUPP, fmt.Sprint(sealed.EType))
	}
	plain, err := unseal(sealed.Cipher, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP)
	if err != nil {
		k.wrongPassword(a)
		return none, failed
	}
	var stamp types.PAEncTSEnc
	if _, err := asn1.Unmarshal(plain, &stamp); err != nil {
		return none, failed
	}
	if skewed(k.config.Now(), stamp.PATimestamp, stamp.PAUSec) {
		return none, refuse(errorcode.KRB_AP_ERR_SKEW, stamp.PATimestamp.String())
	}
	a.inARow = 0
	return key, nil
}

// skewed tells whether a peer's time is more than five minutes away, or no time.
func skewed(now, theirs time.Time, usec int) bool {
	if usec < 0 || usec >= 1e6 {
		return true
	}
	off := now.Sub(theirs.Add(time.Duration(usec) * time.Microsecond))
	return off.Abs() > maxSkew
}

// methodData tells the client how to make its key: the encryption types it shares
// with the account, in its own order, and the salt.
func methodData(a *account, offered []int32) ([]byte, error) {
	var infos types.ETypeInfo2
	for _, e := range offered {
		known := slices.ContainsFunc(infos, func(i types.ETypeInfo2Entry) bool { return i.EType == e })
		if _, ok := a.key(e); ok && !known {
			infos = append(infos, types.ETypeInfo2Entry{EType: e, Salt: a.salt})
		}
	}
	info, err := asn1.Marshal(infos)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(types.MethodData{
		{PADataType: patype.PA_ETYPE_INFO2, PADataValue: info},
		{PADataType: patype.PA_ENC_TIMESTAMP},
	})
}

// welcome makes the AS-REP.
func (k *KDC) welcome(r *request, a, to *account, key types.EncryptionKey) ([]byte, *Error) {
	cname := r.body.CName
	if r.body.wants(flags.Canonicalize) || cname.NameType == nametype.KRB_NT_ENTERPRISE {
		cname = userName(a.names[0])
	}
	now := k.now()
	t, no := k.times(&r.body, now, time.Time{}, now.Add(k.config.RenewLifetime))
	if no != nil {
		return nil, no
	}
	ticket, part, no := k.issue(r, cname, to, t, flags.Initial, flags.PreAuthent)
	if no != nil {
		return nil, no
	}
	info, err := asn1.Marshal(types.ETypeInfo2{{EType: key.KeyType, Salt: a.salt}})
	if err != nil {
		return nil, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	sealed, err := sealPart(part, asnAppTag.EncASRepPart, key, keyusage.AS_REP_ENCPART, a.kvno)
	if err != nil {
		return nil, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	reply := messages.ASRep{KDCRepFields: messages.KDCRepFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_AS_REP,
		PAData: []types.PAData{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: info}},
		CRealm: k.config.Realm, CName: cname, Ticket: ticket, EncPart: sealed,
	}}
	out, err := reply.Marshal()
	if err != nil {
		return nil, refuse(errorcode.KRB_ERR_GENERIC, err.Error())
	}
	return out, nil
}
