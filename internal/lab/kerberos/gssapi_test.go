package kerberos

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

//go:embed initiator.py
var initiatorScript string

// Flags as GSSAPI numbers them, for the initiator.
const (
	wantMutual = 2
	wantReplay = 4
	wantOrder  = 8
	wantConf   = 16
	wantInteg  = 32
	wantAll    = wantMutual | wantReplay | wantOrder | wantConf | wantInteg
)

// initiator is MIT's GSSAPI in Debian's python3-gssapi.
type initiator struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
}

type said struct {
	Token, Sealed, Header, Plain []byte
	Padding, Flags               int
	Complete, Encrypted          bool
	Error                        string
}

func python(tb testing.TB) string {
	tb.Helper()
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(tb.Context(), p, "-c", "import gssapi").Run() == nil {
			return p
		}
	}
	missing(tb, "no python3 with the module gssapi (Debian: python3-gssapi)")
	return ""
}

func newInitiator(t *testing.T, m *mit, target, mech string, flags int, bound string) *initiator {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, python(t), "-c", initiatorScript, target+"@"+realm, mech, strconv.Itoa(flags), bound)
	cmd.Env, cmd.Stderr = m.env, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		cancel()
	})
	return &initiator{t: t, in: in, out: bufio.NewReader(out)}
}

func (i *initiator) hear() said {
	i.t.Helper()
	line, err := i.out.ReadBytes('\n')
	if err != nil {
		i.t.Fatalf("the initiator ended: %v", err)
	}
	var s said
	if err := json.Unmarshal(line, &s); err != nil {
		i.t.Fatalf("%v: %s", err, line)
	}
	return s
}

func (i *initiator) tell(do string, header, data []byte) said {
	i.t.Helper()
	line, err := json.Marshal(map[string]string{
		"do": do, "header": base64.StdEncoding.EncodeToString(header), "data": base64.StdEncoding.EncodeToString(data),
	})
	if err != nil {
		i.t.Fatal(err)
	}
	if _, err := i.in.Write(append(line, '\n')); err != nil {
		i.t.Fatal(err)
	}
	s := i.hear()
	if s.Error != "" && do != "answer" {
		i.t.Fatalf("%s: the initiator says %s", do, s.Error)
	}
	return s
}

// signedIn is a domain where admin holds a ticket, and the machine's keytab.
func signedIn(t *testing.T, c KDCConfig, lines ...string) (*KDC, *mit, []byte) {
	t.Helper()
	k := domain(t, c)
	m := newMIT(t, k, lines...)
	m.must(t, "right\n", "kinit", "admin")
	keys, err := k.Keytab(service, alias)
	if err != nil {
		t.Fatal(err)
	}
	return k, m, keys
}

func TestMITInitiatorSealsInBothDirections(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"AES256": nil,
		"AES128": {"permitted_enctypes = aes128-cts-hmac-sha1-96"},
	} {
		for _, mech := range []string{"krb5", "spnego"} {
			t.Run(name+"/"+mech, func(t *testing.T) {
				t.Parallel()
				_, m, keys := signedIn(t, KDCConfig{}, lines...)
				i := newInitiator(t, m, service, mech, wantAll, "")
				a := NewAcceptor(AcceptorConfig{Keytab: keys, Services: []string{service}, RequireSeal: true})
				out, done, err := a.Next(i.hear().Token)
				if err != nil || !done {
					t.Fatalf("done %v, %v", done, err)
				}
				if s := i.tell("answer", nil, out); !s.Complete || s.Flags&wantAll != wantAll {
					t.Fatalf("the initiator: %+v", s)
				}
				s, err := a.Session()
				if err != nil {
					t.Fatal(err)
				}
				if left := time.Until(s.Expires()); s.Principal() != "admin@"+realm || s.Service() != service || left > 10*time.Hour || left < 9*time.Hour {
					t.Errorf("%s at %s for %s", s.Principal(), s.Service(), left)
				}
				if want := map[string]int{"AES256": 32, "AES128": 16}[name]; len(s.Key()) != want {
					t.Errorf("session key of %d bytes", len(s.Key()))
				}
				exchange(t, i, s)
			})
		}
	}
}

// exchange sends messages of many lengths both ways, as MIT wraps in one piece and
// as it wraps for SSPI, with the header apart.
func exchange(t *testing.T, i *initiator, s *Session) {
	t.Helper()
	for _, size := range []int{0, 1, 15, 16, 17, 31, 32, 33, 100000} {
		plain := bytes.Repeat([]byte("Kerberos"), size/8+1)[:size]
		check := func(what string, got []byte, err error) {
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s, %d bytes: %d back, %v", what, size, len(got), err)
			}
		}
		one := i.tell("wrap", nil, plain)
		got, err := s.Unwrap(nil, one.Sealed)
		check("wrap", got, err)
		two := i.tell("iov", nil, plain)
		if len(two.Header) != HeaderSize || len(two.Sealed) != size || two.Padding != 0 {
			t.Fatalf("MIT's header has %d bytes", len(two.Header))
		}
		got, err = s.Unwrap(two.Header, two.Sealed)
		check("iov", got, err)
		for _, how := range []string{"unwrap", "uniov"} {
			header, sealed, err := s.Wrap(plain)
			// Filler and rotation are MIT's own; only the direction differs.
			like := slices.Clone(two.Header[:8])
			like[2] |= fromAcceptor
			if err != nil || len(header) != HeaderSize || len(sealed) != size || !bytes.Equal(header[:8], like) {
				t.Fatalf("header % x, MIT's % x, %v", header[:16], two.Header[:16], err)
			}
			back := i.tell(how, header, sealed)
			if back.Error != "" || !back.Encrypted {
				t.Fatalf("%s: %+v", how, back)
			}
			check(how, back.Plain, nil)
		}
	}
}

func TestMITInitiatorWithoutMutualAuthentication(t *testing.T) {
	t.Parallel()
	_, m, keys := signedIn(t, KDCConfig{})
	for _, mech := range []string{"krb5", "spnego"} {
		i := newInitiator(t, m, service, mech, wantAll&^wantMutual, "")
		token := i.hear().Token
		if _, done, err := NewAcceptor(AcceptorConfig{Keytab: keys, RequireSeal: true}).Next(token); done || !errors.Is(err, ErrNotSealed) {
			t.Errorf("%s: sealing required: done %v, %v", mech, done, err)
		}
		a := NewAcceptor(AcceptorConfig{Keytab: keys})
		out, done, err := a.Next(token)
		if err != nil || !done {
			t.Fatalf("%s: done %v, %v", mech, done, err)
		}
		if c := i.tell("answer", nil, out); !c.Complete {
			t.Fatalf("%s: %+v", mech, c)
		}
		s, err := a.Session()
		if err != nil {
			t.Fatal(err)
		}
		exchange(t, i, s)
	}
}

// bindingsOf is what RFC 4121 4.1.1.2 hashes: two addresses that are not given,
// and the application's data.
func bindingsOf(data string) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(data)))
	sum := md5.Sum(append(b, data...))
	return sum[:]
}

func TestChannelBindingIsChecked(t *testing.T) {
	t.Parallel()
	_, m, keys := signedIn(t, KDCConfig{})
	const channel = "tls-server-end-point:0123456789abcdef"
	for _, try := range []struct {
		name, sent string
		binding    []byte
		strict, ok bool
	}{
		{"right", channel, bindingsOf(channel), true, true},
		{"right, relaxed", channel, bindingsOf(channel), false, true},
		{"another channel", "tls-server-end-point:man-in-the-middle", bindingsOf(channel), false, false},
		{"none, relaxed", "", bindingsOf(channel), false, true},
		{"none, strict", "", bindingsOf(channel), true, false},
		{"not checked", channel, nil, false, true},
		{"required but unknown to us", "", nil, true, false},
	} {
		token := newInitiator(t, m, service, "krb5", wantAll, try.sent).hear().Token
		_, done, err := NewAcceptor(AcceptorConfig{Keytab: keys, ChannelBinding: try.binding, RequireChannelBinding: try.strict}).Next(token)
		if done != try.ok || !try.ok && !errors.Is(err, ErrBindings) || try.ok && err != nil {
			t.Errorf("%s: done %v, %v", try.name, done, err)
		}
	}
}

func TestMITInitiatorReadsWhyItIsRefused(t *testing.T) {
	t.Parallel()
	k, m, keys := signedIn(t, KDCConfig{Lifetime: 2 * time.Hour})
	other, err := k.Keytab(alias)
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }
	stranger := NewKDC(KDCConfig{Realm: realm})
	stranger.AddService(service)
	foreign, err := stranger.Keytab(service)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readKeytab(keys)
	if err != nil {
		t.Fatal(err)
	}
	newer := []byte{5, 2}
	for _, e := range all {
		b, err := keytabEntry(realm, e.name, e.kvno+1, 0, e.key)
		if err != nil {
			t.Fatal(err)
		}
		newer = append(newer, b...)
	}
	for _, try := range []struct {
		name   string
		config AcceptorConfig
		code   int32
		want   string
	}{
		{"clock", AcceptorConfig{Keytab: keys, Now: at(6 * time.Minute)}, errorcode.KRB_AP_ERR_SKEW, "Clock skew too great"},
		{"other machine's key", AcceptorConfig{Keytab: foreign}, errorcode.KRB_AP_ERR_MODIFIED, "Message stream modified"},
		{"no key", AcceptorConfig{Keytab: other}, errorcode.KRB_AP_ERR_NOKEY, "Service key not available"},
		{"other service", AcceptorConfig{Keytab: keys, Services: []string{alias}}, errorcode.KRB_AP_ERR_NOT_US, "The ticket isn't for us"},
		{"key version", AcceptorConfig{Keytab: newer}, errorcode.KRB_AP_ERR_BADKEYVER, "Key version"},
	} {
		for _, mech := range []string{"krb5", "spnego"} {
			i := newInitiator(t, m, service, mech, wantAll, "")
			out, done, err := NewAcceptor(try.config).Next(i.hear().Token)
			no := (*Error)(nil)
			if done || !errors.As(err, &no) || no.Code != try.code {
				t.Errorf("%s: done %v, %v", try.name, done, err)
			}
			if s := i.tell("answer", nil, out); !strings.Contains(s.Error, try.want) {
				t.Errorf("%s, %s: the initiator says %q, want %q", try.name, mech, s.Error, try.want)
			}
		}
	}
}

func TestExpiredTicketIsRefused(t *testing.T) {
	t.Parallel()
	_, m, keys := signedIn(t, KDCConfig{Lifetime: 2 * time.Minute})
	i := newInitiator(t, m, service, "krb5", wantAll, "")
	out, _, err := NewAcceptor(AcceptorConfig{Keytab: keys, Now: func() time.Time { return time.Now().Add(2 * time.Minute) }}).Next(i.hear().Token)
	if no := (*Error)(nil); !errors.As(err, &no) || no.Code != errorcode.KRB_AP_ERR_TKT_EXPIRED {
		t.Error(err)
	}
	if s := i.tell("answer", nil, out); !strings.Contains(s.Error, "Ticket expired") {
		t.Errorf("%+v", s)
	}
}

func TestRecordedLogonWorksOnce(t *testing.T) {
	t.Parallel()
	_, m, keys := signedIn(t, KDCConfig{})
	seen := &ReplayCache{}
	next := func(token []byte) ([]byte, error) {
		out, _, err := NewAcceptor(AcceptorConfig{Keytab: keys, Replays: seen}).Next(token)
		return out, err
	}
	first := newInitiator(t, m, service, "krb5", wantAll, "")
	token := first.hear().Token
	if _, err := next(token); err != nil {
		t.Fatal(err)
	}
	out, err := next(token)
	if no := (*Error)(nil); !errors.As(err, &no) || no.Code != errorcode.KRB_AP_ERR_REPEAT {
		t.Fatal(err)
	}
	if s := first.tell("answer", nil, out); !strings.Contains(s.Error, "Request is a replay") {
		t.Errorf("%+v", s)
	}
	if _, err := next(newInitiator(t, m, service, "krb5", wantAll, "").hear().Token); err != nil {
		t.Errorf("another logon: %v", err)
	}
}

func TestAlteredRepeatedAndMissingMessagesAreRefused(t *testing.T) {
	t.Parallel()
	_, m, keys := signedIn(t, KDCConfig{})
	for name, spoil := range map[string]func(i *initiator, header, sealed []byte) ([]byte, []byte){
		"altered data":    func(_ *initiator, h, s []byte) ([]byte, []byte) { s[3] ^= 1; return h, s },
		"altered number":  func(_ *initiator, h, s []byte) ([]byte, []byte) { h[15] ^= 1; return h, s },
		"altered filler":  func(_ *initiator, h, s []byte) ([]byte, []byte) { h[5] = 1; return h, s },
		"cut":             func(_ *initiator, h, s []byte) ([]byte, []byte) { return h, s[:len(s)-1] },
		"short":           func(_ *initiator, h, _ []byte) ([]byte, []byte) { return h[:HeaderSize-1], nil },
		"not sealed":      func(_ *initiator, h, s []byte) ([]byte, []byte) { h[2] &^= isSealed; return h, s },
		"our own message": func(_ *initiator, h, s []byte) ([]byte, []byte) { h[2] |= fromAcceptor; return h, s },
		"initiator's key": func(_ *initiator, h, s []byte) ([]byte, []byte) { h[2] &^= acceptorKey; return h, s },
		"one was left out": func(i *initiator, _, _ []byte) ([]byte, []byte) {
			r := i.tell("iov", nil, []byte("next"))
			return r.Header, r.Sealed
		},
	} {
		i := newInitiator(t, m, service, "krb5", wantAll, "")
		a := NewAcceptor(AcceptorConfig{Keytab: keys})
		out, _, err := a.Next(i.hear().Token)
		if err != nil {
			t.Fatal(err)
		}
		i.tell("answer", nil, out)
		s, err := a.Session()
		if err != nil {
			t.Fatal(err)
		}
		r := i.tell("iov", nil, []byte("first"))
		if _, err := s.Unwrap(spoil(i, slices.Clone(r.Header), slices.Clone(r.Sealed))); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Unwrap(r.Header, r.Sealed); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: the session goes on: %v", name, err)
		}
	}
	i := newInitiator(t, m, service, "krb5", wantAll, "")
	a := NewAcceptor(AcceptorConfig{Keytab: keys})
	out, _, err := a.Next(i.hear().Token)
	if err != nil {
		t.Fatal(err)
	}
	i.tell("answer", nil, out)
	s, err := a.Session()
	if err != nil {
		t.Fatal(err)
	}
	r := i.tell("iov", nil, []byte("first"))
	if _, err := s.Unwrap(r.Header, r.Sealed); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unwrap(r.Header, r.Sealed); !errors.Is(err, ErrMessage) {
		t.Errorf("repeated: %v", err)
	}
}
