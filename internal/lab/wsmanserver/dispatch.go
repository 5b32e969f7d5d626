package wsmanserver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
)

// ServeHTTP answers one request of a connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.count(func(t *Stats) { t.Requests++ })
	w.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok || r.URL.Path != "/wsman" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	// A sealed envelope is a little larger than the envelope itself.
	limit := int64(s.config.MaxEnvelopeKB)*1024 + 2048
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	sealed := isSealed(r.Header.Get("Content-Type"))
	if len(body) > 0 && !sealed {
		s.count(func(t *Stats) { t.Readable++ })
	}
	if s.logon(w, r, c) {
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
	case !sealed:
		// AllowUnencrypted=false: nothing of a readable body is looked at.
		w.WriteHeader(http.StatusInternalServerError)
	default:
		s.answer(w, r, c, body)
	}
}

// answer opens a sealed request, acts and seals what comes of it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, c *connection, body []byte) {
	message, err := open(c.session, body)
	if err != nil {
		// The stream cannot be found again: the context is over.
		*c = connection{}
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	status := http.StatusOK
	e, err := parse(message)
	var out []byte
	if err != nil {
		out = answerFault(&fault{CodeInvalidXML, "w:SchemaValidationError", true, "The request contains invalid XML."}, "", s.config.Computer)
		status = http.StatusInternalServerError
	} else {
		action, text, f := s.act(r.Context(), c.user, e)
		if f != nil {
			out = answerFault(f, strings.TrimSpace(e.Header.MessageID), s.config.Computer)
			status = http.StatusInternalServerError
		} else {
			out = wrap(action, strings.TrimSpace(e.Header.MessageID), text)
		}
	}
	w.Header().Set("Content-Type", sealedType)
	w.WriteHeader(status)
	_, _ = w.Write(seal(c.session, out))
}

// act performs the action of an envelope and gives the answer's action and body.
func (s *Server) act(ctx context.Context, user string, e *envelope) (action, body string, f *fault) {
	if e.Body.Identify != nil {
		return "", answerIdentify(), nil
	}
	if strings.TrimSpace(e.Header.ResourceURI) != resourceCmd {
		return "", "", &fault{CodeUnknownAction, "w:UnsupportedFeature", true, "The lab serves the command shell resource only."}
	}
	action = strings.TrimSpace(e.Header.Action)
	if action == actionTransfer+"Create" {
		if e.Body.Shell == nil {
			return "", "", errBody("no Shell")
		}
		sh, f := s.createShell(user, e.Body.Shell.IdleTimeOut)
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

func (s *Server) command(sh *shell, e *envelope) (string, *fault) {
	line := e.Body.CommandLine
	if line == nil {
		return "", errBody("no CommandLine")
	}
	text := line.Command
	for _, a := range line.Arguments {
		text += " " + a
	}
	id, f := s.startCommand(sh, text)
	return answerCommand(id), f
}

func (s *Server) send(ctx context.Context, sh *shell, e *envelope) (string, *fault) {
	if e.Body.Send == nil {
		return "", errBody("no Send")
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout())
	defer cancel()
	for _, stream := range e.Body.Send.Streams {
		c, f := s.findCommand(sh, stream.CommandID)
		if f != nil {
			return "", f
		}
		data, err := decodeStream(stream.Data)
		if err != nil || stream.Name != "stdin" {
			return "", errBody("a stream that is not stdin in base64")
		}
		switch err := c.stdin.put(ctx, data, strings.EqualFold(stream.End, "true")); {
		case errors.Is(err, context.DeadlineExceeded):
			return "", errTimedOut()
		case err != nil:
			return "", errBody("the input stream has ended")
		}
	}
	return `<rsp:SendResponse/>`, nil
}

func (s *Server) receive(ctx context.Context, sh *shell, e *envelope) (string, *fault) {
	if e.Body.Receive == nil {
		return "", errBody("no Receive")
	}
	id := strings.ToUpper(e.Body.Receive.Desired.CommandID)
	c, f := s.findCommand(sh, id)
	if f != nil {
		return "", f
	}
	// Base64 makes 4 bytes of 3; the rest of the envelope takes about 2 KB.
	room := max(e.maxEnvelope(s.config.MaxEnvelopeKB*1024)-4096, 4096) / 4 * 3
	o, ok := c.receive(ctx, e.timeout(), room)
	if !ok {
		return "", errTimedOut()
	}
	return answerReceive(id, o), nil
}

// signal ends a command and forgets it, for every code: cmd.exe has no other answer to Ctrl+C.
func (s *Server) signal(sh *shell, e *envelope) (string, *fault) {
	if e.Body.Signal == nil {
		return "", errBody("no Signal")
	}
	c, f := s.findCommand(sh, e.Body.Signal.CommandID)
	if f != nil {
		return "", f
	}
	c.end()
	s.forgetCommand(sh, e.Body.Signal.CommandID)
	return `<rsp:SignalResponse/>`, nil
}
