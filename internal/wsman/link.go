package wsman

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// maxHead bounds status line and headers of all answers to one message together.
const maxHead = 64 << 10

// link is one TCP connection and the security context that lives and dies with it. It is used by one
// goroutine at a time and thrown away after any error: the sealing counts messages.
type link struct {
	conn    net.Conn
	source  *boundedReader
	in      *bufio.Reader
	host    string // Host header
	maxBody int
	sealer  Sealer // nil until authenticated, and on TLS
	// authorization goes with every message where the scheme has no security context; nil for all others.
	authorization hidden
	used          time.Time
	count         func() // one request went out
	extra         string // further header lines, each with CR LF
}

// answer is an HTTP answer, read to its end.
type answer struct {
	status      int
	reason      string
	header      http.Header
	body        []byte
	keepsLinkUp bool
	// knows says that the peer was shown a secret, which it may show in its body.
	knows bool
}

// boundedReader stops a peer that sends more than one answer may hold.
type boundedReader struct {
	r    io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// dialLink connects and, with TLS, verifies the peer.
func dialLink(ctx context.Context, cfg Config, count func()) (*link, error) {
	conn, err := cfg.Dial(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	if cfg.TLS != nil {
		secure := tls.Client(conn, cfg.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		conn = secure
	}
	l := &link{conn: conn, host: cfg.authority(), maxBody: cfg.MaxBody, count: count}
	l.source = &boundedReader{r: conn}
	l.in = bufio.NewReader(l.source)
	return l, nil
}

func (l *link) close() { _ = l.conn.Close() }

// alive finds out whether an idle link is still open and silent. A closed one would swallow the next message
// and leave open whether it arrived.
func (l *link) alive(now time.Time) bool {
	// The clock on the wall goes on while this host sleeps, the other one does not and is never set.
	idle := now.Sub(l.used)
	if wall := now.Round(0).Sub(l.used.Round(0)); idle > maxIdle || wall > maxIdle || wall < 0 {
		return false
	}
	if idle < time.Second {
		return true // looking costs a millisecond
	}
	l.source.left = 1
	if l.conn.SetReadDeadline(time.Now().Add(50*time.Microsecond)) != nil {
		return false
	}
	_, err := l.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// post sends one message and reads its answer. An end of ctx closes the socket. patience bounds the whole.
func (l *link) post(ctx context.Context, contentType, authorization string, body []byte, patience time.Duration) (*answer, Stage, error) {
	if ctx.Err() != nil {
		return nil, NotSent, context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, l.close)
	a, stage, err := l.exchange(contentType, authorization, body, patience)
	if !stop() { // the socket is closed, even if the answer made it before
		return nil, min(stage, Maybe), context.Cause(ctx)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrSilent
	}
	return a, stage, err
}

func (l *link) exchange(contentType, authorization string, body []byte, patience time.Duration) (*answer, Stage, error) {
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, NotSent, err
	}
	var msg bytes.Buffer
	fmt.Fprintf(&msg, "POST /wsman HTTP/1.1\r\nHost: %s\r\nUser-Agent: cau\r\nConnection: Keep-Alive\r\nContent-Type: %s\r\nContent-Length: %d\r\n",
		l.host, contentType, len(body))
	if authorization != "" {
		fmt.Fprintf(&msg, "Authorization: %s\r\n", authorization)
	}
	msg.WriteString(l.extra)
	msg.WriteString("\r\n")
	msg.Write(body)
	l.count()
	// A message that did not leave whole cannot have been acted upon: its Content-Length is not reached.
	if _, err := l.conn.Write(msg.Bytes()); err != nil {
		return nil, NotSent, err
	}
	a, err := l.read()
	if err != nil {
		return nil, Maybe, err
	}
	l.used = time.Now()
	return a, Answered, nil
}

func (l *link) read() (*answer, error) {
	l.source.left = maxHead // header lines take many times their size in memory
	request := &http.Request{Method: http.MethodPost}
	for {
		resp, err := http.ReadResponse(l.in, request)
		if err != nil && l.source.left <= 0 { // whatever else is wrong with the piece that was let through
			err = errTooLarge
		}
		if err != nil {
			return nil, noEOF(err)
		}
		if resp.StatusCode/100 == 1 {
			_ = resp.Body.Close()
			continue
		}
		l.source.left += l.maxBody + maxHead
		body, err := io.ReadAll(io.LimitReader(resp.Body, int64(l.maxBody)+1))
		_ = resp.Body.Close()
		switch {
		case err != nil:
			return nil, noEOF(err)
		case len(body) > l.maxBody:
			return nil, errTooLarge
		}
		return &answer{
			status: resp.StatusCode, reason: printable(http.StatusText(resp.StatusCode), 40), header: resp.Header,
			body: body, keepsLinkUp: !resp.Close && l.in.Buffered() == 0,
		}, nil
	}
}

// noEOF keeps the end of a connection from looking like a regular end of input.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// httpError describes an answer that is not WinRM's.
func (a *answer) httpError(op string, sealed bool) *HTTPError {
	e := &HTTPError{Op: op, Status: a.status, Reason: a.reason, Sealed: sealed}
	if !a.knows { // some pages show what they were sent
		e.ContentType = printable(a.header.Get("Content-Type"), 80)
		e.Head = printable(string(a.body[:min(len(a.body), 480)]), 120)
	}
	return e
}
