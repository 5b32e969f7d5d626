package smbcheck

import (
	"encoding/binary"
	"fmt"
)

// The parts of an SMB2 message that the tap looks at (MS-SMB2 2.2.1.2 and 2.2.41); offsets in bytes.
const (
	headerSize    = 64
	transformSize = 52

	offStatus    = 8
	offCommand   = 12
	offFlags     = 16
	offNext      = 20
	offMessage   = 24
	offSession   = 40
	offSignature = 48

	flagResponse = 0x1
	flagSigned   = 0x8

	cmdNegotiate    = 0
	cmdSessionSetup = 1
	cmdLogoff       = 2
	cmdTreeConnect  = 3
)

// Frame bounds in bytes. The library reads at most 1 MiB at a time and allocates what the length
// field claims, so the claim is refused before the library sees it.
const (
	maxFrame = 1<<20 + 64<<10
	maxKept  = 64 << 10
)

var le = binary.LittleEndian //nolint:gochecknoglobals // a short name for a value without state

// header is the start of a frame: an SMB2 header, or a transform header.
type header []byte

func (h header) sealed() bool    { return h[0] == 0xFD }
func (h header) status() uint32  { return le.Uint32(h[offStatus:]) }
func (h header) command() uint16 { return le.Uint16(h[offCommand:]) }
func (h header) flags() uint32   { return le.Uint32(h[offFlags:]) }
func (h header) next() uint32    { return le.Uint32(h[offNext:]) }
func (h header) message() uint64 { return le.Uint64(h[offMessage:]) }
func (h header) session() uint64 { return le.Uint64(h[offSession:]) }

// valid checks the protocol id and the size of a whole frame's header.
func (h header) valid() error {
	switch {
	case len(h) >= headerSize && string(h[:4]) == "\xFESMB":
		return nil
	case len(h) > transformSize && string(h[:4]) == "\xFDSMB":
		return nil
	case len(h) >= 4 && string(h[:4]) == "\xFFSMB":
		return fmt.Errorf("%w: it answers in SMB 1", ErrNotSMB)
	}
	return fmt.Errorf("%w: a message does not begin as SMB does", ErrNotSMB)
}

// cutter cuts one direction of a connection into frames (MS-SMB2 2.1: a zero byte, a length of three
// bytes, the message), however the stream is chunked. It holds the header of the frame under way,
// and the whole frame only if asked to.
type cutter struct {
	head [4 + headerSize]byte
	n    int    // bytes of head seen
	size int    // bytes of the message, once n >= 4
	rest int    // bytes of the message after the header that are still to come
	kept []byte // the message so far, if it is kept
}

// sink is told about frames: begin when the header is complete, and whether to keep the message;
// whole when a kept message is complete. The slice given to begin is not valid afterwards.
type sink interface {
	begin(h header, size int) (keep bool, err error)
	whole(message []byte) error
}

func (c *cutter) feed(p []byte, s sink) error {
	for len(p) > 0 {
		var k int
		var err error
		if want := c.headWant(); c.n < want {
			k = copy(c.head[c.n:want], p)
			c.n += k
			err = c.headed(s)
		} else {
			k = min(len(p), c.rest)
			if c.kept != nil {
				c.kept = append(c.kept, p[:k]...)
			}
			c.rest -= k
			err = c.finished(s)
		}
		if err != nil {
			return err
		}
		p = p[k:]
	}
	return nil
}

func (c *cutter) headWant() int {
	if c.n < 4 {
		return 4
	}
	return 4 + min(headerSize, c.size)
}

// headed acts when the length field, then the header, has arrived.
func (c *cutter) headed(s sink) error {
	if c.n == 4 {
		c.size = int(binary.BigEndian.Uint32(c.head[:4]))
		if c.head[0] != 0 {
			return fmt.Errorf("%w: a message does not begin as SMB does", ErrNotSMB)
		}
		if c.size <= transformSize || c.size > maxFrame {
			return fmt.Errorf("%w: a message of %d bytes", ErrProtocol, c.size)
		}
		return nil
	}
	if c.n < c.headWant() {
		return nil
	}
	h := header(c.head[4:c.n])
	if err := h.valid(); err != nil {
		return err
	}
	keep, err := s.begin(h, c.size)
	if err != nil {
		return err
	}
	if keep {
		if c.size > maxKept {
			return fmt.Errorf("%w: a handshake message of %d bytes", ErrProtocol, c.size)
		}
		c.kept = append(make([]byte, 0, c.size), h...)
	}
	c.rest = c.size - len(h)
	return c.finished(s)
}

func (c *cutter) finished(s sink) error {
	if c.rest > 0 {
		return nil
	}
	kept := c.kept
	c.n, c.size, c.kept = 0, 0, nil
	if kept == nil {
		return nil
	}
	return s.whole(kept)
}

// frameOf puts the length before a message.
func frameOf(m []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(m)), uint32(len(m))), m...)
}
