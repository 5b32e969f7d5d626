package fileserver

import (
	"io/fs"
	"path"
)

// What CREATE did, MS-SMB2 2.2.14.
const (
	actionSuperseded  uint32 = 0
	actionOpened      uint32 = 1
	actionCreated     uint32 = 2
	actionOverwritten uint32 = 3
)

// opening is what a CREATE asks for.
type opening struct{ access, attributes, sharing, disposition, options uint32 }

// empties tells whether a file that exists loses its content.
func (o opening) empties() bool {
	return o.disposition == supersede || o.disposition == overwrite || o.disposition == overwriteIf
}

// readOnly tells whether a file that is made or emptied should be read-only. No
// file system here keeps attributes.
func (o opening) readOnly() bool { return o.attributes&0x1 != 0 }

// creates tells whether a file that does not exist is made.
func (o opening) creates() bool { return o.disposition != openExisting && o.disposition != overwrite }

// check is what MS-SMB2 3.3.5.9 and MS-FSA 2.1.5.1 refuse before a name is
// looked up, and gives the rights that come of it.
func (o opening) check(most uint32) (uint32, status) {
	folder := o.options&wantDirectory != 0
	switch {
	case folder && (o.options&wantFile != 0 || o.empties()), o.disposition > overwriteIf,
		o.sharing&^(shareRead|shareWrite|shareDelete) != 0:
		return 0, statusInvalidParameter
	}
	rights, s := granted(o.access, most)
	if s != statusOK {
		return 0, s
	}
	if o.options&deleteOnClose != 0 && rights&deleteRight == 0 || o.empties() && most&writeData == 0 {
		return 0, statusAccessDenied
	}
	return rights, statusOK
}

// change opens a file or folder of a writable share, or makes a file. Folders are
// as they are: they are not made, renamed or removed.
func (t *tree) change(name string, o opening) (*handle, status) {
	rights, s := o.check(t.most())
	if s != statusOK {
		return nil, s
	}
	if t.session.handles >= maxHandles {
		return nil, statusInsufficientResources
	}
	held := &t.share.opens
	held.mu.Lock()
	defer held.mu.Unlock()
	h := &handle{access: rights, sharing: o.sharing, deleteOnClose: o.options&deleteOnClose != 0}
	spelled, info, s := find(t.share.FS, name)
	switch {
	case s == statusObjectNameNotFound && o.creates():
		spelled, s = t.createFile(h, name, o)
	case s == statusOK:
		h.info = info
		s = t.openThere(h, spelled, o)
	}
	if s != statusOK {
		return nil, s
	}
	if h.info, s = t.seen(h, spelled); s != statusOK {
		return nil, s
	}
	h.id, h.path = t.session.newID(), spelled
	held.admit(spelled, h)
	t.handles[h.id] = h
	t.session.handles++
	return h, statusOK
}

// seen is the file as it is after it was made or emptied.
func (t *tree) seen(h *handle, spelled string) (fs.FileInfo, status) {
	info, err := t.share.Writable.Stat(spelled)
	if err == nil {
		return info, statusOK
	}
	if h.edit != nil {
		_ = h.edit.Close() // it went away meanwhile
	}
	return nil, fsStatus(err)
}

// createFile makes a file in a folder that exists.
func (t *tree) createFile(h *handle, name string, o opening) (string, status) {
	if o.options&wantDirectory != 0 || !t.mayWrite() {
		return "", statusAccessDenied
	}
	spelled, s := t.newName(name)
	switch {
	case s != statusOK:
		return "", s
	case o.readOnly():
		return "", statusNotSupported
	}
	var err error
	if h.edit, err = t.share.Writable.Create(spelled); err != nil {
		return "", fsStatus(err)
	}
	h.action = actionCreated
	return spelled, statusOK
}

// newName is the path of a file that does not exist, with its folder as spelled
// on disk.
func (t *tree) newName(name string) (string, status) {
	parent, info, s := find(t.share.FS, path.Dir(name))
	switch {
	case s == statusObjectNameNotFound || s == statusOK && !info.IsDir():
		return "", statusObjectPathNotFound
	case s != statusOK:
		return "", s
	}
	return path.Join(parent, path.Base(name)), statusOK
}

// openThere opens what exists (MS-FSA 2.1.5.1.2).
func (t *tree) openThere(h *handle, spelled string, o opening) status {
	folder := h.info.IsDir()
	switch {
	case o.options&wantDirectory != 0 && !folder:
		return statusNotADirectory
	case o.options&wantFile != 0 && folder:
		return statusFileIsADirectory
	case o.disposition == createNew:
		return statusObjectNameCollision
	case folder && o.empties():
		return statusInvalidParameter
	case folder && h.deleteOnClose:
		return statusAccessDenied
	case o.empties() && o.readOnly():
		return statusNotSupported
	}
	rights := h.access
	if o.empties() {
		rights |= writeData
	}
	if o.disposition == supersede {
		rights |= deleteRight
	}
	if at := t.share.opens.byPath[spelled]; at != nil {
		switch {
		case at.deleted:
			return statusDeletePending
		case at.refuses(rights, o.sharing):
			return statusSharingViolation
		}
	}
	h.action = actionOpened
	if folder {
		return statusOK
	}
	var err error
	if h.edit, err = t.share.Writable.Open(spelled); err != nil {
		return fsStatus(err)
	}
	if !o.empties() {
		return statusOK
	}
	if err := h.edit.Truncate(0); err != nil {
		_ = h.edit.Close() // the first failure is the one that counts
		return fsStatus(err)
	}
	if h.action = actionOverwritten; o.disposition == supersede {
		h.action = actionSuperseded
	}
	return statusOK
}
