package wsmanserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// exchange is one HTTP request and its answer.
type exchange struct {
	server *Server
	at     *endpoint
	conn   *connection
	w      http.ResponseWriter
	r      *http.Request
	// user sends it, once logon has found out.
	user string
	// sealed says that the request came sealed, so the answer goes sealed.
	sealed bool
	// drawn says that faults on any message have counted the request.
	drawn bool
}

// answer is a SOAP message with its HTTP status.
type answer struct {
	status  int
	message []byte
}

// ServeHTTP answers one request of a connection.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := e.server
	// A connection that was taken away from the HTTP server is waited for like any other.
	s.working.Add(1)
	defer s.working.Done()
	e.counting(func(t *Stats, l *ListenerStats) { t.Requests++; l.Requests++ })
	w.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok || r.URL.Path != "/wsman" && r.URL.Path != anonymousPath {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	x := &exchange{server: s, at: e, conn: c, w: w, r: r}
	if c.surplus {
		x.page(http.StatusServiceUnavailable)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// A sealed envelope is a little larger than the envelope itself.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.config.Quotas.MaxEnvelopeKB)*1024+2048))
	if err == nil && x.anonymous(body) {
		return
	}
	protocol := sealedProtocol(r.Header.Get("Content-Type"))
	if len(body) > 0 && protocol == "" && e.Certificate == nil {
		e.counting(func(t *Stats, _ *ListenerStats) { t.Readable++ })
	}
	if x.logon() {
		return
	}
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case len(body) == 0:
		// The handshake ends with an empty request; its answer is empty too.
		w.WriteHeader(http.StatusOK)
	case protocol != "":
		x.open(protocol, body)
	case !e.readable():
		// AllowUnencrypted=false: nothing of a readable body is looked at.
		w.WriteHeader(http.StatusInternalServerError)
	default:
		x.act(body)
	}
}

const anonymousPath = "/wsman-anon/identify"

// anonymous answers an Identify of somebody who does not sign in, and reports whether it was one (MS-WSMV
// 3.1.4.1). What Windows runs is not told to him.
func (x *exchange) anonymous(body []byte) bool {
	if !strings.EqualFold(x.r.Header.Get("WSMANIDENTIFY"), "unauthenticated") && x.r.URL.Path != anonymousPath {
		return false
	}
	e, err := parse(body)
	if err != nil || e.Body.Identify == nil {
		return false
	}
	if f, ok := x.draw(e.operation()); ok {
		x.spoil(f.Kind, answer{http.StatusOK, wrap("", "", answerIdentify("0.0.0"))})
		return true
	}
	x.send(http.StatusOK, soapType, wrap("", "", answerIdentify("0.0.0")))
	return true
}

// open opens a sealed request and acts.
func (x *exchange) open(protocol string, body []byte) {
	if a := x.conn.agreed; a.seal != nil && a.protocol == protocol {
		if message, err := open(a.seal, body); err == nil {
			x.sealed = true
			x.act(message)
			return
		}
	}
	// The stream cannot be found again: the context is over.
	x.conn.forget()
	x.w.Header().Set("Connection", "close")
	x.w.WriteHeader(http.StatusBadRequest)
}

// act answers a message, or spoils the answer.
func (x *exchange) act(message []byte) {
	e, err := parse(message)
	f, struck := Fault{}, false
	if err == nil {
		f, struck = x.draw(e.operation())
	}
	if struck && !f.Late {
		x.spoil(f.Kind, answer{})
		return
	}
	var a answer
	if err != nil {
		a = x.faultAnswer(errXML(), "")
	} else {
		a = x.perform(e)
	}
	if struck {
		x.spoil(f.Kind, a)
		return
	}
	x.reply(a)
}

// perform does what an envelope asks for.
func (x *exchange) perform(e *envelope) answer {
	id := strings.TrimSpace(e.Header.MessageID)
	if e.Body.Identify != nil {
		return answer{http.StatusOK, wrap("", id, answerIdentify("10.0.20348"))}
	}
	action, text, f := x.admitted(e)
	if f != nil {
		return x.faultAnswer(f, id)
	}
	return answer{http.StatusOK, wrap(action, id, text)}
}

// admitted looks at rights and quotas before it lets the message through.
func (x *exchange) admitted(e *envelope) (action, body string, f *fault) {
	s := x.server
	if s.config.MayUse != nil && !s.config.MayUse(x.user) {
		return "", "", errAccessDenied()
	}
	if f := e.checkHeader(s.config.Quotas); f != nil {
		return "", "", f
	}
	end, f := s.begin(x.user)
	if f != nil {
		// Whoever is over the quota may still tidy up: the service ends operations by these.
		if op := e.operation(); op != "Delete" && op != "Signal" {
			return "", "", f
		}
		end = func() {}
	}
	defer end()
	return s.act(x.r.Context(), x.at, x.user, e)
}

func (x *exchange) faultAnswer(f *fault, relatesTo string) answer {
	return answer{http.StatusInternalServerError, answerFault(f, relatesTo, x.server.config.Computer)}
}

// dress makes what travels of a message.
func (x *exchange) dress(message []byte) (contentType string, body []byte, err error) {
	if !x.sealed {
		return soapType, message, nil
	}
	body, err = seal(x.conn.agreed.seal, x.conn.agreed.protocol, message)
	return sealedType(x.conn.agreed.protocol), body, err
}

func (x *exchange) reply(a answer) {
	contentType, body, err := x.dress(a.message)
	if err != nil {
		x.conn.forget()
		x.w.Header().Set("Connection", "close")
		x.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	x.send(a.status, contentType, body)
}

func (x *exchange) send(status int, contentType string, body []byte) {
	x.w.Header().Set("Content-Type", contentType)
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// act performs the action of an envelope and gives the answer's action and body.
func (s *Server) act(ctx context.Context, at *endpoint, user string, e *envelope) (action, body string, f *fault) {
	if strings.TrimSpace(e.Header.ResourceURI) != resourceCmd {
		return "", "", &fault{CodeUnknownAction, "w:UnsupportedFeature", true, "The lab serves the command shell resource only."}
	}
	action = strings.TrimSpace(e.Header.Action)
	if action == actionTransfer+"Create" {
		if e.Body.Shell == nil {
			return "", "", errBody("no Shell")
		}
		sh, f := s.createShell(at, user, e.Body.Shell.IdleTimeOut)
		if f != nil {
			return "", "", f
		}
		return action + "Response", answerCreate(sh.id, user, int(sh.idle.Seconds())), nil
	}
	sh, f := s.find(e.shellID(), user)
	if f != nil {
		return "", "", f
	}
	switch action {
	case actionTransfer + "Delete":
		s.deleteShell(sh)
	case actionShell + "Command":
		body, f = s.command(sh, e)
	case actionShell + "Send":
		body, f = s.send(ctx, sh, e)
	case actionShell + "Receive":
		body, f = s.receive(ctx, sh, e)
	case actionShell + "Signal":
		body, f = s.signal(sh, e)
	default:
		f = &fault{CodeUnknownAction, "a:ActionNotSupported", true, "The action " + printable(action) + " is not supported."}
	}
	return action + "Response", body, f
}
