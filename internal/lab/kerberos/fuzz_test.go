package kerberos

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// FuzzKDC: whatever arrives gets an answer that is a Kerberos message, or none.
func FuzzKDC(f *testing.F) {
	k := NewKDC(KDCConfig{Realm: realm})
	k.AddUser("admin", "right")
	k.AddService(service)
	h := holder(f, k, time.Now)
	signIn, _ := asRequest(f, k, time.Now, nil)
	f.Add(signIn)
	f.Add(h.request(f, service, nil))
	f.Add(h.signed(f, func(r *messages.KDCReqBody) { types.SetFlag(&r.KDCOptions, flags.Renew) }))
	f.Add(h.request(f, service, func(r *messages.TGSReq, _ *types.Authenticator) {
		r.ReqBody.AdditionalTickets = []messages.Ticket{h.tgt}
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		out := k.answer(b)
		if out == nil {
			return
		}
		no, as, tgs := messages.KRBError{}, messages.ASRep{}, messages.TGSRep{}
		if no.Unmarshal(out) != nil && as.Unmarshal(out) != nil && tgs.Unmarshal(out) != nil {
			t.Fatalf("answer %x", out)
		}
	})
}

// FuzzPreauthentication: a user who knows the password may seal anything.
func FuzzPreauthentication(f *testing.F) {
	k := NewKDC(KDCConfig{Realm: realm})
	k.AddUser("admin", "right")
	f.Add([]byte("0"))
	f.Fuzz(func(t *testing.T, proof []byte) {
		if proof == nil {
			proof = []byte{}
		}
		req, _ := asRequest(t, k, time.Now, proof)
		if k.answer(req) == nil {
			t.Fatal("no answer")
		}
	})
}

// FuzzAcceptor: nobody who lacks the machine's key is let in.
func FuzzAcceptor(f *testing.F) {
	ticket, key, keys := machine(f)
	_, _, foreign := machine(f)
	token := initiate(f, ticket, key, nil)
	f.Add(token)
	f.Add([]byte{0x60, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, done, _ := NewAcceptor(AcceptorConfig{Keytab: foreign}).Next(b); done {
			t.Fatal("let in")
		}
		// With the right key the whole way is open to altered tokens.
		a := NewAcceptor(AcceptorConfig{Keytab: keys, RequireSeal: true})
		if _, done, err := a.Next(b); done != (err == nil) {
			t.Fatalf("done %v, %v", done, err)
		}
	})
}

// FuzzAuthenticator: the owner of a ticket may seal anything as his proof.
func FuzzAuthenticator(f *testing.F) {
	ticket, key, keys := machine(f)
	auth, err := types.NewAuthenticator(realm, userName("admin"))
	if err != nil {
		f.Fatal(err)
	}
	auth.Cksum = gssChecksum(wantAll)
	good, err := auth.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, proof []byte) {
		sealed, err := seal(proof, key, keyusage.AP_REQ_AUTHENTICATOR, 0)
		if err != nil {
			t.Skip(err)
		}
		ap := messages.APReq{PVNO: 5, MsgType: 14, APOptions: types.NewKrbFlags(), Ticket: ticket, EncryptedAuthenticator: sealed}
		raw, err := ap.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		a := NewAcceptor(AcceptorConfig{Keytab: keys})
		if _, done, err := a.Next(frame(t, raw)); done != (err == nil) {
			t.Fatalf("done %v, %v", done, err)
		}
	})
}

// FuzzUnwrap: only what the initiator sealed comes out.
func FuzzUnwrap(f *testing.F) {
	key := types.EncryptionKey{KeyType: 17, KeyValue: bytes.Repeat([]byte{1}, 16)}
	session := func() *Session { return &Session{flags: wantAll, key: key, ours: true} }
	head := session().head(0, 0, 0)
	sealed, err := seal(slices.Concat([]byte("data"), head), key, keyusage.GSSAPI_INITIATOR_SEAL, 0)
	if err != nil {
		f.Fatal(err)
	}
	whole := slices.Concat(head, sealed.Cipher)
	f.Add(whole)
	f.Add(whole[:HeaderSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := session().Unwrap(b[:len(b)/2], b[len(b)/2:])
		if err == nil && string(plain) != "data" || err != nil && !errors.Is(err, ErrMessage) {
			t.Fatalf("%q, %v", plain, err)
		}
	})
}

// FuzzKeytab: a file that is not a keytab is an error.
func FuzzKeytab(f *testing.F) {
	_, _, keys := machine(f)
	f.Add(keys)
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := readKeytab(b)
		for _, k := range read {
			if err != nil || checkKey(k.key) != nil {
				t.Fatalf("%+v, %v", k, err)
			}
		}
	})
}
