package wsmanserver

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/masterzen/winrm"
)

// fakeHandshake takes "ticket:user" and plays a ticket of that user. The real one is tested with the lab.
type fakeHandshake struct {
	user    string
	expires time.Time
}

func (f *fakeHandshake) Next(token []byte) ([]byte, bool, error) {
	user, ok := strings.CutPrefix(string(token), "ticket:")
	if !ok {
		return []byte("why"), false, errors.New("no ticket")
	}
	f.user = user
	return []byte("proof"), true, nil
}

func (f *fakeHandshake) Session() (Session, error) { return fakeSession{f.user, f.expires}, nil }

// fakeSession turns every byte around and has a header as long as Kerberos' own.
type fakeSession struct {
	user    string
	expires time.Time
}

func (f fakeSession) Principal() string  { return f.user + "@LAB.EXAMPLE" }
func (f fakeSession) Expires() time.Time { return f.expires }

func (f fakeSession) Wrap(plain []byte) (header, sealed []byte, err error) {
	sealed = bytes.Clone(plain)
	for i := range sealed {
		sealed[i] ^= 0x5a
	}
	return bytes.Repeat([]byte{5}, 60), sealed, nil
}

func (f fakeSession) Unwrap(header, sealed []byte) ([]byte, error) {
	if len(header) != 60 {
		return nil, errors.New("a header of another length")
	}
	_, plain, err := f.Wrap(sealed)
	return plain, err
}

func ticket(user string) string { return base64.StdEncoding.EncodeToString([]byte("ticket:" + user)) }

// sealedBy makes a body under a protocol as MS-WSMV 2.2.9.1 wants it.
func sealedBy(protocol, message string) (contentType string, body []byte) {
	header, sealed, _ := fakeSession{}.Wrap([]byte(message))
	var b bytes.Buffer
	fmt.Fprintf(&b, "--Encrypted Boundary\r\n\tContent-Type: %s\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"+
		"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n%s%s%s--Encrypted Boundary--\r\n",
		protocol, len(message), binary.LittleEndian.AppendUint32(nil, uint32(len(header))), header, sealed)
	return `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`, b.Bytes()
}

func TestTheProtocolOfSealedBodiesFollowsTheScheme(t *testing.T) {
	var asked []Channel
	now, mu := time.Now(), sync.Mutex{}
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := start(t, Config{Now: clock, Kerberos: func(c Channel) Handshake {
		asked = append(asked, c)
		return &fakeHandshake{expires: now.Add(time.Hour)}
	}})
	for scheme, protocol := range map[string]string{
		"Kerberos":  "application/HTTP-Kerberos-session-encrypted",
		"Negotiate": "application/HTTP-SPNEGO-session-encrypted",
	} {
		c := dial(t, s)
		res, _, err := c.post(scheme+" "+ticket("Admin"), "", nil)
		if want := scheme + " " + base64.StdEncoding.EncodeToString([]byte("proof")); err != nil || res.StatusCode != http.StatusOK || res.Header.Get("WWW-Authenticate") != want {
			t.Fatalf("%s: %v %v", scheme, res, err)
		}
		contentType, body := sealedBy(protocol, create(c))
		res, text, err := c.post("", contentType, body)
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != contentType || !bytes.Contains(text, []byte("\tContent-Type: "+protocol+"\r\n")) {
			t.Errorf("%s: %v %v", scheme, res, err)
		}
		other := strings.NewReplacer("Kerberos", "SPNEGO", "SPNEGO", "Kerberos").Replace(protocol)
		contentType, body = sealedBy(other, create(c))
		if res, _, err := c.post("", contentType, body); err != nil || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s under the other protocol: %v %v", scheme, res, err)
		}
	}
	for _, c := range asked {
		if !c.Seal || c.Binding != nil || c.Require {
			t.Errorf("plain HTTP: %+v", c)
		}
	}
	if st := s.Stats(); st.Logons != 2 || st.Shells != 2 || st.Readable != 0 {
		t.Errorf("%+v", st)
	}
}

func TestASessionEndsWithItsTicket(t *testing.T) {
	mu, now := sync.Mutex{}, time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	expires := now.Add(time.Hour)
	s := start(t, Config{Now: clock, Kerberos: func(Channel) Handshake { return &fakeHandshake{expires: expires} }})
	c := dial(t, s)
	if res, _, err := c.post("Kerberos "+ticket("admin"), "", nil); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	contentType, body := sealedBy(kerberosProtocol, create(c))
	set := func(t time.Time) { mu.Lock(); defer mu.Unlock(); now = t }
	for _, tc := range []struct {
		at   time.Time
		want int
	}{{expires.Add(-time.Second), 200}, {expires, 401}, {expires.Add(-time.Second), 401}} {
		set(tc.at)
		if res, _, err := c.post("", contentType, body); err != nil || res.StatusCode != tc.want {
			t.Errorf("%v before its end: %v %v", expires.Sub(tc.at), res.StatusCode, err)
		}
	}
	set(expires)
	if res, _, err := dial(t, s).post("Kerberos "+ticket("admin"), "", nil); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a ticket that is over already: %v %v", res, err)
	}
}

func TestWhatTheKerberosSideIsTold(t *testing.T) {
	a := newAuthority(t)
	mine := a.server()
	var asked []Channel
	s := start(t, Config{
		Kerberos: func(c Channel) Handshake {
			asked = append(asked, c)
			return &fakeHandshake{expires: time.Now().Add(time.Hour)}
		},
		Listeners: []Listener{{Certificate: mine}, {Certificate: mine, ChannelBinding: Strict}, {Certificate: mine, ChannelBinding: Unchecked}},
	})
	for _, address := range s.Addresses() {
		c := a.dialTLS(address, nil)
		// Over TLS the ticket comes with the first message.
		res, text, err := c.post("Negotiate "+ticket("admin"), soapType, []byte(create(c)))
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Contains(text, []byte(`LAB\admin`)) {
			t.Errorf("%v %s %v", res, text, err)
		}
		c.plain(winrm.NewOpenShellRequest(c.url, c.params))
		for _, bad := range []string{ticket("nobody"), base64.StdEncoding.EncodeToString([]byte("garbage"))} {
			if res, _, err := c.post("Negotiate "+bad, "", nil); err != nil || res.StatusCode != http.StatusUnauthorized {
				t.Errorf("%v %v", res, err)
			}
		}
		res, _, err = c.post("Kerberos "+base64.StdEncoding.EncodeToString([]byte("garbage")), "", nil)
		if want := "Kerberos " + base64.StdEncoding.EncodeToString([]byte("why")); err != nil || res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") != want {
			t.Errorf("the reason: %v %v", res, err)
		}
		if res, _, err := c.post("", soapType, []byte(create(c))); err != nil || res.StatusCode != http.StatusUnauthorized {
			t.Errorf("the connection is still somebody's: %v %v", res, err)
		}
	}
	want := channelBinding(mine.Leaf)
	for i, c := range asked {
		if c.Seal || (i/4 < 2) != bytes.Equal(c.Binding, want) || c.Require != (i/4 == 1) {
			t.Errorf("logon %d: %+v", i, c)
		}
	}
	if st := s.Stats(); st.Shells != 6 || st.Logons != 3 || st.Refused != 9 || st.Readable != 0 {
		t.Errorf("%+v", st)
	}
}
