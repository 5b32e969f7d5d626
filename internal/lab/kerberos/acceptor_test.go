package kerberos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudsoda/go-smb2"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/spnego"
	"github.com/jcmturner/gokrb5/v8/types"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"pgregory.net/rapid"
)

// gssChecksum is what an initiator says about its context.
func gssChecksum(wanted uint32) types.Checksum {
	sum := append(binary.LittleEndian.AppendUint32(nil, 16), make([]byte, 16)...)
	return types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: binary.LittleEndian.AppendUint32(sum, wanted)}
}

// initiate makes a bare token by hand; edit may spoil it before it is sealed.
func initiate(tb testing.TB, ticket messages.Ticket, key types.EncryptionKey, edit func(*types.Authenticator) (mutual bool)) []byte {
	tb.Helper()
	auth, err := types.NewAuthenticator(realm, userName("admin"))
	if err != nil {
		tb.Fatal(err)
	}
	auth.Cksum = gssChecksum(wantAll)
	mutual := true
	if edit != nil {
		mutual = edit(&auth)
	}
	ap, err := messages.NewAPReq(ticket, key, auth)
	if err != nil {
		tb.Fatal(err)
	}
	if mutual {
		types.SetFlag(&ap.APOptions, flags.APOptionMutualRequired)
	}
	raw, err := ap.Marshal()
	if err != nil {
		tb.Fatal(err)
	}
	return frame(tb, raw)
}

func frame(tb testing.TB, raw []byte) []byte {
	tb.Helper()
	token, err := framing{}.write(idRequest, raw)
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// machine is a domain, a ticket for one of its services and that service's keytab.
func machine(tb testing.TB) (messages.Ticket, types.EncryptionKey, []byte) {
	tb.Helper()
	k := NewKDC(KDCConfig{Realm: realm})
	k.AddUser("admin", "right")
	k.AddService(service, alias)
	ticket, part := holder(tb, k, time.Now).granted(tb, service)
	keys, err := k.Keytab(alias, service)
	if err != nil {
		tb.Fatal(err)
	}
	return ticket, part.Key, keys
}

func TestTokensThatDoNotAskForSealingAreRefused(t *testing.T) {
	t.Parallel()
	ticket, key, keys := machine(t)
	for _, wanted := range []uint32{wantAll &^ wantConf, wantAll &^ wantInteg, wantAll &^ wantMutual, 0} {
		token := initiate(t, ticket, key, func(a *types.Authenticator) bool {
			a.Cksum = gssChecksum(wanted)
			return wanted&wantMutual != 0
		})
		if _, done, err := NewAcceptor(AcceptorConfig{Keytab: keys, RequireSeal: true}).Next(token); done || !errors.Is(err, ErrNotSealed) {
			t.Errorf("flags %#x: done %v, %v", wanted, done, err)
		}
		a := NewAcceptor(AcceptorConfig{Keytab: keys})
		if _, done, err := a.Next(token); !done || err != nil {
			t.Fatalf("flags %#x, sealing not required: done %v, %v", wanted, done, err)
		}
		s, err := a.Session()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Wrap([]byte("x")); (err == nil) != s.Sealable() || s.Sealable() != (wanted == wantAll&^wantMutual) {
			t.Errorf("flags %#x: seals: %v", wanted, s.Sealable())
		}
	}
}

func TestProofsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	ticket, key, keys := machine(t)
	for name, try := range map[string]struct {
		code int32
		edit func(*types.Authenticator) bool
	}{
		"other name":   {errorcode.KRB_AP_ERR_BADMATCH, func(a *types.Authenticator) bool { a.CName = userName("root"); return true }},
		"no checksum":  {errorcode.KRB_AP_ERR_INAPP_CKSUM, func(a *types.Authenticator) bool { a.Cksum = types.Checksum{}; return true }},
		"cut checksum": {errorcode.KRB_AP_ERR_INAPP_CKSUM, func(a *types.Authenticator) bool { a.Cksum.Checksum = a.Cksum.Checksum[:23]; return true }},
		"other kind":   {errorcode.KRB_AP_ERR_INAPP_CKSUM, func(a *types.Authenticator) bool { a.Cksum.CksumType = 7; return true }},
		"old":          {errorcode.KRB_AP_ERR_SKEW, func(a *types.Authenticator) bool { a.CTime = a.CTime.Add(-6 * time.Minute); return true }},
		"impossible":   {errorcode.KRB_AP_ERR_SKEW, func(a *types.Authenticator) bool { a.Cusec = 1e6; return true }},
		"not mutual":   {0, func(*types.Authenticator) bool { return false }},
		"three legs":   {0, func(a *types.Authenticator) bool { a.Cksum = gssChecksum(wantAll | flagDCE); return true }},
		"senseless key": {0, func(a *types.Authenticator) bool {
			a.SubKey = types.EncryptionKey{KeyType: 23, KeyValue: key.KeyValue}
			return true
		}},
	} {
		a := NewAcceptor(AcceptorConfig{Keytab: keys})
		out, done, err := a.Next(initiate(t, ticket, key, try.edit))
		no, token := (*Error)(nil), (*TokenError)(nil)
		switch {
		case done || err == nil:
			t.Errorf("%s: accepted", name)
		case try.code != 0 && (!errors.As(err, &no) || no.Code != try.code || out == nil):
			t.Errorf("%s: %v, want code %d", name, err, try.code)
		case try.code == 0 && !errors.As(err, &token):
			t.Errorf("%s: %v", name, err)
		}
		if _, err := a.Session(); err == nil {
			t.Errorf("%s: there is a session", name)
		}
		if _, _, err := a.Next(initiate(t, ticket, key, nil)); err == nil {
			t.Errorf("%s: a second token is taken", name)
		}
	}
}

func TestOtherTokensAreRefused(t *testing.T) {
	t.Parallel()
	ticket, key, keys := machine(t)
	good := initiate(t, ticket, key, nil)
	_, inner, err := readGSS(good)
	if err != nil {
		t.Fatal(err)
	}
	negotiate := func(token []byte, mechs ...[]int) []byte {
		var b cryptobyte.Builder
		b.AddASN1(asn1.Tag(0).Constructed()|0x40, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidSPNEGO())
			b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
							for _, m := range mechs {
								b.AddASN1ObjectIdentifier(m)
							}
						})
					})
					if token != nil {
						b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(token) })
					}
				})
			})
		})
		return b.BytesOrPanic()
	}
	ntlm := []int{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
	if _, done, err := NewAcceptor(AcceptorConfig{Keytab: keys}).Next(negotiate(good, oidMicrosoft(), oidKerberos(), ntlm)); !done {
		t.Fatalf("what Windows sends: %v", err)
	}
	for name, token := range map[string][]byte{
		"empty":             {},
		"NTLM":              []byte("NTLMSSP\x00\x01\x00\x00\x00"),
		"without frame":     inner,
		"bytes behind":      append(slices.Clone(good), 0),
		"cut":               good[:len(good)-1],
		"NTLM first":        negotiate(good, ntlm, oidKerberos()),
		"no mechanism":      negotiate(good),
		"many mechanisms":   negotiate(good, slices.Repeat([][]int{oidKerberos()}, maxMechs+1)...),
		"no first token":    negotiate(nil, oidKerberos()),
		"NTLM as Kerberos":  negotiate([]byte("NTLMSSP\x00"), oidKerberos()),
		"negotiation twice": negotiate(negotiate(good, oidKerberos()), oidKerberos()),
	} {
		_, done, err := NewAcceptor(AcceptorConfig{Keytab: keys}).Next(token)
		if bad := (*TokenError)(nil); done || !errors.As(err, &bad) {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
	for name, table := range map[string][]byte{"no keytab": nil, "old keytab": {5, 1}, "cut keytab": keys[:len(keys)-1]} {
		if _, done, err := NewAcceptor(AcceptorConfig{Keytab: table}).Next(good); done || !errors.Is(err, errKeytab) {
			t.Errorf("%s: done %v, %v", name, done, err)
		}
	}
}

// go-smb2 is the SMB client that reads our roots; its session keys come from here.
func TestSMBClientAgreesOnTheSessionKey(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	k.AddService("cifs/fs1.lab.example")
	keys, err := k.Keytab("cifs/fs1.lab.example")
	if err != nil {
		t.Fatal(err)
	}
	cl := client.NewWithPassword("admin", realm, "right", gokrb5Config(t, k), client.DisablePAFXFAST(true))
	defer cl.Destroy()
	if err := cl.Login(); err != nil {
		t.Fatal(err)
	}
	i := &smb2.Krb5Initiator{Client: cl, TargetSPN: "cifs/fs1.lab.example"}
	token, err := i.InitSecContext()
	if err != nil {
		t.Fatal(err)
	}
	a := NewAcceptor(AcceptorConfig{Keytab: keys})
	out, done, err := a.Next(token)
	if err != nil || !done {
		t.Fatalf("done %v, %v", done, err)
	}
	if _, err := i.AcceptSecContext(out); err != nil {
		t.Fatal(err)
	}
	s, err := a.Session()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(i.SessionKey(), s.Key()[:16]) || s.Principal() != "admin@"+realm {
		t.Errorf("%s: keys %x and %x", s.Principal(), i.SessionKey(), s.Key())
	}
	ticket, key, err := cl.GetServiceTicket("cifs/fs1.lab.example")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := spnego.NewNegTokenInitKRB5(cl, ticket, key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := wrapped.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.Tag(0).Constructed()|0x40, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidSPNEGO())
		b.AddBytes(body)
	})
	if out, done, err = NewAcceptor(AcceptorConfig{Keytab: keys}).Next(b.BytesOrPanic()); !done {
		t.Fatalf("gokrb5's negotiation: %v", err)
	}
	initial, answer, err := spnego.UnmarshalNegToken(out)
	if err != nil || initial {
		t.Fatalf("gokrb5 reads %v, %v", initial, err)
	}
	if r := answer.(spnego.NegTokenResp); r.NegState != 0 || !r.SupportedMech.Equal(oidKerberosOf(r)) {
		t.Errorf("%+v", r)
	}
}

// oidKerberosOf is the mechanism that gokrb5 puts first, in its own type.
func oidKerberosOf(r spnego.NegTokenResp) []int {
	if slices.Equal([]int(r.SupportedMech), []int(oidKerberos())) {
		return oidKerberos()
	}
	return nil
}

func TestGuessesInParallelAreAllCounted(t *testing.T) {
	t.Parallel()
	k := NewKDC(KDCConfig{Realm: realm, LockAfter: 5})
	k.AddUser("admin", "wrong")
	req, _ := asRequest(t, k, time.Now, nil) // made with the password "right"
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() { k.answer(req) })
	}
	all.Wait()
	if n := k.Stats().FailedLogons["admin"]; n != 5 {
		t.Errorf("%d guesses were looked at, want 5 and then a locked account", n)
	}
	if c := code(t, k.answer(req)); c != errorcode.KDC_ERR_CLIENT_REVOKED {
		t.Errorf("code %d", c)
	}
}

func TestReplayCacheForgetsWhatTheClockRefusesAndIsBounded(t *testing.T) {
	t.Parallel()
	var c ReplayCache
	now := time.Unix(1e9, 0)
	for i := range maxReplays {
		if !c.fresh(binary.BigEndian.AppendUint32(nil, uint32(i)), now, now) {
			t.Fatalf("%d is no replay", i)
		}
	}
	if c.fresh([]byte("one more"), now, now) {
		t.Error("the cache has no bound")
	}
	later := now.Add(maxSkew)
	if c.fresh([]byte{0, 0, 0, 0}, now, later) || c.fresh([]byte("one more"), later, later) {
		t.Error("forgotten while the clock still lets it through")
	}
	later = later.Add(2 * time.Second)
	if !c.fresh([]byte("one more"), later, later) || len(c.seen) != 1 {
		t.Errorf("%d remembered", len(c.seen))
	}
}

func TestKeytabComesBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		etype := rapid.SampledFrom(etypes()).Draw(rt, "etype")
		want := keytabKey{
			realm: rapid.StringN(1, 30, 100).Draw(rt, "realm"), name: rapid.StringMatching(`[a-zA-Z]{1,9}(/[a-z0-9.$]{1,20})?`).Draw(rt, "name"),
			kvno: rapid.Uint32Range(1, 1<<31).Draw(rt, "kvno"), key: types.EncryptionKey{KeyType: etype},
		}
		want.key.KeyValue = rapid.SliceOfN(rapid.Byte(), keySize(etype), keySize(etype)).Draw(rt, "key")
		entry, err := keytabEntry(want.realm, want.name, want.kvno, 7, want.key)
		if err != nil {
			rt.Fatal(err)
		}
		hole := []byte{0xff, 0xff, 0xff, 0xfd, 1, 2, 3} // a deleted entry of three bytes
		got, err := readKeytab(slices.Concat([]byte{5, 2}, entry, hole, entry))
		if err != nil || len(got) != 2 {
			rt.Fatalf("%d entries, %v", len(got), err)
		}
		for _, g := range got {
			if g.realm != want.realm || g.name != want.name || g.kvno != want.kvno || g.key.KeyType != etype || !bytes.Equal(g.key.KeyValue, want.key.KeyValue) {
				rt.Fatalf("%+v, want %+v", g, want)
			}
		}
	})
}
