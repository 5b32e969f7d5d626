package wsmanserver

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bodgit/ntlmssp"
	"github.com/masterzen/winrm"

	"cau/internal/lab/ntlm"
)

// client is a WinRM client of other people's parts: masterzen/winrm's messages, bodgit/ntlmssp's NTLM. Only
// the framing in between is written here, after MS-WSMV 2.2.9.1.
type client struct {
	t       *testing.T
	url     string
	http    *http.Client
	session *ntlmssp.SecuritySession
	params  *winrm.Parameters
	// scheme carries NTLM tokens; empty means Negotiate. bindings are the TLS channel, if any.
	scheme   string
	bindings *ntlmssp.ChannelBindings
	// header is sent with each request.
	header http.Header
}

func dial(t *testing.T, s *Server) *client {
	t.Helper()
	transport := &http.Transport{MaxConnsPerHost: 1, DisableCompression: true}
	return dialBy(t, transport, "http://"+s.Address())
}

func dialBy(t *testing.T, transport *http.Transport, base string) *client {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	params := *winrm.DefaultParameters
	params.Timeout = "PT5S"
	return &client{
		t: t, url: base + "/wsman", http: &http.Client{Transport: transport, Timeout: 30 * time.Second}, params: &params,
		header: http.Header{},
	}
}

// heard is an HTTP answer, read to its end.
type heard struct {
	StatusCode int
	Header     http.Header
}

func (c *client) post(authorization, contentType string, body []byte) (heard, []byte, error) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return heard{}, nil, err
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return heard{}, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	out, err := io.ReadAll(res.Body)
	return heard{res.StatusCode, res.Header}, out, err
}

// logon signs in and gives the status of the last answer.
func (c *client) logon(domain, user, password string) int {
	c.t.Helper()
	n, err := ntlmssp.NewClient(ntlmssp.SetUserInfo(user, password), ntlmssp.SetDomain(domain), ntlmssp.SetVersion(ntlmssp.DefaultVersion()))
	if err != nil {
		c.t.Fatal(err)
	}
	first, err := n.Authenticate(nil, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	scheme := cmp.Or(c.scheme, "Negotiate") + " "
	res, _, err := c.post(scheme+base64.StdEncoding.EncodeToString(first), "", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	encoded, ok := strings.CutPrefix(res.Header.Get("WWW-Authenticate"), scheme)
	if !ok || res.StatusCode != http.StatusUnauthorized {
		c.t.Fatalf("no challenge: %d %v", res.StatusCode, res.Header)
	}
	challenge, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		c.t.Fatal(err)
	}
	second, err := n.Authenticate(challenge, c.bindings)
	if err != nil {
		c.t.Fatal(err)
	}
	res, _, err = c.post(scheme+base64.StdEncoding.EncodeToString(second), "", nil)
	if err != nil {
		c.t.Fatal(err)
	}
	c.session = n.SecuritySession()
	return res.StatusCode
}

func (c *client) sealed(message string) []byte {
	c.t.Helper()
	body, signature, err := c.session.Wrap([]byte(message))
	if err != nil {
		c.t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"+
		"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n", len(message))
	_ = binary.Write(&b, binary.LittleEndian, uint32(len(signature)))
	b.Write(signature)
	b.Write(body)
	b.WriteString("--Encrypted Boundary--\r\n")
	return b.Bytes()
}

const clientSealedType = `multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`

// do sends one sealed message and gives the status and the opened answer.
func (c *client) do(message fmt.Stringer) (int, string) {
	c.t.Helper()
	status, text, err := c.try(message.String())
	if err != nil {
		c.t.Fatal(err)
	}
	return status, text
}

func (c *client) try(message string) (int, string, error) {
	res, body, err := c.post("", clientSealedType, c.sealed(message))
	if err != nil {
		return 0, "", err
	}
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "multipart/encrypted") {
		return res.StatusCode, "", nil
	}
	_, rest, ok := bytes.Cut(body, []byte("octet-stream\r\n"))
	rest, ok2 := bytes.CutSuffix(rest, []byte("--Encrypted Boundary--\r\n"))
	if !ok || !ok2 || len(rest) < 20 {
		return 0, "", fmt.Errorf("malformed answer %q", body)
	}
	text, err := c.session.Unwrap(rest[20:], rest[4:20])
	return res.StatusCode, string(text), err
}

// plain sends one readable message and gives the status and the answer.
func (c *client) plain(message fmt.Stringer) (int, string) {
	c.t.Helper()
	res, body, err := c.post("", soapType, []byte(message.String()))
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func (c *client) openShell() string {
	c.t.Helper()
	status, text := c.do(winrm.NewOpenShellRequest(c.url, c.params))
	id, err := winrm.ParseOpenShellResponse(text)
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("create: %d %v %s", status, err, text)
	}
	return id
}

func (c *client) command(shell, line string) string {
	c.t.Helper()
	return c.started(winrm.NewExecuteCommandRequest(c.url, shell, line, nil, c.params).String())
}

// piped starts a command whose stdin is a pipe, which the library cannot ask for.
func (c *client) piped(shell, line string) string {
	c.t.Helper()
	message := winrm.NewExecuteCommandRequest(c.url, shell, line, nil, c.params).String()
	const console = `Name="WINRS_CONSOLEMODE_STDIN">TRUE<`
	if !strings.Contains(message, console) {
		c.t.Fatalf("no console in %s", message)
	}
	return c.started(strings.Replace(message, console, strings.Replace(console, "TRUE", "FALSE", 1), 1))
}

func (c *client) started(message string) string {
	c.t.Helper()
	status, text, err := c.try(message)
	if err != nil {
		c.t.Fatal(err)
	}
	id, err := winrm.ParseExecuteCommandResponse(text)
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("command: %d %v %s", status, err, text)
	}
	return id
}

var exitCode = regexp.MustCompile(`<rsp:ExitCode>(-?[0-9]+)</rsp:ExitCode>`)

// finish receives until the command ends.
func (c *client) finish(shell, command string) (stdout, stderr, exit string, receives int) {
	c.t.Helper()
	var out, errs bytes.Buffer
	for {
		status, text := c.do(winrm.NewGetOutputRequest(c.url, shell, command, "stdout stderr", c.params))
		receives++
		if status != http.StatusOK {
			if faultCode(text) == CodeTimedOut {
				continue
			}
			c.t.Fatalf("receive: %d %s", status, text)
		}
		done, _, err := winrm.ParseSlurpOutputErrResponse(text, &out, &errs)
		if err != nil {
			c.t.Fatal(err)
		}
		if done {
			m := exitCode.FindStringSubmatch(text)
			if m == nil {
				c.t.Fatalf("no exit code: %s", text)
			}
			return out.String(), errs.String(), m[1], receives
		}
	}
}

func (c *client) run(shell, line string) (stdout, stderr, exit string) {
	c.t.Helper()
	stdout, stderr, exit, _ = c.finish(shell, c.command(shell, line))
	return stdout, stderr, exit
}

var faultPattern = regexp.MustCompile(`WSManFault[^>]* Code="([0-9]+)"`)

func faultCode(text string) uint64 {
	m := faultPattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// script is a Runner for tests: the plain commands, without a machine.
type script struct{}

func (script) Run(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int64 {
	name, rest, _ := strings.Cut(line, " ")
	switch name {
	case "echo":
		_, _ = io.WriteString(stdout, rest)
	case "whoami":
		_, _ = io.WriteString(stdout, user)
	case "stderr":
		_, _ = io.WriteString(stderr, rest)
	case "cat":
		_, _ = io.Copy(stdout, stdin)
	case "exit":
		n, _ := strconv.ParseInt(rest, 10, 64)
		return n
	case "wait":
		<-ctx.Done()
		return -1
	case "flood":
		n, _ := strconv.Atoi(rest)
		for range n {
			if _, err := io.WriteString(stdout, strings.Repeat("x", 1023)+"\n"); err != nil {
				return 2
			}
		}
	}
	return 0
}

// accounts are two of the domain and one of the machine, all with the password "right".
func accounts(lockAfter int) *ntlm.Book {
	book := &ntlm.Book{Threshold: lockAfter}
	book.Add(ntlm.Account{Domain: "LAB", User: "admin", Password: "right"})
	book.Add(ntlm.Account{Domain: "LAB", User: "other", Password: "right"})
	book.Add(ntlm.Account{User: "Administrator", Password: "right"})
	book.Alias("NODE1", "")
	book.Alias("LAB.EXAMPLE", "LAB")
	return book
}

func start(t *testing.T, c Config) *Server {
	t.Helper()
	if c.Accounts == nil {
		c.Accounts = accounts(0)
	}
	c.Computer, c.Domain = "NODE1", "LAB"
	if c.Runner == nil {
		c.Runner = script{}
	}
	s := New(c)
	var addresses []string
	for range s.config.Listeners {
		addresses = append(addresses, "127.0.0.1:0")
	}
	if err := s.Start(addresses...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func signIn(t *testing.T, s *Server) *client {
	t.Helper()
	c := dial(t, s)
	if status := c.logon("LAB", "admin", "right"); status != http.StatusOK {
		t.Fatalf("logon: %d", status)
	}
	return c
}
