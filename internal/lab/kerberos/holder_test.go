package kerberos

import (
	"errors"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ticketHolder makes requests by hand, with the clock that it is given.
type ticketHolder struct {
	k    *KDC
	conf *config.Config
	now  func() time.Time
	tgt  messages.Ticket
	key  types.EncryptionKey
	name types.PrincipalName
}

// asRequest is admin's request for a ticket with the password "right", and the key
// that its answer is sealed with. A proof, if given, stands in for the time.
func asRequest(tb testing.TB, k *KDC, now func() time.Time, proof []byte, options ...int) ([]byte, types.EncryptionKey) {
	tb.Helper()
	req, err := messages.NewASReqForTGT(realm, gokrb5Config(tb, k), userName("admin"))
	if err != nil {
		tb.Fatal(err)
	}
	req.ReqBody.Till = now().Add(24 * time.Hour)
	types.SetFlags(&req.ReqBody.KDCOptions, options)
	if proof == nil {
		if proof, err = asn1.Marshal(types.PAEncTSEnc{PATimestamp: now().UTC()}); err != nil {
			tb.Fatal(err)
		}
	}
	secret, err := passwordKey(etypes()[0], "right", realm+"admin")
	if err != nil {
		tb.Fatal(err)
	}
	sealed, err := crypto.GetEncryptedData(proof, secret, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 1)
	if err != nil {
		tb.Fatal(err)
	}
	value, err := sealed.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	req.PAData = types.PADataSequence{{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: value}}
	b, err := req.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return b, secret
}

// holder signs admin in.
func holder(tb testing.TB, k *KDC, now func() time.Time) *ticketHolder {
	tb.Helper()
	h := &ticketHolder{k: k, conf: gokrb5Config(tb, k), now: now, name: userName("admin")}
	req, secret := asRequest(tb, k, now, nil)
	var rep messages.ASRep
	if err := rep.Unmarshal(k.answer(req)); err != nil {
		tb.Fatal(err)
	}
	plain, err := crypto.DecryptEncPart(rep.EncPart, secret, keyusage.AS_REP_ENCPART)
	if err != nil {
		tb.Fatal(err)
	}
	var part messages.EncKDCRepPart
	if err := part.Unmarshal(plain); err != nil {
		tb.Fatal(err)
	}
	h.tgt, h.key = rep.Ticket, part.Key
	return h
}

// request makes a TGS request; edit may spoil its parts before they are sealed.
func (h *ticketHolder) request(tb testing.TB, spn string, edit func(*messages.TGSReq, *types.Authenticator)) []byte {
	tb.Helper()
	req, err := messages.NewTGSReq(h.name, realm, h.conf, h.tgt, h.key, types.NewPrincipalName(2, spn), false)
	if err != nil {
		tb.Fatal(err)
	}
	req.ReqBody.Till = h.now().Add(24 * time.Hour)
	body, err := req.ReqBody.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	e, err := crypto.GetEtype(h.key.KeyType)
	if err != nil {
		tb.Fatal(err)
	}
	sum, err := e.GetChecksumHash(h.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		tb.Fatal(err)
	}
	auth, err := types.NewAuthenticator(realm, h.name)
	if err != nil {
		tb.Fatal(err)
	}
	auth.CTime, auth.Cusec = h.now().UTC(), 0
	auth.Cksum = types.Checksum{CksumType: e.GetHashID(), Checksum: sum}
	tgt := h.tgt
	if edit != nil {
		edit(&req, &auth)
	}
	ap, err := messages.NewAPReq(tgt, h.key, auth)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := ap.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	if len(req.PAData) > 0 {
		req.PAData = types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: raw}}
	}
	b, err := req.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// code is the error code of an answer, or 0 for a ticket.
func code(tb testing.TB, answer []byte) int32 {
	tb.Helper()
	var rep messages.TGSRep
	err := rep.Unmarshal(answer)
	if no := (messages.KRBError{}); errors.As(err, &no) {
		return no.ErrorCode
	}
	if err != nil {
		tb.Fatal(err)
	}
	return 0
}

// signed is a good request whose body was changed before it was signed.
func (h *ticketHolder) signed(tb testing.TB, edit func(*messages.KDCReqBody)) []byte {
	tb.Helper()
	return h.request(tb, service, func(r *messages.TGSReq, a *types.Authenticator) {
		edit(&r.ReqBody)
		body, err := r.ReqBody.Marshal()
		if err != nil {
			tb.Fatal(err)
		}
		e, err := crypto.GetEtype(h.key.KeyType)
		if err != nil {
			tb.Fatal(err)
		}
		a.Cksum.Checksum, err = e.GetChecksumHash(h.key.KeyValue, body, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
		if err != nil {
			tb.Fatal(err)
		}
	})
}

// granted is a service ticket and what its owner learns about it.
func (h *ticketHolder) granted(tb testing.TB, spn string) (messages.Ticket, messages.EncKDCRepPart) {
	tb.Helper()
	var rep messages.TGSRep
	if err := rep.Unmarshal(h.k.answer(h.request(tb, spn, nil))); err != nil {
		tb.Fatal(err)
	}
	if err := rep.DecryptEncPart(h.key); err != nil {
		tb.Fatal(err)
	}
	return rep.Ticket, rep.DecryptedEncPart
}
