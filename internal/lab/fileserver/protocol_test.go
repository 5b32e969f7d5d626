package fileserver

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestOnlyProtectedMessagesAreObeyed(t *testing.T) {
	w := newWire(t, smb311)
	if r := w.one(w.message(cmdCreate, createBodyFor("dir"))); r.status != statusAccessDenied {
		t.Errorf("unsigned: %#x", uint32(r.status))
	}
	altered := w.signed(w.message(cmdCreate, createBodyFor("dir")))
	altered[len(altered)-1] ^= 1
	if r := w.one(altered); r.status != statusAccessDenied {
		t.Errorf("altered: %#x", uint32(r.status))
	}
	if len(w.tree.handles) != 0 {
		t.Error("something was opened all the same")
	}
	if r := w.one(w.signed(w.message(cmdCreate, createBodyFor("dir")))); r.status != statusOK || r.flags&headerSigned == 0 {
		t.Errorf("signed: %#x, flags %#x", uint32(r.status), r.flags)
	}
	w.tree.share.Encrypt = true
	if r := w.one(w.signed(w.message(cmdCreate, createBodyFor("dir")))); r.status != statusAccessDenied {
		t.Errorf("signed but not sealed, on a share that demands sealing: %#x", uint32(r.status))
	}
	sealed, err := w.session.seal(w.message(cmdCreate, createBodyFor("dir")))
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.conn.handleFrame(sealed)
	if err != nil || string(out[:4]) != magicSealed {
		t.Errorf("a sealed message is answered with %.4q, %v", out, err)
	}
}

func TestAClientThatBreaksTheProtocolIsHungUpOn(t *testing.T) {
	for name, frame := range map[string]func(w *wire) []byte{
		"message id used twice": func(w *wire) []byte {
			w.one(w.signed(w.message(cmdEcho, []byte{4, 0, 0, 0})))
			w.next = 0
			return w.signed(w.message(cmdEcho, []byte{4, 0, 0, 0}))
		},
		"message id never granted": func(w *wire) []byte { w.next = 100000; return w.signed(w.message(cmdEcho, []byte{4, 0, 0, 0})) },
		"second negotiate":         func(w *wire) []byte { return w.message(cmdNegotiate, make([]byte, 40)) },
		"SMB1":                     func(*wire) []byte { return append([]byte("\xffSMBr"), make([]byte, 100)...) },
		"chain pointing to itself": func(w *wire) []byte { m := w.message(cmdEcho, make([]byte, 64)); m[20] = 8; return m },
		"chain pointing outside":   func(w *wire) []byte { m := w.message(cmdEcho, make([]byte, 64)); m[21] = 8; return m },
		"a response":               func(w *wire) []byte { m := w.message(cmdEcho, make([]byte, 4)); m[16] = 1; return m },
		"sealed by nobody we know": func(*wire) []byte { return append([]byte(magicSealed), make([]byte, 200)...) },
		"header cut off":           func(w *wire) []byte { return w.message(cmdEcho, nil)[:63] },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, smb311)
			if replies, err := w.send(frame(w)); err == nil {
				t.Errorf("answered %+v", replies)
			}
		})
	}
}

func TestStaleReferencesAreRefused(t *testing.T) {
	w := newWire(t, smb311)
	id := w.open(`dir\file.txt`)
	gone := w.message(cmdRead, readBody(id, 10, 0), func(b []byte) { le.PutUint64(b[40:], 5) })
	if r := w.one(gone); r.status != statusUserSessionDeleted {
		t.Errorf("unknown session: %#x", uint32(r.status))
	}
	noTree := w.message(cmdRead, readBody(id, 10, 0), func(b []byte) { le.PutUint32(b[36:], 5) })
	if r := w.one(w.signed(noTree)); r.status != statusNetworkNameDeleted {
		t.Errorf("unknown tree: %#x", uint32(r.status))
	}
	if r := w.one(w.signed(w.message(cmdClose, closeBody(id)))); r.status != statusOK {
		t.Fatalf("close: %#x", uint32(r.status))
	}
	if r := w.one(w.signed(w.message(cmdRead, readBody(id, 10, 0)))); r.status != statusFileClosed {
		t.Errorf("closed file: %#x", uint32(r.status))
	}
}

func TestReadsObeyTheirLimits(t *testing.T) {
	w := newWire(t, smb311)
	id := w.open(`dir\file.txt`)
	dir := w.open("dir")
	charge := func(n uint16) func([]byte) { return func(b []byte) { le.PutUint16(b[6:], n) } }
	for name, c := range map[string]struct {
		body   []byte
		charge uint16
		want   status
		size   int
	}{
		"a part":              {readBody(id, 10, 5), 1, statusOK, 10},
		"over the end":        {readBody(id, 100, 199950), 1, statusOK, 50},
		"behind the end":      {readBody(id, 10, 200000), 1, statusEndOfFile, 0},
		"too few credits":     {readBody(id, 64<<10+1, 0), 1, statusInvalidParameter, 0},
		"enough credits":      {readBody(id, 64<<10+1, 0), 2, statusOK, 64<<10 + 1},
		"too much":            {readBody(id, maxRead+1, 0), 17, statusInvalidParameter, 0},
		"offset out of range": {readBody(id, 10, 1<<63), 1, statusInvalidParameter, 0},
		"a folder":            {readBody(dir, 10, 0), 1, statusInvalidDeviceRequest, 0},
	} {
		w.next = w.conn.window.low
		r := w.one(w.signed(w.message(cmdRead, c.body, charge(c.charge))))
		if r.status != c.want || r.status == statusOK && len(r.body) != 16+c.size {
			t.Errorf("%s: %#x with %d bytes", name, uint32(r.status), len(r.body))
		}
		w.next = w.conn.window.low
	}
}

func TestCompoundCarriesTheFileFromRequestToRequest(t *testing.T) {
	w := newWire(t, smb311)
	replies, err := w.send(w.compound(
		w.message(cmdCreate, createBodyFor(`dir\file.txt`)),
		w.message(cmdRead, readBody(previous(), 10, 0), related),
		w.message(cmdClose, closeBody(previous()), related),
	))
	if err != nil || len(replies) != 3 {
		t.Fatalf("%d answers, %v", len(replies), err)
	}
	for i, r := range replies {
		if r.status != statusOK || (r.flags&headerRelated != 0) != (i > 0) || r.flags&headerSigned == 0 {
			t.Errorf("answer %d: %#x, flags %#x", i, uint32(r.status), r.flags)
		}
	}
	if got := replies[1].body[16:26]; string(got) != "0123456789" {
		t.Errorf("read %q", got)
	}
	if len(w.tree.handles) != 0 {
		t.Error("the file is still open")
	}
}

func TestFailureRunsThroughTheCompound(t *testing.T) {
	w := newWire(t, smb311)
	replies, err := w.send(w.compound(
		w.message(cmdCreate, createBodyFor("nothing")),
		w.message(cmdRead, readBody(previous(), 10, 0), related),
		w.message(cmdClose, closeBody(previous()), related),
	))
	if err != nil || len(replies) != 3 {
		t.Fatalf("%d answers, %v", len(replies), err)
	}
	for i, r := range replies {
		if r.status != statusObjectNameNotFound {
			t.Errorf("answer %d: %#x", i, uint32(r.status))
		}
	}
	if r := w.one(w.signed(w.message(cmdRead, readBody(previous(), 10, 0), related))); r.status != statusInvalidParameter {
		t.Errorf("related to nothing: %#x", uint32(r.status))
	}
}

func TestControlCodesThatAreNotServedSaySo(t *testing.T) {
	w := newWire(t, smb311)
	for code, want := range map[uint32]status{
		fsctlGetReferrals: statusNotFound, fsctlNetworkInterfaces: statusNotSupported, 0x000900c0: statusInvalidDeviceRequest,
	} {
		if r := w.one(w.signed(w.message(cmdIoctl, ioctlBody(code, nil, 1024)))); r.status != want {
			t.Errorf("%#x: %#x, want %#x", code, uint32(r.status), uint32(want))
		}
	}
}

func TestCancelIsNotAnswered(t *testing.T) {
	w := newWire(t, smb311)
	if replies, err := w.send(w.signed(w.message(cmdCancel, []byte{4, 0, 0, 0}))); err != nil || len(replies) != 0 {
		t.Errorf("%d answers, %v", len(replies), err)
	}
}

func TestDescriptorThatDoesNotFitIsAnsweredWithItsSize(t *testing.T) {
	for _, d := range []dialect{smb311, smb210} {
		w := newWire(t, d)
		id := w.open("dir")
		b := make([]byte, 41)
		le.PutUint16(b, 41)
		b[2] = infoSecurity
		le.PutUint32(b[4:], 20)
		le.PutUint32(b[16:], askOwner|askDACL)
		le.PutUint64(b[24:], id.persistent)
		le.PutUint64(b[32:], id.volatile)
		r := w.one(w.signed(w.message(cmdQueryInfo, b)))
		size := r.body[len(r.body)-4:]
		if r.status != statusBufferTooSmall || le.Uint32(size) != 112 {
			t.Errorf("%#x: %#x, size %d", uint16(d), uint32(r.status), le.Uint32(size))
		}
	}
}

func TestHandlesAndTreesAreBounded(t *testing.T) {
	w := newWire(t, smb311)
	for range maxHandles {
		w.open("dir")
	}
	if r := w.one(w.signed(w.message(cmdCreate, createBodyFor("dir")))); r.status != statusInsufficientResources {
		t.Errorf("one handle more: %#x", uint32(r.status))
	}
	for n := len(w.session.trees); ; n++ {
		b := []byte{9, 0, 0, 0, headerSize + 8, 0, 0, 0}
		path := encodeUTF16(`\\fs1\s`)
		le.PutUint16(b[6:], uint16(len(path)))
		r := w.one(w.signed(w.message(cmdTreeConnect, append(b, path...))))
		if n == maxTrees {
			if r.status != statusInsufficientResources {
				t.Errorf("one tree more: %#x", uint32(r.status))
			}
			return
		}
		if r.status != statusOK {
			t.Fatalf("tree %d: %#x", n, uint32(r.status))
		}
	}
}

func TestNobodySealsForAnotherSession(t *testing.T) {
	w := newWire(t, smb311)
	other := *w.session
	other.id, other.user = 78, "another"
	w.conn.sessions[78] = &other
	foreign := w.message(cmdEcho, []byte{4, 0, 0, 0}, func(b []byte) { le.PutUint64(b[40:], 78) })
	sealed, err := w.session.seal(foreign)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.conn.handleFrame(sealed); !errors.Is(err, errHangUp) {
		t.Errorf("got %v, want the connection closed", err)
	}
}

func TestTreeConnectSaysTheMostThereCanBe(t *testing.T) {
	const tell, hide = true, false
	for _, c := range []struct {
		share Share
		want  uint32
	}{
		{Share{FS: fstest.MapFS{}}, ReadAndExecute},
		{Share{FS: fstest.MapFS{}, MayReadPermissions: func(string) bool { return tell }}, ReadAndExecute},
		{Share{FS: fstest.MapFS{}, MayReadPermissions: func(string) bool { return hide }}, ReadAndExecute &^ readControl},
		{Share{FS: fstest.MapFS{}, Withholds: func(string) bool { return true }}, ReadAndExecute},
		{Share{Writable: NewShelf(1)}, FullControl},
		{Share{Writable: NewShelf(1), MayReadPermissions: func(string) bool { return hide }}, FullControl &^ readControl},
	} {
		c.share.Name = "s"
		w := newWireTo(t, smb311, c.share)
		path := encodeUTF16(`\\fs1\s`)
		body := append([]byte{9, 0, 0, 0, headerSize + 8, 0, byte(len(path)), 0}, path...)
		r := w.one(w.signed(w.message(cmdTreeConnect, body)))
		if r.status != statusOK || le.Uint32(r.body[12:]) != c.want {
			t.Errorf("%+v: %#x, %#x, want %#x", c.share, uint32(r.status), le.Uint32(r.body[12:]), c.want)
		}
	}
}

func TestTheMostThatIsAllowedHoldsNoREAD_CONTROLWhereItIsHidden(t *testing.T) {
	w := newWireTo(t, smb311, Share{Name: "s", FS: fstest.MapFS{"dir/file.txt": {}}, MayReadPermissions: func(string) bool { return false }})
	for access, want := range map[uint32]status{
		maximumAllowed: statusOK, readData | execute: statusOK, readControl: statusAccessDenied, genericRead: statusAccessDenied,
		genericExecute: statusAccessDenied, genericAll: statusAccessDenied, genericReadMask &^ readControl: statusOK,
	} {
		body := createBodyFor("dir")
		le.PutUint32(body[24:], access)
		if r := w.one(w.signed(w.message(cmdCreate, body))); r.status != want {
			t.Errorf("access %#x: %#x, want %#x", access, uint32(r.status), uint32(want))
		}
	}
	for _, h := range w.tree.handles {
		id := fileID{h.id, h.id}
		if r := w.one(w.signed(w.message(cmdQueryInfo, queryBody(id, infoSecurity, 0)))); r.status != statusAccessDenied {
			t.Errorf("opened with %#x: the descriptor is answered with %#x", h.access, uint32(r.status))
		}
	}
}
