package fileserver

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Well-known principals (MS-DTYP 2.4.2.4).
const (
	Administrators = "S-1-5-32-544"
	LocalSystem    = "S-1-5-18"
	Users          = "S-1-5-32-545"
)

// Access masks of files (MS-DTYP 2.4.3, MS-SMB2 2.2.13.1.1).
const (
	FullControl    uint32 = 0x001F01FF
	ReadAndExecute uint32 = 0x001200A9
)

// Entry is one entry of an access list.
type Entry struct {
	SID  string // S-1-…
	Mask uint32
	Deny bool
}

// Descriptor is the security descriptor that a share's root shows. Folders and
// files below show its entries as inherited. It is what clients are told; who may
// really read is [Share.MayRead]'s decision.
type Descriptor struct {
	Owner, Group string // SIDs
	Entries      []Entry
}

// DefaultDescriptor belongs to Administrators; they and the system have full
// control, Users read and execute: what the CAU documentation asks of a hotfix root.
func DefaultDescriptor() Descriptor {
	return Descriptor{
		Owner: Administrators, Group: LocalSystem,
		Entries: []Entry{
			{SID: Administrators, Mask: FullControl},
			{SID: LocalSystem, Mask: FullControl},
			{SID: Users, Mask: ReadAndExecute},
		},
	}
}

// What QUERY_INFO can ask of a descriptor (MS-SMB2 2.2.37).
const (
	askOwner uint32 = 0x1
	askGroup uint32 = 0x2
	askDACL  uint32 = 0x4
	askSACL  uint32 = 0x8
)

// place is where in the tree an object stands; it decides the inheritance flags.
type place int

const (
	shareRoot place = iota
	folderBelow
	fileBelow
)

// inheritance gives the ACE flags (MS-DTYP 2.4.4.1): object and container
// inherit, inherited.
func (p place) inheritance() byte {
	switch p {
	case shareRoot:
		return 0x03
	case folderBelow:
		return 0x13
	default:
		return 0x10
	}
}

// securityDescriptor is a descriptor whose SIDs were checked and encoded.
type securityDescriptor struct {
	owner, group []byte
	entries      []encodedEntry
}

type encodedEntry struct {
	kind byte
	mask uint32
	sid  []byte
}

func compileDescriptor(d Descriptor) (*securityDescriptor, error) {
	owner, err := parseSID(d.Owner)
	if err != nil {
		return nil, fmt.Errorf("owner: %w", err)
	}
	group, err := parseSID(d.Group)
	if err != nil {
		return nil, fmt.Errorf("group: %w", err)
	}
	sd := &securityDescriptor{owner: owner, group: group}
	const most = 256
	if len(d.Entries) > most {
		return nil, fmt.Errorf("%d access entries, at most %d", len(d.Entries), most)
	}
	for i, e := range d.Entries {
		sid, err := parseSID(e.SID)
		if err != nil {
			return nil, fmt.Errorf("access entry %d: %w", i+1, err)
		}
		kind := byte(0)
		if e.Deny {
			kind = 1
		}
		sd.entries = append(sd.entries, encodedEntry{kind: kind, mask: e.Mask, sid: sid})
	}
	return sd, nil
}

// encode writes the self-relative form (MS-DTYP 2.4.6) with the parts asked for.
func (d *securityDescriptor) encode(at place, ask uint32) []byte {
	const (
		selfRelative  = 0x8000
		daclPresent   = 0x0004
		daclInherited = 0x0400
		daclProtected = 0x1000
	)
	control := uint16(selfRelative)
	if ask&askDACL != 0 {
		control |= daclPresent | daclInherited
		if at == shareRoot {
			control |= daclProtected
		}
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
	part(4, ask&askOwner != 0, d.owner)
	part(8, ask&askGroup != 0, d.group)
	part(16, ask&askDACL != 0, d.acl(at))
	return w.b
}

func (d *securityDescriptor) acl(at place) []byte {
	w := builder{}
	w.u8(2, 0)
	w.u16(0, uint16(len(d.entries)), 0)
	for _, e := range d.entries {
		w.u8(e.kind, at.inheritance())
		w.u16(uint16(8 + len(e.sid)))
		w.u32(e.mask)
		w.raw(e.sid)
	}
	le.PutUint16(w.b[2:], uint16(len(w.b)))
	return w.b
}

// parseSID reads the string form S-1-authority-sub-… (MS-DTYP 2.4.2.1).
func parseSID(s string) ([]byte, error) {
	parts := strings.Split(s, "-")
	const mostSubs = 15
	if len(parts) < 4 || len(parts) > 3+mostSubs || parts[0] != "S" || parts[1] != "1" {
		return nil, fmt.Errorf("%q is not a SID", s)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return nil, fmt.Errorf("%q is not a SID: %w", s, err)
	}
	b := []byte{1, byte(len(parts) - 3)}
	b = append(b, binary.BigEndian.AppendUint64(nil, authority)[2:]...)
	for _, p := range parts[3:] {
		sub, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is not a SID: %w", s, err)
		}
		b = le.AppendUint32(b, uint32(sub))
	}
	return b, nil
}
