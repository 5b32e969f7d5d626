package wsmanserver

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
)

// html is what HTTP.sys says when nobody takes a request from it.
const html = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">` + "\r\n" +
	`<HTML><HEAD><TITLE>%s</TITLE></HEAD>` + "\r\n" + `<BODY><h2>%s</h2>` + "\r\n" + `<hr><p>HTTP Error %d. The service is unavailable.</p>` + "\r\n" + `</BODY></HTML>` + "\r\n"

// faulty strikes a logon if a fault on it is due, and reports whether it did.
func (x *exchange) faulty() bool {
	f, ok := x.draw(onLogon)
	if ok {
		x.spoil(f.Kind, answer{})
	}
	return ok
}

func (x *exchange) draw(on string) (Fault, bool) {
	f, ok := x.server.faults.draw(on, x.drawn)
	x.drawn = true
	return f, ok
}

// spoil answers as the kind says; a is the right answer for those that need one.
func (x *exchange) spoil(kind string, a answer) {
	switch kind {
	case KindReset:
		x.hijack(func(conn net.Conn, _ io.Writer) {
			if t, ok := conn.(*tls.Conn); ok {
				conn = t.NetConn()
			}
			if t, ok := conn.(*net.TCPConn); ok {
				_ = t.SetLinger(0) // closing it is a reset then
			}
			_ = conn.Close()
		})
	case KindHang:
		<-x.r.Context().Done() // the client went away or the service went down
	case Kind401:
		x.conn.forget()
		x.demand("", nil)
	case Kind503:
		x.page(http.StatusServiceUnavailable)
	case Kind500HTML:
		x.page(http.StatusInternalServerError)
	case KindEmpty:
		x.w.WriteHeader(http.StatusOK)
	case KindCutHead:
		x.hijack(func(_ net.Conn, w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Type: multipart/enc")
		})
	case KindCutBody:
		contentType, body, err := x.dress(a.message)
		if err == nil {
			x.hijack(func(_ net.Conn, w io.Writer) {
				_, _ = fmt.Fprintf(w, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
					a.status, http.StatusText(a.status), contentType, len(body), body[:len(body)/2])
			})
		}
	case KindNotSOAP:
		x.reply(answer{http.StatusOK, fmt.Appendf(nil, html, "Welcome", "Welcome", http.StatusOK)})
	case KindUnsealed:
		x.send(a.status, soapType, a.message)
	case KindWrongFault:
		x.reply(x.faultAnswer(&fault{CodeUnexpected, "w:InternalError", false, "Catastrophic failure"}, ""))
	case KindServiceRestart:
		x.server.restart(x.conn)
	case KindRefuseLogon:
		x.refuse("", "")
	}
}

// page answers with a page of HTTP.sys.
func (x *exchange) page(status int) {
	text := http.StatusText(status)
	x.w.Header().Set("Connection", "close")
	x.send(status, "text/html; charset=us-ascii", fmt.Appendf(nil, html, text, text, status))
}

// hijack hands the bare connection over and closes it afterwards.
func (x *exchange) hijack(use func(conn net.Conn, w io.Writer)) {
	h, ok := x.w.(http.Hijacker)
	if !ok {
		return
	}
	conn, _, err := h.Hijack()
	if err != nil {
		return
	}
	var b bytes.Buffer
	use(conn, &b)
	if b.Len() > 0 {
		_, _ = conn.Write(b.Bytes())
	}
	_ = conn.Close()
}
