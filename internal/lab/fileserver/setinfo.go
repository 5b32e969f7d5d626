package fileserver

import "math"

// Classes that SET_INFO obeys, MS-FSCC 2.4.
const (
	setRename      byte = 10
	setDisposition byte = 13
	setEndOfFile   byte = 20
)

// setInfo answers MS-SMB2 2.2.39.
func (t *tree) setInfo(r *request) answer {
	body, ok := r.fixed(33, 32)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[16:])
	if s != statusOK {
		return fail(s)
	}
	kind, class, size := body[2], body[3], le.Uint32(body[4:])
	data, ok := r.blob(uint32(le.Uint16(body[8:])), size)
	if !ok || size > maxTransact {
		return fail(statusInvalidParameter)
	}
	if kind == infoSecurity {
		return fail(statusAccessDenied) // descriptors are what they are
	}
	if kind != infoFile {
		return fail(statusNotSupported)
	}
	switch class {
	case setRename:
		s = t.rename(h, data)
	case setDisposition:
		s = t.dispose(h, data)
	case setEndOfFile:
		s = t.resize(h, data)
	default:
		s = statusNotSupported // times and attributes are not kept
	}
	if s != statusOK {
		return fail(s)
	}
	return answer{body: []byte{2, 0}}
}

// rename obeys FileRenameInformation (MS-FSCC 2.4.42.2, MS-FSA 2.1.5.15.11).
func (t *tree) rename(h *handle, data []byte) status {
	const fixed = 20
	if len(data) < fixed || uint64(len(data)-fixed) < uint64(le.Uint32(data[16:])) {
		return statusInfoLengthMismatch
	}
	replace, root := data[0] != 0, le.Uint64(data[8:])
	name, ok := decodeUTF16(data[fixed : fixed+int(le.Uint32(data[16:]))])
	if !ok {
		return statusObjectNameInvalid
	}
	to, s := cleanPath(name)
	switch {
	case s != statusOK:
		return s
	case root != 0 || to == ".":
		return statusInvalidParameter
	case h.access&deleteRight == 0 || h.info.IsDir():
		return statusAccessDenied
	}
	held := &t.share.opens
	held.mu.Lock()
	defer held.mu.Unlock()
	from := h.object.path
	there, info, s := find(t.share.FS, to)
	switch {
	case s == statusOK && there == from: // another spelling of the same name
		if to, s = t.newName(to); s != statusOK {
			return s
		}
	case s == statusOK && info.IsDir():
		return statusAccessDenied
	case s == statusOK && !replace:
		return statusObjectNameCollision
	case s == statusOK && held.byPath[there] != nil:
		return statusAccessDenied
	case s == statusOK:
		to = there
	case s == statusObjectNameNotFound:
		if to, s = t.newName(to); s != statusOK {
			return s
		}
	default:
		return s
	}
	if from == to {
		return statusOK
	}
	if err := t.share.Writable.Rename(from, to, replace); err != nil {
		return fsStatus(err)
	}
	held.moved(h.object, to)
	return statusOK
}

// dispose obeys FileDispositionInformation (MS-FSA 2.1.5.15.3).
func (t *tree) dispose(h *handle, data []byte) status {
	switch {
	case len(data) < 1:
		return statusInfoLengthMismatch
	case h.access&deleteRight == 0 || h.info.IsDir():
		return statusAccessDenied
	}
	t.share.opens.mu.Lock()
	defer t.share.opens.mu.Unlock()
	h.object.deleted = data[0] != 0
	return statusOK
}

// resize obeys FileEndOfFileInformation (MS-FSA 2.1.5.15.4).
func (t *tree) resize(h *handle, data []byte) status {
	switch {
	case len(data) < 8:
		return statusInfoLengthMismatch
	case le.Uint64(data) > math.MaxInt64 || h.info.IsDir():
		return statusInvalidParameter
	case h.access&writeData == 0:
		return statusAccessDenied
	}
	if err := h.edit.Truncate(int64(le.Uint64(data))); err != nil {
		return fsStatus(err)
	}
	return statusOK
}
