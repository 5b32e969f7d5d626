package external

import (
	"errors"
	"fmt"
	"slices"

	"cau/smbcheck/descriptor"
)

// place is where something stands on the way to an executable on Windows.
type place int

const (
	theFile place = iota
	itsFolder
	above
)

// replaces are the rights by which somebody may change the executable or put another in its place. In its own folder a new
// file counts, too: Windows looks there for libraries. In the folders above, what lies beside changes nothing.
func (p place) replaces() descriptor.Mask {
	if p == above {
		return descriptor.DeleteChild | descriptor.Delete | descriptor.WriteDAC | descriptor.WriteOwner | descriptor.WriteAttributes
	}
	return descriptor.Writes
}

// kept is nil where by the descriptor nobody but Administrators, SYSTEM, TrustedInstaller and the user may change or replace
// the thing. Entries that deny are passed over, so that it may refuse what Windows would keep, and never the reverse. The
// error says who may do what.
func kept(d *descriptor.Descriptor, user descriptor.SID, at place) error {
	trusted := func(s descriptor.SID) bool {
		return s != "" && slices.Contains([]descriptor.SID{descriptor.Administrators, descriptor.LocalSystem, descriptor.TrustedInstaller, user}, s)
	}
	switch {
	case !trusted(d.Owner): // an owner can always change the permissions
		return fmt.Errorf("it belongs to %s", named(d.Owner))
	case d.Open():
		return errors.New("it has no permissions, so that everybody may write it")
	}
	for _, e := range d.DACL.Entries {
		switch e.Type {
		case descriptor.Denied, descriptor.DeniedObject, descriptor.DeniedCallback, descriptor.DeniedCallbackObject:
			continue
		case descriptor.Allowed, descriptor.AllowedObject, descriptor.AllowedCallback, descriptor.AllowedCallbackObject:
		default: // what is not known may give anything
			return fmt.Errorf("its permissions have an entry of kind %d, which is not known here", e.Type)
		}
		// What is only inherited is judged where it arrives. The rights of the owner are those of somebody trusted.
		if e.Flags&descriptor.InheritOnly != 0 || trusted(e.SID) || e.SID == descriptor.OwnerRights {
			continue
		}
		if may := e.Mask.Expand() & at.replaces(); may != 0 {
			return fmt.Errorf("%s may %s", named(e.SID), may.Words(at != theFile))
		}
	}
	return nil
}

func named(s descriptor.SID) string {
	if s == "" {
		return "nobody known"
	}
	return s.String()
}
