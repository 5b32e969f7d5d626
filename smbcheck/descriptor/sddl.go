package descriptor

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// The words of the text form (MS-DTYP 2.5.1.1).

type word[T any] struct {
	text  string
	value T
}

func controlWords() []word[Control] {
	return []word[Control]{{"P", DACLProtected}, {"AR", DACLAutoInheritRequest}, {"AI", DACLAutoInherited}}
}

// forSACL moves a DACL's flag to the SACL's, one bit further left (MS-DTYP 2.4.6).
func (c Control) forSACL() Control { return c << 1 }

// noList stands for a NULL list: everybody may do everything.
const noList = "NO_ACCESS_CONTROL"

func typeWords() []word[ACEType] {
	return []word[ACEType]{
		{"A", Allowed},
		{"D", Denied},
		{"AU", Audit},
		{"AL", Alarm},
		{"OA", AllowedObject},
		{"OD", DeniedObject},
		{"OU", AuditObject},
		{"OL", AlarmObject},
		{"XA", AllowedCallback},
		{"XD", DeniedCallback},
		{"ZA", AllowedCallbackObject},
		{"XU", AuditCallback},
		{"ML", MandatoryLabel},
		{"RA", ResourceAttribute},
		{"SP", ScopedPolicy},
	}
}

func flagWords() []word[ACEFlags] {
	return []word[ACEFlags]{
		{"OI", ObjectInherit},
		{"CI", ContainerInherit},
		{"NP", NoPropagate},
		{"IO", InheritOnly},
		{"ID", Inherited},
		{"CR", Critical},
		{"SA", AuditSuccess},
		{"FA", AuditFailure},
	}
}

// setWords are rights that stand for themselves; simple ones can be put together.
func setWords() []word[Mask] {
	return []word[Mask]{
		{"FA", FileAll},
		{"FR", FileRead},
		{"FW", FileWrite},
		{"FX", FileExecute},
		{"GA", GenericAll},
		{"GR", GenericRead},
		{"GW", GenericWrite},
		{"GX", GenericExecute},
	}
}

// bitWords are the rights of single bits, by the names that directories gave them.
func bitWords() []word[Mask] {
	return []word[Mask]{
		{"CC", 0x1},
		{"DC", 0x2},
		{"LC", 0x4},
		{"SW", 0x8},
		{"RP", 0x10},
		{"WP", 0x20},
		{"DT", 0x40},
		{"LO", 0x80},
		{"CR", 0x100},
		{"SD", Delete},
		{"RC", ReadControl},
		{"WD", WriteDAC},
		{"WO", WriteOwner},
	}
}

// SDDL writes the text form. What text has no word for is written by its number: rights in hex, kinds of entries as 0x0c. A
// condition, or what an unknown entry holds, is its bytes behind a '#', because nothing here evaluates one; such a text is for
// people and for ParseSDDL, not for Windows.
func (d *Descriptor) SDDL() string {
	var b strings.Builder
	if d.Owner != "" {
		b.WriteString("O:" + d.Owner.sddl())
	}
	if d.Group != "" {
		b.WriteString("G:" + d.Group.sddl())
	}
	list := func(head string, acl *ACL, present bool, shift func(Control) Control) {
		if acl == nil && !present {
			return
		}
		b.WriteString(head)
		for _, w := range controlWords() {
			if d.Control&shift(w.value) != 0 {
				b.WriteString(w.text)
			}
		}
		if acl == nil {
			b.WriteString(noList)
			return
		}
		for _, e := range acl.Entries {
			b.WriteString(e.SDDL())
		}
	}
	list("D:", d.DACL, d.Control&DACLPresent != 0, func(c Control) Control { return c })
	list("S:", d.SACL, d.Control&SACLPresent != 0, Control.forSACL)
	return b.String()
}

func (s SID) sddl() string {
	if a := s.alias(); a != "" {
		return a
	}
	return string(s)
}

// SDDL writes one entry, with its brackets.
func (e ACE) SDDL() string {
	kind := fmt.Sprintf("0x%02x", byte(e.Type))
	for _, w := range typeWords() {
		if w.value == e.Type {
			kind = w.text
		}
	}
	var flags strings.Builder
	for _, w := range flagWords() {
		if e.Flags&w.value != 0 {
			flags.WriteString(w.text)
		}
	}
	fields := []string{kind, flags.String(), e.Mask.sddl(), "", "", e.SID.sddl()}
	if e.Object != nil {
		fields[3] = e.Object.String()
	}
	if e.InheritedObject != nil {
		fields[4] = e.InheritedObject.String()
	}
	if len(e.Data) > 0 {
		fields = append(fields, "#"+hex.EncodeToString(e.Data))
	}
	return "(" + strings.Join(fields, ";") + ")"
}

func (m Mask) sddl() string {
	for _, w := range setWords() {
		if w.value == m {
			return w.text
		}
	}
	if m == 0 {
		return ""
	}
	return fmt.Sprintf("0x%x", uint32(m))
}
