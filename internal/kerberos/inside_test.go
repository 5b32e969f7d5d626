package kerberos

import (
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	gofork "github.com/jcmturner/gofork/encoding/asn1"
)

// FuzzInside lets peers that know our keys say anything: what they sealed is as hostile as what they did not.
func FuzzInside(f *testing.F) {
	key := types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 32)}
	who := principal{types.NewPrincipalName(1, "u"), "R"}
	c := &Client{secret: &secret{password: "p"}, etypes: ourTypes(), who: who, now: time.Now}
	name := types.NewPrincipalName(2, "krbtgt/R")
	part := messages.EncKDCRepPart{
		Key: key, LastReqs: []messages.LastReq{{LRValue: time.Now().UTC()}}, Flags: types.NewKrbFlags(), AuthTime: time.Now().UTC(),
		StartTime: time.Now().UTC(), EndTime: time.Now().UTC(), RenewTill: time.Now().UTC(), SRealm: "R", SName: name,
	}
	seed, err := gofork.Marshal(part)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asn1tools.AddASNAppTag(seed, 25))
	f.Add(asn1tools.AddASNAppTag(seed, 26))
	seed, err = gofork.Marshal(messages.EncAPRepPart{CTime: time.Now().UTC(), Subkey: key, SequenceNumber: 7})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(asn1tools.AddASNAppTag(seed, 27))
	f.Fuzz(func(t *testing.T, inside []byte) {
		sealed := func(usage uint32) types.EncryptedData {
			e, err := crypto.GetEncryptedData(inside, key, usage, 1)
			if err != nil {
				t.Skip()
			}
			return e
		}
		fields := messages.KDCRepFields{PVNO: 5, CRealm: "R", CName: who.name, Ticket: messages.Ticket{TktVNO: 5, Realm: "R", SName: name, EncPart: sealed(2)}}
		fields.MsgType, fields.EncPart = 11, sealed(keyusage.AS_REP_ENCPART)
		req := c.asRequest()
		if as, err := (&messages.ASRep{KDCRepFields: fields}).Marshal(); err == nil {
			if got, err := c.readAS(as, nil, req, key); err == nil && len(got.key.KeyValue) != keySize(got.key.KeyType) {
				t.Fatal("a key of a wrong size")
			}
		}
		fields.MsgType, fields.EncPart = 13, sealed(keyusage.TGS_REP_ENCPART_SESSION_KEY)
		tgs := messages.TGSReq{KDCReqFields: messages.KDCReqFields{ReqBody: c.requestBody("R", name)}}
		if rep, err := (&messages.TGSRep{KDCRepFields: fields}).Marshal(); err == nil {
			if got, err := readTGS(rep, &tgs, &ticket{key: key, client: who}); err == nil && len(got.key.KeyValue) != keySize(got.key.KeyType) {
				t.Fatal("a key of a wrong size")
			}
		}
		rep, err := gofork.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed(keyusage.AP_REP_ENCPART)})
		if err != nil {
			return
		}
		i := Initiator{client: c, ticket: &ticket{key: key}, auth: types.Authenticator{SubKey: key, CTime: time.Unix(1, 0)}}
		token, err := frameToken(tokenAPRep, asn1tools.AddASNAppTag(rep, 15))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := i.Accept(token); err == nil && len(s.key.KeyValue) != keySize(s.key.KeyType) {
			t.Fatal("a key of a wrong size")
		}
	})
}
