package descriptor

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

var le = binary.LittleEndian //nolint:gochecknoglobals // a short name for a value without state

// Control are the flags of a descriptor (MS-DTYP 2.4.6).
type Control uint16

// The control flags that matter for files.
const (
	OwnerDefaulted         Control = 0x0001
	GroupDefaulted         Control = 0x0002
	DACLPresent            Control = 0x0004
	DACLDefaulted          Control = 0x0008
	SACLPresent            Control = 0x0010
	SACLDefaulted          Control = 0x0020
	DACLAutoInheritRequest Control = 0x0100
	SACLAutoInheritRequest Control = 0x0200
	DACLAutoInherited      Control = 0x0400
	SACLAutoInherited      Control = 0x0800
	// DACLProtected keeps what the parent folder says from being inherited.
	DACLProtected Control = 0x1000
	SACLProtected Control = 0x2000
	SelfRelative  Control = 0x8000
)

// Descriptor is a security descriptor: who owns something, and who may do what with it.
type Descriptor struct {
	// Control says which lists are there and whether they are protected from inheritance.
	Control Control
	// Owner and Group are "" where the descriptor has none, or was not asked for.
	Owner, Group SID
	// DACL says who may do what. With DACLPresent and nil it is a NULL DACL, without DACLPresent there is none: either
	// way everybody may do everything. An empty list lets nobody in.
	DACL *ACL
	// SACL says what is audited.
	SACL *ACL
}

// Open tells whether there is no access list, so that everybody may do everything (MS-DTYP 2.4.6, 2.5.3.2).
func (d *Descriptor) Open() bool { return d.DACL == nil }

// ACL is a list of entries, in the order in which they are looked at (MS-DTYP 2.4.5).
type ACL struct {
	// Revision is 2, or 4 for lists with object entries; 0 lets Encode choose.
	Revision byte
	Entries  []ACE
}

// ACEType is the kind of an entry (MS-DTYP 2.4.4.1).
type ACEType byte

// The kinds of entries.
const (
	Allowed               ACEType = 0
	Denied                ACEType = 1
	Audit                 ACEType = 2
	Alarm                 ACEType = 3
	AllowedCompound       ACEType = 4
	AllowedObject         ACEType = 5
	DeniedObject          ACEType = 6
	AuditObject           ACEType = 7
	AlarmObject           ACEType = 8
	AllowedCallback       ACEType = 9
	DeniedCallback        ACEType = 10
	AllowedCallbackObject ACEType = 11
	DeniedCallbackObject  ACEType = 12
	AuditCallback         ACEType = 13
	AlarmCallback         ACEType = 14
	AuditCallbackObject   ACEType = 15
	AlarmCallbackObject   ACEType = 16
	MandatoryLabel        ACEType = 17
	ResourceAttribute     ACEType = 18
	ScopedPolicy          ACEType = 19
)

// hasObject tells entries that may name an object type.
func (t ACEType) hasObject() bool {
	switch t {
	case AllowedObject, DeniedObject, AuditObject, AlarmObject, AllowedCallbackObject, DeniedCallbackObject, AuditCallbackObject, AlarmCallbackObject:
		return true
	default:
		return false
	}
}

// hasShape tells entries whose parts are known: a mask, perhaps object types, a SID, perhaps more bytes.
func (t ACEType) hasShape() bool { return t <= ScopedPolicy && t != AllowedCompound }

// ACEFlags say how an entry is inherited (MS-DTYP 2.4.4.1).
type ACEFlags byte

// The flags of an entry.
const (
	ObjectInherit    ACEFlags = 0x01
	ContainerInherit ACEFlags = 0x02
	NoPropagate      ACEFlags = 0x04
	InheritOnly      ACEFlags = 0x08
	Inherited        ACEFlags = 0x10
	Critical         ACEFlags = 0x20
	AuditSuccess     ACEFlags = 0x40
	AuditFailure     ACEFlags = 0x80
)

// GUID is an object type in its binary form (MS-DTYP 2.3.4.2).
type GUID [16]byte

// String is the form with dashes (MS-DTYP 2.3.4.3).
func (g GUID) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(g[:]), le.Uint16(g[4:]), le.Uint16(g[6:]), g[8:10], g[10:])
}

// parseGUID reads the form with dashes.
func parseGUID(s string) (GUID, error) {
	parts := strings.Split(s, "-")
	sizes := []int{8, 4, 4, 4, 12}
	var g GUID
	if len(parts) != len(sizes) {
		return g, fmt.Errorf("%q is no GUID", clip(s))
	}
	for i, p := range parts {
		if len(p) != sizes[i] {
			return g, fmt.Errorf("%q is no GUID", clip(s))
		}
	}
	b, err := hex.DecodeString(strings.Join(parts, ""))
	if err != nil {
		return g, fmt.Errorf("%q is no GUID", clip(s))
	}
	copy(g[:], b)
	le.PutUint32(g[:], binary.BigEndian.Uint32(b))
	le.PutUint16(g[4:], binary.BigEndian.Uint16(b[4:]))
	le.PutUint16(g[6:], binary.BigEndian.Uint16(b[6:]))
	return g, nil
}

// ACE is one entry of a list.
type ACE struct {
	Type  ACEType
	Flags ACEFlags
	// Mask is what it is about, as it stands there: generic rights are not expanded.
	Mask Mask
	SID  SID
	// Object and InheritedObject are set only in entries with object types, which files do not have a use for.
	Object, InheritedObject *GUID
	// Data is what follows the SID: the condition of a callback entry, the attribute of a resource attribute. Of an
	// entry whose kind is unknown it is all that follows the header, and Mask and SID are empty.
	Data []byte
}
