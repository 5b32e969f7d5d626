package wsman

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Names of what is under way, as errors show them.
const (
	opConnect      = "connect"
	opAuthenticate = "authenticate"
	opCreate       = "Create"
	opCommand      = "Command"
	opSend         = "Send"
	opReceive      = "Receive"
	opSignal       = "Signal"
	opDelete       = "Delete"
)

// Stats counts what crossed the wire since the Node was made.
type Stats struct {
	// Requests are HTTP requests including those of logons; Dials TCP connections; Handshakes accepted logons.
	Requests, Dials, Handshakes int64
}

// conn keeps at most one authenticated link to a node. Its user makes sure that one exchange runs at a time.
type conn struct {
	cfg  Config
	link *link
	now  func() time.Time

	// heard is when the host last gave any answer.
	heard time.Time

	mu    sync.Mutex
	facts Negotiated

	requests, dials, handshakes atomic.Int64
}

func newConn(cfg Config) *conn {
	return &conn{cfg: cfg, now: time.Now, heard: time.Now()}
}

func (c *conn) stats() Stats {
	return Stats{Requests: c.requests.Load(), Dials: c.dials.Load(), Handshakes: c.handshakes.Load()}
}

// negotiated is what the last logon agreed on.
func (c *conn) negotiated() (Negotiated, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.facts, c.facts.Mechanism != ""
}

// drop ends the link and its security context.
func (c *conn) drop() {
	if c.link != nil {
		c.link.close()
		c.link = nil
	}
}

// silence is how long the host has given no answer, by the clock on the wall, which goes on while this host sleeps, or
// by the one that is never set, whichever says more.
func (c *conn) silence() time.Duration {
	now := c.now()
	return max(now.Sub(c.heard), now.Round(0).Sub(c.heard.Round(0)))
}

// do sends message and gives the clear body of a 200. hold is how long the node may wait before it answers.
// The message is sent a second time only when it cannot have been read: it did not leave whole, or it was
// refused with 401 unread, which asks for one new logon.
func (c *conn) do(ctx context.Context, op string, message []byte, hold time.Duration) ([]byte, error) {
	resent, again := false, false
	for {
		body, err := c.once(ctx, op, message, hold)
		var lost *ConnError
		var refused *HTTPError
		switch {
		case err == nil || ctx.Err() != nil:
			return body, err
		case errors.As(err, &lost) && lost.Stage == NotSent && !resent && !timedOut(err):
			resent = true
		case errors.As(err, &refused) && refused.Op == op && refused.Status == 401 && !again:
			again = true
		default:
			return nil, err
		}
	}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, ErrSilent) || errors.As(err, &n) && n.Timeout()
}

// once makes sure of a link and runs one exchange on it. After any error the link is gone.
func (c *conn) once(ctx context.Context, op string, message []byte, hold time.Duration) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, &ConnError{op, NotSent, context.Cause(ctx)}
	}
	if c.link != nil && !c.link.alive(c.now()) {
		c.drop()
	}
	if c.link == nil {
		if err := c.connect(ctx); err != nil {
			return nil, err
		}
	}
	body, err := c.exchange(ctx, op, message, min(hold+answerGrace, c.cfg.DeadHost))
	var fault *Fault
	if err != nil && !errors.As(err, &fault) {
		c.drop()
	}
	return body, err
}

// connect dials and logs on, all within AuthTimeout. Waiting for other nodes' proofs is not counted; before the
// first proof it holds no connection either.
func (c *conn) connect(ctx context.Context) (err error) {
	leave, err := c.cfg.Auth.admit(ctx)
	if err != nil {
		var auth *AuthError
		if errors.As(err, &auth) {
			return err
		}
		return &ConnError{opConnect, NotSent, err}
	}
	defer func() { leave.settle(err) }()
	patience := &budget{until: time.Now().Add(c.cfg.AuthTimeout)}
	dialing, cancel := patience.limit(ctx)
	defer cancel()
	c.dials.Add(1)
	l, err := dialLink(dialing, c.cfg, func() { c.requests.Add(1) })
	if err != nil {
		if dialing.Err() != nil {
			err = context.Cause(dialing)
		}
		return &ConnError{opConnect, NotSent, err}
	}
	facts, err := l.authenticate(ctx, c.cfg, leave, patience)
	if err != nil {
		l.close()
		return err
	}
	c.handshakes.Add(1)
	c.heard = c.now()
	c.link = l
	c.mu.Lock()
	c.facts = facts
	c.mu.Unlock()
	return nil
}

// budget is the time that is left for a logon.
type budget struct{ until time.Time }

func (b *budget) left() time.Duration { return time.Until(b.until) }

// limit ends ctx with the budget.
func (b *budget) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, b.until, ErrSilent)
}

// spare gives back what f takes.
func (b *budget) spare(f func() error) error {
	began := time.Now()
	err := f()
	b.until = b.until.Add(time.Since(began))
	return err
}

// exchange sends message on the link, sealed where it has to be, and opens the answer.
func (c *conn) exchange(ctx context.Context, op string, message []byte, patience time.Duration) ([]byte, error) {
	if ctx.Err() != nil { // nothing is sealed that is not sent
		return nil, &ConnError{op, NotSent, context.Cause(ctx)}
	}
	l, contentType, body := c.link, soapType, message
	if l.sealer != nil {
		sealed, err := sealBody(l.sealer, message)
		if err != nil {
			return nil, &ConnError{op, NotSent, err}
		}
		contentType, body = frameType(l.sealer.Protocol()), sealed
	}
	if l.authorization != nil {
		if err := c.cfg.Auth.Rejected(); err != nil { // each message is a logon of its own
			return nil, err
		}
	}
	a, stage, err := l.post(ctx, contentType, l.authorization.reveal(), body, patience)
	if err != nil {
		return nil, &ConnError{op, stage, err}
	}
	a.knows = l.authorization != nil
	if a.knows && a.status == 401 {
		refusal := &AuthError{Reason: Rejected}
		c.cfg.Auth.record(refusal)
		return nil, refusal
	}
	plain, err := c.open(op, a)
	if err != nil {
		return nil, err
	}
	a.body = plain
	c.heard = c.now()
	if !a.keepsLinkUp {
		c.drop()
	}
	if a.status == 200 {
		return plain, nil
	}
	if f := readFault(op, a.status, plain); f != nil {
		return nil, f
	}
	return nil, a.httpError(op, l.sealer != nil)
}

// open gives the clear body of an answer that WinRM itself made. On a sealed link nothing unsealed is believed.
func (c *conn) open(op string, a *answer) ([]byte, error) {
	if c.link.sealer == nil {
		if len(a.body) == 0 || a.status != 200 && a.status != 500 {
			return nil, a.httpError(op, false)
		}
		return a.body, nil
	}
	sealer := c.link.sealer
	switch {
	case isFrame(a.header.Get("Content-Type"), sealer.Protocol()) && len(a.body) > 0:
		plain, err := openBody(sealer, a.body)
		var auth *AuthError
		if err != nil && !errors.As(err, &auth) {
			return nil, &ConnError{op, Answered, err}
		}
		return plain, err
	case a.status == 200 && len(a.body) > 0:
		return nil, &AuthError{Reason: NotSealed}
	default:
		return nil, a.httpError(op, false)
	}
}
