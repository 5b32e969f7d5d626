package wsman

import (
	"crypto/md5" // MS-NLMP 2.2.2.1 prescribes it for channel bindings
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
)

// PinSPKI gives a TLS configuration that accepts exactly the certificates whose public key (DER
// SubjectPublicKeyInfo) hashes to sum. Names and expiry are not looked at: the key is the identity.
func PinSPKI(sum [sha256.Size]byte) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection below is the verification
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the node sent no certificate")
			}
			got := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if subtle.ConstantTimeCompare(got[:], sum[:]) != 1 {
				return errors.New("the node's certificate has another public key than the pinned one")
			}
			return nil
		},
	}
}

// verifying copies base for host and refuses one that would accept any certificate.
func verifying(base *tls.Config, host string) (*tls.Config, error) {
	// VerifyPeerCertificate does not count: it is not asked when a session is resumed.
	if base.InsecureSkipVerify && base.VerifyConnection == nil {
		return nil, errors.New("TLS without verification is refused: give the node's CA or its public key")
	}
	c := base.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = nil         // HTTP/2 has no connection that a logon could belong to
	c.ClientSessionCache = nil // every connection shows its certificate anew
	c.Renegotiation = tls.RenegotiateNever
	return c, nil
}

// channelBinding is the hash that ties a logon to this TLS channel: MD5 over a gss_channel_bindings_struct
// with empty addresses and "tls-server-end-point:" + certificate hash (RFC 5929 section 4, MS-NLMP 3.1.5.1.2).
func channelBinding(cert *x509.Certificate) []byte {
	const prefix = "tls-server-end-point:"
	data := append([]byte(prefix), certificateHash(cert)...)
	head := make([]byte, 20, 20+len(data))
	binary.LittleEndian.PutUint32(head[16:], uint32(len(data)))
	sum := md5.Sum(append(head, data...))
	return sum[:]
}

// certificateHash uses the hash of the certificate's signature, with SHA-256 in place of anything weaker.
func certificateHash(cert *x509.Certificate) []byte {
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		sum := sha512.Sum384(cert.Raw)
		return sum[:]
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		sum := sha512.Sum512(cert.Raw)
		return sum[:]
	default:
		sum := sha256.Sum256(cert.Raw)
		return sum[:]
	}
}
