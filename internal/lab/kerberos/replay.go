package kerberos

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxReplays bounds a replay cache: 64 nodes of a lab stay far below it.
const maxReplays = 1 << 16

// ReplayCache remembers the authenticators a machine has seen, so that a recorded
// logon works once, RFC 4120 3.2.3. All acceptors of one machine share one. Its
// zero value is empty and ready.
type ReplayCache struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]time.Time
}

// fresh notes a proof and tells whether it is new. Once its time is more than the
// allowed skew away it needs no remembering: it is refused anyway. A full cache
// takes nothing as new.
func (c *ReplayCache) fresh(proof []byte, stamp, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[[sha256.Size]byte]time.Time{}
	}
	if len(c.seen) >= maxReplays {
		for k, until := range c.seen {
			if until.Before(now) {
				delete(c.seen, k)
			}
		}
	}
	k := sha256.Sum256(proof)
	if _, old := c.seen[k]; old || len(c.seen) >= maxReplays {
		return false
	}
	// One second more: the stamp was compared with its microseconds.
	c.seen[k] = stamp.Add(maxSkew + time.Second)
	return true
}
