package nodeshare

import (
	"encoding/binary"
	"fmt"
	"net"
	"sync"

	"cau/internal/winnode/agent"
)

// tap looks at the SMB messages of a connection as they pass and changes nothing.
type tap struct {
	net.Conn
	mu       sync.Mutex
	in, out  stream
	dialect  uint16
	status   uint32
	traffic  int
	unsigned int
	readable int
}

// stream cuts one direction into messages: 4 bytes of length, then the message (MS-SMB2 2.1).
type stream struct {
	head []byte
	skip int
	want int
}

// Parts of a message that matter (MS-SMB2 2.2.1.2).
const (
	offsetStatus  = 8
	offsetCommand = 12
	offsetFlags   = 16
	headerSize    = 64
	lookAt        = headerSize + 8

	commandNegotiate    = 0
	commandSessionSetup = 1
	flagSigned          = 0x8
	flagResponse        = 0x1
	morePowerful        = 0xC0000016 // STATUS_MORE_PROCESSING_REQUIRED
	noMoreFiles         = 0x80000006
	endOfFile           = 0xC0000011
)

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.pass(&t.in, p[:n])
	return n, err
}

// Write implements net.Conn.
func (t *tap) Write(p []byte) (int, error) {
	t.pass(&t.out, p)
	return t.Conn.Write(p)
}

func (t *tap) pass(s *stream, p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(p) > 0 {
		switch {
		case s.skip > 0:
			n := min(s.skip, len(p))
			s.skip -= n
			p = p[n:]
		case s.want == 0:
			n := min(4-len(s.head), len(p))
			s.head = append(s.head, p[:n]...)
			p = p[n:]
			if len(s.head) == 4 {
				s.want = int(binary.BigEndian.Uint32(s.head) & 0xFFFFFF)
				s.head = s.head[:0]
			}
		default:
			n := min(min(s.want, lookAt)-len(s.head), len(p))
			s.head = append(s.head, p[:n]...)
			p = p[n:]
			if len(s.head) == min(s.want, lookAt) {
				t.message(s.head)
				s.skip = s.want - len(s.head)
				s.want = 0
				s.head = s.head[:0]
			}
		}
	}
}

// message looks at the beginning of one message.
func (t *tap) message(m []byte) {
	if len(m) < 4 {
		return
	}
	if m[0] == 0xFD { // a sealed message
		t.traffic++
		t.unsigned++
		return
	}
	if m[0] != 0xFE || len(m) < headerSize {
		return
	}
	command := binary.LittleEndian.Uint16(m[offsetCommand:])
	flags := binary.LittleEndian.Uint32(m[offsetFlags:])
	if flags&flagResponse != 0 {
		status := binary.LittleEndian.Uint32(m[offsetStatus:])
		if status>>30 >= 2 && status != morePowerful && status != noMoreFiles && status != endOfFile {
			t.status = status
		}
		if command == commandNegotiate && len(m) >= headerSize+6 {
			t.dialect = binary.LittleEndian.Uint16(m[headerSize+4:])
		}
	}
	if command == commandNegotiate || command == commandSessionSetup {
		return
	}
	t.traffic++
	t.readable++
	if flags&flagSigned == 0 {
		t.unsigned++
	}
}

// connection is how the messages so far were protected, after negotiation and logon.
func (t *tap) connection() agent.Connection {
	t.mu.Lock()
	defer t.mu.Unlock()
	names := map[uint16]string{0x202: "2.0.2", 0x210: "2.1", 0x300: "3.0", 0x302: "3.0.2", 0x311: "3.1.1"}
	name, ok := names[t.dialect]
	if !ok {
		name = fmt.Sprintf("0x%04x", t.dialect)
	}
	return agent.Connection{
		Dialect: name,
		Signed:  t.traffic > 0 && t.unsigned == 0,
		// A share that is encrypted is connected to readably, when the session is not encrypted as a whole:
		// from the second message on, everything must be sealed.
		Encrypted: t.traffic > t.readable && t.readable <= 2,
	}
}

func (t *tap) lastStatus() uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status
}
