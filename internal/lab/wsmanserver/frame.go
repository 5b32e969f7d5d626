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
// the NTLM signature of that length and the ciphertext.
const (
	protocol     = "application/HTTP-SPNEGO-session-encrypted"
	soapType     = "application/soap+xml;charset=UTF-8"
	boundary     = "--Encrypted Boundary"
	sealedType   = `multipart/encrypted;protocol="` + protocol + `";boundary="Encrypted Boundary"`
	octetsHeader = "Content-Type: application/octet-stream"
)

var errFrame = errors.New("malformed sealed body")

func isSealed(contentType string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	return err == nil && media == "multipart/encrypted" && parameters["protocol"] == protocol
}

// seal makes the body of an answer.
func seal(s *ntlm.Session, message []byte) []byte {
	sealed, signature := s.Wrap(message)
	var b bytes.Buffer
	b.Grow(len(sealed) + 512)
	fmt.Fprintf(&b, "%s\r\n\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n%s\r\n\t%s\r\n",
		boundary, protocol, soapType, len(message), boundary, octetsHeader)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signature))))
	b.Write(signature)
	b.Write(sealed)
	b.WriteString(boundary + "--\r\n")
	return b.Bytes()
}

// open gives the message of a sealed body.
func open(s *ntlm.Session, body []byte) ([]byte, error) {
	signature, sealed, err := split(body)
	if err != nil {
		return nil, err
	}
	message, err := s.Unwrap(sealed, signature)
	if err != nil {
		return nil, fmt.Errorf("sealed body: %w", err)
	}
	return message, nil
}

// split cuts a sealed body by the length it announces: ciphertext may hold any bytes, the boundary too.
func split(body []byte) (signature, sealed []byte, err error) {
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
	if length < 0 || len(rest) < 4+ntlm.SignatureSize+length || binary.LittleEndian.Uint32(rest) != ntlm.SignatureSize {
		return nil, nil, errFrame
	}
	signature, rest = rest[4:4+ntlm.SignatureSize], rest[4+ntlm.SignatureSize:]
	sealed, rest = rest[:length], rest[length:]
	if strings.TrimRight(string(rest), "\r\n") != boundary+"--" {
		return nil, nil, errFrame
	}
	return signature, sealed, nil
}
