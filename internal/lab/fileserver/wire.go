package fileserver

import (
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf16"
)

var le = binary.LittleEndian //nolint:gochecknoglobals // a short name for a value without state

// command codes, MS-SMB2 2.2.1.
const (
	cmdNegotiate      uint16 = 0
	cmdSessionSetup   uint16 = 1
	cmdLogoff         uint16 = 2
	cmdTreeConnect    uint16 = 3
	cmdTreeDisconnect uint16 = 4
	cmdCreate         uint16 = 5
	cmdClose          uint16 = 6
	cmdFlush          uint16 = 7
	cmdRead           uint16 = 8
	cmdWrite          uint16 = 9
	cmdLock           uint16 = 10
	cmdIoctl          uint16 = 11
	cmdCancel         uint16 = 12
	cmdEcho           uint16 = 13
	cmdQueryDirectory uint16 = 14
	cmdNotify         uint16 = 15
	cmdQueryInfo      uint16 = 16
	cmdSetInfo        uint16 = 17
	cmdOplockBreak    uint16 = 18
)

// header flags, MS-SMB2 2.2.1.2.
const (
	headerResponse uint32 = 0x1
	headerRelated  uint32 = 0x4
	headerSigned   uint32 = 0x8
)

const (
	headerSize    = 64
	signatureAt   = 48
	magicPlain    = "\xfeSMB"
	magicSealed   = "\xfdSMB"
	transformSize = 52
)

// header is the part of a request's SMB2 header that decides what happens to it.
type header struct {
	charge    uint16
	command   uint16
	credits   uint16
	flags     uint32
	next      uint32
	messageID uint64
	treeID    uint32
	sessionID uint64
}

var errFrame = errors.New("malformed SMB2 message")

func parseHeader(b []byte) (header, error) {
	if len(b) < headerSize || string(b[:4]) != magicPlain || le.Uint16(b[4:]) != headerSize {
		return header{}, errFrame
	}
	h := header{
		charge: le.Uint16(b[6:]), command: le.Uint16(b[12:]), credits: le.Uint16(b[14:]),
		flags: le.Uint32(b[16:]), next: le.Uint32(b[20:]), messageID: le.Uint64(b[24:]),
		treeID: le.Uint32(b[36:]), sessionID: le.Uint64(b[40:]),
	}
	if h.flags&headerResponse != 0 {
		return header{}, errFrame
	}
	if h.next != 0 && (h.next%8 != 0 || h.next < headerSize || uint64(h.next) >= uint64(len(b))) {
		return header{}, errFrame
	}
	return h, nil
}

// put writes the header of a response.
func (h header) put(b []byte, s status, flags uint32, credits uint16) {
	copy(b, magicPlain)
	le.PutUint16(b[4:], headerSize)
	le.PutUint16(b[6:], h.charge)
	le.PutUint32(b[8:], uint32(s))
	le.PutUint16(b[12:], h.command)
	le.PutUint16(b[14:], credits)
	le.PutUint32(b[16:], flags|headerResponse)
	le.PutUint64(b[24:], h.messageID)
	le.PutUint32(b[36:], h.treeID)
	le.PutUint64(b[40:], h.sessionID)
}

// builder appends little-endian fields; its zero value is an empty body.
type builder struct{ b []byte }

func (w *builder) u8(v ...byte)    { w.b = append(w.b, v...) }
func (w *builder) u16(v ...uint16) { w.b = appendAll(w.b, v, le.AppendUint16) }
func (w *builder) u32(v ...uint32) { w.b = appendAll(w.b, v, le.AppendUint32) }
func (w *builder) u64(v ...uint64) { w.b = appendAll(w.b, v, le.AppendUint64) }
func (w *builder) raw(v []byte)    { w.b = append(w.b, v...) }
func (w *builder) zero(n int)      { w.b = append(w.b, make([]byte, n)...) }

// align8 brings the next field to an 8-byte boundary.
func (w *builder) align8() {
	if over := len(w.b) % 8; over != 0 {
		w.zero(8 - over)
	}
}

func appendAll[T any](b []byte, values []T, add func([]byte, T) []byte) []byte {
	for _, v := range values {
		b = add(b, v)
	}
	return b
}

func encodeUTF16(s string) []byte {
	units := utf16.Encode([]rune(s))
	out := make([]byte, 0, 2*len(units))
	for _, u := range units {
		out = le.AppendUint16(out, u)
	}
	return out
}

// decodeUTF16 refuses odd lengths and lone surrogates: such a name cannot be
// looked up in an fs.FS.
func decodeUTF16(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = le.Uint16(b[2*i:])
	}
	runes := utf16.Decode(units)
	for _, r := range runes {
		if r == '\uFFFD' {
			return "", false
		}
	}
	return string(runes), true
}

// filetime counts 100 ns intervals since 1601-01-01 (MS-DTYP 2.3.3).
func filetime(t time.Time) uint64 {
	const unixEpoch = 116444736000000000
	return uint64(t.Unix()*10_000_000 + int64(t.Nanosecond())/100 + unixEpoch)
}
