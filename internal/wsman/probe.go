package wsman

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"net"
	"strings"
	"time"
)

// Probe is what a listener shows to anybody: nothing of who asks is sent.
type Probe struct {
	// Remote is the address that answered.
	Remote string
	// TLS is version and cipher suite, or empty on plain HTTP.
	TLS string
	// Certificate is the listener's, nil on plain HTTP.
	Certificate *Certificate
	// Offered are the authentication schemes of the first 401.
	Offered []string
	// Product is the service's own name and version, from an unauthenticated Identify (MS-WSMV 3.1.4.1); empty
	// where the service gives none.
	Product string
}

// Certificate is a listener's certificate, printable.
type Certificate struct {
	Subject, Issuer string
	Names           []string
	NotAfter        time.Time
	// SPKI is the SHA-256 of its public key, as PinSPKI takes it, in hex.
	SPKI string
	// Problem says why it is not trusted, or is nil.
	Problem error
}

// maxNames bounds what is kept of a certificate's names.
const maxNames = 16

// Look connects to a listener without signing in. cfg.Auth is not used. The error says how far it came; what was
// seen until then stands in the Probe.
func Look(ctx context.Context, cfg Config) (Probe, error) {
	cfg.Auth = NewCredential(nil)
	cfg, err := cfg.withDefaults()
	if err != nil {
		return Probe{}, &ConnError{opConnect, NotSent, err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.AuthTimeout, ErrSilent)
	defer cancel()
	var p Probe
	l, err := p.dial(ctx, cfg)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return p, &ConnError{opConnect, NotSent, err}
	}
	defer l.close()
	a, stage, err := l.post(ctx, soapType, "", nil, cfg.AuthTimeout)
	if err != nil {
		return p, &ConnError{opAuthenticate, stage, err}
	}
	for _, v := range a.header.Values("Www-Authenticate")[:min(len(a.header.Values("Www-Authenticate")), maxNames)] {
		name, _, _ := strings.Cut(strings.TrimSpace(v), " ")
		p.Offered = append(p.Offered, printable(strings.TrimRight(name, ","), 24))
	}
	if a.status != 401 {
		return p, a.httpError(opAuthenticate, false)
	}
	if a.keepsLinkUp {
		p.Product = l.identify(ctx, cfg)
	}
	return p, nil
}

// dial connects, and looks at the certificate whoever signed it: no secret goes over this connection.
func (p *Probe) dial(ctx context.Context, cfg Config) (*link, error) {
	wanted := cfg.TLS
	if wanted != nil {
		open := wanted.Clone()
		open.Certificates, open.GetClientCertificate = nil, nil // we are nobody here
		open.InsecureSkipVerify = true                          // the verdict is kept beside the certificate; nothing is signed in here
		open.VerifyConnection = func(state tls.ConnectionState) error {
			p.TLS = tls.VersionName(state.Version) + " " + tls.CipherSuiteName(state.CipherSuite)
			p.Certificate = describe(state, wanted)
			return nil
		}
		cfg.TLS = open
	}
	l, err := dialLink(ctx, cfg, func() {})
	if err != nil {
		return nil, err
	}
	p.Remote = l.conn.RemoteAddr().String()
	return l, nil
}

func describe(state tls.ConnectionState, wanted *tls.Config) *Certificate {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	c := &Certificate{
		Subject: printable(leaf.Subject.String(), 200), Issuer: printable(leaf.Issuer.String(), 200),
		NotAfter: leaf.NotAfter, SPKI: hex.EncodeToString(sum[:]), Problem: trust(state, wanted),
	}
	for _, name := range leaf.DNSNames[:min(len(leaf.DNSNames), maxNames)] {
		c.Names = append(c.Names, printable(name, 255))
	}
	for _, ip := range leaf.IPAddresses[:min(len(leaf.IPAddresses), maxNames)] {
		c.Names = append(c.Names, ip.String())
	}
	return c
}

// trust is what a real connection would have said about the certificate.
func trust(state tls.ConnectionState, wanted *tls.Config) error {
	if wanted.VerifyConnection != nil {
		if err := wanted.VerifyConnection(state); err != nil || wanted.InsecureSkipVerify {
			return err
		}
	}
	others := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: wanted.ServerName, Roots: wanted.RootCAs, Intermediates: others})
	return err
}

const identifyMessage = `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" ` +
	`xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>`

// identify asks for the service's name; a service that does not answer is no error.
func (l *link) identify(ctx context.Context, cfg Config) string {
	l.extra = "WSMANIDENTIFY: unauthenticated\r\n"
	a, _, err := l.post(ctx, soapType, "", []byte(identifyMessage), cfg.AuthTimeout)
	if err != nil || a.status != 200 {
		return ""
	}
	return product(a.body)
}

// product takes the service's name out of an IdentifyResponse.
func product(body []byte) string {
	if _, err := readEnvelope(body); err != nil {
		return ""
	}
	var answer struct {
		Vendor  string `xml:"Body>IdentifyResponse>ProductVendor"`
		Version string `xml:"Body>IdentifyResponse>ProductVersion"`
	}
	if xml.Unmarshal(body, &answer) != nil {
		return ""
	}
	return printable(answer.Vendor+" "+answer.Version, 120)
}

// Resolve gives the addresses of a Config's host, for people who look for the reason of a failure.
func Resolve(ctx context.Context, host string) ([]string, error) {
	if !plainHost(host) {
		return nil, errors.New("not a host name")
	}
	list, err := net.DefaultResolver.LookupHost(ctx, host)
	return list[:min(len(list), maxNames)], err
}
