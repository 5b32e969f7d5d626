package wsman

import (
	"context"
	"errors"
	"sync/atomic"
)

// Peer is what a handshake may know about the other side before it starts.
type Peer struct {
	// Host is the node's name as the caller gave it; it becomes the target name of the proof.
	Host string
	// ChannelBinding is the hash of the TLS channel (RFC 5929 tls-server-end-point in a GSS structure, 16
	// bytes), or nil on plain HTTP.
	ChannelBinding []byte
}

// Handshake is one try to establish a security context. It is used on one connection and then thrown away.
type Handshake interface {
	// Schemes are the HTTP scheme names that carry its tokens, the preferred first: "Negotiate", "NTLM".
	Schemes() []string
	// Next takes the peer's last token (nil at first) and gives the next one to send. proof is true when that
	// token proves knowledge of the secret, so that a refusal is a failed logon.
	Next(ctx context.Context, in []byte) (out []byte, proof bool, err error)
	// Accept is called once when the peer said yes, with the token of that answer if it had one.
	Accept(in []byte) (Session, error)
}

// Session is an established security context.
type Session struct {
	// Sealer protects the bodies; nil where the mechanism cannot, which only TLS excuses.
	Sealer Sealer
	// Mechanism is its name for people: "NTLMv2".
	Mechanism string
	// Computer and Domain are the peer's own names as it claims them, printable; may be empty.
	Computer, Domain string
}

// Sealer encrypts and signs bodies in order; every message must be used, in sequence.
type Sealer interface {
	// Protocol is the media type of sealed content (MS-WSMV 2.2.9.1).
	Protocol() string
	// Wrap gives the security header and the sealed bytes.
	Wrap(plain []byte) (header, sealed []byte, err error)
	// Unwrap checks the header and gives the clear bytes. It must not trust any length in either.
	Unwrap(header, sealed []byte) ([]byte, error)
}

// AuthFunc starts a fresh handshake for one connection.
type AuthFunc func(Peer) Handshake

// Credential is one secret as it was typed, shared by all nodes that it is for. It is tried on one node
// first while the others wait, and once rejected it is never sent again (R02). Safe for concurrent use.
type Credential struct {
	start   AuthFunc
	turn    chan struct{}
	proven  atomic.Bool
	refused atomic.Pointer[AuthError]
}

// NewCredential makes a credential of start, which must always use the same secret.
func NewCredential(start AuthFunc) *Credential {
	return &Credential{start: start, turn: make(chan struct{}, 1)}
}

// String never shows anything of the secret.
func (c *Credential) String() string { return "credential" }

// GoString keeps %#v from printing the secret.
func (c *Credential) GoString() string { return "wsman.Credential{}" }

// Rejected is the rejection that ended the use of this credential, or nil.
func (c *Credential) Rejected() error {
	if e := c.refused.Load(); e != nil {
		return e
	}
	return nil
}

// admit waits until the credential may be used. The caller must call settle once with the outcome: nil for an
// accepted logon, the error otherwise.
func (c *Credential) admit(ctx context.Context) (settle func(error), err error) {
	if err := c.Rejected(); err != nil {
		return nil, err
	}
	if c.proven.Load() {
		return c.record, nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	settle = func(outcome error) {
		c.record(outcome)
		<-c.turn
	}
	if err := c.Rejected(); err != nil {
		<-c.turn
		return nil, err
	}
	if c.proven.Load() {
		<-c.turn
		return c.record, nil
	}
	return settle, nil
}

func (c *Credential) record(outcome error) {
	var auth *AuthError
	switch {
	case outcome == nil:
		c.proven.Store(true)
	case errors.As(outcome, &auth) && auth.Reason == Rejected:
		c.refused.CompareAndSwap(nil, auth)
	}
}
