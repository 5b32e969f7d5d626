package wsmanserver

import (
	"crypto/x509"

	"cau/internal/lab/ntlm"
)

// certificate takes the TLS client certificate of the connection as the sender's proof. Windows asks for it
// by a renegotiation; here the client is asked in the TLS handshake, which TLS 1.3 needs anyway.
func (x *exchange) certificate() (answered bool) {
	if x.faulty() {
		return true
	}
	domain, user, ok := x.certified()
	if !ok {
		x.refuse("", "")
		return true
	}
	account, err := ntlm.MayLogOn(x.server.config.Accounts, domain, user)
	if err != nil {
		x.refuse(domain, user)
		return true
	}
	x.sign(accountName(account))
	return false
}

// certified verifies the certificate and finds whom it stands for.
func (x *exchange) certified() (domain, user string, ok bool) {
	mapping := x.server.config.CertificateUser
	if x.r.TLS == nil || len(x.r.TLS.PeerCertificates) == 0 || x.at.ClientCAs == nil || mapping == nil {
		return "", "", false
	}
	leaf := x.r.TLS.PeerCertificates[0]
	others := x509.NewCertPool()
	for _, c := range x.r.TLS.PeerCertificates[1:] {
		others.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: x.at.ClientCAs, Intermediates: others, CurrentTime: x.server.config.Now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}); err != nil {
		return "", "", false
	}
	return mapping(leaf)
}
