package wsman

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Peer is what a handshake may know about the other side before it starts.
type Peer struct {
	// Host is the node's name as the caller gave it; it becomes the target name of the proof.
	Host string
	// ChannelBinding is the hash of the TLS channel (RFC 5929 tls-server-end-point in a GSS structure, 16
	// bytes), or nil on plain HTTP.
	ChannelBinding []byte
}

// Preparer is a Handshake that must do something before it can say its schemes, such as getting a ticket. The
// Handshake that it gives is used in its place.
type Preparer interface {
	Prepare(ctx context.Context) (Handshake, error)
}

// schemed is a Handshake whose tokens depend on the scheme that carries them.
type schemed interface{ under(scheme string) }

// denied is a Handshake whose token proves no secret to the peer, and that can read why the peer did not take it.
// token is what came with the 401, if anything.
type denied interface {
	deny(token []byte) *AuthError
}

// probing is a Handshake that must send a message instead of an empty one, because its scheme has no rounds.
type probing interface{ probe() []byte }

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
	// Authorization is sent with every message, for schemes that have no security context. Only on TLS.
	Authorization string
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

// lendAfter is how long a proof may keep the others waiting before the next one may leave too.
const lendAfter = 5 * time.Second

// Credential is one secret as it was typed, shared by all nodes that it is for (R02). It is tried on one node first
// while the others wait; if that one refuses it, or gives no verdict, it is never sent again. Also afterwards one proof
// is under way at a time, so that a secret that stops working costs one failed logon, however many nodes reconnect
// at once. A proof that hangs lets one other overtake it, and further ones when that is accepted: then the secret was
// still good. Safe for concurrent use.
type Credential struct {
	start AuthFunc
	// needsTLS names a mechanism that shows its secret or has no sealing of its own; "" for all others.
	needsTLS string
	// certificate is what TLS shows to the node, or nil.
	certificate *tls.Certificate

	turn      chan struct{}
	proven    atomic.Bool
	refused   atomic.Pointer[AuthError]
	lendAfter time.Duration

	mu     sync.Mutex
	holder *admission // whose the turn is
	late   *admission // who gave it away without a verdict
}

// NewCredential makes a credential of start, which must always use the same secret.
func NewCredential(start AuthFunc) *Credential {
	return &Credential{start: start, turn: make(chan struct{}, 1), lendAfter: lendAfter}
}

// String never shows anything of the secret.
func (c *Credential) String() string { return "credential" }

// GoString keeps %#v from printing the secret.
func (c *Credential) GoString() string { return "wsman.Credential{}" }

// Rejected is what ended the use of this credential, or nil.
func (c *Credential) Rejected() error {
	if e := c.refused.Load(); e != nil {
		return e
	}
	return nil
}

// admission is the leave of one connection to use a credential.
type admission struct {
	credential *Credential
	sent       bool // a proof may have arrived
	clock      *time.Timer
	// overdue says that the proof keeps the others waiting for too long; guarded by the credential's lock.
	overdue bool
}

// admit waits until the credential may be used. The caller must settle the admission once.
func (c *Credential) admit(ctx context.Context) (*admission, error) {
	a := &admission{credential: c}
	if err := c.Rejected(); err != nil {
		return nil, err
	}
	if c.proven.Load() {
		return a, nil
	}
	if err := a.hold(ctx); err != nil {
		return nil, err
	}
	if c.proven.Load() {
		a.free()
	}
	return a, nil
}

// hold waits for the turn, in which alone a proof may leave.
func (a *admission) hold(ctx context.Context) error {
	c := a.credential
	if a.holding() {
		return nil
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.mu.Lock()
	c.holder = a
	c.mu.Unlock()
	if err := c.Rejected(); err != nil {
		a.free()
		return err
	}
	return nil
}

func (a *admission) holding() bool {
	a.credential.mu.Lock()
	defer a.credential.mu.Unlock()
	return a.credential.holder == a
}

func (a *admission) free() {
	a.credential.mu.Lock()
	defer a.credential.mu.Unlock()
	a.credential.pass(a)
}

// pass gives the turn on if it is a's. The caller holds the lock.
func (c *Credential) pass(a *admission) {
	if c.holder == a {
		c.holder = nil
		<-c.turn
	}
}

// proving starts the clock of a proof that is about to leave. The first one has as long as it takes.
func (a *admission) proving() {
	c := a.credential
	if !c.proven.Load() {
		return
	}
	a.clock = time.AfterFunc(c.lendAfter, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		a.overdue = true
		c.lend()
	})
}

// lend lets the next proof leave beside one that hangs, unless another is without a verdict already. The caller
// holds the lock.
func (c *Credential) lend() {
	if a := c.holder; a != nil && a.overdue && c.late == nil {
		c.late = a
		c.pass(a)
	}
}

// settle records the outcome, nil for an accepted logon, and then lets the next one have its turn.
func (a *admission) settle(outcome error) {
	c := a.credential
	if a.clock != nil {
		a.clock.Stop()
	}
	c.record(outcome)
	if outcome != nil && a.sent && !c.proven.Load() { // nobody knows whether it counted as a failed logon
		c.refused.CompareAndSwap(nil, &AuthError{Reason: Unanswered, Err: outcome})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pass(a)
	if outcome == nil || c.late == a {
		c.late = nil
		c.lend()
	}
}

// Prove runs a logon with the same secret over another protocol, SMB, in its turn, so that R02 holds for both together.
// Nothing runs once the secret was refused. logon says with an *AuthError whose Reason is final (Rejected, Locked)
// that the secret was refused, with a *ConnError of stage NotSent that no proof left, and with anything else that
// nobody knows; its error comes back as it is.
func (c *Credential) Prove(ctx context.Context, logon func(ctx context.Context) error) error {
	a, err := c.admit(ctx)
	if err != nil {
		return err
	}
	if err := a.hold(ctx); err != nil {
		return err
	}
	a.proving()
	err = logon(ctx)
	var unsent *ConnError
	a.sent = !errors.As(err, &unsent) || unsent.Stage != NotSent
	a.settle(err)
	return err
}

func (c *Credential) record(outcome error) {
	var auth *AuthError
	switch {
	case outcome == nil:
		c.proven.Store(true)
	case errors.As(outcome, &auth) && auth.Final():
		c.refused.CompareAndSwap(nil, auth)
	}
}
