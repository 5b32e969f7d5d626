package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"

	"cau/internal/lab/model"
)

// authority is the lab's private certification authority, made at its start and gone with it.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

const (
	// certificateLife is far beyond a lab's.
	certificateLife = 10 * 365 * 24 * time.Hour
	// certificateSlack is for clients whose clock is behind.
	certificateSlack = 24 * time.Hour
)

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("lab: CA: %w", err)
	}
	template := blank("cau lab CA (simulated)")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	cert, err := sign(template, template, key, key)
	if err != nil {
		return nil, err
	}
	a := &authority{cert: cert, key: key, pool: x509.NewCertPool()}
	a.pool.AddCert(cert)
	return a, nil
}

func blank(name string) *x509.Certificate {
	serial := new(big.Int).SetBytes([]byte(rand.Text()[:16]))
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-certificateSlack), NotAfter: now.Add(certificateLife),
	}
}

func sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("lab: certificate of %s: %w", template.Subject.CommonName, err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("lab: certificate of %s: %w", template.Subject.CommonName, err)
	}
	return cert, nil
}

func (a *authority) issue(template *x509.Certificate, use x509.ExtKeyUsage) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("lab: key of %s: %w", template.Subject.CommonName, err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{use}
	cert, err := sign(template, a.cert, key, a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// node makes the certificate of a node's HTTPS listener, for its short name, its full one and the address
// that it really has.
func (a *authority) node(name string) (*tls.Certificate, error) {
	template := blank(fqdn(name))
	template.DNSNames = []string{name, fqdn(name)}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	return a.issue(template, x509.ExtKeyUsageServerAuth)
}

// userPrincipalName is the name in a client certificate by which Windows maps it.
func userPrincipalName() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
}

func subjectAltName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 29, 17} }

// otherName is the only kind of name in the lab's client certificates (RFC 5280 4.2.1.6).
type otherName struct {
	Type  asn1.ObjectIdentifier
	Value string `asn1:"explicit,tag:0,utf8"`
}

type upnNames struct {
	UPN otherName `asn1:"tag:0"`
}

// user makes a client certificate for a user principal name.
func (a *authority) user(upn string) (*tls.Certificate, error) {
	names, err := asn1.Marshal(upnNames{otherName{userPrincipalName(), upn}})
	if err != nil {
		return nil, fmt.Errorf("lab: client certificate: %w", err)
	}
	name, _, _ := strings.Cut(upn, "@")
	template := blank(name)
	template.ExtraExtensions = []pkix.Extension{{Id: subjectAltName(), Value: names}}
	return a.issue(template, x509.ExtKeyUsageClientAuth)
}

// certificateUser is the certificate mapping of the nodes: UPNs of the machine itself stand for its local
// accounts, as in winrm/config/service/certmapping.
func certificateUser(cert *x509.Certificate) (domain, user string, ok bool) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(subjectAltName()) {
			continue
		}
		var names upnNames
		rest, err := asn1.Unmarshal(e.Value, &names)
		if err != nil || len(rest) > 0 || !names.UPN.Type.Equal(userPrincipalName()) {
			return "", "", false
		}
		user, found := strings.CutSuffix(names.UPN.Value, "@localhost")
		return "", user, found && user != ""
	}
	return "", "", false
}

func certificatePEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func keyPEM(key any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("lab: private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func fqdn(node string) string { return strings.ToLower(node) + "." + model.DNSDomain }
