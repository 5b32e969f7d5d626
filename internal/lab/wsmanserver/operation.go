package wsmanserver

import (
	"context"
	"errors"
	"strings"
)

func (s *Server) command(sh *shell, e *envelope) (string, *fault) {
	line := e.Body.CommandLine
	if line == nil {
		return "", errBody("no CommandLine")
	}
	text := line.Command
	for _, a := range line.Arguments {
		text += " " + a
	}
	id, f := s.startCommand(sh, text, strings.EqualFold(e.option("WINRS_CONSOLEMODE_STDIN"), "TRUE"))
	return answerCommand(id), f
}

func (s *Server) send(ctx context.Context, sh *shell, e *envelope) (string, *fault) {
	if e.Body.Send == nil {
		return "", errBody("no Send")
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout(s.config.Quotas.MaxTimeout))
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
		switch err := c.stdin.put(ctx, data, strings.EqualFold(stream.End, "true") && !c.console); {
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
	room := max(e.maxEnvelope(s.config.Quotas.MaxEnvelopeKB*1024)-4096, 4096) / 4 * 3
	o, ok := c.receive(ctx, e.timeout(s.config.Quotas.MaxTimeout), room)
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
