package fileserver

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Information classes of listings, MS-FSCC 2.4.
const (
	classDirectory       byte = 1
	classFullDirectory   byte = 2
	classBothDirectory   byte = 3
	classNames           byte = 12
	classIDBothDirectory byte = 37
	classIDFullDirectory byte = 38
)

// Flags of QUERY_DIRECTORY, MS-SMB2 2.2.33.
const (
	restartScans byte = 0x01
	singleEntry  byte = 0x02
	reopen       byte = 0x10
)

// dirEntry is one line of a listing.
type dirEntry struct {
	name string
	info fs.FileInfo
	id   uint64
}

// queryDirectory answers MS-SMB2 2.2.33. A listing is taken once, at its start,
// and handed out from there, so that it does not change on the way.
func (t *tree) queryDirectory(r *request) answer {
	body, ok := r.fixed(33, 32)
	if !ok {
		return fail(statusInvalidParameter)
	}
	h, s := t.handle(r, body[8:])
	if s != statusOK {
		return fail(s)
	}
	text, ok := r.blob(uint32(le.Uint16(body[24:])), uint32(le.Uint16(body[26:])))
	if !ok {
		return fail(statusInvalidParameter)
	}
	pattern, ok := decodeUTF16(text)
	if !ok || len(pattern) > maxName {
		return fail(statusObjectNameInvalid)
	}
	class, flags, room := body[2], body[3], le.Uint32(body[28:])
	switch {
	case !h.info.IsDir():
		return fail(statusInvalidParameter)
	case h.access&readData == 0:
		return fail(statusAccessDenied)
	case room > maxTransact:
		return fail(statusInvalidParameter)
	case nameOffset(class) == 0:
		return fail(statusInvalidInfoClass)
	}
	first := h.listing == nil
	if first || flags&(restartScans|reopen) != 0 {
		if s := t.list(h, pattern); s != statusOK {
			return fail(s)
		}
	}
	if h.cursor >= len(h.listing) {
		if first {
			return fail(statusNoSuchFile)
		}
		return fail(statusNoMoreFiles)
	}
	listed := t.fill(h, class, int(room), flags&singleEntry != 0)
	if len(listed) == 0 {
		return fail(statusInfoLengthMismatch)
	}
	return answer{body: dataBody(listed)}
}

// dataBody is the form that QUERY_DIRECTORY and QUERY_INFO answer in.
func dataBody(data []byte) []byte {
	w := builder{}
	w.u16(9, headerSize+8)
	w.u32(uint32(len(data)))
	w.raw(data)
	return w.b
}

// list takes the listing. An empty pattern keeps the one before, or means all.
func (t *tree) list(h *handle, pattern string) status {
	if pattern != "" {
		h.pattern = pattern
	}
	if h.pattern == "" {
		h.pattern = "*"
	}
	found, err := fs.ReadDir(t.share.FS, h.path)
	if err != nil {
		return fsStatus(err)
	}
	h.cursor, h.listing = 0, []dirEntry{}
	add := func(name, at string, info fs.FileInfo) {
		if matches(h.pattern, name) {
			h.listing = append(h.listing, dirEntry{name: name, info: info, id: fileNumber(t.share.Name, at)})
		}
	}
	add(".", h.path, h.info)
	if up, err := fs.Stat(t.share.FS, path.Dir(h.path)); err == nil {
		add("..", path.Dir(h.path), up)
	}
	slices.SortFunc(found, func(a, b fs.DirEntry) int {
		return strings.Compare(strings.ToUpper(a.Name()), strings.ToUpper(b.Name()))
	})
	for _, e := range found {
		at := path.Join(h.path, e.Name())
		// A vanished file or a dangling link is no entry; links show what they lead to.
		info, err := fs.Stat(t.share.FS, at)
		if err == nil && validName(e.Name()) && servable(info) == statusOK {
			add(e.Name(), at, info)
		}
	}
	return statusOK
}

// nameOffset is where the name begins in an entry of a class; 0 for a class that
// is not served.
func nameOffset(class byte) int {
	switch class {
	case classDirectory:
		return 64
	case classFullDirectory:
		return 68
	case classBothDirectory:
		return 94
	case classNames:
		return 12
	case classIDBothDirectory:
		return 104
	case classIDFullDirectory:
		return 80
	}
	return 0
}

// fill packs as many entries as there is room for and moves the cursor.
func (t *tree) fill(h *handle, class byte, room int, single bool) []byte {
	w := builder{}
	last := 0
	for h.cursor < len(h.listing) {
		e := h.listing[h.cursor]
		name := encodeUTF16(e.name)
		start := (len(w.b) + 7) &^ 7
		if start+nameOffset(class)+len(name) > room {
			break
		}
		if len(w.b) > 0 {
			w.align8()
			le.PutUint32(w.b[last:], uint32(start-last))
		}
		last = start
		t.entry(&w, class, e, name)
		h.cursor++
		if single {
			break
		}
	}
	return w.b
}

func (t *tree) entry(w *builder, class byte, e dirEntry, name []byte) {
	w.u32(0, 0)
	if class == classNames {
		w.u32(uint32(len(name)))
		w.raw(name)
		return
	}
	w.raw(t.times(e.info))
	w.u64(size(e.info), allocation(e.info))
	w.u32(attributes(e.info), uint32(len(name)))
	const extendedAttributes, shortName = 4, 2 + 24
	switch class {
	case classFullDirectory:
		w.zero(extendedAttributes)
	case classBothDirectory:
		w.zero(extendedAttributes + shortName)
	case classIDBothDirectory:
		w.zero(extendedAttributes + shortName + 2)
		w.u64(e.id)
	case classIDFullDirectory:
		w.zero(extendedAttributes + 4)
		w.u64(e.id)
	}
	w.raw(name)
}
