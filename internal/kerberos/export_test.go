package kerberos

import (
	"context"
	"time"
)

// Later sets the client's clock to t, from where it goes on.
func (c *Client) Later(t time.Time) {
	began := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = func() time.Time { return t.Add(time.Since(began)) }
}

// End is the end of the ticket-granting ticket in use.
func (c *Client) End() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tgt.end
}

// Refresh gets another ticket-granting ticket, as the renewal in the background does when it is due.
func (c *Client) Refresh(ctx context.Context) error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	_, err := c.refresh(ctx)
	return err
}

// Granting identifies the ticket-granting ticket in use.
func (c *Client) Granting() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tgt
}

// Due is how long the renewal in the background waits.
func (c *Client) Due() time.Duration { return c.untilRenewal() }

// Patience makes the client wait less for each KDC.
func (c *Client) Patience(d time.Duration) { c.kdcs.patience = d }

// Outdated gives the client a ticket-granting ticket that is over.
func (c *Client) Outdated() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tgt = &ticket{client: c.who, start: c.now().Add(-2 * time.Hour), end: c.now().Add(-time.Hour)}
}
