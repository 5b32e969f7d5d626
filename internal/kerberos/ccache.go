package kerberos

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// ticket is what a KDC gave us for one service, with the key that only we and it know.
type ticket struct {
	client         principal
	ticket         messages.Ticket
	key            types.EncryptionKey
	start, end     time.Time
	renewTill      time.Time
	renewable      bool
	encryptedBytes []byte // as the KDC sent it; nil if it came from an answer that gokrb5 parsed
}

// parseCCache finds the ticket-granting ticket of the cache's own realm in a FILE cache of version 3 or 4 (MIT
// krb5, "Credential cache file format"). Entries that are configuration, or for other services, are passed over.
func parseCCache(b []byte) (*ticket, error) {
	c := &cursor{rest: b}
	first, version := c.u8(), c.u8()
	if c.bad || first != 5 || version < 3 || version > 4 {
		return nil, errors.New("this is no credential cache of version 3 or 4")
	}
	if version == 4 {
		c.data16() // the header holds the KDC's clock offset, which our own clock must do without
	}
	us := c.cachePrincipal()
	if c.bad || us.realm == "" {
		return nil, errCut
	}
	wanted := ticketGranting(us.realm, us.realm)
	var best *ticket
	for len(c.rest) > 0 {
		t, server := c.cacheEntry(version)
		if c.bad {
			return nil, errCut
		}
		if !server.equal(wanted) || !t.client.equal(us) || best != nil && !best.end.Before(t.end) {
			continue
		}
		best = t
	}
	if best == nil {
		return nil, fmt.Errorf("the cache holds no ticket-granting ticket of realm %s", printable(us.realm, 80))
	}
	if err := contained(func() error { return best.ticket.Unmarshal(best.encryptedBytes) }); err != nil {
		return nil, errCut
	}
	return best, nil
}

func (c *cursor) cachePrincipal() principal {
	var p principal
	p.name.NameType = int32(c.u32())
	n := c.u32()
	p.realm = string(c.data32())
	if n > maxComponents {
		c.bad = true
		return p
	}
	for range n {
		p.name.NameString = append(p.name.NameString, string(c.data32()))
	}
	return p
}

// cacheEntry reads one credential.
func (c *cursor) cacheEntry(version uint8) (*ticket, principal) {
	t := &ticket{client: c.cachePrincipal()}
	server := c.cachePrincipal()
	t.key.KeyType = int32(int16(c.u16()))
	if version == 3 {
		c.u16() // repeats the key's type
	}
	t.key.KeyValue = c.data32()
	auth, start := c.u32(), c.u32()
	t.end = unix(c.u32())
	t.renewTill = unix(c.u32())
	if start == 0 {
		start = auth
	}
	t.start = unix(start)
	c.u8() // whether it is a user-to-user ticket
	bits := c.u32()
	t.renewable = bits&(1<<(31-flags.Renewable)) != 0
	for range 2 { // addresses, then authorization data: the same shape
		for range c.count() {
			c.u16()
			c.data32()
		}
	}
	t.encryptedBytes = c.data32()
	c.data32() // the second ticket of user-to-user
	return t, server
}

// count is the length of a list whose elements take at least six bytes each.
func (c *cursor) count() int {
	n := c.u32()
	if int64(n)*6 > int64(len(c.rest)) {
		c.bad = true
		return 0
	}
	return int(n)
}

func unix(seconds uint32) time.Time { return time.Unix(int64(seconds), 0) }

// usable says whether the key is one that we may use.
func (t *ticket) usable() error { return aesOnly(t.key.KeyType) }

// splitCache takes a cache's name apart: "FILE:/path", "KCM:", or a bare path.
func splitCache(name string) (kind, rest string) {
	kind, rest, ok := strings.Cut(name, ":")
	if !ok || len(kind) < 2 || strings.ContainsAny(kind, `/\.`) { // one letter is a drive
		return "FILE", name
	}
	return strings.ToUpper(kind), rest
}
