package cli

import (
	"cau/engine"
	"cau/internal/message"
)

// nodeWords is what an administrator decided about a node; empty where nobody did.
func (p *program) nodeWords(n engine.NodeRun) string {
	switch {
	case n.TakenBy != "":
		return p.texts.T(message.CLITaken, message.Clean(n.TakenBy))
	case n.HeldBackBy != "":
		return p.texts.T(message.CLIHeldBack, message.Clean(n.HeldBackBy))
	case n.Look:
		return p.texts.T(message.CLILook)
	}
	return ""
}
