package kerberos

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"cau/internal/fault"
)

// Client is one account's Kerberos identity, shared by all nodes of a run. Safe for concurrent use.
type Client struct {
	who        principal
	enterprise bool
	secret     *secret
	cachePath  string
	etypes     []int32
	kdcs       *directory
	now        func() time.Time

	// turn is held while the ticket-granting ticket is made or renewed, so that one logon runs at a time.
	turn chan struct{}

	mu      sync.Mutex
	tgt     *ticket
	tickets map[string]*ticket
	refused *Error
	// resting is why no proof leaves before resume: the last one got no verdict.
	resting *Error
	resume  time.Time
	last    time.Time // of the last authenticator
	closed  bool

	life    context.Context //nolint:containedctx // of the Client itself, which ends with Close
	end     context.CancelFunc
	renewal sync.WaitGroup
}

// errClosed is the cause after Close.
var errClosed = errors.New("the Kerberos credential was closed by us")

// Close forgets tickets and secrets, and ends the renewal and a logon that is under way. Nothing may be initiated afterwards.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed, c.tgt, c.tickets = true, nil, nil
	c.mu.Unlock()
	c.end()
	c.renewal.Wait()
	c.turn <- struct{}{}
	c.secret = &secret{}
	<-c.turn
}

// String is the principal; nothing secret is ever in it.
func (c *Client) String() string { return c.Principal() }

// GoString keeps %#v from printing secrets.
func (c *Client) GoString() string { return "kerberos.Client{}" }

// Principal is who we are, user@REALM, printable.
func (c *Client) Principal() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tgt != nil {
		return printable(c.tgt.client.String(), 256)
	}
	return printable(c.who.String(), 256)
}

// Lifetime is until when new logons work without anybody's help (R05): the end of the ticket-granting ticket, or
// of the time in which it can be renewed. ok is false where nothing ends: a password and a keytab get new tickets
// for as long as the domain takes them.
func (c *Client) Lifetime() (end time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cachePath == "" || c.tgt == nil {
		return time.Time{}, false
	}
	if c.tgt.renewable && c.tgt.renewTill.After(c.tgt.end) {
		return c.tgt.renewTill, true
	}
	return c.tgt.end, true
}

// Final tells whether the KDC refused the secret, or may have, so that this Client will never send it again (R02).
func (e *Error) Final() bool {
	if e.spent {
		return true
	}
	switch e.Kind {
	case Rejected, Revoked, Locked, PasswordExpired, AccountExpired, UnknownUser, ClockSkew:
		return !e.FromService
	default:
		return false
	}
}

// Refused is why the secret is not sent now: a domain controller refused it, or did not say what became of a proof (R02).
// It is nil while a logon may be tried. What holds here holds for the same password by any other protocol.
func (c *Client) Refused() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.refused != nil:
		return failed(opLogon, c.refused)
	case c.resting != nil && c.now().Before(c.resume):
		return failed(opLogon, c.resting)
	default:
		return nil
	}
}

// stamp is the time for an authenticator, in whole microseconds and later than any before it.
func (c *Client) stamp() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now().UTC().Truncate(time.Microsecond)
	if !now.After(c.last) {
		now = c.last.Add(time.Microsecond)
	}
	c.last = now
	return now
}

// margin is how long before its end a ticket counts as over: two minutes, less for short ones.
func (t *ticket) margin() time.Duration { return min(2*time.Minute, t.end.Sub(t.start)/10) }

// good says whether t can still be used at now.
func (t *ticket) good(now time.Time) bool { return t != nil && now.Before(t.end.Add(-t.margin())) }

// granting gives a ticket-granting ticket that is good, making or renewing one where needed.
func (c *Client) granting(ctx context.Context) (*ticket, error) {
	if t, err := c.held(); t != nil || err != nil {
		return t, err
	}
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	if t, err := c.held(); t != nil || err != nil { // another one has made it meanwhile
		return t, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.life, func() { cancel(errClosed) })()
	return c.refresh(ctx)
}

// held is the ticket-granting ticket if it is good, or what forbids getting one.
func (c *Client) held() (*ticket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, errClosed
	case c.tgt.good(c.now()):
		return c.tgt, nil
	case c.refused != nil:
		return nil, c.refused
	case c.resting != nil && c.now().Before(c.resume):
		return nil, c.resting
	default:
		return nil, nil
	}
}

// rest is how long a secret that was good before is not sent again after a proof without a verdict: every node of a
// run asks, and each proof may count as a failed logon.
const rest = time.Minute

// doubt keeps a secret back whose proof got no verdict: for good if it was never accepted. The caller holds the lock.
func (c *Client) doubt(e *Error) {
	if c.tgt != nil {
		c.resting, c.resume = e, c.now().Add(rest)
		return
	}
	e.spent = true
	c.refused = e
}

// refresh gets a new ticket-granting ticket. The caller holds the turn.
func (c *Client) refresh(ctx context.Context) (t *ticket, err error) {
	if c.cachePath != "" {
		t, err = c.refreshCache(ctx)
	} else {
		t, err = c.logon(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var e *Error
	switch {
	case err == nil && c.closed:
		return nil, errClosed
	case err == nil:
		c.tgt = t
	case errors.As(err, &e) && e.Final():
		c.refused = e
	case e != nil && e.noVerdict:
		c.doubt(e)
	}
	return t, err
}

// refreshCache looks whether somebody has made a newer ticket (kinit again), else has the old one renewed.
func (c *Client) refreshCache(ctx context.Context) (*ticket, error) {
	c.mu.Lock()
	old := c.tgt
	c.mu.Unlock()
	fresh, err := readCache(c.cachePath)
	if err == nil && fresh.client.equal(c.who) && fresh.good(c.now()) && (old == nil || fresh.end.After(old.end)) {
		return fresh, nil
	}
	for _, t := range []*ticket{old, fresh} {
		if t != nil && t.client.equal(c.who) && t.renewable && c.now().Before(t.end) && t.renewTill.After(t.end) {
			return c.renew(ctx, t)
		}
	}
	if err != nil {
		return nil, err
	}
	return nil, &Error{Kind: Expired, Err: errors.New("the cache's ticket is over and cannot be renewed")}
}

// startRenewal keeps a renewable ticket from a cache alive until Close: once it is over it cannot be renewed.
func (c *Client) startRenewal() {
	if c.tgt == nil || !c.tgt.renewable {
		return
	}
	ctx := c.life
	c.renewal.Go(func() {
		for {
			timer := time.NewTimer(c.untilRenewal())
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
			c.renewOnce(ctx)
		}
	})
}

// untilRenewal waits for four fifths of the ticket's life, and looks again within the minute afterwards.
func (c *Client) untilRenewal() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tgt == nil {
		return time.Minute
	}
	due := c.tgt.end.Add(-c.tgt.end.Sub(c.tgt.start) / 5).Sub(c.now())
	if due <= 0 {
		return time.Minute
	}
	return min(due, time.Hour) // a machine that slept looks at the clock again
}

// renewOnce renews the ticket if it is due. What fails is tried again later, and then told to whoever needs it.
func (c *Client) renewOnce(ctx context.Context) {
	c.mu.Lock()
	due := c.tgt != nil && !c.now().Before(c.tgt.end.Add(-c.tgt.end.Sub(c.tgt.start)/5))
	c.mu.Unlock()
	if !due {
		return
	}
	select {
	case c.turn <- struct{}{}:
		_, _ = c.refresh(ctx)
		<-c.turn
	case <-ctx.Done():
	}
}

// ticketFor gives a good ticket for service, from memory or from the KDC.
func (c *Client) ticketFor(ctx context.Context, service string) (*ticket, error) {
	c.mu.Lock()
	t := c.tickets[service]
	c.mu.Unlock()
	if t.good(c.now()) {
		return t, nil
	}
	tgt, err := c.granting(ctx)
	if err != nil {
		return nil, err
	}
	if t, err = c.serviceTicket(ctx, tgt, service); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	c.tickets[service] = t
	return t, nil
}

// forget drops the ticket for service, so that the next logon asks for a new one.
func (c *Client) forget(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tickets, service)
}

// Initiate begins a logon at service, "WSMAN/node1.contoso.com", over a channel whose binding is channelBinding (16
// bytes, RFC 4121 4.1.1.2; nil where there is none). It needs a KDC unless a ticket is at hand. Errors are *Error
// inside a *fault.Error with a hint, or the context's.
func (c *Client) Initiate(ctx context.Context, service string, channelBinding []byte) (*Initiator, error) {
	if err := checkService(service); err != nil {
		return nil, failed(opTicket, &Error{Kind: UnknownService, Err: err})
	}
	t, err := c.ticketFor(ctx, service)
	if err == nil {
		var i *Initiator
		if i, err = c.initiator(service, t, channelBinding); err == nil {
			return i, nil
		}
	}
	var e *Error
	var hinted *fault.Error
	switch {
	case errors.As(err, &hinted):
		return nil, err
	case errors.As(err, &e):
		return nil, failed(opTicket+" for "+service, e)
	default:
		return nil, &fault.Error{Op: opTicket + " for " + service, Err: err}
	}
}

// checkService admits service/host names of printable ASCII.
func checkService(service string) error {
	class, host, ok := strings.Cut(service, "/")
	if !ok || class == "" || host == "" || len(service) > 512 || strings.ContainsFunc(service, func(r rune) bool { return r <= ' ' || r > '~' || r == '@' }) {
		return errors.New("a service's name has the form WSMAN/host.domain")
	}
	return nil
}
