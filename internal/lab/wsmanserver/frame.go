package wsmanserver

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"cau/internal/lab/ntlm"
)

// The sealed body of MS-WSMV 2.2.9.1: two parts, the first only announcing, the second holding a length,
// the security header of that length and the ciphertext. The protocol names the scheme of the logon, not
// the mechanism: Kerberos under Negotiate is SPNEGO here.
const (
	spnegoProtocol   = "application/HTTP-SPNEGO-session-encrypted"
	kerberosProtocol = "application/HTTP-Kerberos-session-encrypted"
	soapType         = "application/soap+xml;charset=UTF-8"
	boundary         = "--Encrypted Boundary"
	octetsHeader     = "Content-Type: application/octet-stream"
	// maxHeader is above any security header: NTLM's has 16 bytes, Kerberos' with AES 60 to 76.
	maxHeader = 256
)

var errFrame = errors.New("malformed sealed body")

// sealer protects the bodies of a connection, each exactly once and in order.
type sealer interface {
	Wrap(plain []byte) (header, sealed []byte, err error)
	Unwrap(header, sealed []byte) ([]byte, error)
}

// ntlmSealer is an NTLM session as a sealer: its header is the signature.
type ntlmSealer struct{ *ntlm.Session }

func (n ntlmSealer) Wrap(plain []byte) (header, sealed []byte, err error) {
	sealed, header = n.Session.Wrap(plain)
	return header, sealed, nil
}

func (n ntlmSealer) Unwrap(header, sealed []byte) ([]byte, error) {
	return n.Session.Unwrap(sealed, header)
}

func sealedType(protocol string) string {
	return `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
}

// sealedProtocol is the protocol that a Content-Type announces; empty for one that announces none.
func sealedProtocol(contentType string) string {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "multipart/encrypted" {
		return ""
	}
	return parameters["protocol"]
}

// seal makes the body of an answer.
func seal(s sealer, protocol string, message []byte) ([]byte, error) {
	header, sealed, err := s.Wrap(message)
	if err != nil {
		return nil, fmt.Errorf("sealed body: %w", err)
	}
	var b bytes.Buffer
	b.Grow(len(sealed) + 512)
	fmt.Fprintf(&b, "%s\r\n\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n%s\r\n\t%s\r\n",
		boundary, protocol, soapType, len(message), boundary, octetsHeader)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	b.Write(header)
	b.Write(sealed)
	b.WriteString(boundary + "--\r\n")
	return b.Bytes(), nil
}

// open gives the message of a sealed body.
func open(s sealer, body []byte) ([]byte, error) {
	header, sealed, err := split(body)
	if err != nil {
		return nil, err
	}
	message, err := s.Unwrap(header, sealed)
	if err != nil {
		return nil, fmt.Errorf("sealed body: %w", err)
	}
	return message, nil
}

// split cuts a sealed body by the lengths it announces: ciphertext may hold any bytes, the boundary too.
func split(body []byte) (header, sealed []byte, err error) {
	head, rest, found := bytes.Cut(body, []byte(octetsHeader+"\r\n"))
	if !found || len(head) > 1024 {
		return nil, nil, errFrame
	}
	length := -1
	for _, line := range strings.Split(string(head), "\r\n") {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !strings.EqualFold(name, "OriginalContent") {
			continue
		}
		for _, parameter := range strings.Split(value, ";") {
			if key, number, _ := strings.Cut(strings.TrimSpace(parameter), "="); strings.EqualFold(key, "Length") {
				n, err := strconv.ParseUint(number, 10, 31)
				if err != nil {
					return nil, nil, errFrame
				}
				length = int(n)
			}
		}
	}
	if length < 0 || len(rest) < 4 {
		return nil, nil, errFrame
	}
	size := int(binary.LittleEndian.Uint32(rest))
	rest = rest[4:]
	if size < ntlm.SignatureSize || size > maxHeader || len(rest) < size+length {
		return nil, nil, errFrame
	}
	header, sealed, rest = rest[:size], rest[size:size+length], rest[size+length:]
	if strings.TrimRight(string(rest), "\r\n") != boundary+"--" {
		return nil, nil, errFrame
	}
	return header, sealed, nil
}
