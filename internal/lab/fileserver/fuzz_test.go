package fileserver

import (
	"bytes"
	"testing"

	"cau/internal/lab/ntlm"
)

// FuzzMessage hands arbitrary bytes to every parser behind the logon: they come
// as if sealed, since no fuzzer finds a signature.
func FuzzMessage(f *testing.F) {
	w := newWire(f, smb311)
	open := w.message(cmdCreate, createBodyFor("dir"))
	for _, body := range [][]byte{
		readBody(previous(), 10, 0), closeBody(previous()), ioctlBody(fsctlValidateNegotiate, make([]byte, 24), 24),
	} {
		for _, command := range []uint16{cmdRead, cmdClose, cmdIoctl, cmdQueryInfo, cmdQueryDirectory, cmdTreeConnect} {
			b := bytes.Clone(body)
			switch command {
			case cmdQueryInfo:
				b[0] = 41
			case cmdQueryDirectory:
				b[0] = 33
			case cmdTreeConnect:
				b[0] = 9
			}
			f.Add(w.compound(bytes.Clone(open), w.message(command, b, related)))
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w := newWire(t, smb311)
		out, err := w.conn.handleChain(bytes.Clone(frame), w.session)
		if err == nil && len(out) > maxAnswer+maxRead+1024 {
			t.Errorf("%d bytes of answers", len(out))
		}
		w.conn.end()
	})
}

// FuzzWriting does the same to a share that can be changed.
func FuzzWriting(f *testing.F) {
	w, _ := writing(f, 1<<16)
	open := w.message(cmdCreate, createFor(`push\a`, with(everything, func(o *opening) { o.disposition = overwriteIf })))
	for command, body := range map[uint16][]byte{
		cmdWrite: writeBody(previous(), 3, "content"), cmdFlush: flushBody(previous()), cmdQueryInfo: queryBody(previous(), infoFile, fileAll),
		cmdClose: closeBody(previous()),
	} {
		f.Add(w.compound(bytes.Clone(open), w.message(command, body, related)))
	}
	for class, data := range map[byte][]byte{setRename: renameTo(`push\b`, 1), setDisposition: {1}, setEndOfFile: le.AppendUint64(nil, 9)} {
		f.Add(w.compound(bytes.Clone(open), w.message(cmdSetInfo, setInfoBody(previous(), class, data), related)))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w, shelf := writing(t, 1<<16)
		out, err := w.conn.handleChain(bytes.Clone(frame), w.session)
		if err == nil && len(out) > maxAnswer+maxRead+1024 {
			t.Errorf("%d bytes of answers", len(out))
		}
		w.conn.end()
		if total, free := shelf.Space(); shelf.InUse != 0 || len(w.tree.share.opens.byPath) != 0 || free < 0 || free > total {
			t.Errorf("%d files in use, %d objects, %d of %d free", shelf.InUse, len(w.tree.share.opens.byPath), free, total)
		}
	})
}

// FuzzFrame hands arbitrary bytes to a connection on which nobody is signed in.
func FuzzFrame(f *testing.F) {
	server, err := New(Config{Name: "FS1", Accounts: &ntlm.Book{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(negotiateFrame(0x311), []byte{})
	f.Add(negotiateFrame(0x210), (&wire{tree: &tree{}, session: &session{}, next: 1}).message(cmdSessionSetup, make([]byte, 25)))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c := &conn{server: server, sessions: map[uint64]*session{}}
		c.window.grant(8)
		for _, frame := range [][]byte{first, second} {
			if _, err := c.handleFrame(bytes.Clone(frame)); err != nil {
				break
			}
		}
		if c.signedIn() {
			t.Error("signed in without a password")
		}
	})
}
