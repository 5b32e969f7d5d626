package wsman

import (
	"sync/atomic"
	"time"
)

// Age makes the node's idle connection look older by d.
func (n *Node) Age(d time.Duration) {
	n.lock <- struct{}{}
	defer n.free()
	if l := n.shell.conn.link; l != nil {
		l.used = l.used.Add(-d)
	}
}

// Drop cuts the node's connection.
func (n *Node) Drop() {
	n.lock <- struct{}{}
	defer n.free()
	n.shell.conn.drop()
}

// LendAfter makes the others wait less for a proof that hangs.
func (c *Credential) LendAfter(d time.Duration) { c.lendAfter = d }

// Sleeps gives what is added to the clock by which the node's silence is measured, in nanoseconds.
func (n *Node) Sleeps() *atomic.Int64 {
	var by atomic.Int64
	n.shell.conn.now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
	return &by
}
