package winnode

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"cau/internal/wsman"
)

// WinRM dials nodes over WinRM. Credential is required; the zero values of the rest are the defaults.
type WinRM struct {
	// Credential is shared by all nodes (R02).
	Credential *wsman.Credential
	// TLS verifies nodes whose address says https; nil means the system's certificate authorities.
	TLS *tls.Config
	// NoChannelBinding is for a proxy that ends TLS before the nodes.
	NoChannelBinding bool
	// Dial opens TCP connections; nil means the ordinary way.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// AuthTimeout, OperationTimeout and DeadHost as in wsman.Config; zero means its defaults.
	AuthTimeout, OperationTimeout, DeadHost time.Duration
}

// Shell is a shell on the node at address, which calls itself host.
func (w *WinRM) Shell(address, host string) (Shell, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if host == "" {
		host = a.Host
	}
	cfg := wsman.Config{
		Addr: a.HostPort(), Host: host, Auth: w.Credential, Dial: w.Dial, NoChannelBinding: w.NoChannelBinding,
		AuthTimeout: w.AuthTimeout, OperationTimeout: w.OperationTimeout, DeadHost: w.DeadHost,
	}
	if a.TLS {
		cfg.TLS = w.TLS
		if cfg.TLS == nil {
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	}
	return winrmShell{wsman.NewNode(cfg)}, nil
}

// winrmShell is a wsman.Node as a Shell and a Negotiator.
type winrmShell struct{ node *wsman.Node }

// Run runs a command.
func (s winrmShell) Run(ctx context.Context, command string, stdin []byte) (stdout, stderr []byte, exit int32, err error) {
	r, err := s.node.Run(ctx, command, stdin)
	return r.Stdout, r.Stderr, r.Exit, err
}

// Close ends the shell and the connection.
func (s winrmShell) Close(ctx context.Context) error { return s.node.Close(ctx) }

// Negotiated is what the last logon agreed on.
func (s winrmShell) Negotiated() (wsman.Negotiated, bool) { return s.node.Negotiated() }

// Stats counts requests, connections and logons.
func (s winrmShell) Stats() wsman.Stats { return s.node.Stats() }
