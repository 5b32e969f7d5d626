package wsman

import (
	"bytes"
	"strings"
	"testing"
)

// asIs is a sealer that seals nothing, so that a frame can be looked at.
type asIs struct{}

func (asIs) Protocol() string { return spnegoProtocol }

func (asIs) Wrap(b []byte) (header, sealed []byte, err error) { return []byte("HEADER"), b, nil }

func (asIs) Unwrap(_, b []byte) ([]byte, error) { return b, nil }

func TestASealedBodyLooksAsTheSpecificationSays(t *testing.T) {
	got, err := sealBody(asIs{}, []byte("--Encrypted Boundary--\r\n"))
	want := "--Encrypted Boundary\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n" +
		"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=24\r\n--Encrypted Boundary\r\n" +
		"\tContent-Type: application/octet-stream\r\n\x06\x00\x00\x00HEADER--Encrypted Boundary--\r\n--Encrypted Boundary--\r\n"
	if err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
	if plain, err := openBody(asIs{}, got); err != nil || string(plain) != "--Encrypted Boundary--\r\n" {
		t.Fatalf("opened %q, %v: the boundary must not be searched in the content", plain, err)
	}
}

func TestOtherSpellingsOfAFrameAreRead(t *testing.T) {
	body, _ := sealBody(asIs{}, []byte("text"))
	for name, b := range map[string]string{
		"Exchange's boundary": strings.ReplaceAll(string(body), "--Encrypted Boundary", "-- Encrypted Boundary"),
		"no final line end":   strings.TrimSuffix(string(body), "\r\n"),
		"lower case":          strings.Replace(string(body), "Content-Type", "content-type", 2),
		"blanks":              strings.ReplaceAll(string(body), "\t", "    "),
	} {
		if plain, err := openBody(asIs{}, []byte(b)); err != nil || string(plain) != "text" {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestMalformedFramesAreRefused(t *testing.T) {
	body, _ := sealBody(asIs{}, []byte("text"))
	good := string(body)
	for name, b := range map[string]string{
		"empty":                 "",
		"plain":                 "<s:Envelope/>",
		"another protocol":      strings.Replace(good, "SPNEGO", "Kerberos", 1),
		"no length":             strings.Replace(good, ";Length=4", "", 1),
		"negative length":       strings.Replace(good, "Length=4", "Length=-4", 1),
		"huge length":           strings.Replace(good, "Length=4", "Length=99999999999999999999", 1),
		"length beyond the end": strings.Replace(good, "Length=4", "Length=2147483647", 1),
		"length too short":      strings.Replace(good, "Length=4", "Length=3", 1),
		"huge header":           strings.Replace(good, "\x06\x00\x00\x00", "\xff\xff\xff\xff", 1),
		"no second part":        good[:strings.LastIndex(good, "--Encrypted Boundary\r")],
		"cut in the header":     good[:strings.Index(good, "HEADER")+3],
		"text behind":           good + "more",
		"two frames":            good + good,
	} {
		if plain, err := openBody(asIs{}, []byte(b)); err == nil {
			t.Errorf("%s: opened as %q", name, plain)
		}
	}
}

// shortening is a sealer that gives back less than was announced.
type shortening struct{ asIs }

func (shortening) Unwrap(_, b []byte) ([]byte, error) { return b[1:], nil }

func TestAClearTextOfAnotherLengthThanAnnouncedIsRefused(t *testing.T) {
	body, _ := sealBody(asIs{}, []byte("text"))
	if plain, err := openBody(shortening{}, body); err == nil {
		t.Fatalf("opened as %q", plain)
	}
}

func TestOnlyTheNegotiatedContentTypeIsAFrame(t *testing.T) {
	for contentType, want := range map[string]bool{
		frameType(spnegoProtocol): true,
		`multipart/encrypted; protocol="application/http-spnego-session-encrypted"; boundary="Encrypted Boundary"`: true,
		`multipart/encrypted;protocol="application/HTTP-Kerberos-session-encrypted";boundary="x"`:                  false,
		"multipart/encrypted":                    false,
		"application/soap+xml;charset=UTF-8":     false,
		"":                                       false,
		`multipart/encrypted;protocol="unclosed`: false,
	} {
		if got := isFrame(contentType, spnegoProtocol); got != want {
			t.Errorf("%q: %v", contentType, got)
		}
	}
}

func FuzzFrame(f *testing.F) {
	body, _ := sealBody(asIs{}, []byte("text"))
	f.Add(body)
	f.Add(bytes.ReplaceAll(body, []byte("--E"), []byte("-- E")))
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := openBody(asIs{}, b)
		if err == nil && (len(plain) > len(b) || !bytes.Contains(b, plain)) {
			t.Fatalf("%q gave %q", b, plain)
		}
	})
}
