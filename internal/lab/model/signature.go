package model

import (
	"strings"

	"cau/internal/winnode/agent"
)

// Numbers of SignatureStatus (System.Management.Automation).
const (
	signatureValid     = 0
	signatureUnsigned  = 2
	signatureMismatch  = 3
	signatureUntrusted = 4
)

// The made-up signer of the lab's updates.
const (
	labSigner     = "CN=Simulated Updates, O=The lab of cau"
	labThumbprint = "5D1C0FFEE0DDBA11FEEDFACE0123456789ABCDEF"
)

// checkSignature is Get-AuthenticodeSignature on the update's own file, judged by the policy.
func checkSignature(j *job, f file, policy string) (*agent.Signature, error) {
	switch policy {
	case agent.SignatureIgnore:
		return nil, nil //nolint:nilnil // it was not looked at
	case "", agent.SignatureWarn, agent.SignatureRequire:
	default:
		return nil, &refusal{"refused", "the signature policy is none that there is"}
	}
	s := &agent.Signature{Status: readUpdate(f).signature}
	if s.Status != signatureUnsigned {
		s.Signer, s.Thumbprint = labSigner, labThumbprint
	}
	j.event("signature", signatureName(s.Status)+" "+s.Signer, 0, 0)
	if s.Status != signatureValid && policy == agent.SignatureRequire {
		return nil, &refusal{"refused", "the signature of the update is not valid, and a valid one is required"}
	}
	return s, nil
}

// signatureName is the number's name (SignatureStatus).
func signatureName(status int) string {
	switch status {
	case signatureUnsigned:
		return "NotSigned"
	case signatureMismatch:
		return "HashMismatch"
	case signatureUntrusted:
		return "NotTrusted"
	}
	return "Valid"
}

// readSignature is an update file's own word for its signature.
func readSignature(word string) (status int, ok bool) {
	switch word {
	case "valid":
		return signatureValid, true
	case "unsigned":
		return signatureUnsigned, true
	case "mismatch":
		return signatureMismatch, true
	case "untrusted":
		return signatureUntrusted, true
	}
	return 0, false
}

// signatureOf is what a file of its kind has by itself: packages of Windows are signed, other programs are not.
func signatureOf(path string) int {
	for _, suffix := range []string{".msu", ".msi", ".msp"} {
		if strings.HasSuffix(key(path), suffix) {
			return signatureValid
		}
	}
	return signatureUnsigned
}
