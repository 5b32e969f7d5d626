package wsman_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"cau/internal/lab/ntlm"
	"cau/internal/wsman"
)

// wiretap is a peer that is no WinRM: it hears bytes and answers by script.
type wiretap struct {
	listener net.Listener
	done     sync.WaitGroup

	mu       sync.Mutex
	bytes    bytes.Buffer
	requests int
	open     []net.Conn
}

// newWiretap answers the n-th request (from 1) with what script says; "" hangs up.
func newWiretap(t *testing.T, script func(n int, r *http.Request, body []byte) string) *wiretap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wiretap{listener: l}
	w.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			w.open = append(w.open, c)
			w.mu.Unlock()
			w.done.Go(func() { w.serve(c, script) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		for _, c := range w.open {
			_ = c.Close()
		}
		w.mu.Unlock()
		w.done.Wait()
	})
	return w
}

func (w *wiretap) serve(c net.Conn, script func(int, *http.Request, []byte) string) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(io.TeeReader(c, w))
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.mu.Lock()
		w.requests++
		n := w.requests
		w.mu.Unlock()
		answer := script(n, r, body)
		if answer == "" {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
	}
}

func (w *wiretap) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes.Write(p)
}

// heard is every byte that arrived, and every token in them decoded.
func (w *wiretap) heard() (raw []byte, requests int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	raw = bytes.Clone(w.bytes.Bytes())
	for _, line := range strings.Split(string(raw), "\r\n") {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "Authorization:" {
			token, err := base64.StdEncoding.DecodeString(fields[2])
			if err == nil {
				raw = append(raw, token...)
			}
		}
	}
	return raw, w.requests
}

// contains looks for text as ASCII and as UTF-16, in any case of letters.
func contains(raw []byte, text string) bool {
	var wide []byte
	for _, u := range utf16.Encode([]rune(strings.ToLower(text))) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	low := bytes.ToLower(raw)
	return bytes.Contains(low, bytes.ToLower([]byte(text))) || bytes.Contains(low, wide)
}

func (w *wiretap) node(t *testing.T, change ...func(*wsman.Config)) *wsman.Node {
	t.Helper()
	cfg := wsman.Config{
		Addr: w.listener.Addr().String(), Host: "node1", Auth: wsman.NTLM(user, domain, password),
		AuthTimeout: 5 * time.Second, DeadHost: 5 * time.Second, TidyTimeout: 50 * time.Millisecond, OperationTimeout: 100 * time.Millisecond,
	}
	for _, c := range change {
		c(&cfg)
	}
	n := wsman.NewNode(cfg)
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	return n
}

func status(line string, headers ...string) string {
	return "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
}

// challenge is a strong one, as the lab's acceptor makes it for the client's token in r.
func challenge(t *testing.T, r *http.Request) []byte {
	t.Helper()
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		t.Error(err)
	}
	out, _, err := ntlm.NewAcceptor(ntlm.Config{NetBIOSName: "NODE1", NetBIOSDomain: domain, DNSName: "node1.contoso.com", DNSDomain: "contoso.com"}, &ntlm.Book{}).Next(raw)
	if err != nil {
		t.Error(err)
	}
	return out
}

func withoutFlag(msg []byte, flag uint32) []byte {
	msg = bytes.Clone(msg)
	binary.LittleEndian.PutUint32(msg[20:], binary.LittleEndian.Uint32(msg[20:])&^flag)
	return msg
}

func negotiate(token []byte) string {
	return status("401 Unauthorized", "WWW-Authenticate: Negotiate "+base64.StdEncoding.EncodeToString(token))
}

func TestR03_APeerThatOffersLessLearnsNothing(t *testing.T) {
	weak := func(flag uint32) func(*testing.T, *http.Request) string {
		return func(t *testing.T, r *http.Request) string {
			t.Helper()
			return negotiate(withoutFlag(challenge(t, r), flag))
		}
	}
	says := func(answer string) func(*testing.T, *http.Request) string {
		return func(*testing.T, *http.Request) string { return answer }
	}
	for name, c := range map[string]struct {
		answer func(*testing.T, *http.Request) string
		reason wsman.AuthReason // or
		status int              // or
		stage  wsman.Stage
	}{
		"Basic only":               {answer: says(status("401 Unauthorized", `WWW-Authenticate: Basic realm="WSMAN"`)), reason: wsman.NotOffered},
		"Basic and Digest":         {answer: says(status("401 Unauthorized", `WWW-Authenticate: Basic realm="WSMAN"`, `WWW-Authenticate: Digest realm="x"`)), reason: wsman.NotOffered},
		"nothing":                  {answer: says(status("401 Unauthorized")), reason: wsman.NotOffered},
		"Negotiate without NTLM":   {answer: says(status("401 Unauthorized", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM")), reason: wsman.NotOffered},
		"yes at once":              {answer: says(status("200 OK")), reason: wsman.NotSealed},
		"garbage token":            {answer: says(status("401 Unauthorized", "WWW-Authenticate: Negotiate !!!")), reason: wsman.WeakChallenge},
		"garbage challenge":        {answer: says(negotiate([]byte("NTLMSSP\x00\x02\x00\x00\x00 and then some more that is no challenge"))), reason: wsman.WeakChallenge},
		"a challenge without SEAL": {answer: weak(1 << 5), reason: wsman.WeakChallenge},
		"without SIGN":             {answer: weak(1 << 4), reason: wsman.WeakChallenge},
		"without 128":              {answer: weak(1 << 29), reason: wsman.WeakChallenge},
		"without KEY_EXCH":         {answer: weak(1 << 30), reason: wsman.WeakChallenge},
		"without ESS":              {answer: weak(1 << 19), reason: wsman.WeakChallenge},
		"500":                      {answer: says(status("500 Internal Server Error")), status: 500},
		"503":                      {answer: says(status("503 Service Unavailable")), status: 503},
		"302":                      {answer: says(status("302 Found", "Location: http://127.0.0.1:1/")), status: 302},
		"404 with escapes":         {answer: says("HTTP/1.1 404 \x1b[2JNot Found\r\nContent-Length: 9\r\n\r\n\x1b[31mred\x07"), status: 404},
		"hang-up":                  {answer: says(""), stage: wsman.Maybe},
		"no HTTP at all":           {answer: says("SSH-2.0-OpenSSH_9.6\r\n\r\n"), stage: wsman.Maybe},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(_ int, r *http.Request, _ []byte) string { return c.answer(t, r) })
			_, err := w.node(t).Run(t.Context(), "echo secret-argument", nil)
			var auth *wsman.AuthError
			var web *wsman.HTTPError
			var conn *wsman.ConnError
			switch {
			case c.status != 0:
				if !errors.As(err, &web) || web.Status != c.status || strings.ContainsRune(err.Error(), '\x1b') || strings.ContainsRune(err.Error(), '\a') {
					t.Errorf("got %T %v", err, err)
				}
			case c.stage != wsman.NotSent:
				if !errors.As(err, &conn) || conn.Stage != c.stage {
					t.Errorf("got %T %v", err, err)
				}
			case !errors.As(err, &auth) || auth.Reason != c.reason || wsman.Hint(err) == "":
				t.Errorf("got %T %v", err, err)
			}
			if c.reason == wsman.NotOffered && c.status == 0 && name == "Basic and Digest" && strings.Join(auth.Offered, " ") != "Basic Digest" {
				t.Errorf("offered %v", auth.Offered)
			}
			raw, requests := w.heard()
			if requests != 1 {
				t.Errorf("the peer heard %d requests", requests)
			}
			for _, secret := range []string{user, domain, password, "Envelope", "secret-argument", "Basic "} {
				if contains(raw, secret) {
					t.Errorf("the peer learnt %q", secret)
				}
			}
			for _, secret := range []string{user, password} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows %q", secret)
				}
			}
		})
	}
}

// Whoever answers an NTLM negotiate gets a proof: that is NTLM. What it must never get is a body in clear, and
// nothing that it says must be believed.
func TestR03_AFakeServerThatAcceptsAnyProofNeverSeesABody(t *testing.T) {
	plain := soap(nsShell+"/CommandResponse", "")
	reply := func(contentType, body string) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: " + contentType + "\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	multipart := `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
	for name, c := range map[string]struct {
		answer func(body []byte) string
		reason wsman.AuthReason
	}{
		"plain SOAP":     {func([]byte) string { return reply("application/soap+xml", plain) }, wsman.NotSealed},
		"an echo":        {func(b []byte) string { return reply(multipart, string(b)) }, wsman.Tampered},
		"a foreign seal": {func([]byte) string { return reply(multipart, foreignFrame(plain)) }, wsman.Tampered},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWiretap(t, func(n int, r *http.Request, body []byte) string {
				switch n {
				case 1:
					return negotiate(challenge(t, r))
				case 2:
					return status("200 OK")
				default:
					return c.answer(body)
				}
			})
			_, err := w.node(t).Run(t.Context(), "echo secret-argument", nil)
			var auth *wsman.AuthError
			if !errors.As(err, &auth) || auth.Reason != c.reason {
				t.Errorf("got %T %v", err, err)
			}
			raw, requests := w.heard()
			if requests != 3 {
				t.Errorf("the peer heard %d requests", requests)
			}
			for _, secret := range []string{password, "Envelope", "secret-argument"} {
				if contains(raw, secret) {
					t.Errorf("the peer learnt %q", secret)
				}
			}
			if !contains(raw, user) {
				t.Error("this test must be able to see what a proof shows")
			}
		})
	}
}

func TestASecondSchemeIsUsedWhereOnlyThatIsOffered(t *testing.T) {
	var schemes []string
	w := newWiretap(t, func(n int, r *http.Request, _ []byte) string {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		schemes = append(schemes, scheme)
		if n == 1 {
			return status("401 Unauthorized", "WWW-Authenticate: NTLM", "WWW-Authenticate: Basic")
		}
		return status("500 Internal Server Error")
	})
	_, err := w.node(t).Run(t.Context(), "echo x", nil)
	var web *wsman.HTTPError
	if !errors.As(err, &web) || strings.Join(schemes, " ") != "Negotiate NTLM" {
		t.Fatalf("%v after %v", err, schemes)
	}
}

func TestR03_AMechanismThatCannotSealIsRefusedOnPlainHTTP(t *testing.T) {
	w := newWiretap(t, func(int, *http.Request, []byte) string { return status("200 OK") })
	n := wsman.NewNode(wsman.Config{Addr: w.listener.Addr().String(), Auth: wsman.NewCredential(func(wsman.Peer) wsman.Handshake { return sealless{} })})
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	_, err := n.Run(t.Context(), "echo secret-argument", nil)
	var auth *wsman.AuthError
	raw, requests := w.heard()
	if !errors.As(err, &auth) || auth.Reason != wsman.NotSealed || requests != 1 || contains(raw, "Envelope") {
		t.Fatalf("%v; the peer heard %q", err, raw)
	}
}

// sealless is a mechanism without message protection.
type sealless struct{}

func (sealless) Schemes() []string { return []string{"Bare"} }

func (sealless) Next(context.Context, []byte) ([]byte, bool, error) {
	return []byte("token"), true, nil
}

func (sealless) Accept([]byte) (wsman.Session, error) { return wsman.Session{Mechanism: "bare"}, nil }

func TestAHostThatHearsTheLogonAndSaysNothingIsGivenUp(t *testing.T) {
	end := make(chan struct{})
	w := newWiretap(t, func(int, *http.Request, []byte) string { <-end; return "" })
	defer close(end)
	n := wsman.NewNode(wsman.Config{Addr: w.listener.Addr().String(), Auth: wsman.NTLM(user, domain, password), AuthTimeout: 50 * time.Millisecond})
	_, err := n.Run(t.Context(), "echo x", nil)
	if _, requests := w.heard(); !errors.Is(err, wsman.ErrSilent) || requests != 1 || wsman.Retryable(err) {
		t.Fatalf("%v after %d requests", err, requests)
	}
}

func TestANodeThatIsNotThereIsAConnectError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	n := wsman.NewNode(wsman.Config{Addr: l.Addr().String(), Auth: wsman.NTLM(user, domain, password)})
	_, err = n.Run(t.Context(), "echo x", nil)
	var c *wsman.ConnError
	if !errors.As(err, &c) || c.Op != "connect" || !wsman.Retryable(err) {
		t.Fatalf("got %v", err)
	}
}

func TestAConfigurationThatMustNotBeUsedIsRefusedUnsent(t *testing.T) {
	auth := wsman.NTLM(user, domain, password)
	for name, cfg := range map[string]wsman.Config{
		"no port":        {Addr: "node1", Auth: auth},
		"no credential":  {Addr: "127.0.0.1:1"},
		"header in host": {Addr: "127.0.0.1:1", Host: "x\r\nAuthorization: y", Auth: auth},
		"markup in host": {Addr: "127.0.0.1:1", Host: "x&<", Auth: auth},
	} {
		n := wsman.NewNode(cfg)
		_, err := n.Run(t.Context(), "echo x", nil)
		var c *wsman.ConnError
		if !errors.As(err, &c) || c.Stage != wsman.NotSent || n.Stats().Dials != 0 {
			t.Errorf("%s: %v, %+v", name, err, n.Stats())
		}
		if err := n.Close(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
