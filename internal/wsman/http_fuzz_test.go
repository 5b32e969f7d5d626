package wsman

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"strings"
	"testing"
)

// FuzzAnswer lets a listener send any bytes in place of an HTTP answer.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate TlRMTVNTUAA=\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const most = 4096
		l := &link{maxBody: most, source: &boundedReader{r: bytes.NewReader(b)}}
		l.in = bufio.NewReader(l.source)
		a, err := l.read()
		if err != nil {
			return
		}
		if len(a.body) > most || a.status/100 == 1 {
			t.Fatalf("status %d, %d bytes", a.status, len(a.body))
		}
		e := a.httpError(opCreate, false)
		if text := e.Error(); text != printable(text, len(text)) || strings.ContainsRune(text, '\x1b') {
			t.Fatalf("%q can steer a terminal", text)
		}
		_, _, _ = challenges(a.header.Values("Www-Authenticate"), "Negotiate", true)
		if text := product(a.body); text != printable(text, 120) {
			t.Fatalf("%q can steer a terminal", text)
		}
	})
}

// What the parsers of answers share: a deep document is refused before it is followed.
func FuzzProduct(f *testing.F) {
	f.Add([]byte(`<s:Envelope xmlns:s="x"><s:Body><IdentifyResponse><ProductVendor>Microsoft</ProductVendor></IdentifyResponse></s:Body></s:Envelope>`))
	f.Add([]byte(strings.Repeat("<a>", 20000)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if text := product(b); text != printable(text, 120) || text != "" && xml.Unmarshal(b, new(struct{})) != nil {
			t.Fatalf("%q", text)
		}
	})
}
