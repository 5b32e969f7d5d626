package wsman

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"cau/internal/fault"
)

// Config says how to reach one node. Addr and Auth are required; zero values of the rest are the defaults.
type Config struct {
	// Addr is what is dialled, "host:port"; Windows listens on 5985 (HTTP) and 5986 (HTTPS).
	Addr string
	// Host is the node's name for the Host header, the target name and the certificate; default: Addr's host.
	Host string
	// TLS verifies the node: its RootCAs, or PinSPKI. Nil means plain HTTP, and then every body is sealed.
	// A configuration that verifies nothing is refused.
	TLS *tls.Config
	// NoChannelBinding leaves the TLS channel out of the proof, for a proxy that ends TLS before the node.
	NoChannelBinding bool
	// Auth is shared by all nodes that the same secret is for.
	Auth *Credential
	// Dial opens the TCP connection; default: net.Dialer with keep-alive 15 s / 5 s / 3.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// MaxBody is the largest answer in bytes; default 2 MiB.
	MaxBody int
	// MaxOutput is the largest output of one command in bytes, both streams together; default 16 MiB.
	MaxOutput int
	// AuthTimeout bounds dial, TLS and logon together; default 30 s.
	AuthTimeout time.Duration
	// OperationTimeout is how long the node holds a Receive without news, whole seconds, at most 60 s
	// (the service's MaxTimeoutms); default 15 s.
	OperationTimeout time.Duration
	// DeadHost is how long a host may be silent before it counts as gone; default 90 s.
	DeadHost time.Duration
	// TidyTimeout bounds what is sent after a command ended or was cancelled; default 10 s.
	TidyTimeout time.Duration
}

const (
	defaultMaxBody   = 2 << 20
	defaultMaxOutput = 16 << 20
	// answerGrace is how much longer than the OperationTimeout an answer may take: the service, not the
	// network, must be the one to give up, or a chunk of output that it has handed out is lost.
	answerGrace = 30 * time.Second
	// slowOperation is the OperationTimeout of messages that act. A time-out there leaves open whether they did.
	slowOperation = 60 * time.Second
	// maxIdle is below the 120 s after which HTTP.sys closes an idle connection.
	maxIdle = 90 * time.Second
)

// withDefaults fills in the zero values and refuses what must not be tried.
func (c Config) withDefaults() (Config, error) {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return c, fmt.Errorf("WinRM address %q: %w", c.Addr, err)
	}
	if c.Host == "" {
		c.Host = host
	}
	if !plainHost(c.Host) {
		return c, fmt.Errorf("WinRM host name %q holds characters that no host name has", c.Host)
	}
	if c.Auth == nil {
		return c, errors.New("WinRM needs a credential")
	}
	if c.Dial == nil {
		d := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
		c.Dial = d.DialContext
	}
	if c.MaxBody <= 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.MaxOutput <= 0 {
		c.MaxOutput = defaultMaxOutput
	}
	setDefault(&c.AuthTimeout, 30*time.Second)
	setDefault(&c.OperationTimeout, 15*time.Second)
	setDefault(&c.DeadHost, 90*time.Second)
	setDefault(&c.TidyTimeout, 10*time.Second)
	c.OperationTimeout = min(c.OperationTimeout, slowOperation)
	if c.TLS == nil && c.Auth.needsTLS != "" {
		return c, &fault.Error{
			Op: "log on with " + c.Auth.needsTLS, Err: errors.New("plain HTTP is refused: whoever listens would have the secret or could change every message"),
			Hint: "Use https:// (port 5986) with the node's CA or its pinned public key, or Kerberos or NTLM, which seal on plain HTTP too.",
		}
	}
	if c.TLS != nil {
		c.TLS, err = verifying(c.TLS, c.Host)
	}
	if err == nil && c.Auth.certificate != nil {
		err = showCertificate(c.TLS, c.Auth.certificate)
	}
	return c, err
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// authority is Host and port as they stand in the Host header and the message's To.
func (c Config) authority() string {
	_, port, _ := net.SplitHostPort(c.Addr) // withDefaults has checked it
	return net.JoinHostPort(c.Host, port)
}

func (c Config) url() string {
	scheme := "http"
	if c.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.authority() + "/wsman"
}

// plainHost admits DNS names, NetBIOS names and IP addresses: nothing that could break a header or XML.
func plainHost(s string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:"
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune(allowed, r)
	})
}
