package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// permissions are the descriptors of a share. They do not change.
type permissions struct {
	top *descriptor
	set map[string]*given // by upper-case path
}

// compilePermissions checks the descriptors of a share. What is set below its root
// must be there.
func compilePermissions(s Share) (permissions, error) {
	d := s.Security
	if d.Owner == "" && d.Group == "" && !d.lists() {
		d = DefaultDescriptor()
	}
	g, err := compileDescriptor(d)
	switch {
	case err != nil:
		return permissions{}, err
	case g.owner == "" || g.group == "":
		return permissions{}, errors.New("a root without an owner or a group")
	case len(s.Below) > 0 && s.Writable != nil:
		return permissions{}, errors.New("descriptors of files that come and go")
	}
	p := permissions{top: g.root(), set: map[string]*given{}}
	for name, d := range s.Below {
		if p.set[strings.ToUpper(name)], err = compileBelow(s.FS, name, d); err != nil {
			return permissions{}, fmt.Errorf("descriptor of %q: %w", name, err)
		}
	}
	if len(p.set) != len(s.Below) {
		return permissions{}, errors.New("two descriptors of one file")
	}
	return p, nil
}

func compileBelow(fsys fs.FS, name string, d Descriptor) (*given, error) {
	if name == "." {
		return nil, errors.New("the root has its own")
	}
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	_, info, found := find(fsys, name)
	if found != statusOK {
		return nil, fs.ErrNotExist
	}
	for i, e := range d.Entries {
		if e.Flags != 0 && !info.IsDir() {
			return nil, fmt.Errorf("access entry %d: nothing is below a file", i+1)
		}
	}
	return compileDescriptor(d)
}

// of is the descriptor of what is at a path, spelled as it is there.
func (p permissions) of(path string, folder bool) *descriptor {
	d := p.top
	if path == "." {
		return d
	}
	for end := range len(path) {
		if path[end] == '/' {
			d = d.child(p.set[strings.ToUpper(path[:end])], true)
		}
	}
	return d.child(p.set[strings.ToUpper(path)], folder)
}
