package wsmanserver

import (
	"encoding/base64"
	"net/http"
	"strings"

	"cau/internal/lab/ntlm"
)

// connectionKey finds the state of the TCP connection in a request's context.
type connectionKey struct{}

// connection is what a TCP connection has agreed on. The HTTP server handles one request of a connection
// at a time, so it needs no lock.
type connection struct {
	handshake *ntlm.Acceptor
	session   *ntlm.Session
	user      string
}

const (
	scheme = "Negotiate"
	// maxToken is far above any NTLM message.
	maxToken = 16 << 10
)

// logon takes one step of a handshake and answers it; it reports whether the request ends with that.
// WinRM takes bare NTLM tokens under the scheme Negotiate (MS-N2HT).
func (s *Server) logon(w http.ResponseWriter, r *http.Request, c *connection) (answered bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		if c.session != nil {
			return false
		}
		demand(w, "")
		return true
	}
	name, value, _ := strings.Cut(header, " ")
	token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if !strings.EqualFold(name, scheme) || err != nil || len(token) > maxToken {
		s.refuse(w, c)
		return true
	}
	if c.handshake == nil || c.handshake.Done() {
		*c = connection{handshake: ntlm.NewAcceptor(ntlm.Config{
			NetBIOSName: s.config.Computer, NetBIOSDomain: s.config.Domain,
			DNSName: s.dnsName(), DNSDomain: s.config.DNSDomain, RequireSeal: true,
		}, s.config.Accounts)}
	}
	out, done, err := c.handshake.Next(token)
	switch {
	case err != nil:
		s.refuse(w, c)
		return true
	case !done:
		demand(w, " "+base64.StdEncoding.EncodeToString(out))
		return true
	}
	session, err := c.handshake.Session()
	if err != nil {
		s.refuse(w, c)
		return true
	}
	c.session, c.user = session, c.handshake.Identity().String()
	s.count(func(t *Stats) { t.Logons++ })
	return false
}

func (s *Server) dnsName() string {
	if s.config.DNSDomain == "" {
		return s.config.Computer
	}
	return strings.ToLower(s.config.Computer) + "." + s.config.DNSDomain
}

// refuse ends a handshake; the next token starts a new one.
func (s *Server) refuse(w http.ResponseWriter, c *connection) {
	*c = connection{}
	s.count(func(t *Stats) { t.Refused++ })
	demand(w, "")
}

func demand(w http.ResponseWriter, token string) {
	w.Header().Set("WWW-Authenticate", scheme+token)
	w.WriteHeader(http.StatusUnauthorized)
}
