package smbcheck

import (
	"fmt"
	"net"
	"sync"
)

// tap is the connection that the SMB library uses. It passes bytes on unchanged, counts frames,
// records the handshake for proof, and stops the connection at the first thing that must not be:
// what the tap refuses never reaches the library. It knows no key.
type tap struct {
	net.Conn
	pinned Dialect

	mu             sync.Mutex
	in, out        cutter
	sent, received Traffic
	record         handshake
	mounted        bool
	sealing        bool // the server named a cipher that we have
	onlySealed     bool // the share or the session demands encryption
	err            error

	tree chan []byte   // the first final answer to TREE_CONNECT
	over chan struct{} // closed when nothing more will come
	end  sync.Once
}

// handshake is everything that proof needs, as it crossed the wire.
type handshake struct {
	// transcript holds NEGOTIATE and SESSION_SETUP in order, up to and without the answer that
	// ended the sign-in: the messages that preauth integrity covers (MS-SMB2 3.2.5.2 and 3.2.5.3).
	transcript [][]byte
	negotiate  []byte
	setup      []byte
	// trees are successful TREE_CONNECT answers, sealed are sealed frames before the share was
	// mounted: one of them is that answer where the whole session is sealed.
	trees  [][]byte
	sealed [][]byte
	// setupStatus is the status of the last SESSION_SETUP answer.
	setupStatus uint32
}

// maxRecorded bounds the messages of one kind that are kept; an honest handshake has 3 round trips.
const maxRecorded = 16

func newTap(c net.Conn, pinned Dialect) *tap {
	return &tap{Conn: c, pinned: pinned, tree: make(chan []byte, 1), over: make(chan struct{})}
}

// Read passes bytes to the library, unless something in them was refused.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = t.in.feed(p[:n], receiving{t})
	}
	if err != nil || t.err != nil {
		t.end.Do(func() { close(t.over) })
	}
	if t.err != nil {
		// Not n: a full buffer would make the reader above forget the error.
		return 0, t.err
	}
	return n, err
}

// Write passes bytes from the library.
func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	if t.err == nil {
		t.err = t.out.feed(p, sending{t})
	}
	err := t.err
	t.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return t.Conn.Write(p)
}

// refused is what the tap stopped the connection for, or nil.
func (t *tap) refused() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// traffic returns the counts so far.
func (t *tap) traffic() (sent, received Traffic) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent, t.received
}

// handshake returns the record; with mounted, sealed frames are no longer kept.
func (t *tap) handshake(mounted bool) handshake {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mounted = t.mounted || mounted
	return t.record
}

// demandSeal refuses from now on what is not sealed, in both directions: on a share that demands encryption nothing that
// counts crosses the wire in clear, whatever else the library would take or send (MS-SMB2 3.2.5.1.1).
func (t *tap) demandSeal() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.onlySealed = true
}

func (t *Traffic) count(h header) {
	switch {
	case h.sealed():
		t.Sealed++
	case h.flags()&flagSigned != 0:
		t.Signed++
	default:
		t.Plain++
	}
}

// sending watches what we send.
type sending struct{ t *tap }

func (s sending) begin(h header, _ int) (bool, error) {
	s.t.sent.count(h)
	if h.sealed() {
		return false, nil
	}
	if s.t.onlySealed && (h.command() != cmdLogoff || h.next() != 0) {
		return false, fmt.Errorf("%w: a message was about to leave unencrypted", ErrTampered)
	}
	return h.command() == cmdNegotiate || h.command() == cmdSessionSetup, nil
}

func (s sending) whole(m []byte) error { return s.t.record.add(m) }

// receiving watches what the server sends.
type receiving struct{ t *tap }

func (r receiving) begin(h header, size int) (bool, error) {
	r.t.received.count(h)
	if h.sealed() {
		if !r.t.sealing || r.t.record.setup == nil {
			return false, fmt.Errorf("%w: an encrypted message where nothing can be encrypted", ErrProtocol)
		}
		return !r.t.mounted && size <= maxKept && len(r.t.record.sealed) < maxRecorded, nil
	}
	if err := r.clear(h); err != nil {
		return false, err
	}
	switch h.command() {
	case cmdNegotiate, cmdSessionSetup, cmdTreeConnect:
	default:
		return false, nil
	}
	if h.next() != 0 {
		return false, fmt.Errorf("%w: a handshake message in an odd shape", ErrProtocol)
	}
	return h.status() != statusPending, nil
}

// clear says what is wrong with a message that is not sealed, by its header. The signature itself is the library's to
// verify, and ours where facts depend on it; that there is one is not left to the library, which stops to ask for it
// when a session's flags say guest. Interim answers are never signed and bring nothing (MS-SMB2 3.3.4.1.1), nor are notices
// that answer no request; both are dropped by the library.
func (r receiving) clear(h header) error {
	const unasked = 1<<64 - 1 // MS-SMB2 2.2.1: an oplock break
	if h.flags()&flagResponse == 0 {
		// We sign as the server does: a request of ours, thrown back, has a right signature.
		return fmt.Errorf("%w: a request came where an answer was due", ErrTampered)
	}
	if r.t.record.setup == nil || h.next() == 0 && (h.status() == statusPending || h.message() == unasked) {
		return nil
	}
	if h.flags()&flagSigned == 0 {
		if s := h.status(); s == statusSessionDeleted || s == statusSessionExpired {
			return fmt.Errorf("%w: the server has forgotten the session", ErrBroken)
		}
		return fmt.Errorf("%w: a message has no signature", ErrTampered)
	}
	if r.t.onlySealed && (h.command() != cmdLogoff || h.next() != 0) {
		return fmt.Errorf("%w: a message came unencrypted", ErrTampered)
	}
	return nil
}

func (r receiving) whole(m []byte) error {
	h, rec := header(m), &r.t.record
	if h.sealed() {
		rec.sealed = append(rec.sealed, m)
		return nil
	}
	switch h.command() {
	case cmdNegotiate:
		return r.negotiated(m)
	case cmdSessionSetup:
		if rec.setup != nil {
			return fmt.Errorf("%w: the sign-in ended twice", ErrTampered)
		}
		rec.setupStatus = h.status()
		if h.status() != 0 {
			return rec.add(m)
		}
		rec.setup = m
	case cmdTreeConnect:
		select {
		case r.t.tree <- m:
		default:
		}
		if h.status() != 0 {
			return nil
		}
		if rec.trees = append(rec.trees, m); len(rec.trees) > 1 {
			return fmt.Errorf("%w: the share was answered for twice", ErrTampered)
		}
	}
	return nil
}

// negotiated holds the server to the one dialect that was offered: the library would follow an
// answer that asks to start over with an older one.
func (r receiving) negotiated(m []byte) error {
	rec := &r.t.record
	if header(m).status() != 0 {
		return nil
	}
	if rec.negotiate != nil {
		return fmt.Errorf("%w: the negotiation was answered twice", ErrTampered)
	}
	a, err := parseNegotiate(m)
	if err != nil {
		return err
	}
	if a.dialect != r.t.pinned {
		return fmt.Errorf("%w: SMB %s was offered and %s answered", ErrTampered, r.t.pinned, a.dialect)
	}
	if a.dialect == SMB311 && a.cipherContext && !a.cipher.ours() {
		return ErrCipher
	}
	rec.negotiate, r.t.sealing = m, a.cipher.ours()
	return rec.add(m)
}

func (h *handshake) add(m []byte) error {
	if len(h.transcript) == maxRecorded {
		return fmt.Errorf("%w: the sign-in does not end", ErrProtocol)
	}
	if h.setup == nil {
		h.transcript = append(h.transcript, m)
	}
	return nil
}
