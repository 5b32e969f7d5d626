package winnode

import (
	"context"

	"cau/internal/wsman"
)

// Shell runs commands on one machine, one at a time or several.
type Shell interface {
	// Run runs a command line through cmd.exe. Nil stdin means that the command reads none. An exit code is
	// no error. Errors are those of package wsman where the transport is WinRM.
	Run(ctx context.Context, command string, stdin []byte) (stdout, stderr []byte, exit int32, err error)
	// Close ends what still runs and drops the connection. No Run may follow.
	Close(ctx context.Context) error
}

// Dialer makes shells. It does not touch the network; the shell's first Run does.
type Dialer interface {
	// Shell is a shell on the machine at address, in the form that ParseAddress takes. host is the machine's DNS
	// name for the certificate, the Host header and the service principal name; empty means the address's own.
	Shell(address, host string) (Shell, error)
}

// Negotiator is a Shell that can say how it is connected.
type Negotiator interface {
	// Negotiated is what the last logon agreed on; ok is false before the first.
	Negotiated() (facts wsman.Negotiated, ok bool)
	// Stats counts requests, connections and logons so far.
	Stats() wsman.Stats
}

// rejected tells whether err says that the credential itself was refused: final for it (R02). A ticket that is over,
// or that one node did not take, is not; that node counts as out of reach.
func rejected(err error) bool { return wsman.Final(err) }
