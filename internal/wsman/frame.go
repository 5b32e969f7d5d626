package wsman

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"strings"
)

const (
	soapType      = "application/soap+xml;charset=UTF-8"
	frameBoundary = "Encrypted Boundary"
	// maxSecurityHeader is far above what NTLM (16) and Kerberos (60) use.
	maxSecurityHeader = 1024
)

// frameType is the Content-Type of a sealed body (MS-WSMV 2.2.9.1).
func frameType(protocol string) string {
	return `multipart/encrypted;protocol="` + protocol + `";boundary="` + frameBoundary + `"`
}

// sealBody puts plain into the two-part body of MS-WSMV 2.2.9.1. The tabs before the header lines are a MUST.
func sealBody(s Sealer, plain []byte) ([]byte, error) {
	header, sealed, err := s.Wrap(plain)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	var b bytes.Buffer
	b.Grow(len(sealed) + 512)
	fmt.Fprintf(&b, "--%s\r\n\tContent-Type: %s\r\n\tOriginalContent: type=%s;Length=%d\r\n--%s\r\n\tContent-Type: application/octet-stream\r\n",
		frameBoundary, s.Protocol(), soapType, len(plain), frameBoundary)
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	b.Write(header)
	b.Write(sealed)
	fmt.Fprintf(&b, "--%s--\r\n", frameBoundary)
	return b.Bytes(), nil
}

// isFrame reports whether contentType announces a body sealed with protocol.
func isFrame(contentType, protocol string) bool {
	media, params, err := mime.ParseMediaType(contentType)
	return err == nil && media == "multipart/encrypted" && strings.EqualFold(params["protocol"], protocol)
}

// frame is the content of a sealed body before it is opened.
type frame struct {
	length         int // of the clear text, as announced
	header, sealed []byte
}

var errFrame = errors.New("the sealed body is malformed")

// parseFrame takes a sealed body apart by its announced lengths and fixed lines; the boundary is never searched
// for, since ciphertext may contain it.
func parseFrame(body []byte, protocol string) (frame, error) {
	var f frame
	f.length = -1
	part, rest, ok := takePart(body)
	if !ok || !strings.EqualFold(part["content-type"], protocol) {
		return f, errFrame
	}
	for _, param := range strings.Split(part["originalcontent"], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if strings.EqualFold(name, "Length") {
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil {
				return f, errFrame
			}
			f.length = int(n)
		}
	}
	part, rest, ok = takePart(rest)
	if !ok || f.length < 0 || !strings.EqualFold(part["content-type"], "application/octet-stream") || len(rest) < 4 {
		return f, errFrame
	}
	n := binary.LittleEndian.Uint32(rest)
	rest = rest[4:]
	if n > maxSecurityHeader || int64(n)+int64(f.length) > int64(len(rest)) {
		return f, errFrame
	}
	f.header, rest = rest[:n], rest[n:]
	f.sealed, rest = rest[:f.length], rest[f.length:]
	end := strings.TrimRight(string(rest), "\r\n")
	if end != "--"+frameBoundary+"--" && end != "-- "+frameBoundary+"--" {
		return f, errFrame
	}
	return f, nil
}

// takePart reads one boundary line and the header lines behind it, which in this format start with a
// tab or a blank and are not closed by an empty line.
func takePart(b []byte) (header map[string]string, rest []byte, ok bool) {
	line, rest, ok := takeLine(b)
	if !ok || (line != "--"+frameBoundary && line != "-- "+frameBoundary) {
		return nil, nil, false
	}
	header = map[string]string{}
	for {
		line, after, ok := takeLine(rest)
		if !ok || line == "" || (line[0] != '\t' && line[0] != ' ') {
			return header, rest, true
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return header, rest, true
		}
		name = strings.ToLower(strings.TrimSpace(name))
		header[name] = strings.TrimSpace(value)
		rest = after
		if value := header[name]; name == "content-type" && strings.EqualFold(value, "application/octet-stream") {
			return header, rest, true // what follows are bytes, not lines
		}
	}
}

// takeLine cuts a line of at most 512 bytes, without its CR LF.
func takeLine(b []byte) (line string, rest []byte, ok bool) {
	i := bytes.Index(b[:min(len(b), 512)], []byte("\r\n"))
	if i < 0 {
		return "", b, false
	}
	return string(b[:i]), b[i+2:], true
}

// openBody gives the clear text of a sealed body.
func openBody(s Sealer, body []byte) ([]byte, error) {
	f, err := parseFrame(body, s.Protocol())
	if err != nil {
		return nil, err
	}
	plain, err := s.Unwrap(f.header, f.sealed)
	if err != nil {
		return nil, err
	}
	if len(plain) != f.length {
		return nil, errFrame
	}
	return plain, nil
}
