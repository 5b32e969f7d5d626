package lines

import (
	"context"
	"errors"
	"strings"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
)

// control asks the run for something and prints what it answers.
func (s *session) control(ctx context.Context, run string, asked engine.Control) {
	err := s.Services.Control(ctx, run, asked)
	var refused *engine.RefusedError
	switch {
	case errors.As(err, &refused):
		s.print(s.Texts.T(message.AskRefused) + ": " + message.Clean(refused.Why))
		if refused.Advice != "" {
			s.print("  " + message.Clean(refused.Advice))
		}
	case err != nil:
		s.fault(err)
	case asked.Node != "":
		s.print(s.Texts.T(message.CLIControlDone(string(asked.Verb)), message.Clean(asked.Node), run))
	default:
		s.print(s.Texts.T(message.CLIControlDone(string(asked.Verb)), run))
	}
}

// stopNow asks for the end at once with the cluster's name as it was typed (R29); nothing typed asks for nothing.
func (s *session) stopNow(ctx context.Context, run, typed string) {
	if typed == "" || typed == ":b" {
		s.print(s.Texts.T(message.LinesWatchHelp))
		return
	}
	s.control(ctx, run, engine.Control{Verb: engine.VerbStopNow, Typed: typed})
}

// aboutNode reads a request about a node: the verb and the node's name, then what the verb needs, as on the command line.
// An update's name may have blanks.
func aboutNode(line string) (engine.Control, bool) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return engine.Control{}, false
	}
	asked, rest := engine.Control{Verb: engine.Verb(strings.ToLower(words[0])), Node: words[1]}, words[2:]
	switch asked.Verb { //nolint:exhaustive // the others are not about a node
	case engine.VerbHold, engine.VerbRelease, engine.VerbSkip, engine.VerbRetry, engine.VerbTake, engine.VerbGiveBack:
		return asked, len(rest) == 0
	case engine.VerbMark:
		if len(rest) < 2 {
			return asked, false
		}
		last := len(rest) - 1
		asked.Update, asked.Outcome = strings.Join(rest[:last], " "), plugins.Outcome(strings.ToLower(rest[last]))
		return asked, true
	case engine.VerbFollowUps:
		if len(rest) != 1 {
			return asked, false
		}
		asked.Install = strings.EqualFold(rest[0], "install")
		return asked, asked.Install || strings.EqualFold(rest[0], "leave")
	}
	return asked, false
}
