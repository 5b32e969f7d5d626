package fileserver

import (
	"errors"
	"fmt"
)

// Access masks of files (MS-DTYP 2.4.3, MS-SMB2 2.2.13.1.1).
const (
	FullControl    uint32 = 0x001F01FF
	ReadAndExecute uint32 = 0x001200A9
)

// Inheritance says what becomes of an entry below the folder that has it (MS-DTYP
// 2.4.4.1).
type Inheritance byte

// Flags of an [Entry].
const (
	ObjectInherit    Inheritance = 0x01 // files get it
	ContainerInherit Inheritance = 0x02 // folders get it
	NoPropagate      Inheritance = 0x04 // and keep it to themselves
	InheritOnly      Inheritance = 0x08 // the folder that has it is not meant itself

	inherited Inheritance = 0x10
)

// Entry is one entry of an access list.
type Entry struct {
	SID   string // S-1-…
	Mask  uint32
	Deny  bool
	Flags Inheritance
}

// Descriptor is a security descriptor as somebody sets it: what a file or folder
// inherits is not part of it but computed. It is what clients are told; who may
// really read is [Share.MayRead]'s decision.
type Descriptor struct {
	// Owner and Group are SIDs. Below a share's root each may be empty, which means
	// that whoever owns the folder above made it.
	Owner, Group string
	// Protected keeps entries of the folder above away.
	Protected bool
	// NoList leaves the access list out (a NULL DACL), which lets everybody do
	// everything; nothing is inherited then.
	NoList  bool
	Entries []Entry
}

// DefaultDescriptor belongs to Administrators; they and the system have full
// control, Users read and execute, on everything below too: what the CAU
// documentation asks of a hotfix root.
func DefaultDescriptor() Descriptor {
	const all = ObjectInherit | ContainerInherit
	return Descriptor{
		Owner: Administrators, Group: LocalSystem, Protected: true,
		Entries: []Entry{
			{SID: Administrators, Mask: FullControl, Flags: all},
			{SID: LocalSystem, Mask: FullControl, Flags: all},
			{SID: Users, Mask: ReadAndExecute, Flags: all},
		},
	}
}

// lists tells whether an access list is set, be it an empty one.
func (d Descriptor) lists() bool { return d.Protected || d.NoList || len(d.Entries) > 0 }

// What QUERY_INFO can ask of a descriptor (MS-SMB2 2.2.37).
const (
	askOwner uint32 = 0x1
	askGroup uint32 = 0x2
	askDACL  uint32 = 0x4
	askSACL  uint32 = 0x8
)

// Control bits (MS-DTYP 2.4.6).
const (
	selfRelative  uint16 = 0x8000
	daclPresent   uint16 = 0x0004
	autoInherited uint16 = 0x0400
	daclProtected uint16 = 0x1000
)

// given is a [Descriptor] that was checked; its SIDs are encoded.
type given struct {
	owner, group      string // empty below the root: as the folder above
	listed, protected bool
	none              bool
	entries           []ace
}

// ace is an entry of an access list (MS-DTYP 2.4.4); sid is the encoded form.
type ace struct {
	deny  bool
	flags Inheritance
	mask  uint32
	sid   string
}

func compileDescriptor(d Descriptor) (*given, error) {
	g := &given{listed: d.lists(), protected: d.Protected, none: d.NoList}
	for _, part := range []struct {
		name, sid string
		to        *string
	}{{"owner", d.Owner, &g.owner}, {"group", d.Group, &g.group}} {
		if part.sid == "" {
			continue
		}
		sid, err := parseSID(part.sid)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		*part.to = string(sid)
	}
	const most = 256
	switch {
	case len(d.Entries) > most:
		return nil, fmt.Errorf("%d access entries, at most %d", len(d.Entries), most)
	case d.NoList && len(d.Entries) > 0:
		return nil, errors.New("access entries and no access list")
	}
	for i, e := range d.Entries {
		sid, err := parseSID(e.SID)
		if err != nil {
			return nil, fmt.Errorf("access entry %d: %w", i+1, err)
		}
		const all = ObjectInherit | ContainerInherit | NoPropagate | InheritOnly
		if e.Flags&^all != 0 || e.Flags != 0 && e.Flags&(ObjectInherit|ContainerInherit) == 0 {
			return nil, fmt.Errorf("access entry %d: flags %#02x mean nothing", i+1, byte(e.Flags))
		}
		g.entries = append(g.entries, ace{deny: e.Deny, flags: e.Flags, mask: e.Mask, sid: string(sid)})
	}
	return g, nil
}

// descriptor is what an object shows: the set and the inherited entries.
type descriptor struct {
	owner, group string
	control      uint16
	none         bool
	entries      []ace
}

// encode writes the self-relative form (MS-DTYP 2.4.6) with the parts asked for.
func (d *descriptor) encode(ask uint32) []byte {
	control := selfRelative
	if ask&askDACL != 0 {
		control |= d.control
	}
	w := builder{}
	w.u8(1, 0)
	w.u16(control)
	w.zero(16) // four offsets, filled in below
	part := func(field int, wanted bool, b []byte) {
		if wanted {
			le.PutUint32(w.b[field:], uint32(len(w.b)))
			w.raw(b)
		}
	}
	part(4, ask&askOwner != 0, []byte(d.owner))
	part(8, ask&askGroup != 0, []byte(d.group))
	part(16, ask&askDACL != 0 && !d.none, d.acl())
	return w.b
}

func (d *descriptor) acl() []byte {
	w := builder{}
	w.u8(2, 0)
	w.u16(0, uint16(len(d.entries)), 0)
	for _, e := range d.entries {
		kind := byte(0)
		if e.deny {
			kind = 1
		}
		w.u8(kind, byte(e.flags))
		w.u16(uint16(8 + len(e.sid)))
		w.u32(e.mask)
		w.raw([]byte(e.sid))
	}
	le.PutUint16(w.b[2:], uint16(len(w.b)))
	return w.b
}
