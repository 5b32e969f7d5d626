package fileserver

import "math"

// changing dispatches what only writable shares obey; to all others it is access
// denied, as to somebody who has read permission alone.
func (t *tree) changing(r *request) answer {
	if !t.writable() {
		return fail(statusAccessDenied)
	}
	switch r.command {
	case cmdWrite:
		return t.write(r)
	case cmdFlush:
		return t.flush(r)
	case cmdSetInfo:
		return t.setInfo(r)
	}
	return fail(statusNotSupported) // no byte range locks
}

// write answers MS-SMB2 2.2.21.
func (t *tree) write(r *request) answer {
	body, ok := r.fixed(49, 48)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[16:])
	if s != statusOK {
		return fail(s)
	}
	length, offset, flags := le.Uint32(body[4:]), le.Uint64(body[8:]), le.Uint32(body[44:])
	data, ok := r.blob(uint32(le.Uint16(body[2:])), length)
	end := offset + uint64(length)
	switch {
	case !ok, length > maxWrite, offset > math.MaxInt64-maxWrite:
		return fail(statusInvalidParameter)
	case h.info.IsDir():
		return fail(statusInvalidDeviceRequest)
	case h.access&writeData == 0 && (h.access&appendData == 0 || offset < size(h.info)):
		return fail(statusAccessDenied) // MS-SMB2 3.3.5.13
	}
	if end > offset {
		if _, err := h.edit.WriteAt(data, int64(offset)); err != nil {
			return fail(fsStatus(err))
		}
	}
	const writeThrough = 1
	if flags&writeThrough != 0 {
		if err := h.edit.Sync(); err != nil {
			return fail(fsStatus(err))
		}
	}
	w := builder{}
	w.u16(17, 0)
	w.u32(length, 0, 0)
	return answer{body: w.b}
}

// flush answers MS-SMB2 2.2.17.
func (t *tree) flush(r *request) answer {
	body, ok := r.fixed(24, 24)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[8:])
	switch {
	case s != statusOK:
		return fail(s)
	case h.access&writeRights == 0:
		return fail(statusAccessDenied) // MS-SMB2 3.3.5.11
	}
	if h.edit != nil {
		if err := h.edit.Sync(); err != nil {
			return fail(fsStatus(err))
		}
	}
	return answer{body: []byte{4, 0, 0, 0}}
}
