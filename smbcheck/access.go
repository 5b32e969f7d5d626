package smbcheck

import (
	"fmt"
	"slices"

	"cau/smbcheck/descriptor"
)

// mayWrite tells the four principals that may change a hotfix root ("How CAU plug-ins work", section "Restrict access to
// the hotfix root folder").
func mayWrite(who descriptor.SID) bool {
	return slices.Contains([]descriptor.SID{descriptor.Administrators, descriptor.LocalSystem, descriptor.CreatorOwner, descriptor.TrustedInstaller}, who)
}

// source is where a right comes from.
type source int

const (
	explicit source = iota
	inherited
	// fromCreatorOwner: CREATOR OWNER's entry on the folder above became an effective entry for whoever made this
	// (MS-DTYP 2.5.3.4.1).
	fromCreatorOwner
	// fromNoList: there is no access list, which lets everybody in.
	fromNoList
)

func (s source) String() string {
	switch s {
	case inherited:
		return "inherited"
	case fromCreatorOwner:
		return "through CREATOR OWNER's entry on the folder above, as who made it"
	case fromNoList:
		return "because there is no access list"
	default:
		return "explicit"
	}
}

// reach is what an entry applies to.
type reach int

const (
	itself reach = 1 << iota
	filesBelow
	foldersBelow
)

func (r reach) String() string {
	switch {
	case r == itself:
		return ""
	case r&itself != 0:
		return "here and for what is made below"
	}
	return "for what is made below"
}

// grant is what one principal may do.
type grant struct {
	who    descriptor.SID
	rights descriptor.Mask
	from   source
	on     reach
}

// writers are those outside the four who may change something: what it holds, its name, its attributes or its permissions.
// A folder's entries count where they apply to it, and where they only wait for what is made in it. Entries whose kind
// cannot be evaluated are unsure: whatever they say, it is not known.
func writers(d *descriptor.Descriptor, folder bool) (found []grant, unsure []string) {
	if d.Open() {
		return []grant{{who: descriptor.Everyone, rights: descriptor.FileAll, from: fromNoList, on: itself}}, nil
	}
	views := []reach{itself}
	if folder {
		views = append(views, filesBelow, foldersBelow)
	}
	byEntry := map[int]*grant{}
	for _, view := range views {
		denied := map[descriptor.SID]descriptor.Mask{}
		for i, e := range d.DACL.Entries {
			if !applies(e, view) {
				continue
			}
			switch kindOf(e.Type) {
			case denies:
				denied[e.SID] |= e.Mask.Expand()
			case allows:
				left := e.Mask.Expand() &^ denied[e.SID]
				if e.SID != descriptor.AnonymousLogon { // the one principal that Everyone does not hold
					left &^= denied[descriptor.Everyone]
				}
				if left&descriptor.Writes == 0 || mayWrite(e.SID) {
					continue
				}
				if byEntry[i] == nil {
					byEntry[i] = &grant{who: e.SID, from: fromFlags(e.Flags)}
				}
				byEntry[i].rights |= left
				byEntry[i].on |= view
			case unknown:
				if view == itself || e.Flags&descriptor.InheritOnly != 0 {
					unsure = append(unsure, fmt.Sprintf("entry %d is of kind 0x%02x", i+1, byte(e.Type)))
				}
			case nothing:
			}
		}
	}
	for i := range d.DACL.Entries {
		if g := byEntry[i]; g != nil {
			found = append(found, *g)
		}
	}
	slices.Sort(unsure)
	return found, slices.Compact(unsure)
}

// applies tells whether an entry is looked at in a view (MS-DTYP 2.4.4.1 and 2.5.3.4).
func applies(e descriptor.ACE, view reach) bool {
	switch view {
	case filesBelow:
		return e.Flags&descriptor.ObjectInherit != 0
	case foldersBelow:
		return e.Flags&descriptor.ContainerInherit != 0
	default:
		return e.Flags&descriptor.InheritOnly == 0
	}
}

func fromFlags(f descriptor.ACEFlags) source {
	if f&descriptor.Inherited != 0 {
		return inherited
	}
	return explicit
}

// effect is what an entry can do to an access.
type effect int

const (
	nothing effect = iota
	allows
	denies
	unknown
)

// kindOf judges an entry by its kind, always to the disadvantage of the root: an allowance counts even if it has a condition
// or is about one type of object, a denial counts only without either.
func kindOf(t descriptor.ACEType) effect {
	switch t {
	case descriptor.Allowed, descriptor.AllowedObject, descriptor.AllowedCallback, descriptor.AllowedCallbackObject:
		return allows
	case descriptor.Denied:
		return denies
	case descriptor.DeniedObject, descriptor.DeniedCallback, descriptor.DeniedCallbackObject,
		descriptor.Audit, descriptor.Alarm, descriptor.AuditObject, descriptor.AlarmObject, descriptor.AuditCallback, descriptor.AlarmCallback,
		descriptor.AuditCallbackObject, descriptor.AlarmCallbackObject, descriptor.MandatoryLabel, descriptor.ResourceAttribute, descriptor.ScopedPolicy:
		return nothing
	case descriptor.AllowedCompound:
		return unknown
	}
	return unknown
}

// usersHave tells whether the group Users has all rights of need on something itself. By name: entries of Users alone give
// them. Through is set where only entries of groups that hold every computer account do.
func usersHave(d *descriptor.Descriptor, need descriptor.Mask) (byName bool, through []descriptor.SID) {
	if d.Open() {
		return true, nil
	}
	if covers(d, need, []descriptor.SID{descriptor.Users}) {
		return true, nil
	}
	if !covers(d, need, everyComputer()) {
		return false, nil
	}
	for _, who := range everyComputer() {
		if slices.ContainsFunc(d.DACL.Entries, func(e descriptor.ACE) bool {
			return e.SID == who && e.Type == descriptor.Allowed && applies(e, itself) && e.Mask.Expand()&need != 0
		}) {
			through = append(through, who)
		}
	}
	return false, through
}

// everyComputer are the groups that the token of each node's computer account holds when it reads a share.
func everyComputer() []descriptor.SID {
	return []descriptor.SID{descriptor.Users, descriptor.AuthenticatedUsers, descriptor.Everyone, descriptor.ThisOrganization, descriptor.Network}
}

// covers accumulates what entries of givers allow, in order. What is denied to anybody whose token a computer account's
// holds is lost, a condition or not; an allowance with a condition does not count.
func covers(d *descriptor.Descriptor, need descriptor.Mask, givers []descriptor.SID) bool {
	var have, lost descriptor.Mask
	for _, e := range d.DACL.Entries {
		if !applies(e, itself) {
			continue
		}
		switch e.Type {
		case descriptor.Denied, descriptor.DeniedObject, descriptor.DeniedCallback, descriptor.DeniedCallbackObject:
			if slices.Contains(everyComputer(), e.SID) {
				lost |= e.Mask.Expand() &^ have
			}
		case descriptor.Allowed:
			if slices.Contains(givers, e.SID) {
				have |= e.Mask.Expand() &^ lost
			}
		default:
		}
	}
	return have&need == need
}

// creatorOwner finds the grants of an object that CREATOR OWNER's entry on its folder made, and says so.
func creatorOwner(found []grant, object, parent *descriptor.Descriptor, folder bool) []grant {
	if parent == nil || parent.Open() {
		return found
	}
	out := slices.Clone(found)
	for i, g := range out {
		if g.from == fromNoList || g.on&itself == 0 {
			continue
		}
		view := filesBelow
		if folder {
			view = foldersBelow
		}
		made, own := false, false
		for _, e := range parent.DACL.Entries {
			if !applies(e, view) || kindOf(e.Type) != allows {
				continue
			}
			made = made || e.SID == descriptor.CreatorOwner && e.Mask.Expand() == g.rights
			own = own || e.SID == g.who && e.Mask.Expand()&g.rights == g.rights
		}
		if made && !own && (g.from == inherited || g.who == object.Owner) {
			out[i].from = fromCreatorOwner
		}
	}
	return out
}
