package fileserver

import (
	"bytes"
	"slices"
	"testing"
	"testing/fstest"

	"cau/internal/lab/ntlm"
)

// wire is a connection driven message by message, with somebody signed in and
// one tree connected.
type wire struct {
	t       testing.TB
	conn    *conn
	session *session
	tree    *tree
	next    uint64
}

func newWire(tb testing.TB, d dialect) *wire {
	tb.Helper()
	return newWireTo(tb, d, Share{Name: "s", FS: fstest.MapFS{"dir/file.txt": {Data: bytes.Repeat([]byte("0123456789"), 20000)}}})
}

func newWireTo(tb testing.TB, d dialect, sh Share) *wire {
	tb.Helper()
	server, err := New(Config{Name: "FS1", Accounts: &ntlm.Book{}, Shares: []Share{sh}})
	if err != nil {
		tb.Fatal(err)
	}
	mac, err := cmacSigner(bytes.Repeat([]byte{3}, 16))
	if err != nil {
		tb.Fatal(err)
	}
	seal, err := newGCM(bytes.Repeat([]byte{4}, 16))
	if err != nil {
		tb.Fatal(err)
	}
	s := &session{id: 77, dialect: d, valid: true, user: "u", mac: mac, fromClient: seal, toClient: seal, trees: map[uint32]*tree{}}
	tr := &tree{id: 9, session: s, share: server.shares["S"], handles: map[uint64]*handle{}}
	s.trees[9] = tr
	c := &conn{server: server, dialect: d, sessions: map[uint64]*session{77: s}}
	c.window.grant(256)
	return &wire{t: tb, conn: c, session: s, tree: tr}
}

// message is one request before it is signed.
func (w *wire) message(command uint16, body []byte, change ...func(b []byte)) []byte {
	b := make([]byte, headerSize, headerSize+len(body))
	copy(b, magicPlain)
	le.PutUint16(b[4:], headerSize)
	le.PutUint16(b[6:], 1)
	le.PutUint16(b[12:], command)
	le.PutUint16(b[14:], 1)
	le.PutUint64(b[24:], w.next)
	le.PutUint32(b[36:], w.tree.id)
	le.PutUint64(b[40:], w.session.id)
	w.next++
	b = append(b, body...)
	for _, f := range change {
		f(b)
	}
	return b
}

func (w *wire) signed(b []byte) []byte {
	le.PutUint32(b[16:], le.Uint32(b[16:])|headerSigned)
	w.session.mac.sign(b)
	return b
}

// compound joins messages: padded, chained, each signed.
func (w *wire) compound(messages ...[]byte) []byte {
	var out []byte
	for i, m := range messages {
		if i < len(messages)-1 {
			for len(m)%8 != 0 {
				m = append(m, 0)
			}
			le.PutUint32(m[20:], uint32(len(m)))
		}
		out = append(out, w.signed(m)...)
	}
	return out
}

type reply struct {
	status status
	flags  uint32
	body   []byte
}

// send hands over a frame and takes the answers apart, checking each signature.
func (w *wire) send(frame []byte) ([]reply, error) {
	w.t.Helper()
	out, err := w.conn.handleFrame(frame)
	if err != nil {
		return nil, err
	}
	var replies []reply
	for len(out) > 0 {
		m := out
		if next := le.Uint32(out[20:]); next != 0 {
			m = out[:next]
		}
		out = out[len(m):]
		r := reply{status: status(le.Uint32(m[8:])), flags: le.Uint32(m[16:]), body: m[headerSize:]}
		if r.flags&headerSigned != 0 && !w.session.mac.verify(bytes.Clone(m)) {
			w.t.Error("the answer's signature is wrong")
		}
		replies = append(replies, r)
	}
	return replies, nil
}

func (w *wire) one(frame []byte) reply {
	w.t.Helper()
	replies, err := w.send(frame)
	if err != nil || len(replies) != 1 {
		w.t.Fatalf("%d answers, %v", len(replies), err)
	}
	return replies[0]
}

func related(b []byte) { le.PutUint32(b[16:], le.Uint32(b[16:])|headerRelated) }

func createBodyFor(name string) []byte {
	text := encodeUTF16(name)
	b := make([]byte, 56, 56+len(text))
	le.PutUint16(b, 57)
	le.PutUint32(b[24:], genericRead)
	le.PutUint32(b[36:], openExisting)
	le.PutUint16(b[44:], headerSize+56)
	le.PutUint16(b[46:], uint16(len(text)))
	return append(b, text...)
}

func readBody(id fileID, length uint32, offset uint64) []byte {
	b := make([]byte, 49)
	le.PutUint16(b, 49)
	le.PutUint32(b[4:], length)
	le.PutUint64(b[8:], offset)
	le.PutUint64(b[16:], id.persistent)
	le.PutUint64(b[24:], id.volatile)
	return b
}

func closeBody(id fileID) []byte {
	b := make([]byte, 24)
	le.PutUint16(b, 24)
	le.PutUint64(b[8:], id.persistent)
	le.PutUint64(b[16:], id.volatile)
	return b
}

func (w *wire) open(name string) fileID {
	w.t.Helper()
	r := w.one(w.signed(w.message(cmdCreate, createBodyFor(name))))
	if r.status != statusOK {
		w.t.Fatalf("open %s: %#x", name, uint32(r.status))
	}
	return fileID{le.Uint64(r.body[64:]), le.Uint64(r.body[72:])}
}

func ioctlBody(code uint32, input []byte, room uint32) []byte {
	b := make([]byte, 56, 56+len(input))
	le.PutUint16(b, 57)
	le.PutUint32(b[4:], code)
	le.PutUint32(b[24:], headerSize+56)
	le.PutUint32(b[28:], uint32(len(input)))
	le.PutUint32(b[44:], room)
	le.PutUint32(b[48:], 1)
	return append(b, input...)
}

func negotiateFrame(dialects ...uint16) []byte {
	w := builder{}
	w.u16(36, uint16(len(dialects)), signingRequired, 0)
	w.u32(0x7f)
	w.zero(16)
	w.u32(0, 0)
	w.u16(dialects...)
	if slices.Contains(dialects, 0x311) {
		w.align8()
		le.PutUint32(w.b[28:], headerSize+uint32(len(w.b)))
		le.PutUint16(w.b[32:], 2)
		w.u16(contextPreauth, 38, 0, 0, 1, 32, hashSHA512)
		w.zero(32)
		w.align8()
		w.u16(contextEncryption, 6, 0, 0, 2, 1, cipherAES128GCM)
	}
	return (&wire{tree: &tree{}, session: &session{}}).message(cmdNegotiate, w.b)
}
