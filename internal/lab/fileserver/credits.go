package fileserver

// Bounds of the message window. A client that is granted maxCredits can have 32
// reads of 1 MiB on the way.
const (
	maxCredits = 512
	maxSpan    = 8192
)

// window knows which message ids the client may use (MS-SMB2 3.3.1.1). Its zero
// value is a connection on which nothing was granted yet.
type window struct {
	low, high uint64
	used      map[uint64]struct{}
}

// take spends the ids of one request. False means that the client sent an id it
// was not given or used before; such a connection is closed.
func (w *window) take(id uint64, charge uint16) bool {
	n := uint64(max(charge, 1))
	if id < w.low || id >= w.high || n > w.high-id {
		return false
	}
	for i := range n {
		if _, spent := w.used[id+i]; spent {
			return false
		}
	}
	if w.used == nil {
		w.used = map[uint64]struct{}{}
	}
	for i := range n {
		w.used[id+i] = struct{}{}
	}
	for {
		if _, spent := w.used[w.low]; !spent {
			return true
		}
		delete(w.used, w.low)
		w.low++
	}
}

// grant gives the client what it asks for, within bounds; never so little that
// it could not send anything any more.
func (w *window) grant(asked uint16) uint16 {
	open := w.high - w.low - uint64(len(w.used))
	room := uint64(0)
	if open < maxCredits {
		room = min(maxCredits-open, maxSpan-min(w.high-w.low, maxSpan))
	}
	n := min(uint64(max(asked, 1)), room)
	if open == 0 {
		n = max(n, 1)
	}
	w.high += n
	return uint16(n)
}
