package descriptor

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// ParseSDDL reads the text form (MS-DTYP 2.5.1). Abbreviations of a domain's own groups and conditions in words are refused:
// the first mean nothing without their domain, the second are not understood here.
func ParseSDDL(text string) (*Descriptor, error) {
	d := &Descriptor{Control: SelfRelative}
	rest := strings.TrimSpace(text)
	seen := ""
	for rest != "" {
		if len(rest) < 2 || rest[1] != ':' || !strings.ContainsRune("OGDS", rune(rest[0])) || strings.ContainsRune(seen, rune(rest[0])) {
			return nil, malformed("%q where O:, G:, D: or S: belongs, each once", clip(rest))
		}
		head := rest[0]
		seen += rest[:1]
		end := nextPart(rest[2:])
		body := rest[2 : 2+end]
		rest = rest[2+end:]
		var err error
		switch head {
		case 'O':
			d.Owner, err = readAlias(body)
		case 'G':
			d.Group, err = readAlias(body)
		case 'D':
			d.Control |= DACLPresent
			d.DACL, err = d.readList(body, func(c Control) Control { return c })
		default:
			d.Control |= SACLPresent
			d.SACL, err = d.readList(body, Control.forSACL)
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// nextPart finds the next O:, G:, D: or S: outside of brackets.
func nextPart(s string) int {
	depth := 0
	for i := range len(s) {
		switch {
		case s[i] == '(':
			depth++
		case s[i] == ')':
			depth--
		case depth == 0 && i+1 < len(s) && s[i+1] == ':' && strings.IndexByte("OGDS", s[i]) >= 0:
			return i
		}
	}
	return len(s)
}

func readAlias(s string) (SID, error) {
	if len(s) == 2 {
		if sid, ok := fromAlias(strings.ToUpper(s)); ok {
			return sid, nil
		}
		return "", malformed("%q is no principal that is the same everywhere", s)
	}
	sid, err := ParseSID(s)
	if err != nil {
		return "", malformed("%w", err)
	}
	return sid, nil
}

// readList reads flags and entries. A NULL list is nil.
func (d *Descriptor) readList(s string, shift func(Control) Control) (*ACL, error) {
	flags, entries := s, ""
	if i := strings.IndexByte(s, '('); i >= 0 {
		flags, entries = s[:i], s[i:]
	}
	flags, null := strings.CutSuffix(flags, noList)
	for flags != "" {
		found := false
		for _, w := range controlWords() {
			if rest, ok := strings.CutPrefix(flags, w.text); ok {
				flags, found = rest, true
				d.Control |= shift(w.value)
				break
			}
		}
		if !found {
			return nil, malformed("%q is no flag of a list", clip(flags))
		}
	}
	if null {
		if entries != "" {
			return nil, malformed("entries after %s", noList)
		}
		return nil, nil
	}
	acl := &ACL{Entries: []ACE{}}
	for entries != "" {
		end := strings.IndexByte(entries, ')')
		if entries[0] != '(' || end < 0 {
			return nil, malformed("%q is no entry in brackets", clip(entries))
		}
		e, err := readEntry(entries[1:end])
		if err != nil {
			return nil, err
		}
		acl.Entries, entries = append(acl.Entries, e), entries[end+1:]
	}
	return acl, nil
}

func readEntry(s string) (ACE, error) {
	f := strings.Split(s, ";")
	if len(f) != 6 && len(f) != 7 {
		return ACE{}, malformed("an entry has 6 parts, or 7: %q", clip(s))
	}
	var e ACE
	kind, err := readType(f[0])
	if err != nil {
		return e, err
	}
	e.Type = kind
	for flags := f[1]; flags != ""; {
		found := false
		for _, w := range flagWords() {
			if rest, ok := strings.CutPrefix(flags, w.text); ok {
				flags, found = rest, true
				e.Flags |= w.value
				break
			}
		}
		if !found {
			return e, malformed("%q is no flag of an entry", clip(flags))
		}
	}
	if e.Mask, err = readRights(f[2]); err != nil {
		return e, err
	}
	for i, into := range []**GUID{&e.Object, &e.InheritedObject} {
		text := f[3+i]
		if text == "" {
			continue
		}
		if !kind.hasObject() {
			return e, malformed("an object type in an entry of kind %s", f[0])
		}
		id, err := parseGUID(text)
		if err != nil {
			return e, malformed("%w", err)
		}
		*into = &id
	}
	if kind.hasShape() {
		if e.SID, err = readAlias(f[5]); err != nil {
			return e, err
		}
	} else if f[5] != "" || f[2] != "" {
		return e, malformed("a principal or rights in an entry of unknown kind %s", f[0])
	}
	if len(f) == 7 {
		text, ok := strings.CutPrefix(f[6], "#")
		if e.Data, err = hex.DecodeString(text); !ok || err != nil || len(e.Data) == 0 {
			return e, malformed("conditions are not read, only their bytes: %q", clip(f[6]))
		}
	}
	return e, nil
}

func readType(s string) (ACEType, error) {
	for _, w := range typeWords() {
		if w.text == s {
			return w.value, nil
		}
	}
	n, err := strconv.ParseUint(s, 0, 8)
	if err != nil || !strings.HasPrefix(s, "0x") {
		return 0, malformed("%q is no kind of entry", clip(s))
	}
	return ACEType(n), nil
}

// readRights reads a number, or words put together.
func readRights(s string) (Mask, error) {
	if s == "" {
		return 0, nil
	}
	if s[0] >= '0' && s[0] <= '9' {
		n, err := strconv.ParseUint(s, 0, 32)
		if err != nil {
			return 0, malformed("%q are no rights", clip(s))
		}
		return Mask(n), nil
	}
	var m Mask
	for rest := s; rest != ""; {
		found := false
		for _, w := range append(setWords(), bitWords()...) {
			if after, ok := strings.CutPrefix(rest, w.text); ok {
				rest, found = after, true
				m |= w.value
				break
			}
		}
		if !found {
			return 0, malformed("%q are no rights", clip(s))
		}
	}
	return m, nil
}
