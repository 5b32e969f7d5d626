package kerberos

import (
	"encoding/binary"
	"errors"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// errCut is the cause when a cache or a keytab ends too early or holds lengths that cannot be.
var errCut = errors.New("the file is cut or damaged")

// maxComponents is far above the two or three parts that a principal's name has.
const maxComponents = 16

// cursor reads big-endian fields. After the first one that is not there everything is zero and bad is true.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.rest) {
		c.bad = true
		return nil
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) u8() uint8 {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// data32 is a field behind its 32-bit length, data16 one behind its 16-bit length.
func (c *cursor) data32() []byte { return c.take(int(int32(c.u32()))) }
func (c *cursor) data16() []byte { return c.take(int(c.u16())) }

// principal is a name with its realm.
type principal struct {
	name  types.PrincipalName
	realm string
}

func (p principal) String() string { return p.name.PrincipalNameString() + "@" + p.realm }

func (p principal) equal(q principal) bool { return p.realm == q.realm && p.name.Equal(q.name) }

// ticketGranting is the name of the service that gives tickets for target, within realm.
func ticketGranting(target, realm string) principal {
	return principal{types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", target}}, realm}
}
