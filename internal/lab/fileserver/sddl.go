package fileserver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ReadSDDL reads the part of the Security Descriptor Definition Language (MS-DTYP
// 2.5.1) in which the lab's data is written: an owner, a group and an access list,
// each at most once and in this order.
//
//	O:BAG:SYD:P(A;OICI;FA;;;BA)(D;;0x10116;;;S-1-5-21-1-2-3-1105)
//
// A list may be protected (P) or NO_ACCESS_CONTROL, which is no list at all;
// entries allow or deny (A, D), have the flags OI, CI, IO and NP, rights in
// hexadecimal or of FA, FR, FW, FX, GA, GR, GW and GX, and a SID or one of BA, SY,
// BU, CO, CG, AU and WD. Everything else is an error, ID and AI with it: what is
// inherited is computed.
func ReadSDDL(text string) (Descriptor, error) {
	var d Descriptor
	var err error
	rest := text
	for _, part := range []struct {
		mark string
		to   *string
	}{{"O:", &d.Owner}, {"G:", &d.Group}} {
		if !strings.HasPrefix(rest, part.mark) {
			continue
		}
		rest = rest[len(part.mark):]
		end := len(rest)
		for _, next := range []string{"G:", "D:"} {
			if at := strings.Index(rest, next); at >= 0 {
				end = min(end, at)
			}
		}
		if *part.to, err = sddlAccount(rest[:end]); err != nil {
			return Descriptor{}, fmt.Errorf("%s %w", part.mark, err)
		}
		rest = rest[end:]
	}
	list, ok := strings.CutPrefix(rest, "D:")
	switch {
	case ok:
		err = d.readList(list)
	case rest != "":
		err = fmt.Errorf("%q where an owner, a group or a list is expected", rest)
	case text == "":
		err = errors.New("nothing is described")
	}
	if err == nil {
		_, err = compileDescriptor(d)
	}
	if err != nil {
		return Descriptor{}, err
	}
	return d, nil
}

func (d *Descriptor) readList(list string) error {
	list, d.Protected = strings.CutPrefix(list, "P")
	list, d.NoList = strings.CutPrefix(list, "NO_ACCESS_CONTROL")
	for list != "" {
		inside, rest, ok := strings.Cut(strings.TrimPrefix(list, "("), ")")
		if !ok || list[0] != '(' {
			return fmt.Errorf("%q where an entry is expected", list)
		}
		e, err := readEntry(inside)
		if err != nil {
			return fmt.Errorf("entry (%s): %w", inside, err)
		}
		d.Entries, list = append(d.Entries, e), rest
	}
	if !d.lists() {
		return errors.New("a list without entries that is not protected says nothing")
	}
	return nil
}

// readEntry reads what is between the brackets.
func readEntry(text string) (Entry, error) {
	const fields = 6
	f := strings.Split(text, ";")
	if len(f) != fields || f[3] != "" || f[4] != "" {
		return Entry{}, errors.New("it has not the six fields of an entry, two of them empty")
	}
	e := Entry{Deny: f[0] == "D"}
	if f[0] != "A" && f[0] != "D" {
		return Entry{}, fmt.Errorf("type %q is neither A nor D", f[0])
	}
	for flags := f[1]; flags != ""; flags = flags[2:] {
		flag, ok := map[string]Inheritance{"OI": ObjectInherit, "CI": ContainerInherit, "IO": InheritOnly, "NP": NoPropagate}[flags[:min(2, len(flags))]]
		if !ok || e.Flags&flag != 0 {
			return Entry{}, fmt.Errorf("flags %q", f[1])
		}
		e.Flags |= flag
	}
	var err error
	if e.Mask, err = sddlRights(f[2]); err != nil {
		return Entry{}, err
	}
	e.SID, err = sddlAccount(f[5])
	return e, err
}

func sddlRights(text string) (uint32, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		mask, err := strconv.ParseUint(digits, 16, 32)
		const known = FullControl | genericRead | genericWrite | genericExecute | genericAll
		if err != nil || mask == 0 || uint32(mask)&^known != 0 {
			return 0, fmt.Errorf("rights %q are none of files", text)
		}
		return uint32(mask), nil
	}
	names := map[string]uint32{
		"FA": FullControl, "FR": genericReadMask, "FW": genericWriteMask, "FX": genericExecuteMask,
		"GA": genericAll, "GR": genericRead, "GW": genericWrite, "GX": genericExecute,
	}
	var mask uint32
	for rest := text; rest != ""; rest = rest[2:] {
		right, ok := names[rest[:min(2, len(rest))]]
		if !ok {
			return 0, fmt.Errorf("rights %q", text)
		}
		mask |= right
	}
	if mask == 0 {
		return 0, errors.New("no rights")
	}
	return mask, nil
}

func sddlAccount(text string) (string, error) {
	aliases := map[string]string{
		"BA": Administrators, "SY": LocalSystem, "BU": Users, "CO": CreatorOwner, "CG": CreatorGroup,
		"AU": AuthenticatedUsers, "WD": Everyone,
	}
	if sid, ok := aliases[text]; ok {
		return sid, nil
	}
	_, err := parseSID(text)
	return text, err
}
