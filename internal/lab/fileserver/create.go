package fileserver

import (
	"io/fs"
	"time"
)

// Create dispositions and options, MS-SMB2 2.2.13.
const (
	supersede    uint32 = 0
	openExisting uint32 = 1
	createNew    uint32 = 2
	openIf       uint32 = 3
	overwrite    uint32 = 4
	overwriteIf  uint32 = 5

	wantDirectory uint32 = 0x00000001
	wantFile      uint32 = 0x00000040
	deleteOnClose uint32 = 0x00001000
)

// Access rights, MS-SMB2 2.2.13.1.
const (
	readData    uint32 = 0x00000001
	writeData   uint32 = 0x00000002
	appendData  uint32 = 0x00000004
	execute     uint32 = 0x00000020
	deleteRight uint32 = 0x00010000
	readControl uint32 = 0x00020000

	accessSACL     uint32 = 0x01000000
	maximumAllowed uint32 = 0x02000000
	genericAll     uint32 = 0x10000000
	genericExecute uint32 = 0x20000000
	genericWrite   uint32 = 0x40000000
	genericRead    uint32 = 0x80000000

	genericReadMask    uint32 = 0x00120089
	genericWriteMask   uint32 = 0x00120116
	genericExecuteMask uint32 = 0x001200A0
)

// granted turns the access asked for into rights, of which most are the most
// there can be, or says why not.
func granted(asked, most uint32) (uint32, status) {
	if asked&accessSACL != 0 {
		return 0, statusPrivilegeNotHeld
	}
	rights := asked
	if asked&maximumAllowed != 0 {
		rights = rights&^maximumAllowed | most
	}
	rights = specific(rights)
	if rights == 0 || rights&^most != 0 {
		return 0, statusAccessDenied
	}
	return rights, statusOK
}

// create answers MS-SMB2 2.2.13.
func (t *tree) create(r *request) answer {
	const fixed = 56
	body, ok := r.fixed(57, fixed)
	if !ok {
		return fail(statusInvalidParameter)
	}
	text, ok := r.blob(uint32(le.Uint16(body[44:])), uint32(le.Uint16(body[46:])))
	if !ok {
		return fail(statusInvalidParameter)
	}
	decoded, ok := decodeUTF16(text)
	if !ok {
		return fail(statusObjectNameInvalid)
	}
	o := opening{
		access: le.Uint32(body[24:]), attributes: le.Uint32(body[28:]), sharing: le.Uint32(body[32:]),
		disposition: le.Uint32(body[36:]), options: le.Uint32(body[40:]),
	}
	if t.share == nil {
		return fail(statusObjectNameNotFound) // no named pipes
	}
	name, s := cleanPath(decoded)
	if s != statusOK {
		return fail(s)
	}
	if !t.mayRead() {
		return fail(statusAccessDenied)
	}
	open := t.open
	if t.writable() {
		open = t.change
	}
	h, s := open(name, o)
	if s != statusOK {
		return fail(s)
	}
	r.chain.file = fileID{h.id, h.id}
	return answer{body: t.createBody(h)}
}

// open opens what is there, for reading.
func (t *tree) open(name string, o opening) (*handle, status) {
	options, disposition := o.options, o.disposition
	if options&(wantDirectory|wantFile) == wantDirectory|wantFile || disposition > overwriteIf {
		return nil, statusInvalidParameter
	}
	spelled, info, s := find(t.share.FS, name)
	if s == statusObjectNameNotFound && disposition != openExisting {
		return nil, statusAccessDenied // it would have to be created
	}
	if s != statusOK {
		return nil, s
	}
	switch {
	case disposition == createNew:
		return nil, statusObjectNameCollision
	case disposition != openExisting && disposition != openIf, options&deleteOnClose != 0:
		return nil, statusAccessDenied
	case options&wantDirectory != 0 && !info.IsDir():
		return nil, statusNotADirectory
	case options&wantFile != 0 && info.IsDir():
		return nil, statusFileIsADirectory
	}
	rights, s := granted(o.access, t.most())
	if s != statusOK {
		return nil, s
	}
	if t.session.handles >= maxHandles {
		return nil, statusInsufficientResources
	}
	h := &handle{id: t.session.newID(), path: spelled, info: info, access: rights, action: actionOpened}
	t.handles[h.id] = h
	t.session.handles++
	return h, statusOK
}

func (t *tree) createBody(h *handle) []byte {
	w := builder{}
	w.u16(89)
	w.u8(0, 0) // no oplock
	w.u32(h.action)
	w.raw(t.times(h.info))
	w.u64(allocation(h.info), size(h.info))
	w.u32(attributes(h.info), 0)
	w.u64(h.id, h.id)
	w.u32(0, 0)
	return w.b
}

// close answers MS-SMB2 2.2.15.
func (t *tree) close(r *request) answer {
	body, ok := r.fixed(24, 24)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[8:])
	if s != statusOK {
		return fail(s)
	}
	if s := t.release(h.id); s != statusOK {
		return fail(s)
	}
	const withAttributes = 1
	w := builder{}
	w.u16(60)
	if le.Uint16(body[2:])&withAttributes == 0 {
		w.zero(58)
		return answer{body: w.b}
	}
	w.u16(withAttributes)
	w.u32(0)
	w.raw(t.times(h.info))
	w.u64(allocation(h.info), size(h.info))
	w.u32(attributes(h.info))
	return answer{body: w.b}
}

// times gives creation, access, write and change time. A file system knows one
// of them; one without any shows when the server started.
func (t *tree) times(info fs.FileInfo) []byte {
	stamp := filetime(t.modified(info))
	w := builder{}
	w.u64(stamp, stamp, stamp, stamp)
	return w.b
}

func (t *tree) modified(info fs.FileInfo) time.Time {
	if m := info.ModTime(); m.Year() >= 1601 {
		return m
	}
	return t.started
}

// Attributes of files, MS-FSCC 2.6.
const (
	attributeDirectory uint32 = 0x10
	attributeArchive   uint32 = 0x20
)

func attributes(info fs.FileInfo) uint32 {
	if info.IsDir() {
		return attributeDirectory
	}
	return attributeArchive
}

func size(info fs.FileInfo) uint64 {
	if info.IsDir() {
		return 0
	}
	return uint64(max(info.Size(), 0))
}

const cluster = 4096

func allocation(info fs.FileInfo) uint64 { return (size(info) + cluster - 1) / cluster * cluster }
