package descriptor

import (
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is the cause where bytes or a text are no security descriptor.
var ErrMalformed = errors.New("not a security descriptor")

const (
	headSize    = 20
	aclHead     = 8
	aceHead     = 4
	aclRevision = 2
	// aclRevisionDS is the one of lists with object entries.
	aclRevisionDS = 4
)

// Parse reads the self-relative form (MS-DTYP 2.4.6). Bytes between and behind its parts are passed over, as Windows does.
func Parse(b []byte) (*Descriptor, error) {
	if len(b) < headSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(b))
	}
	d := &Descriptor{Control: Control(le.Uint16(b[2:]))}
	switch {
	case b[0] != 1:
		return nil, fmt.Errorf("%w: revision %d", ErrMalformed, b[0])
	case d.Control&SelfRelative == 0:
		return nil, fmt.Errorf("%w: it is not self-relative", ErrMalformed)
	}
	part := func(field int, name string, read func([]byte) error) error {
		at := le.Uint32(b[field:])
		if at == 0 {
			return nil
		}
		if at < headSize || uint64(at) >= uint64(len(b)) {
			return fmt.Errorf("%w: its %s is outside of it", ErrMalformed, name)
		}
		if err := read(b[at:]); err != nil {
			return fmt.Errorf("%w: in its %s: %w", ErrMalformed, name, err)
		}
		return nil
	}
	sid := func(into *SID) func([]byte) error {
		return func(b []byte) (err error) { *into, _, err = readSID(b); return err }
	}
	acl := func(into **ACL, present Control) func([]byte) error {
		return func(b []byte) (err error) {
			if d.Control&present == 0 {
				return nil
			}
			*into, err = readACL(b)
			return err
		}
	}
	if err := errors.Join(
		part(4, "owner", sid(&d.Owner)), part(8, "group", sid(&d.Group)),
		part(12, "SACL", acl(&d.SACL, SACLPresent)), part(16, "DACL", acl(&d.DACL, DACLPresent)),
	); err != nil {
		return nil, err
	}
	return d, nil
}

// readACL reads a list (MS-DTYP 2.4.5).
func readACL(b []byte) (*ACL, error) {
	if len(b) < aclHead {
		return nil, errors.New("it is cut off")
	}
	size, count := int(le.Uint16(b[2:])), int(le.Uint16(b[4:]))
	acl := &ACL{Revision: b[0]}
	switch {
	case acl.Revision < aclRevision || acl.Revision > aclRevisionDS:
		return nil, fmt.Errorf("revision %d", acl.Revision)
	case size < aclHead || size > len(b) || count*aceHead > size-aclHead:
		return nil, fmt.Errorf("%d entries in %d bytes, of which %d are there", count, size, len(b))
	}
	acl.Entries = make([]ACE, 0, count)
	rest := b[aclHead:size]
	for i := range count {
		if len(rest) < aceHead {
			return nil, fmt.Errorf("entry %d is cut off", i+1)
		}
		n := int(le.Uint16(rest[2:]))
		if n < aceHead || n > len(rest) {
			return nil, fmt.Errorf("entry %d has %d bytes, of which %d are there", i+1, n, len(rest))
		}
		e, err := readACE(ACEType(rest[0]), ACEFlags(rest[1]), rest[aceHead:n])
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		acl.Entries = append(acl.Entries, e)
		rest = rest[n:]
	}
	return acl, nil
}

// Which object types an entry names (MS-DTYP 2.4.4.3).
const (
	objectPresent          = 0x1
	inheritedObjectPresent = 0x2
)

// readACE reads what follows the header of an entry (MS-DTYP 2.4.4).
func readACE(kind ACEType, flags ACEFlags, b []byte) (ACE, error) {
	e := ACE{Type: kind, Flags: flags}
	if !kind.hasShape() {
		e.Data = append([]byte(nil), b...)
		return e, nil
	}
	if len(b) < 4 {
		return e, errors.New("it has no mask")
	}
	e.Mask = Mask(le.Uint32(b))
	b = b[4:]
	if kind.hasObject() {
		if len(b) < 4 {
			return e, errors.New("it is cut off")
		}
		which := le.Uint32(b)
		b = b[4:]
		for _, g := range []struct {
			bit  uint32
			into **GUID
		}{{objectPresent, &e.Object}, {inheritedObjectPresent, &e.InheritedObject}} {
			if which&g.bit == 0 {
				continue
			}
			if len(b) < 16 {
				return e, errors.New("its object type is cut off")
			}
			id := GUID(b[:16])
			*g.into, b = &id, b[16:]
		}
	}
	sid, n, err := readSID(b)
	if err != nil {
		return e, err
	}
	e.SID = sid
	if len(b) > n {
		e.Data = append([]byte(nil), b[n:]...)
	}
	return e, nil
}

// Encode writes the self-relative form: what Parse reads back as the same. It fails for what has no binary form: a SID
// that is none, a list of more than 64 KiB, data that does not end on a multiple of four bytes.
func (d *Descriptor) Encode() ([]byte, error) {
	control := d.Control | SelfRelative
	b := make([]byte, headSize)
	b[0] = 1
	part := func(field int, write func([]byte) ([]byte, error)) error {
		at := len(b)
		longer, err := write(b)
		if err != nil {
			return err
		}
		if len(longer) > at {
			le.PutUint32(b[field:], uint32(at))
			copy(longer, b[:headSize])
		}
		b = longer
		return nil
	}
	sid := func(s SID) func([]byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) {
			if s == "" {
				return b, nil
			}
			return s.appendTo(b)
		}
	}
	acl := func(a *ACL, present Control) func([]byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) {
			if a == nil {
				return b, nil
			}
			control |= present
			return a.appendTo(b)
		}
	}
	for _, p := range []struct {
		field int
		write func([]byte) ([]byte, error)
	}{{4, sid(d.Owner)}, {8, sid(d.Group)}, {12, acl(d.SACL, SACLPresent)}, {16, acl(d.DACL, DACLPresent)}} {
		if err := part(p.field, p.write); err != nil {
			return nil, err
		}
	}
	le.PutUint16(b[2:], uint16(control))
	return b, nil
}

func (a *ACL) appendTo(b []byte) ([]byte, error) {
	at, revision := len(b), a.Revision
	b = append(b, make([]byte, aclHead)...)
	for i, e := range a.Entries {
		if e.Type.hasObject() && revision == 0 {
			revision = aclRevisionDS
		}
		start := len(b)
		var err error
		if b, err = e.appendTo(b); err != nil {
			return nil, fmt.Errorf("entry %d: %w", i+1, err)
		}
		if n := len(b) - start; n > math.MaxUint16 || n%4 != 0 {
			return nil, fmt.Errorf("entry %d has %d bytes", i+1, n)
		}
		le.PutUint16(b[start+2:], uint16(len(b)-start))
	}
	if revision == 0 {
		revision = aclRevision
	}
	size := len(b) - at
	if size > math.MaxUint16 || len(a.Entries) > math.MaxUint16 {
		return nil, fmt.Errorf("a list of %d bytes; 65535 at most", size)
	}
	b[at] = revision
	le.PutUint16(b[at+2:], uint16(size))
	le.PutUint16(b[at+4:], uint16(len(a.Entries)))
	return b, nil
}

func (e ACE) appendTo(b []byte) ([]byte, error) {
	b = append(b, byte(e.Type), byte(e.Flags), 0, 0)
	if !e.Type.hasShape() {
		return append(b, e.Data...), nil
	}
	b = le.AppendUint32(b, uint32(e.Mask))
	if e.Type.hasObject() {
		var which uint32
		var ids []byte
		for _, g := range []struct {
			bit uint32
			id  *GUID
		}{{objectPresent, e.Object}, {inheritedObjectPresent, e.InheritedObject}} {
			if g.id != nil {
				which |= g.bit
				ids = append(ids, g.id[:]...)
			}
		}
		b = append(le.AppendUint32(b, which), ids...)
	}
	b, err := e.SID.appendTo(b)
	if err != nil {
		return nil, err
	}
	return append(b, e.Data...), nil
}
