package wsmanserver

import (
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bodgit/ntlmssp"
	"github.com/masterzen/winrm"

	"cau/internal/lab/ntlm"
)

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func create(c *client) string { return winrm.NewOpenShellRequest(c.url, c.params).String() }

func TestAListenerOffersWhatItTakes(t *testing.T) {
	a := newAuthority(t)
	every := []Scheme{Negotiate, Kerberos, NTLM, Basic, Certificate}
	keys := func(Channel) Handshake { return nil }
	for name, tc := range map[string]struct {
		listener Listener
		keys     func(Channel) Handshake
		want     []string
	}{
		"a domain member":              {Listener{}, keys, []string{"Negotiate", "Kerberos"}},
		"without keys":                 {Listener{Schemes: every}, nil, []string{"Negotiate", "NTLM"}},
		"plain HTTP":                   {Listener{Schemes: every}, keys, []string{"Negotiate", "Kerberos", "NTLM"}},
		"plain HTTP, AllowUnencrypted": {Listener{Schemes: every, AllowUnencrypted: true}, keys, []string{"Negotiate", "Kerberos", "NTLM", `Basic realm="WSMAN"`}},
		"HTTPS":                        {Listener{Schemes: every, Certificate: a.server()}, keys, []string{"Negotiate", "Kerberos", "NTLM", `Basic realm="WSMAN"`}},
		"Basic only":                   {Listener{Schemes: []Scheme{Basic}, AllowUnencrypted: true}, keys, []string{`Basic realm="WSMAN"`}},
	} {
		s := start(t, Config{Listeners: []Listener{tc.listener}, Kerberos: tc.keys})
		c := dial(t, s)
		if tc.listener.Certificate != nil {
			c = a.dialTLS(s.Address(), nil)
		}
		res, _, err := c.post("", "", nil)
		if err != nil || res.StatusCode != http.StatusUnauthorized || !slices.Equal(res.Header.Values("WWW-Authenticate"), tc.want) {
			t.Errorf("%s: %v %v", name, res, err)
		}
	}
}

func TestTokensOfSchemesThatAreNotTakenAreRefused(t *testing.T) {
	first, err := ntlmssp.NewClient(ntlmssp.SetUserInfo("admin", "right"), ntlmssp.SetDomain("LAB"), ntlmssp.SetVersion(ntlmssp.DefaultVersion()))
	if err != nil {
		t.Fatal(err)
	}
	token, err := first.Authenticate(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	bare := base64.StdEncoding.EncodeToString(token)
	// NegTokenInit with the one mechanism NTLM (RFC 4178 4.2.1); its lengths fit the token of 40 bytes or so.
	inner := append([]byte{0x04, byte(len(token))}, token...)
	fields := append([]byte{0xa0, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a}, append([]byte{0xa2, byte(len(inner))}, inner...)...)
	init := append([]byte{0xa0, byte(len(fields) + 2), 0x30, byte(len(fields))}, fields...)
	body := append([]byte{0x06, 0x06, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02}, init...)
	wrapped := base64.StdEncoding.EncodeToString(append([]byte{0x60, byte(len(body))}, body...))
	s := start(t, Config{})
	every := start(t, Config{Listeners: []Listener{{Schemes: []Scheme{Negotiate, Kerberos, NTLM}}}, Kerberos: func(Channel) Handshake { return &fakeHandshake{} }})
	for _, tc := range []struct {
		name, authorization string
		s                   *Server
	}{
		{"NTLM where it is not configured", "NTLM " + bare, s},
		{"Kerberos on a node without keys", "Kerberos YAAA", s},
		{"a ticket under Negotiate on a node without keys", "Negotiate " + wrapped, s},
		{"Basic", basicAuth("Administrator", "right"), s},
		{"a certificate", mutualTLS, s},
		{"something else", "CredSSP " + bare, s},
		{"no token", "Negotiate", s},
		{"no base64", "Negotiate %%%", s},
		{"NTLM under the scheme Kerberos", "Kerberos " + bare, every},
		{"a ticket under the scheme NTLM", "NTLM " + base64.StdEncoding.EncodeToString([]byte("ticket:admin")), every},
		{"NTLM in SPNEGO", "Negotiate " + wrapped, every},
	} {
		before := tc.s.Stats()
		res, _, err := dial(t, tc.s).post(tc.authorization, "", nil)
		if err != nil || res.StatusCode != http.StatusUnauthorized || strings.Contains(res.Header.Get("WWW-Authenticate"), "TlRM") {
			t.Errorf("%s: %v %v", tc.name, res, err)
		}
		if after := tc.s.Stats(); after.Refused != before.Refused+1 || after.Logons != 0 || after.RefusedBy[Nobody] != after.Refused {
			t.Errorf("%s: %+v", tc.name, after)
		}
	}
}

func TestTheSchemeNTLMWorksWhereItIsConfigured(t *testing.T) {
	s := start(t, Config{Listeners: []Listener{{Schemes: []Scheme{NTLM}}}})
	c := dial(t, s)
	c.scheme = "NTLM"
	if status := c.logon("LAB", "admin", "right"); status != http.StatusOK {
		t.Fatal(status)
	}
	if stdout, _, _ := c.run(c.openShell(), "whoami"); stdout != `LAB\admin` {
		t.Error(stdout)
	}
}

func TestReadableBodiesAreTakenOverTLSAndWhereAllowed(t *testing.T) {
	a := newAuthority(t)
	s := start(t, Config{Listeners: []Listener{{}, {AllowUnencrypted: true}, {Certificate: a.server()}}})
	for i, name := range []string{"HTTP", "HTTP with AllowUnencrypted", "HTTPS"} {
		c := dialBy(t, &http.Transport{MaxConnsPerHost: 1}, "http://"+s.Addresses()[i])
		if i == 2 {
			c = a.dialTLS(s.Addresses()[i], nil)
		}
		if status := c.logon("LAB", "admin", "right"); status != http.StatusOK {
			t.Fatalf("%s: %d", name, status)
		}
		status, text := c.plain(winrm.NewOpenShellRequest(c.url, c.params))
		if i == 0 && (status != http.StatusInternalServerError || text != "") || i > 0 && (status != http.StatusOK || !strings.Contains(text, "ShellId")) {
			t.Errorf("%s, readable: %d %.200s", name, status, text)
		}
		if i > 0 {
			// Sealed ones are still welcome, and answered sealed.
			if stdout, _, _ := c.run(c.openShell(), "echo x"); stdout != "x" {
				t.Errorf("%s, sealed: %q", name, stdout)
			}
		}
	}
	st := s.Stats()
	if st.Readable != 2 || st.Logons != 3 || st.Shells != 4 {
		t.Errorf("%+v", st)
	}
	for i, l := range st.Listeners {
		if l.TLS != (i == 2) || l.Logons != 1 || l.Address != s.Addresses()[i] || l.Shells != []int{0, 2, 2}[i] || l.MostShells != l.Shells || l.MostConnections != 1 {
			t.Errorf("listener %d: %+v", i, l)
		}
	}
}

func TestTheChannelBindingOfALogonIsChecked(t *testing.T) {
	a := newAuthority(t)
	mine, other := a.server(), a.server()
	s := start(t, Config{Listeners: []Listener{
		{Certificate: mine}, {Certificate: mine, ChannelBinding: Strict}, {Certificate: mine, ChannelBinding: Unchecked}, {},
	}})
	for _, tc := range []struct {
		name     string
		at       int
		bindings *ntlmssp.ChannelBindings
		want     int
	}{
		{"relaxed, none", 0, nil, 200},
		{"relaxed, the right one", 0, bound(mine), 200},
		{"relaxed, another's", 0, bound(other), 401},
		{"strict, none", 1, nil, 401},
		{"strict, the right one", 1, bound(mine), 200},
		{"strict, another's", 1, bound(other), 401},
		{"unchecked, another's", 2, bound(other), 200},
		{"plain HTTP, whatever", 3, bound(other), 200},
	} {
		c := a.dialTLS(s.Addresses()[tc.at], nil)
		if tc.at == 3 {
			c = dialBy(t, &http.Transport{MaxConnsPerHost: 1}, "http://"+s.Addresses()[3])
		}
		c.bindings = tc.bindings
		if status := c.logon("LAB", "admin", "right"); status != tc.want {
			t.Errorf("%s: %d", tc.name, status)
		}
	}
	if n := s.Stats().RefusedBy[`LAB\admin`]; n != 3 {
		t.Errorf("%d refused", n)
	}
}

func TestBasicTakesLocalAccountsOnly(t *testing.T) {
	a := newAuthority(t)
	book := accounts(2)
	s := start(t, Config{Accounts: book, Listeners: []Listener{{Certificate: a.server(), Schemes: []Scheme{Basic}}}})
	c := a.dialTLS(s.Address(), nil)
	for _, tc := range []struct {
		user, password string
		want           int
	}{
		{"Administrator", "right", 200},
		{`NODE1\administrator`, "right", 200},
		{`LAB\admin`, "right", 401},
		{"admin", "right", 401},
		{"admin@lab.example", "right", 401},
		{"nobody", "right", 401},
		{"Administrator", "wrong", 401},
		{"Administrator", "", 401},
		{"Administrator", "right", 401}, // locked by now
	} {
		res, _, err := c.post(basicAuth(tc.user, tc.password), soapType, []byte(create(c)))
		if err != nil || res.StatusCode != tc.want {
			t.Errorf("%s/%s: %v %v", tc.user, tc.password, res.StatusCode, err)
		}
	}
	if res, _, err := c.post("Basic "+base64.StdEncoding.EncodeToString([]byte("no colon")), soapType, []byte(create(c))); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("no colon: %v %v", res, err)
	}
	// The connection is nobody's: each request is signed by itself.
	if res, _, err := c.post("", soapType, []byte(create(c))); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("unsigned: %v %v", res, err)
	}
	st := s.Stats()
	if book.FailedLogons("", "Administrator") != 2 || st.RefusedBy["Administrator"] != 3 || st.RefusedBy[`LAB\admin`] != 3 || st.RefusedBy[Nobody] != 2 || st.Logons != 1 || st.Shells != 2 {
		t.Errorf("%d %+v", book.FailedLogons("", "Administrator"), st)
	}
}

func TestAClientCertificateStandsForItsAccount(t *testing.T) {
	a, foreign := newAuthority(t), newAuthority(t)
	book := accounts(0)
	clock := time.Now
	s := start(t, Config{
		Accounts: book, Now: clock,
		CertificateUser: func(c *x509.Certificate) (string, string, bool) {
			return "", c.Subject.CommonName, c.Subject.CommonName != "x"
		},
		Listeners: []Listener{
			{Certificate: a.server(), Schemes: []Scheme{Certificate, Negotiate}, ClientCAs: a.pool},
			{Certificate: a.server(), Schemes: []Scheme{Negotiate}, ClientCAs: a.pool},
		},
	})
	later, use := time.Now().Add(time.Hour), x509.ExtKeyUsageClientAuth
	try := func(name string, c *client, authorization string, want int) {
		t.Helper()
		c.header.Set("Authorization", authorization)
		if status, text := c.plain(winrm.NewOpenShellRequest(c.url, c.params)); status != want {
			t.Errorf("%s: %d %.200s", name, status, text)
		}
	}
	good := a.client("Administrator", later, use)
	c := a.dialTLS(s.Address(), good)
	try("mapped", c, mutualTLS, 200)
	try("mapped again", c, mutualTLS, 200)
	c.header.Del("Authorization")
	if res, _, err := c.post("", soapType, []byte(create(c))); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the header: %v %v", res, err)
	}
	try("unmapped", a.dialTLS(s.Address(), a.client("x", later, use)), mutualTLS, 401)
	try("unknown account", a.dialTLS(s.Address(), a.client("gone", later, use)), mutualTLS, 401)
	try("expired", a.dialTLS(s.Address(), a.client("Administrator", time.Now().Add(-time.Minute), use)), mutualTLS, 401)
	try("for servers", a.dialTLS(s.Address(), a.client("Administrator", later, x509.ExtKeyUsageServerAuth)), mutualTLS, 401)
	try("none", a.dialTLS(s.Address(), nil), mutualTLS, 401)
	try("a listener that takes none", a.dialTLS(s.Addresses()[1], good), mutualTLS, 401)
	strange := foreign.client("Administrator", later, use)
	alien := a.dialTLS(s.Address(), strange)
	try("another CA", alien, mutualTLS, 401)
	book.SetState("", "Administrator", ntlm.Locked)
	try("locked", a.dialTLS(s.Address(), good), mutualTLS, 401)
	if st := s.Stats(); st.Logons != 1 || st.Shells != 2 || st.RefusedBy["Administrator"] != 1 {
		t.Errorf("%+v", st)
	}
}

func TestR02_ALockedAccountIsRefusedWithTheRightPassword(t *testing.T) {
	book := accounts(3)
	s := start(t, Config{Accounts: book})
	for i, tc := range []struct {
		password string
		want     int
	}{{"wrong", 401}, {"wrong", 401}, {"wrong", 401}, {"right", 401}} {
		if status := dial(t, s).logon("LAB", "admin", tc.password); status != tc.want {
			t.Errorf("try %d: %d", i, status)
		}
	}
	if n := book.FailedLogons("LAB", "admin"); n != 3 {
		t.Errorf("%d failed logons", n)
	}
	if st := s.Stats(); st.RefusedBy[`LAB\admin`] != 4 || st.Refused != 4 {
		t.Errorf("%+v", st)
	}
	if status := dial(t, s).logon("LAB", "other", "right"); status != 200 {
		t.Errorf("somebody else: %d", status)
	}
}

func TestWhoIsNoAdministratorIsDeniedAccess(t *testing.T) {
	s := start(t, Config{MayUse: func(user string) bool { return user == `LAB\admin` }})
	c := dial(t, s)
	if status := c.logon("LAB", "other", "right"); status != 200 {
		t.Fatal(status)
	}
	status, text := c.do(winrm.NewOpenShellRequest(c.url, c.params))
	if status != http.StatusInternalServerError || faultCode(text) != CodeAccessDenied || !strings.Contains(text, "w:AccessDenied") {
		t.Errorf("%d %s", status, text)
	}
	signIn(t, s).openShell()
}

const identify = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><w:Identify/></s:Body></s:Envelope>`

func TestIdentifyNeedsNoLogonAndTellsLessThen(t *testing.T) {
	s := start(t, Config{})
	c := dial(t, s)
	c.header.Set("WSMANIDENTIFY", "unauthenticated")
	res, body, err := c.post("", soapType, []byte(identify))
	if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), "OS: 0.0.0 ") || strings.Contains(string(body), "20348") {
		t.Errorf("unauthenticated: %v %s %v", res, body, err)
	}
	if res, _, err := c.post("", soapType, []byte(create(c))); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("anything else with that header: %v %v", res, err)
	}
	c = signIn(t, s)
	if status, text, err := c.try(identify); err != nil || status != 200 || !strings.Contains(text, "OS: 10.0.20348 ") {
		t.Errorf("authenticated: %d %s %v", status, text, err)
	}
	if st := s.Stats(); st.Readable != 1 || st.Logons != 1 {
		t.Errorf("%+v", st)
	}
}

func TestEachListenerNeedsItsAddress(t *testing.T) {
	s := New(Config{Listeners: []Listener{{}, {}}})
	if err := s.Start("127.0.0.1:0"); err == nil {
		s.Close()
		t.Error("one address for two")
	}
	if err := s.Start("127.0.0.1:0", "192.0.2.1:0"); err == nil {
		s.Close()
		t.Error("an address that is not loopback")
	}
	if err := s.Start("127.0.0.1:0", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Start("127.0.0.1:0", "127.0.0.1:0"); err == nil {
		t.Error("it started twice")
	}
	s.Close()
}
