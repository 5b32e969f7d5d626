package wsmanserver

import (
	"context"
	"crypto/md5" // MS-NLMP 2.2.2.1 prescribes it for channel bindings
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"time"
)

// Scheme is a way to sign in.
type Scheme string

// The schemes of winrm/config/service/auth, and NTLM, which only endpoints behind IIS name.
const (
	// Negotiate takes bare NTLM tokens, and Kerberos tokens bare or in SPNEGO. NTLM inside SPNEGO is refused:
	// no client that matters here sends it.
	Negotiate Scheme = "Negotiate"
	Kerberos  Scheme = "Kerberos"
	NTLM      Scheme = "NTLM"
	// Basic takes local accounts only. Without TLS it is offered only where AllowUnencrypted is set.
	Basic Scheme = "Basic"
	// Certificate maps TLS client certificates to local accounts; it is not announced in a 401.
	Certificate Scheme = "Certificate"
)

// Hardening is CbtHardeningLevel: what becomes of the channel binding that a logon over TLS carries.
type Hardening int

// The levels; Relaxed is the default of Windows: a binding that is sent must be the right one.
const (
	Relaxed   Hardening = iota
	Strict              // one must be sent
	Unchecked           // None: it is not looked at
)

// Listener is one listener of the service. Its zero value is plain HTTP that offers Negotiate, and Kerberos
// where the node has keys, and takes nothing but sealed bodies.
type Listener struct {
	// Certificate makes it an HTTPS listener; its Leaf must be set.
	Certificate *tls.Certificate
	// Schemes are taken; empty means Negotiate, and Kerberos where the node has keys.
	Schemes []Scheme
	// AllowUnencrypted takes readable bodies over plain HTTP, and there Basic.
	AllowUnencrypted bool
	ChannelBinding   Hardening
	// ClientCAs sign the client certificates that Certificate takes.
	ClientCAs *x509.CertPool
}

// Limits of one connection. HTTP.sys drops an idle connection after 120 s.
const (
	idleConnection = 120 * time.Second
	headerTime     = 30 * time.Second
	// bodyTime bounds reading a request; it must be longer than any answer takes, since it also ends the
	// watch for a client that goes away meanwhile.
	bodyTime    = 150 * time.Second
	headerBytes = 64 << 10
)

// endpoint is a listener at work.
type endpoint struct {
	Listener
	server  *Server
	binding []byte // of its certificate; nil on plain HTTP
	// Guarded by the server's lock:
	address string
	http    *http.Server
	stats   ListenerStats
}

// connectionKey finds the state of the TCP connection in a request's context.
type connectionKey struct{}

func newEndpoint(s *Server, l Listener) *endpoint {
	if len(l.Schemes) == 0 {
		l.Schemes = []Scheme{Negotiate}
		if s.config.Kerberos != nil {
			l.Schemes = append(l.Schemes, Kerberos)
		}
	}
	e := &endpoint{Listener: l, server: s}
	if l.Certificate != nil {
		e.binding = channelBinding(l.Certificate.Leaf)
	}
	return e
}

// serve takes connections from l. The caller holds the server's lock.
func (e *endpoint) serve(l net.Listener) {
	e.address = l.Addr().String()
	if e.Certificate != nil {
		c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*e.Certificate}}
		if e.takes(Certificate) {
			// Whoever signed it: a certificate that is not trusted is refused as a logon, with words.
			c.ClientAuth = tls.RequestClientCert
		}
		l = tls.NewListener(l, c)
	}
	server := &http.Server{
		Handler:           e,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		IdleTimeout:       idleConnection,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, e.connected(conn))
		},
		ConnState: e.watch,
	}
	e.http = server
	e.server.working.Go(func() { _ = server.Serve(l) })
}

// connected notes a connection, and whether it is one too many.
func (e *endpoint) connected(conn net.Conn) *connection {
	c := &connection{raw: conn}
	s := e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	c.surplus = len(s.open) >= s.config.Quotas.MaxConnections
	s.open[c] = true
	s.stats.Connections++
	s.stats.MostConnections = max(s.stats.MostConnections, s.stats.Connections)
	e.stats.Connections++
	e.stats.MostConnections = max(e.stats.MostConnections, e.stats.Connections)
	return c
}

// watch counts the connections, which the HTTP server does not wait for when it is closed.
func (e *endpoint) watch(conn net.Conn, state http.ConnState) {
	s := e.server
	switch state {
	case http.StateNew:
		s.working.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.mu.Lock()
		for c := range s.open {
			if c.raw == conn {
				delete(s.open, c)
				s.stats.Connections--
				e.stats.Connections--
			}
		}
		s.mu.Unlock()
		s.working.Done()
	case http.StateActive, http.StateIdle:
	}
}

func (e *endpoint) takes(scheme Scheme) bool { return slices.Contains(e.Schemes, scheme) }

// readable tells whether bodies may travel unsealed.
func (e *endpoint) readable() bool { return e.Certificate != nil || e.AllowUnencrypted }

// offers are the schemes of a 401, in the order in which Windows names them.
func (e *endpoint) offers() []string {
	var out []string
	for _, s := range []Scheme{Negotiate, Kerberos, NTLM, Basic} {
		switch {
		case !e.takes(s), s == Kerberos && e.server.config.Kerberos == nil, s == Basic && !e.readable():
		case s == Basic:
			out = append(out, `Basic realm="WSMAN"`)
		default:
			out = append(out, string(s))
		}
	}
	return out
}

// channelBinding is the hash that ties a logon to a TLS channel: MD5 over a gss_channel_bindings_struct with
// empty addresses and "tls-server-end-point:" with the certificate's hash (RFC 5929 section 4, MS-NLMP 2.2.2.1).
func channelBinding(cert *x509.Certificate) []byte {
	var hash []byte
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		sum := sha512.Sum384(cert.Raw)
		hash = sum[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		sum := sha512.Sum512(cert.Raw)
		hash = sum[:]
	default:
		sum := sha256.Sum256(cert.Raw)
		hash = sum[:]
	}
	data := append([]byte("tls-server-end-point:"), hash...)
	head := binary.LittleEndian.AppendUint32(make([]byte, 16, 20+len(data)), uint32(len(data)))
	sum := md5.Sum(append(head, data...))
	return sum[:]
}
