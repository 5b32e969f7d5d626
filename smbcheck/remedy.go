package smbcheck

import (
	"strings"

	"cau/internal/shellword"
	"cau/smbcheck/descriptor"
)

// The commands are those of icacls: they take SIDs, which are the same in every language of Windows, and UNC paths, so that
// they work on the file server and on any administrator's computer ("icacls", Windows Server commands).

const onServer = "In PowerShell on the file server: "

// byHand is one icacls command about a place of the root; path is below it.
func (l Location) byHand(path string, words ...string) string {
	place := l.String()
	if path != "" {
		place += `\` + path
	}
	return strings.Join(append([]string{"icacls", shellword.PowerShell(place)}, words...), " ")
}

func trustee(who descriptor.SID, rights string) string {
	s := "*" + string(who)
	if rights != "" {
		s += ":" + rights
	}
	return shellword.PowerShell(s)
}

// proper is the command that gives a folder the documented permissions and nothing else.
func (l Location) proper(path string, folder bool) string {
	down := ""
	if folder {
		down = "(OI)(CI)"
	}
	return l.byHand(path, "/inheritance:r", "/grant:r",
		trustee(descriptor.Administrators, down+"F"), trustee(descriptor.LocalSystem, down+"F"), trustee(descriptor.Users, down+"RX"))
}

// usersRead is the command that leaves the group Users the documented rights and no others.
func (l Location) usersRead() string {
	return l.byHand("", "/inheritance:d") + "; " + l.byHand("", "/grant:r", trustee(descriptor.Users, "(OI)(CI)RX"), "/t")
}

// mend is what takes a right away again. Path is where it was found, all whether there are more places like it.
func (l Location) mend(path string, folder, all bool, g grant) string {
	deep := []string(nil)
	if all {
		path, deep = "", []string{"/t"}
	}
	switch {
	case g.from == fromNoList:
		return l.proper(path, folder || all)
	case g.who == descriptor.Users: // who keep reading
		return l.usersRead()
	case g.from == fromCreatorOwner:
		return l.byHand("", "/remove:g", trustee(descriptor.CreatorOwner, ""), trustee(g.who, ""), "/t")
	case g.from == inherited && path == "":
		return l.byHand(path, "/inheritance:d") + "; " + l.byHand(path, append([]string{"/remove:g", trustee(g.who, "")}, "/t")...)
	case g.from == inherited:
		return l.byHand("", "/remove:g", trustee(g.who, ""), "/t")
	}
	return l.byHand(path, append([]string{"/remove:g", trustee(g.who, "")}, deep...)...)
}
