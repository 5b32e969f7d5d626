package wsman

import (
	"crypto/x509"
	"testing"
)

func TestTheBindingUsesTheCertificatesOwnHash(t *testing.T) {
	for algorithm, size := range map[x509.SignatureAlgorithm]int{
		x509.SHA1WithRSA: 32, x509.MD5WithRSA: 32, x509.SHA256WithRSA: 32, x509.ECDSAWithSHA256: 32, x509.PureEd25519: 32,
		x509.SHA384WithRSA: 48, x509.SHA384WithRSAPSS: 48, x509.ECDSAWithSHA384: 48,
		x509.SHA512WithRSA: 64, x509.SHA512WithRSAPSS: 64, x509.ECDSAWithSHA512: 64,
	} {
		if got := len(certificateHash(&x509.Certificate{SignatureAlgorithm: algorithm, Raw: []byte("x")})); got != size {
			t.Errorf("%v: %d bytes, want %d", algorithm, got, size)
		}
	}
}
