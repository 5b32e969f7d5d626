package wsman

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"strings"
)

const (
	schemeBasic = "Basic"
	// schemeCertificate tells the service to look at the TLS certificate (DSP0226 security profile, MS-WSMV 2.2.1).
	schemeCertificate = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
)

// Basic makes a credential that shows the password to the node, with every message. It works on verified TLS only:
// a Node on plain HTTP refuses it before it connects. Only local accounts of the node can use it.
func Basic(user, password string) *Credential {
	token := hide(user + ":" + password)
	c := NewCredential(func(Peer) Handshake { return &plainHandshake{scheme: schemeBasic, token: token} })
	c.needsTLS = "Basic"
	if strings.Contains(user, ":") {
		c.refused.Store(&AuthError{Reason: UnknownAccount, Err: errors.New("Basic cannot say a user name with a colon")})
	}
	return c
}

// ClientCertificate makes a credential of a certificate that the node maps to a local account. It works on
// verified TLS only.
func ClientCertificate(cert tls.Certificate) *Credential {
	c := NewCredential(func(Peer) Handshake { return &plainHandshake{scheme: schemeCertificate} })
	c.needsTLS, c.certificate = "a client certificate", &cert
	return c
}

// showCertificate makes cfg, which is ours alone, show cert. HTTP.sys asks for it only after the request's head,
// by a renegotiation, which exists up to TLS 1.2.
func showCertificate(cfg *tls.Config, cert *tls.Certificate) error {
	if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
		return errors.New("the client certificate has no certificate or no key")
	}
	if cfg.MinVersion > tls.VersionTLS12 {
		return errors.New("a client certificate needs TLS 1.2: WinRM asks for it by renegotiation")
	}
	cfg.MaxVersion = tls.VersionTLS12
	cfg.Renegotiation = tls.RenegotiateOnceAsClient
	cfg.Certificates = []tls.Certificate{*cert}
	cfg.GetClientCertificate = nil
	return nil
}

// plainHandshake is one request that is either accepted or not: an Identify, which acts on nothing and is
// answered only to those who are let in.
type plainHandshake struct {
	scheme string
	token  hidden // nil for a certificate
}

// Schemes is the one that was asked for by name.
func (h *plainHandshake) Schemes() []string { return []string{h.scheme} }

func (h *plainHandshake) probe() []byte { return []byte(identify) }

// identify is DSP0226 11: who is there.
const identify = `<s:Envelope xmlns:s="` + nsEnvelope + `" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">` +
	`<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>`

// Next shows the secret, once.
func (h *plainHandshake) Next(_ context.Context, in []byte) (out []byte, proof bool, err error) {
	if in != nil {
		return nil, false, &AuthError{Reason: Rejected}
	}
	return []byte(h.token.reveal()), true, nil
}

// Accept gives what every message carries from now on.
func (h *plainHandshake) Accept([]byte) (Session, error) {
	s := Session{Mechanism: "client certificate", Authorization: h.scheme}
	if h.token != nil {
		s.Mechanism, s.Authorization = schemeBasic, h.scheme+" "+base64.StdEncoding.EncodeToString([]byte(h.token.reveal()))
	}
	return s, nil
}
