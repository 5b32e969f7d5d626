package fileserver

import (
	"errors"
	"sync"
)

// Rights by which opens exclude each other, and the sharing that lets them
// (MS-SMB2 2.2.13).
const (
	readRights  = readData | execute
	writeRights = writeData | appendData

	shareRead   uint32 = 0x1
	shareWrite  uint32 = 0x2
	shareDelete uint32 = 0x4
)

// opens are the files and folders of a writable share that somebody has open, by
// path. Its lock is held while a name is looked up and used, so that nobody
// creates, renames or removes in between.
type opens struct {
	mu     sync.Mutex
	byPath map[string]*object
}

// object is one file or folder that is open. All of it belongs to the lock of
// the share's opens.
type object struct {
	path    string
	handles map[*handle]struct{}
	// deleted: it goes with its last handle, and nobody opens it any more.
	deleted bool
}

// refuses tells whether an open with these rights and this sharing is one too
// many (MS-FSA 2.1.5.1.2.2). Opens that look at attributes only never are.
func (o *object) refuses(rights, sharing uint32) bool {
	pairs := [...]struct{ rights, sharing uint32 }{{readRights, shareRead}, {writeRights, shareWrite}, {deleteRight, shareDelete}}
	const counted = readRights | writeRights | deleteRight
	if rights&counted == 0 {
		return false
	}
	for h := range o.handles {
		if h.access&counted == 0 {
			continue
		}
		for _, p := range pairs {
			if rights&p.rights != 0 && h.sharing&p.sharing == 0 || h.access&p.rights != 0 && sharing&p.sharing == 0 {
				return true
			}
		}
	}
	return false
}

// admit adds a handle to the object at a path. The lock is held.
func (o *opens) admit(path string, h *handle) {
	if o.byPath == nil {
		o.byPath = map[string]*object{}
	}
	at := o.byPath[path]
	if at == nil {
		at = &object{path: path, handles: map[*handle]struct{}{}}
		o.byPath[path] = at
	}
	at.handles[h] = struct{}{}
	h.object = at
}

// moved follows a rename. The lock is held.
func (o *opens) moved(at *object, to string) {
	delete(o.byPath, at.path)
	at.path = to
	o.byPath[to] = at
}

// release ends one open of a writable share (MS-FSA 2.1.5.5): the last one takes
// a file with it that is to be deleted.
func (s *share) release(h *handle) status {
	s.opens.mu.Lock()
	at := h.object
	delete(at.handles, h)
	at.deleted = at.deleted || h.deleteOnClose
	var removed error
	if len(at.handles) == 0 {
		delete(s.opens.byPath, at.path)
		if at.deleted {
			removed = s.Writable.Remove(at.path)
		}
	}
	s.opens.mu.Unlock()
	var closed error
	if h.edit != nil {
		closed = h.edit.Close() // takes its time, so nobody waits for it
	}
	if err := errors.Join(removed, closed); err != nil {
		return fsStatus(err)
	}
	return statusOK
}

// refresh makes a handle show its file as it is now; one that is gone stays as
// it was seen last.
func (s *share) refresh(h *handle) {
	s.opens.mu.Lock()
	defer s.opens.mu.Unlock()
	h.path, h.deletePending = h.object.path, h.object.deleted
	if info, err := s.Writable.Stat(h.path); err == nil && info.IsDir() == h.info.IsDir() {
		h.info = info
	}
}
