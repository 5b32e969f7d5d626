package fileserver

import (
	"errors"
	"io"
	"math"
)

// read answers MS-SMB2 2.2.19.
func (t *tree) read(r *request) answer {
	body, ok := r.fixed(49, 48)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[16:])
	if s != statusOK {
		return fail(s)
	}
	length, offset, minimum := le.Uint32(body[4:]), le.Uint64(body[8:]), le.Uint32(body[32:])
	switch {
	case length > maxRead, offset > math.MaxInt64-maxRead:
		return fail(statusInvalidParameter)
	case h.info.IsDir():
		return fail(statusInvalidDeviceRequest)
	case h.access&(readData|execute) == 0:
		return fail(statusAccessDenied)
	}
	source, s := t.source(h)
	if s != statusOK {
		return fail(s)
	}
	const fixed = 16
	out := make([]byte, fixed+int(length))
	n, err := source.ReadAt(out[fixed:], int64(offset))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fail(fsStatus(err))
	case n == 0 && length > 0, n < int(minimum):
		return fail(statusEndOfFile)
	}
	le.PutUint16(out, 17)
	out[2] = headerSize + fixed
	le.PutUint32(out[4:], uint32(n))
	return answer{body: out[:fixed+n]}
}

// source is what a handle reads from.
func (t *tree) source(h *handle) (io.ReaderAt, status) {
	if h.edit != nil {
		return h.edit, statusOK
	}
	if h.file == nil {
		f, err := t.share.FS.Open(h.path)
		if err != nil {
			return nil, fsStatus(err)
		}
		h.file = f
	}
	source, ok := h.file.(io.ReaderAt)
	if !ok {
		return nil, statusNotSupported
	}
	return source, statusOK
}
