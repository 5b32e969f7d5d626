package kerberos

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// gokrb5Config is a configuration for the library's own client, a second peer.
func gokrb5Config(tb testing.TB, k *KDC, lines ...string) *config.Config {
	tb.Helper()
	c, err := config.NewFromString("[libdefaults]\ndefault_realm = " + realm + "\nnoaddresses = true\nudp_preference_limit = 1\n" +
		strings.Join(lines, "\n") + "\n[realms]\n" + realm + " = {\n kdc = " + k.Address() + "\n}\n")
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func TestGokrb5ClientWorks(t *testing.T) {
	t.Parallel()
	c := &clock{}
	k := domain(t, KDCConfig{LockAfter: 2, Now: c.now})
	conf := gokrb5Config(t, k)
	b, err := k.Keytab("admin", service)
	if err != nil {
		t.Fatal(err)
	}
	table := keytab.New()
	if err := table.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	for name, cl := range map[string]*client.Client{
		"password": client.NewWithPassword("admin", realm, "right", conf, client.DisablePAFXFAST(true)),
		"keytab":   client.NewWithKeytab("admin", realm, table, conf, client.DisablePAFXFAST(true)),
	} {
		ticket, key, err := cl.GetServiceTicket(service)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := ticket.DecryptEncPart(table, nil); err != nil || !bytes.Equal(ticket.DecryptedEncPart.Key.KeyValue, key.KeyValue) {
			t.Errorf("%s: ticket %v, key %x", name, err, key.KeyValue)
		}
		cl.Destroy()
	}
	login := func(user, password string) error {
		cl := client.NewWithPassword(user, realm, password, conf, client.DisablePAFXFAST(true))
		defer cl.Destroy()
		return cl.Login()
	}
	k.AddUser("old", "right")
	k.ExpirePassword("old")
	for _, try := range []struct{ user, password, want string }{
		{"old", "right", "KDC_ERR_KEY_EXPIRED"},
		{"nobody", "right", "KDC_ERR_C_PRINCIPAL_UNKNOWN"},
		{"admin", "wrong", "KDC_ERR_PREAUTH_FAILED"},
		{"admin", "wrong", "KDC_ERR_PREAUTH_FAILED"},
		{"admin", "right", "KDC_ERR_CLIENT_REVOKED"},
	} {
		if err := login(try.user, try.password); err == nil || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s with %s: %v, want %s", try.user, try.password, err, try.want)
		}
	}
	k.AddUser("admin", "right")
	c.move(-6 * time.Minute)
	if err := login("admin", "right"); err == nil || !strings.Contains(err.Error(), "KRB_AP_ERR_SKEW") {
		t.Errorf("six minutes off: %v", err)
	}
	if n := k.Stats().FailedLogons["admin"]; n != 0 {
		t.Errorf("a right password counted as %d wrong ones", n)
	}
}

func TestTicketsAreGrantedToTheirOwnersOnly(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	h := holder(t, k, time.Now)
	ask := func(edit func(*messages.TGSReq, *types.Authenticator)) int32 {
		return code(t, k.answer(h.request(t, service, edit)))
	}
	if c := ask(nil); c != 0 {
		t.Fatalf("untouched request: %d", c)
	}
	for name, try := range map[string]struct {
		want int32
		edit func(*messages.TGSReq, *types.Authenticator)
	}{
		"other service than the checksum covers": {errorcode.KRB_AP_ERR_MODIFIED, func(r *messages.TGSReq, _ *types.Authenticator) {
			r.ReqBody.SName = types.NewPrincipalName(2, alias)
		}},
		"no checksum": {errorcode.KRB_AP_ERR_MODIFIED, func(_ *messages.TGSReq, a *types.Authenticator) { a.Cksum = types.Checksum{} }},
		"other name":  {errorcode.KRB_AP_ERR_BADMATCH, func(_ *messages.TGSReq, a *types.Authenticator) { a.CName = userName("root") }},
		"other realm": {errorcode.KRB_AP_ERR_BADMATCH, func(_ *messages.TGSReq, a *types.Authenticator) { a.CRealm = "OTHER" }},
		"old proof": {errorcode.KRB_AP_ERR_SKEW, func(_ *messages.TGSReq, a *types.Authenticator) {
			a.CTime = a.CTime.Add(-6 * time.Minute)
		}},
		"proof of tomorrow": {errorcode.KRB_AP_ERR_SKEW, func(_ *messages.TGSReq, a *types.Authenticator) {
			a.CTime = a.CTime.Add(6 * time.Minute)
		}},
		"key that cannot be": {errorcode.KDC_ERR_ETYPE_NOSUPP, func(_ *messages.TGSReq, a *types.Authenticator) {
			a.SubKey = types.EncryptionKey{KeyType: 18, KeyValue: []byte("short")}
		}},
		"no ticket":     {errorcode.KDC_ERR_PADATA_TYPE_NOSUPP, func(r *messages.TGSReq, _ *types.Authenticator) { r.PAData = nil }},
		"foreign realm": {errorcode.KDC_ERR_WRONG_REALM, func(r *messages.TGSReq, _ *types.Authenticator) { r.ReqBody.Realm = "OTHER" }},
	} {
		if c := ask(try.edit); c != try.want {
			t.Errorf("%s: code %d, want %d", name, c, try.want)
		}
	}
	mine := h.tgt
	h.tgt.EncPart.Cipher = append([]byte{1}, mine.EncPart.Cipher[1:]...)
	if c := ask(nil); c != errorcode.KRB_AP_ERR_MODIFIED {
		t.Errorf("altered ticket: code %d", c)
	}
	h.tgt, h.key.KeyValue = mine, bytes.Repeat([]byte{7}, 32)
	if c := ask(nil); c != errorcode.KRB_AP_ERR_BAD_INTEGRITY {
		t.Errorf("stolen ticket: code %d", c)
	}
	h.tgt.SName = types.NewPrincipalName(2, service)
	if c := ask(nil); c != errorcode.KRB_AP_ERR_NOT_US {
		t.Errorf("ticket for a service: code %d", c)
	}
}

func TestWhatTheDomainDoesNotDoIsRefused(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	h := holder(t, k, time.Now)
	for _, option := range []int{flags.Forwarded, flags.Proxy, flags.PostDated, flags.EncTktInSkey, flags.Validate, flags.Renew} {
		b := h.signed(t, func(r *messages.KDCReqBody) { types.SetFlag(&r.KDCOptions, option) })
		if c := code(t, k.answer(b)); c != errorcode.KDC_ERR_BADOPTION {
			t.Errorf("option %d: code %d", option, c)
		}
	}
	b := h.signed(t, func(r *messages.KDCReqBody) {
		r.EncAuthData = types.EncryptedData{EType: 18, Cipher: []byte("restrictions")}
	})
	if c := code(t, k.answer(b)); c != errorcode.KDC_ERR_BADOPTION {
		t.Errorf("authorization data: code %d", c)
	}
}

func TestServiceTicketEndsWithTheTicketItRestsOn(t *testing.T) {
	t.Parallel()
	c := &clock{}
	k := domain(t, KDCConfig{Now: c.now, Lifetime: 2 * time.Hour})
	h := holder(t, k, c.now)
	signedIn := c.now()
	c.move(time.Hour)
	_, part := h.granted(t, service)
	if left := part.EndTime.Sub(signedIn); left > 2*time.Hour || left < 2*time.Hour-time.Minute {
		t.Errorf("ends %s after the logon", left)
	}
	if !part.RenewTill.IsZero() {
		t.Errorf("renewable until %s, unasked", part.RenewTill)
	}
}

func TestTicketIsRenewableInsteadOfLongWhereTheClientSaysSo(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	for _, option := range []int{flags.RenewableOK, flags.Renewable} {
		req, secret := asRequest(t, k, time.Now, nil, option)
		var rep messages.ASRep
		if err := rep.Unmarshal(k.answer(req)); err != nil {
			t.Fatal(err)
		}
		plain, err := unseal(rep.EncPart.Cipher, secret, keyusage.AS_REP_ENCPART)
		if err != nil {
			t.Fatal(err)
		}
		var part messages.EncKDCRepPart
		if err := part.Unmarshal(plain); err != nil {
			t.Fatal(err)
		}
		// Asked for 24 hours, given 10, renewable until what was asked for or the longest.
		want := map[int]time.Duration{flags.RenewableOK: 24 * time.Hour, flags.Renewable: 7 * 24 * time.Hour}[option]
		if got := part.RenewTill.Sub(part.AuthTime); (got-want).Abs() > time.Minute || part.EndTime.Sub(part.AuthTime) != 10*time.Hour {
			t.Errorf("option %d: %s, renewable for %s", option, part.EndTime.Sub(part.AuthTime), got)
		}
	}
}

func TestRightPasswordForgivesWrongOnes(t *testing.T) {
	t.Parallel()
	k := NewKDC(KDCConfig{Realm: realm, LockAfter: 3})
	k.AddUser("admin", "right")
	right, _ := asRequest(t, k, time.Now, nil)
	for round := range 3 {
		for range 2 {
			k.mu.Lock()
			k.wrongPassword(k.accounts["admin"])
			k.mu.Unlock()
		}
		var rep messages.ASRep
		if err := rep.Unmarshal(k.answer(right)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if n := k.Stats().FailedLogons["admin"]; n != 6 {
		t.Errorf("%d failed logons", n)
	}
}

func TestEncryptionTypesAreNamedOnce(t *testing.T) {
	t.Parallel()
	a := &account{salt: "salt", keys: newService().keys}
	once, err := methodData(a, []int32{23, 17, 18})
	if err != nil {
		t.Fatal(err)
	}
	often, err := methodData(a, slices.Repeat([]int32{17, 18}, 5000))
	if err != nil || !bytes.Equal(once, often) {
		t.Errorf("%d bytes, %v", len(often), err)
	}
}

func TestTicketOfALockedAccountWorksForTwentyMinutes(t *testing.T) {
	t.Parallel()
	c := &clock{}
	k := domain(t, KDCConfig{Now: c.now})
	h := holder(t, k, c.now)
	k.Lock("admin")
	c.move(19 * time.Minute)
	if got := code(t, k.answer(h.request(t, service, nil))); got != 0 {
		t.Errorf("after 19 minutes: code %d", got)
	}
	c.move(2 * time.Minute)
	if got := code(t, k.answer(h.request(t, service, nil))); got != errorcode.KDC_ERR_CLIENT_REVOKED {
		t.Errorf("after 21 minutes: code %d", got)
	}
}

func TestListensOnLoopbackOnlyAndEndsCleanly(t *testing.T) {
	t.Parallel()
	k := NewKDC(KDCConfig{Realm: realm})
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:0", "localhost", "localhost:0", ":0", "[::]:0"} {
		if err := k.Start(address); err == nil {
			t.Fatalf("listens on %s", address)
		}
	}
	if err := k.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := k.Start("127.0.0.1:0"); err == nil {
		t.Error("started twice")
	}
	c, err := net.Dial("tcp", k.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, _ = c.Write([]byte{0, 0}) // half a length: the connection waits for the rest
	k.Close()
	k.Close()
	if _, err := io.ReadAll(c); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
}

func TestGarbageGetsNoAnswerAndTooMuchIsNotRead(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	exchange := func(size uint32, body []byte) []byte {
		c, err := net.Dial("tcp", k.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, size), body...)); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if b := exchange(7, []byte("garbage")); len(b) != 0 {
		t.Errorf("garbage is answered with %x", b)
	}
	b := exchange(0x7fffffff, nil)
	if len(b) < 4 || code(t, b[4:]) != errorcode.KRB_ERR_FIELD_TOOLONG {
		t.Errorf("two gigabytes are answered with %x", b)
	}
	if s := k.Stats(); s.Malformed != 2 || s.Requests != 2 || s.Tickets != 0 {
		t.Errorf("%+v", s)
	}
}
