package wsman_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/internal/lab/ntlm"
	"cau/internal/sambatest"
	"cau/internal/wsman"
)

var ad sambatest.SharedDomain

// stopping ends the shared domain before leaks are looked for.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	defer ad.Stop()
	return s.m.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

const (
	user, domain, password = "Operator", "CONTOSO", "Corr3ct-Horse"
	shellID                = "2D6F1B1A-0B1C-4A5D-9B7E-2F60C6C3A001"
	commandID              = "7C0E8B52-1B75-4B0B-8D21-5D2B0F0E4002"
	protocol               = "application/HTTP-SPNEGO-session-encrypted"
	nsEnvelope             = "http://www.w3.org/2003/05/soap-envelope"
	nsShell                = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
)

// winServer is a WinRM service for one shell and one command at a time, with the lab's NTLM acceptor behind it.
type winServer struct {
	*httptest.Server
	config ntlm.Config
	book   *ntlm.Book

	// intercept may answer an authenticated request itself: n counts the requests with this op from 1.
	intercept func(op string, n int, w http.ResponseWriter) bool
	// interceptOn is the same with the connection, so that the answer can be sealed.
	interceptOn func(op string, n int, c *serverConn, w http.ResponseWriter) bool
	// refuseProof may answer a type 3 message itself.
	refuseProof func(w http.ResponseWriter) bool
	// gss is MIT's GSSAPI behind scheme, in place of NTLM.
	gss    *sambatest.Acceptor
	scheme string
	// plain is the Authorization that every message must carry, in place of NTLM: Basic, or a certificate's.
	plain string
	// receiving is signalled when a Receive is held.
	receiving chan struct{}

	binding []byte // the channel's, as the server knows it

	mu       sync.Mutex
	headers  []string
	ops      []string
	posts    int
	clear    []soapIn
	proofs   int
	identity ntlm.Identity
	stdin    []byte
	line     string
	timeouts int
	ended    chan struct{}
}

type serverConn struct {
	acceptor *ntlm.Acceptor
	session  seals
	in       bool
	id       string
}

// seals is the server's end of a security context.
type seals interface {
	Wrap(plain []byte) (sealed, signature []byte)
	Unwrap(sealed, signature []byte) ([]byte, error)
}

// gssSession seals by MIT's GSSAPI.
type gssSession struct {
	acceptor     *sambatest.Acceptor
	id, protocol string
}

func (g gssSession) Wrap(plain []byte) (sealed, signature []byte) {
	header, sealed, err := g.acceptor.Wrap(g.id, plain)
	if err != nil {
		return nil, []byte(err.Error())
	}
	return sealed, header
}

func (g gssSession) Unwrap(sealed, signature []byte) ([]byte, error) {
	return g.acceptor.Unwrap(g.id, append(bytes.Clone(signature), sealed...))
}

// protocolOf is the media type that belongs to a session.
func protocolOf(s seals) string {
	if g, ok := s.(gssSession); ok {
		return g.protocol
	}
	return protocol
}

type connKey struct{}

type soapIn struct {
	Action  string `xml:"Header>Action"`
	To      string `xml:"Header>To"`
	Timeout string `xml:"Header>OperationTimeout"`
	Shell   string `xml:"Header>SelectorSet>Selector"`
	Options []struct {
		Name  string `xml:"Name,attr"`
		Value string `xml:",chardata"`
	} `xml:"Header>OptionSet>Option"`
	Command string `xml:"Body>CommandLine>Command"`
	Stream  struct {
		End  bool   `xml:"End,attr"`
		Data string `xml:",chardata"`
	} `xml:"Body>Send>Stream"`
}

func newWinServer(t *testing.T, secure bool) *winServer {
	t.Helper()
	s := &winServer{
		config:    ntlm.Config{NetBIOSName: "NODE1", NetBIOSDomain: domain, DNSName: "node1.contoso.com", DNSDomain: "contoso.com", RequireSeal: true, RequireMIC: true},
		book:      &ntlm.Book{},
		receiving: make(chan struct{}, 64),
		ended:     make(chan struct{}),
	}
	s.book.Add(ntlm.Account{Domain: domain, User: user, Password: password})
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, &serverConn{})
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s
}

// node gives a Node that talks to s, closed with the test.
func (s *winServer) node(t *testing.T, change ...func(*wsman.Config)) *wsman.Node {
	t.Helper()
	cfg := wsman.Config{
		Addr: s.Listener.Addr().String(), Host: "node1", Auth: wsman.NTLM(user, domain, password),
		OperationTimeout: 200 * time.Millisecond, TidyTimeout: 5 * time.Second,
	}
	for _, c := range change {
		c(&cfg)
	}
	n := wsman.NewNode(cfg)
	t.Cleanup(func() { _ = n.Close(context.Background()) })
	return n
}

func (s *winServer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c := r.Context().Value(connKey{}).(*serverConn)
	s.mu.Lock()
	s.posts++
	s.mu.Unlock()
	scheme := "Negotiate"
	if s.scheme != "" {
		scheme = s.scheme
	}
	if s.plain != "" {
		s.servePlain(w, r, c, body)
		return
	}
	switch token, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme+" "); {
	case ok && len(body) == 0 && s.gss != nil:
		s.logonGSS(w, c, scheme, token)
	case ok && len(body) == 0:
		s.logon(w, c, token)
	case !c.in || ok:
		w.Header().Set("WWW-Authenticate", scheme)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		s.operate(w, r, c, body)
	}
}

// servePlain lets in who sends the right Authorization, with every message.
func (s *winServer) servePlain(w http.ResponseWriter, r *http.Request, c *serverConn, body []byte) {
	s.mu.Lock()
	s.headers = append(s.headers, r.Header.Get("Authorization"))
	right := r.Header.Get("Authorization") == s.plain && r.TLS != nil
	s.mu.Unlock()
	switch {
	case !right:
		w.Header().Set("WWW-Authenticate", `Basic realm="WSMAN"`)
		w.WriteHeader(http.StatusUnauthorized)
	case bytes.Contains(body, []byte("<i:Identify/>")):
		reply(w, nil, true, 200, `<s:Envelope xmlns:s="`+nsEnvelope+`"><s:Body/></s:Envelope>`)
	default:
		s.operate(w, r, c, body)
	}
}

// logonGSS lets MIT decide.
func (s *winServer) logonGSS(w http.ResponseWriter, c *serverConn, scheme, token string) {
	raw, _ := base64.StdEncoding.DecodeString(token)
	s.mu.Lock()
	s.proofs++
	c.id = fmt.Sprintf("%s%d", s.Listener.Addr(), s.proofs)
	refuse := s.refuseProof
	s.mu.Unlock()
	if refuse != nil && refuse(w) {
		return
	}
	out, done, who, err := s.gss.Accept(c.id, raw, s.binding)
	var refused *sambatest.RefusedError
	switch {
	case errors.As(err, &refused) && len(refused.Token) > 0:
		w.Header().Set("WWW-Authenticate", scheme+" "+base64.StdEncoding.EncodeToString(refused.Token))
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil || !done:
		w.Header().Set("WWW-Authenticate", scheme)
		w.WriteHeader(http.StatusUnauthorized)
	default:
		g := gssSession{acceptor: s.gss, id: c.id, protocol: "application/HTTP-Kerberos-session-encrypted"}
		if scheme == "Negotiate" {
			g.protocol = protocol
		}
		c.session, c.in = g, true
		s.mu.Lock()
		s.identity = ntlm.Identity{User: who}
		s.mu.Unlock()
		w.Header().Set("WWW-Authenticate", scheme+" "+base64.StdEncoding.EncodeToString(out))
	}
}

func (s *winServer) logon(w http.ResponseWriter, c *serverConn, token string) {
	raw, _ := base64.StdEncoding.DecodeString(token)
	if len(raw) > 8 && raw[8] == 3 {
		s.mu.Lock()
		s.proofs++
		refuse := s.refuseProof
		s.mu.Unlock()
		if refuse != nil && refuse(w) {
			return
		}
	}
	if c.acceptor == nil {
		c.acceptor = ntlm.NewAcceptor(s.config, s.book)
	}
	out, done, err := c.acceptor.Next(raw)
	switch {
	case err != nil:
		w.Header().Set("WWW-Authenticate", "Negotiate")
		w.WriteHeader(http.StatusUnauthorized)
	case !done:
		w.Header().Set("WWW-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString(out))
		w.WriteHeader(http.StatusUnauthorized)
	default:
		c.session, _ = c.acceptor.Session()
		c.in = true
		s.mu.Lock()
		s.identity = c.acceptor.Identity()
		s.mu.Unlock()
	}
}

func (s *winServer) operate(w http.ResponseWriter, r *http.Request, c *serverConn, body []byte) {
	secure := r.TLS != nil
	if !secure {
		var err error
		if body, err = unseal(c.session, body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	var in soapIn
	if err := xml.Unmarshal(body, &in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	op := in.Action[strings.LastIndexByte(in.Action, '/')+1:]
	s.mu.Lock()
	s.ops = append(s.ops, op)
	s.clear = append(s.clear, in)
	interceptOn := s.interceptOn
	n := 0
	for _, o := range s.ops {
		if o == op {
			n++
		}
	}
	s.mu.Unlock()
	if s.intercept != nil && s.intercept(op, n, w) {
		return
	}
	if interceptOn != nil && interceptOn(op, n, c, w) {
		return
	}
	status, answer := s.answer(r.Context(), op, in)
	reply(w, c.session, secure, status, answer)
}

func reply(w http.ResponseWriter, session seals, secure bool, status int, answer string) {
	if secure {
		w.Header().Set("Content-Type", "application/soap+xml;charset=UTF-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
		return
	}
	sealed, signature := session.Wrap([]byte(answer))
	w.Header().Set("Content-Type", `multipart/encrypted;protocol="`+protocolOf(session)+`";boundary="Encrypted Boundary"`)
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "--Encrypted Boundary\r\n\tContent-Type: %s\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"+
		"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n%s%s%s--Encrypted Boundary--\r\n",
		protocolOf(session), len(answer), binary.LittleEndian.AppendUint32(nil, uint32(len(signature))), signature, sealed)
}

func isGSS(s seals) bool { _, ok := s.(gssSession); return ok }

// unseal is the server's own reading of MS-WSMV 2.2.9.1.
func unseal(session seals, body []byte) ([]byte, error) {
	const mark = "\tContent-Type: application/octet-stream\r\n"
	i := bytes.Index(body, []byte(mark))
	tail := []byte("--Encrypted Boundary--\r\n")
	if i < 0 || !bytes.HasSuffix(body, tail) || !bytes.HasPrefix(body, []byte("--Encrypted Boundary\r\n\tContent-Type: "+protocolOf(session)+"\r\n")) {
		return nil, fmt.Errorf("not sealed: %.80q", body)
	}
	rest := body[i+len(mark) : len(body)-len(tail)]
	want := 16
	if isGSS(session) {
		want = 60
	}
	if len(rest) < 4+want || binary.LittleEndian.Uint32(rest) != uint32(want) {
		return nil, fmt.Errorf("no signature of %d bytes", want)
	}
	return session.Unwrap(rest[4+want:], rest[4:4+want])
}

func soap(action, body string) string {
	return `<s:Envelope xml:lang="en-US" xmlns:s="` + nsEnvelope + `" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:rsp="` + nsShell +
		`"><s:Header><a:Action>` + action + `</a:Action></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

func soapFault(code uint32) string {
	return soap("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault", fmt.Sprintf(`<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:X</s:Value></s:Subcode></s:Code>`+
		`<s:Reason><s:Text xml:lang="en-US">reason text</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%d" Machine="NODE1">`+
		`<f:Message>message text</f:Message></f:WSManFault></s:Detail></s:Fault>`, code))
}

func received(stdout, stderr []byte, exit string) string {
	b := ""
	for name, data := range map[string][]byte{"stdout": stdout, "stderr": stderr} {
		if data != nil {
			b += `<rsp:Stream Name="` + name + `" CommandId="` + commandID + `">` + base64.StdEncoding.EncodeToString(data) + `</rsp:Stream>`
		}
	}
	state := `/CommandState/Running"/>`
	if exit != "" {
		state = `/CommandState/Done"><rsp:ExitCode>` + exit + `</rsp:ExitCode></rsp:CommandState>`
	}
	return soap(nsShell+"/ReceiveResponse", `<rsp:ReceiveResponse>`+b+`<rsp:CommandState CommandId="`+commandID+`" State="`+nsShell+state+`</rsp:ReceiveResponse>`)
}

// answer plays the shell. Commands: "echo X", "exit N", "cat", "sleep" (until Signal or Delete), "slow N" (N time-outs first).
func (s *winServer) answer(ctx context.Context, op string, in soapIn) (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch op {
	case "Create":
		return 200, soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/CreateResponse", `<rsp:Shell><rsp:ShellId>`+shellID+`</rsp:ShellId></rsp:Shell>`)
	case "Command":
		s.line, s.stdin, s.timeouts, s.ended = in.Command, nil, 0, make(chan struct{})
		_, _ = fmt.Sscanf(in.Command, "slow %d", &s.timeouts)
		return 200, soap(nsShell+"/CommandResponse", `<rsp:CommandResponse><rsp:CommandId>`+commandID+`</rsp:CommandId></rsp:CommandResponse>`)
	case "Send":
		data, err := base64.StdEncoding.DecodeString(in.Stream.Data)
		if err != nil {
			return 500, soapFault(87)
		}
		s.stdin = append(s.stdin, data...)
		return 200, soap(nsShell+"/SendResponse", `<rsp:SendResponse/>`)
	case "Receive":
		return s.output(ctx)
	case "Signal":
		s.endOnce()
		return 200, soap(nsShell+"/SignalResponse", `<rsp:SignalResponse/>`)
	case "Delete":
		s.endOnce()
		return 200, soap("http://schemas.xmlsoap.org/ws/2004/09/transfer/DeleteResponse", "")
	}
	return 500, soapFault(87)
}

func (s *winServer) endOnce() {
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// output is called and returns with the lock held.
func (s *winServer) output(ctx context.Context) (int, string) {
	verb, rest, _ := strings.Cut(s.line, " ")
	switch verb {
	case "echo":
		return 200, received([]byte(rest), nil, "0")
	case "exit":
		return 200, received(nil, []byte("oops"), rest)
	case "cat":
		return 200, received(s.stdin, nil, "0")
	case "slow":
		if s.timeouts--; s.timeouts >= 0 {
			return 500, soapFault(2150858793)
		}
		return 200, received([]byte("late"), nil, "0")
	}
	ended := s.ended
	s.mu.Unlock()
	s.receiving <- struct{}{}
	select {
	case <-ended:
	case <-ctx.Done():
	}
	s.mu.Lock()
	return 200, received(nil, nil, "1")
}

func (s *winServer) count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, o := range s.ops {
		if o == op {
			n++
		}
	}
	return n
}

// heard is what was asked for, in order.
func (s *winServer) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ops)
}

func (s *winServer) messages() []soapIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.clear)
}

func (s *winServer) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.posts
}

func (s *winServer) logons() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proofs
}

func (s *winServer) who() ntlm.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity
}
