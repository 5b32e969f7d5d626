package fileserver

import "slices"

// Encoded SIDs that stand for somebody else (MS-DTYP 2.4.2.4), and who a new
// object's own list names beside its owner.
const (
	creatorOwnerSID = "\x01\x01\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00"
	creatorGroupSID = "\x01\x01\x00\x00\x00\x00\x00\x03\x01\x00\x00\x00"
	localSystemSID  = "\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00"
)

// root is what the root of a share shows. What is above it no client sees.
func (g *given) root() *descriptor {
	d := &descriptor{owner: g.owner, group: g.group}
	d.list(g, nil, true)
	return d
}

// child is what a file or folder in p shows; g is what was set on it, or nil.
func (p *descriptor) child(g *given, folder bool) *descriptor {
	d := &descriptor{owner: p.owner, group: p.group}
	if g == nil {
		g = &given{}
	}
	if g.owner != "" {
		d.owner = g.owner
	}
	if g.group != "" {
		d.group = g.group
	}
	d.list(g, p.passOn(folder), folder)
	return d
}

// list makes the access list of what was set and what comes from above: set
// entries stand first (MS-DTYP 2.5.3.4.2). Where nobody set a list and nothing
// comes from above, Windows takes the default list of who made the object, which
// is himself and the system for every account.
func (d *descriptor) list(g *given, above []ace, folder bool) {
	d.control = daclPresent
	if g.protected {
		d.control |= daclProtected
		above = nil
	}
	if g.none {
		d.none = true
		return
	}
	if !g.listed && len(above) == 0 {
		d.entries = []ace{{mask: FullControl, sid: d.owner}, {mask: FullControl, sid: localSystemSID}}
		return
	}
	d.control |= autoInherited
	d.entries = d.settle(g.entries, folder)
	for _, e := range d.settle(above, folder) {
		// Windows leaves an inherited entry out that says what one before it says: CREATOR OWNER's of an owner
		// who has the same right by name. No document tells; its own folders show it (%ProgramFiles%), and Samba
		// does the same.
		if !slices.Contains(d.entries, e) {
			d.entries = append(d.entries, e)
		}
	}
}

// passOn gives the entries that an object below gets, before they are settled
// there ("ACE Inheritance Rules", Windows security documentation). MS-DTYP
// 2.5.3.4.4 says the same but for inherit-only entries, which its pseudocode
// passes over and Windows does not.
func (p *descriptor) passOn(folder bool) []ace {
	if p.none {
		return nil
	}
	var out []ace
	for _, e := range p.entries {
		files, folders := e.flags&ObjectInherit != 0, e.flags&ContainerInherit != 0
		once := e.flags&NoPropagate != 0
		switch {
		case !folder && files, folder && folders && once:
			e.flags = inherited
		case folder && folders:
			e.flags = e.flags&(ObjectInherit|ContainerInherit) | inherited
		case folder && files && !once: // on its way to files further down
			e.flags = ObjectInherit | InheritOnly | inherited
		default:
			continue
		}
		out = append(out, e)
	}
	return out
}

// settle makes entries effective on the object that has them: who they mean is
// named and generic rights become those of files. Below they have to stay as they
// were, so such an entry of a folder becomes two (MS-DTYP 2.5.3.4.7).
func (d *descriptor) settle(entries []ace, folder bool) []ace {
	var out []ace
	for _, e := range entries {
		const down = ObjectInherit | ContainerInherit | NoPropagate | InheritOnly
		if !folder {
			if e.flags&InheritOnly != 0 {
				continue
			}
			e.flags &^= down
		}
		if e.flags&InheritOnly != 0 {
			out = append(out, e)
			continue
		}
		here := e
		here.mask = specific(e.mask)
		switch e.sid {
		case creatorOwnerSID:
			here.sid = d.owner
		case creatorGroupSID:
			here.sid = d.group
		}
		if here == e || e.flags&down == 0 {
			out = append(out, here)
			continue
		}
		here.flags &^= down
		e.flags |= InheritOnly
		out = append(out, here, e)
	}
	return out
}

// genericForms are what generic rights mean for files (MS-DTYP 2.4.3, MS-SMB2 2.2.13.1.1).
func genericForms() []struct{ bit, mask uint32 } {
	return []struct{ bit, mask uint32 }{
		{genericAll, FullControl},
		{genericRead, genericReadMask},
		{genericWrite, genericWriteMask},
		{genericExecute, genericExecuteMask},
	}
}

func specific(mask uint32) uint32 {
	for _, form := range genericForms() {
		if mask&form.bit != 0 {
			mask = mask&^form.bit | form.mask
		}
	}
	return mask
}
