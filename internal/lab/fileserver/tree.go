package fileserver

import (
	"io/fs"
	"strings"
	"time"
)

// ipcName is the share of named pipes. It exists because clients connect to it
// without asking; there are no pipes behind it.
const ipcName = "IPC$"

const (
	shareDisk byte = 1
	sharePipe byte = 2

	shareEncryptData uint32 = 0x8000 // MS-SMB2 2.2.10
)

// tree is a session's connection to a share; share is nil for IPC$.
type tree struct {
	id      uint32
	session *session
	share   *share
	handles map[uint64]*handle
	started time.Time
}

func (t *tree) encrypt() bool { return t.share != nil && t.share.Encrypt }

func (t *tree) mayRead() bool {
	return t.share != nil && (t.share.MayRead == nil || t.share.MayRead(t.session.user))
}

// withheld tells whether the permissions are kept from somebody who may read them.
func (t *tree) withheld() bool {
	return t.share.Withholds != nil && t.share.Withholds(t.session.user)
}

// treeConnect answers MS-SMB2 2.2.9.
func (c *conn) treeConnect(r *request) answer {
	body, ok := r.fixed(9, 8)
	if !ok {
		return fail(statusInvalidParameter)
	}
	text, ok := r.blob(uint32(le.Uint16(body[4:])), uint32(le.Uint16(body[6:])))
	if !ok {
		return fail(statusInvalidParameter)
	}
	unc, ok := decodeUTF16(text)
	if !ok || !strings.HasPrefix(unc, `\\`) {
		return fail(statusInvalidParameter)
	}
	_, name, ok := strings.Cut(unc[2:], `\`)
	if !ok {
		return fail(statusInvalidParameter)
	}
	s := r.session
	if len(s.trees) >= maxTrees {
		return fail(statusInsufficientResources)
	}
	t := &tree{session: s, handles: map[uint64]*handle{}, started: c.server.started}
	kind, flags := shareDisk, uint32(0)
	if strings.EqualFold(name, ipcName) {
		kind = sharePipe
	} else {
		t.share = c.server.shares[strings.ToUpper(name)]
		switch {
		case t.share == nil:
			return fail(statusBadNetworkName)
		case !t.mayRead():
			return fail(statusAccessDenied)
		case t.encrypt() && s.toClient == nil:
			return fail(statusAccessDenied) // a client that cannot encrypt, MS-SMB2 3.3.5.7
		}
	}
	if t.encrypt() {
		flags = shareEncryptData
	}
	t.id = uint32(s.newID())
	s.trees[t.id] = t
	w := builder{}
	w.u16(16)
	w.u8(kind, 0)
	w.u32(flags, 0, t.most())
	r.chain.treeID = t.id
	return answer{body: w.b, treeID: t.id}
}

func (c *conn) treeDisconnect(r *request) answer {
	r.tree.closeAll()
	delete(r.session.trees, r.tree.id)
	return answer{body: []byte{4, 0, 0, 0}}
}

func (t *tree) closeAll() {
	for id := range t.handles {
		t.release(id)
	}
}

// fileID names a handle on the wire (MS-SMB2 2.2.14.1).
type fileID struct{ persistent, volatile uint64 }

// previous is the id by which a related request means the file of the one before (MS-SMB2 3.3.5.2.7.2).
func previous() fileID { return fileID{^uint64(0), ^uint64(0)} }

// handle is an open file or folder.
type handle struct {
	id     uint64
	path   string // in the share's fs.FS
	info   fs.FileInfo
	access uint32
	file   fs.File // opened by the first read; nil on a writable share

	// What follows is of writable shares only; edit is nil for a folder.
	object        *object
	edit          File
	sharing       uint32
	action        uint32
	deleteOnClose bool
	deletePending bool

	listing []dirEntry // nil before the first query
	pattern string
	cursor  int
}

// handle finds the file a request means.
func (t *tree) handle(r *request, at []byte) (*handle, status) {
	id := fileID{le.Uint64(at), le.Uint64(at[8:])}
	if r.flags&headerRelated != 0 && id == previous() {
		if r.chain.failed != statusOK {
			return nil, r.chain.failed
		}
		id = r.chain.file
	}
	h, ok := t.handles[id.volatile]
	if !ok || id.persistent != id.volatile {
		return nil, statusFileClosed
	}
	r.chain.file, r.chain.failed = id, statusOK
	if h.object != nil {
		t.share.refresh(h)
	}
	return h, statusOK
}

// release ends a handle, whatever it says.
func (t *tree) release(id uint64) status {
	h, ok := t.handles[id]
	if !ok {
		return statusFileClosed
	}
	delete(t.handles, id)
	t.session.handles--
	if h.object != nil {
		return t.share.release(h)
	}
	if h.file != nil {
		_ = h.file.Close() // read only: nothing can be lost
	}
	return statusOK
}
