package fileserver

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// writing is a wire to a share that "u" may change.
func writing(tb testing.TB, room int64) (*wire, *Shelf) {
	tb.Helper()
	shelf := NewShelf(room)
	w := newWireTo(tb, smb311, Share{Name: "s", Writable: shelf, MayWrite: func(user string) bool { return user == "u" }})
	w.conn.window.grant(maxCredits)
	return w, shelf
}

// createFor is a CREATE of a file.
func createFor(name string, o opening) []byte {
	b := createBodyFor(name)
	le.PutUint32(b[24:], o.access)
	le.PutUint32(b[28:], o.attributes)
	le.PutUint32(b[32:], o.sharing)
	le.PutUint32(b[36:], o.disposition)
	le.PutUint32(b[40:], o.options)
	return b
}

// do sends one signed message and keeps the window open.
func (w *wire) do(command uint16, body []byte, change ...func([]byte)) reply {
	w.t.Helper()
	w.next = w.conn.window.low
	r := w.one(w.signed(w.message(command, body, append(change, func(b []byte) { le.PutUint16(b[14:], 64) })...)))
	return r
}

func (w *wire) create(name string, o opening) (fileID, reply) {
	w.t.Helper()
	r := w.do(cmdCreate, createFor(name, o))
	if r.status != statusOK {
		return fileID{}, r
	}
	return fileID{le.Uint64(r.body[64:]), le.Uint64(r.body[72:])}, r
}

func (w *wire) mustCreate(name string, o opening) fileID {
	w.t.Helper()
	id, r := w.create(name, o)
	if r.status != statusOK {
		w.t.Fatalf("create %s: %#x", name, uint32(r.status))
	}
	return id
}

func (w *wire) close(id fileID) status {
	w.t.Helper()
	return w.do(cmdClose, closeBody(id)).status
}

func writeBody(id fileID, offset uint64, data string) []byte {
	b := make([]byte, 48, 49+len(data))
	le.PutUint16(b, 49)
	le.PutUint16(b[2:], headerSize+48)
	le.PutUint32(b[4:], uint32(len(data)))
	le.PutUint64(b[8:], offset)
	le.PutUint64(b[16:], id.persistent)
	le.PutUint64(b[24:], id.volatile)
	return append(b, data...)
}

func setInfoBody(id fileID, class byte, data []byte) []byte {
	b := make([]byte, 32, 33+len(data))
	le.PutUint16(b, 33)
	b[2], b[3] = infoFile, class
	le.PutUint32(b[4:], uint32(len(data)))
	le.PutUint16(b[8:], headerSize+32)
	le.PutUint64(b[16:], id.persistent)
	le.PutUint64(b[24:], id.volatile)
	return append(b, data...)
}

func flushBody(id fileID) []byte {
	b := closeBody(id)
	return b
}

func renameTo(name string, replace byte) []byte {
	text := encodeUTF16(name)
	b := make([]byte, 20, 20+len(text))
	b[0] = replace
	le.PutUint32(b[16:], uint32(len(text)))
	return append(b, text...)
}

var everything = opening{access: genericAll, sharing: 7, disposition: createNew}

func with(o opening, change func(*opening)) opening {
	change(&o)
	return o
}

func TestCreateObeysItsDisposition(t *testing.T) {
	const none = 99
	for _, tc := range []struct {
		disposition   uint32
		missing, here status
		made, opened  uint32
		emptied       bool
	}{
		{supersede, statusOK, statusOK, actionCreated, actionSuperseded, true},
		{openExisting, statusObjectNameNotFound, statusOK, none, actionOpened, false},
		{createNew, statusOK, statusObjectNameCollision, actionCreated, none, false},
		{openIf, statusOK, statusOK, actionCreated, actionOpened, false},
		{overwrite, statusObjectNameNotFound, statusOK, none, actionOverwritten, true},
		{overwriteIf, statusOK, statusOK, actionCreated, actionOverwritten, true},
		{6, statusInvalidParameter, statusInvalidParameter, none, none, false},
	} {
		w, shelf := writing(t, 1<<20)
		o := opening{access: genericRead | genericWrite, sharing: 7, disposition: tc.disposition}
		_, r := w.create(`PUSH\new`, o)
		if r.status != tc.missing || r.status == statusOK && le.Uint32(r.body[4:]) != tc.made {
			t.Errorf("%d of a missing file: %#x", tc.disposition, uint32(r.status))
		}
		if _, ok := shelf.Content("push/new"); ok != (tc.missing == statusOK) {
			t.Errorf("%d of a missing file: there is one: %t", tc.disposition, ok)
		}
		id := w.mustCreate(`push\old`, everything)
		w.do(cmdWrite, writeBody(id, 0, "content"))
		w.close(id)
		_, r = w.create(`push\OLD`, o)
		if r.status != tc.here || r.status == statusOK && le.Uint32(r.body[4:]) != tc.opened {
			t.Errorf("%d of a file: %#x", tc.disposition, uint32(r.status))
		}
		if got, _ := shelf.Content("push/old"); (got == "") != tc.emptied {
			t.Errorf("%d of a file leaves %q", tc.disposition, got)
		}
	}
}

func TestCreateIsRefusedAsWindowsWould(t *testing.T) {
	w, shelf := writing(t, 1<<20)
	w.close(w.mustCreate(`push\file`, everything))
	for name, tc := range map[string]struct {
		path string
		o    opening
		want status
	}{
		"a folder is made":             {`push\dir`, with(everything, func(o *opening) { o.options = wantDirectory }), statusAccessDenied},
		"in a folder that is closed":   {`closed\x`, everything, statusAccessDenied},
		"at the root":                  {`x`, everything, statusAccessDenied},
		"in a folder that is not":      {`nowhere\x`, everything, statusObjectPathNotFound},
		"below a folder that is not":   {`nowhere\y\x`, everything, statusObjectPathNotFound},
		"below a file":                 {`push\file\x`, everything, statusObjectPathNotFound},
		"a stream":                     {`push\x:y`, everything, statusObjectNameInvalid},
		"a way up":                     {`push\..\x`, everything, statusObjectNameInvalid},
		"a folder as file":             {`push`, with(everything, func(o *opening) { o.disposition, o.options = openIf, wantFile }), statusFileIsADirectory},
		"a file as folder":             {`push\file`, with(everything, func(o *opening) { o.disposition, o.options = openIf, wantDirectory }), statusNotADirectory},
		"a folder is overwritten":      {`push`, with(everything, func(o *opening) { o.disposition = overwriteIf }), statusInvalidParameter},
		"a folder is deleted":          {`push`, with(everything, func(o *opening) { o.disposition, o.options = openExisting, deleteOnClose }), statusAccessDenied},
		"folder and file":              {`push\file`, with(everything, func(o *opening) { o.disposition, o.options = openIf, wantFile|wantDirectory }), statusInvalidParameter},
		"sharing that there is not":    {`push\file`, with(everything, func(o *opening) { o.disposition, o.sharing = openIf, 8 }), statusInvalidParameter},
		"delete without the right":     {`push\file`, opening{access: genericRead, sharing: 7, disposition: openExisting, options: deleteOnClose}, statusAccessDenied},
		"the audit list":               {`push\file`, opening{access: accessSACL, sharing: 7, disposition: openExisting}, statusPrivilegeNotHeld},
		"rights that there are not":    {`push\file`, opening{access: 0x00200000, sharing: 7, disposition: openExisting}, statusAccessDenied},
		"no rights":                    {`push\file`, opening{sharing: 7, disposition: openExisting}, statusAccessDenied},
		"a read-only file is made":     {`push\new`, with(everything, func(o *opening) { o.attributes = 1 }), statusNotSupported},
		"emptied to be read-only":      {`push\file`, with(everything, func(o *opening) { o.attributes, o.disposition = 1, overwrite }), statusNotSupported},
		"a name of which nothing fits": {`push\` + strings.Repeat("x", 256), everything, statusObjectNameInvalid},
	} {
		if _, r := w.create(tc.path, tc.o); r.status != tc.want {
			t.Errorf("%s: %#x, want %#x", name, uint32(r.status), uint32(tc.want))
		}
	}
	if shelf.Names() != "push/file" || shelf.InUse != 0 || len(w.tree.handles) != 0 || len(w.tree.share.opens.byPath) != 0 {
		t.Errorf("%s; %d in use, %d handles, %d objects", shelf.Names(), shelf.InUse, len(w.tree.handles), len(w.tree.share.opens.byPath))
	}
	id, r := w.create(`push\file`, opening{access: maximumAllowed, attributes: 1, sharing: 7, disposition: openIf})
	if r.status != statusOK || w.tree.handles[id.volatile].access != FullControl {
		t.Errorf("the most: %#x", uint32(r.status))
	}
}

func TestWhoMayNotWriteReadsOnly(t *testing.T) {
	w, shelf := writing(t, 1<<20)
	id := w.mustCreate(`push\file`, everything)
	w.do(cmdWrite, writeBody(id, 0, "content"))
	w.close(id)
	w.session.user = "other"
	for name, o := range map[string]opening{
		"write":     {access: writeData, sharing: 7, disposition: openExisting},
		"append":    {access: appendData, sharing: 7, disposition: openExisting},
		"delete":    {access: deleteRight, sharing: 7, disposition: openExisting},
		"all":       {access: genericAll, sharing: 7, disposition: openExisting},
		"overwrite": {access: genericRead, sharing: 7, disposition: overwrite},
		"supersede": {access: genericRead, sharing: 7, disposition: supersede},
	} {
		if _, r := w.create(`push\file`, o); r.status != statusAccessDenied {
			t.Errorf("%s: %#x", name, uint32(r.status))
		}
	}
	if _, r := w.create(`push\new`, opening{access: genericRead, sharing: 7, disposition: openIf}); r.status != statusAccessDenied {
		t.Errorf("make: %#x", uint32(r.status))
	}
	id = w.mustCreate(`push\file`, opening{access: maximumAllowed, sharing: 7, disposition: openExisting})
	for name, r := range map[string]reply{
		"write":    w.do(cmdWrite, writeBody(id, 0, "x")),
		"truncate": w.do(cmdSetInfo, setInfoBody(id, setEndOfFile, make([]byte, 8))),
		"rename":   w.do(cmdSetInfo, setInfoBody(id, setRename, renameTo(`push\x`, 0))),
		"delete":   w.do(cmdSetInfo, setInfoBody(id, setDisposition, []byte{1})),
		"flush":    w.do(cmdFlush, flushBody(id)),
	} {
		if r.status != statusAccessDenied {
			t.Errorf("%s through a handle for reading: %#x", name, uint32(r.status))
		}
	}
	w.close(id)
	if got, _ := shelf.Content("push/file"); got != "content" {
		t.Errorf("%q is left", got)
	}
}

func TestWritesObeyTheirLimits(t *testing.T) {
	w, shelf := writing(t, 100<<10)
	id := w.mustCreate(`push\file`, everything)
	folder := w.mustCreate(`push`, opening{access: genericAll, sharing: 7, disposition: openExisting})
	appending := w.mustCreate(`push\file`, opening{access: appendData, sharing: 7, disposition: openExisting})
	charge := func(n uint16) func([]byte) { return func(b []byte) { le.PutUint16(b[6:], n) } }
	longer := writeBody(id, 0, "x")
	le.PutUint32(longer[4:], 2)
	for _, tc := range []struct {
		name   string
		body   []byte
		charge uint16
		want   status
	}{
		{"some", writeBody(id, 0, "0123456789"), 1, statusOK},
		{"in the middle", writeBody(id, 3, "abc"), 1, statusOK},
		{"nothing", writeBody(id, 5, ""), 1, statusOK},
		{"behind the end", writeBody(id, 12, "z"), 1, statusOK},
		{"appended", writeBody(appending, 13, "!"), 1, statusOK},
		{"over the middle by who may append", writeBody(appending, 2, "z"), 1, statusAccessDenied},
		{"longer than the message", longer, 1, statusInvalidParameter},
		{"too few credits", writeBody(id, 0, strings.Repeat("x", 64<<10+1)), 1, statusInvalidParameter},
		{"too much", writeBody(id, 0, strings.Repeat("x", maxWrite+1)), 17, statusInvalidParameter},
		{"offset out of range", writeBody(id, 1<<63, "x"), 1, statusInvalidParameter},
		{"at the end of all", writeBody(id, math.MaxUint64, "x"), 1, statusInvalidParameter},
		{"more than there is room for", writeBody(id, 0, strings.Repeat("x", 100<<10+1)), 2, statusDiskFull},
		{"far away", writeBody(id, 1<<40, "x"), 1, statusDiskFull},
		{"a folder", writeBody(folder, 0, "x"), 1, statusInvalidDeviceRequest},
		{"nobody's file", writeBody(fileID{99, 99}, 0, "x"), 1, statusFileClosed},
		{"a body cut short", writeBody(id, 0, "")[:40], 1, statusInvalidParameter},
	} {
		r := w.do(cmdWrite, tc.body, charge(tc.charge))
		if r.status != tc.want || r.status == statusOK && le.Uint32(r.body[4:]) != uint32(len(tc.body)-48) {
			t.Errorf("%s: %#x, want %#x", tc.name, uint32(r.status), uint32(tc.want))
		}
	}
	if got, _ := shelf.Content("push/file"); got != "012abc6789\x00\x00z!" {
		t.Errorf("%q", got)
	}
	if r := w.do(cmdRead, readBody(id, 100, 0)); string(r.body[16:]) != "012abc6789\x00\x00z!" {
		t.Errorf("read back: %q", r.body[16:])
	}
	through := writeBody(id, 0, "0")
	le.PutUint32(through[44:], 1)
	if r := w.do(cmdWrite, through); r.status != statusOK || shelf.Syncs != 1 {
		t.Errorf("written through: %#x, %d", uint32(r.status), shelf.Syncs)
	}
	if r := w.do(cmdFlush, flushBody(id)); r.status != statusOK || shelf.Syncs != 2 {
		t.Errorf("flush: %#x, %d", uint32(r.status), shelf.Syncs)
	}
	if r := w.do(cmdLock, flushBody(id)); r.status != statusNotSupported {
		t.Errorf("lock: %#x", uint32(r.status))
	}
	shelf.CloseErr = ErrTooLarge
	if s := w.close(id); s != statusFileTooLarge {
		t.Errorf("a close that fails: %#x", uint32(s))
	}
	if s := w.close(id); s != statusFileClosed {
		t.Errorf("closed all the same: %#x", uint32(s))
	}
}

func TestOpensExcludeEachOtherAsTheySay(t *testing.T) {
	w, _ := writing(t, 1<<20)
	w.close(w.mustCreate(`push\file`, everything))
	const look = 0x80 // FILE_READ_ATTRIBUTES
	for _, tc := range []struct {
		first, second opening
		want          status
	}{
		{opening{access: genericWrite, sharing: shareRead, disposition: openExisting}, opening{access: genericWrite, sharing: 7, disposition: openExisting}, statusSharingViolation},
		{opening{access: genericWrite, sharing: shareRead, disposition: openExisting}, opening{access: genericRead, sharing: 7, disposition: openExisting}, statusOK},
		{opening{access: genericWrite, sharing: shareRead, disposition: openExisting}, opening{access: genericRead, sharing: shareRead, disposition: openExisting}, statusSharingViolation},
		{opening{access: genericWrite, sharing: 7, disposition: openExisting}, opening{access: genericWrite, sharing: 7, disposition: openExisting}, statusOK},
		{opening{access: genericRead, sharing: 0, disposition: openExisting}, opening{access: genericRead, sharing: 7, disposition: openExisting}, statusSharingViolation},
		{opening{access: genericRead, sharing: 0, disposition: openExisting}, opening{access: look, sharing: 0, disposition: openExisting}, statusOK},
		{opening{access: look, sharing: 0, disposition: openExisting}, opening{access: genericAll, sharing: 0, disposition: openExisting}, statusOK},
		{opening{access: genericRead, sharing: shareRead, disposition: openExisting}, opening{access: deleteRight, sharing: 7, disposition: openExisting}, statusSharingViolation},
		{opening{access: deleteRight, sharing: 7, disposition: openExisting}, opening{access: genericRead, sharing: shareRead, disposition: openExisting}, statusSharingViolation},
		{opening{access: genericRead, sharing: shareRead, disposition: openExisting}, opening{access: genericRead, sharing: 7, disposition: overwrite}, statusSharingViolation},
		{opening{access: genericRead, sharing: shareRead | shareWrite, disposition: openExisting}, opening{access: genericRead, sharing: 7, disposition: supersede}, statusSharingViolation},
	} {
		first := w.mustCreate(`push\file`, tc.first)
		second, r := w.create(`push\FILE`, tc.second)
		if r.status != tc.want {
			t.Errorf("%+v, then %+v: %#x, want %#x", tc.first, tc.second, uint32(r.status), uint32(tc.want))
		}
		if r.status == statusOK {
			w.close(second)
		}
		w.close(first)
		if _, r := w.create(`push\file`, opening{access: genericAll, disposition: openExisting}); r.status != statusOK {
			t.Errorf("afterwards: %#x", uint32(r.status))
		} else {
			w.close(fileID{le.Uint64(r.body[64:]), le.Uint64(r.body[72:])})
		}
	}
}

func TestAFileGoesWithItsLastHandle(t *testing.T) {
	w, shelf := writing(t, 1<<20)
	for name, ask := range map[string]func(fileID) bool{
		"by disposition": func(id fileID) bool {
			return w.do(cmdSetInfo, setInfoBody(id, setDisposition, []byte{1})).status == statusOK
		},
		"on close": nil,
	} {
		w.close(w.mustCreate(`push\file`, everything))
		o := opening{access: genericAll, sharing: 7, disposition: openExisting}
		other := w.mustCreate(`push\file`, o)
		if ask == nil {
			o.options = deleteOnClose
		}
		id := w.mustCreate(`push\file`, o)
		if ask != nil && !ask(id) {
			t.Fatalf("%s: refused", name)
		}
		if s := w.close(id); s != statusOK {
			t.Errorf("%s: close: %#x", name, uint32(s))
		}
		if _, ok := shelf.Content("push/file"); !ok {
			t.Errorf("%s: gone although somebody has it open", name)
		}
		if _, r := w.create(`push\file`, opening{access: genericRead, sharing: 7, disposition: openIf}); r.status != statusDeletePending {
			t.Errorf("%s: opened meanwhile: %#x", name, uint32(r.status))
		}
		if r := w.do(cmdQueryInfo, queryBody(other, infoFile, fileStandard)); r.status != statusOK || r.body[8+20] != 1 || le.Uint32(r.body[8+16:]) != 0 {
			t.Errorf("%s: standard information: %#x % x", name, uint32(r.status), r.body)
		}
		w.close(other)
		if _, ok := shelf.Content("push/file"); ok {
			t.Errorf("%s: still there", name)
		}
	}
	id := w.mustCreate(`push\file`, everything)
	w.do(cmdSetInfo, setInfoBody(id, setDisposition, []byte{1}))
	w.do(cmdSetInfo, setInfoBody(id, setDisposition, []byte{0}))
	w.close(id)
	if _, ok := shelf.Content("push/file"); !ok {
		t.Error("gone although the deletion was taken back")
	}
	// A connection that breaks off closes what it had open.
	w.mustCreate(`push\file`, opening{access: genericAll, sharing: 7, disposition: openExisting, options: deleteOnClose})
	w.conn.end()
	if _, ok := shelf.Content("push/file"); ok || shelf.InUse != 0 {
		t.Errorf("after the end of the connection: %t, %d in use", ok, shelf.InUse)
	}
}

func queryBody(id fileID, kind, class byte) []byte {
	b := make([]byte, 41)
	le.PutUint16(b, 41)
	b[2], b[3] = kind, class
	le.PutUint32(b[4:], 4096)
	le.PutUint64(b[24:], id.persistent)
	le.PutUint64(b[32:], id.volatile)
	return b
}

func TestAFileIsRenamed(t *testing.T) {
	w, shelf := writing(t, 1<<20)
	fill := func(name string) fileID {
		id := w.mustCreate(name, with(everything, func(o *opening) { o.disposition = openIf }))
		w.do(cmdWrite, writeBody(id, 0, name))
		return id
	}
	a := fill(`push\a`)
	w.close(fill(`push\b`))
	open := fill(`push\open`)
	folder := w.mustCreate(`push`, opening{access: genericAll, sharing: 7, disposition: openExisting})
	short := renameTo(`push\c`, 0)
	le.PutUint32(short[16:], 200)
	rooted := renameTo(`push\c`, 0)
	rooted[8] = 1
	for _, tc := range []struct {
		name string
		id   fileID
		data []byte
		want status
	}{
		{"over another", a, renameTo(`push\B`, 0), statusObjectNameCollision},
		{"over one that is open", a, renameTo(`push\open`, 1), statusAccessDenied},
		{"over a folder", a, renameTo(`closed`, 1), statusAccessDenied},
		{"into a closed folder", a, renameTo(`closed\a`, 0), statusAccessDenied},
		{"into no folder", a, renameTo(`nowhere\a`, 0), statusObjectPathNotFound},
		{"to a stream", a, renameTo(`push\a:b`, 0), statusObjectNameInvalid},
		{"to nothing", a, renameTo(``, 0), statusInvalidParameter},
		{"from another root", a, rooted, statusInvalidParameter},
		{"a name that is not there", a, short, statusInfoLengthMismatch},
		{"cut short", a, make([]byte, 19), statusInfoLengthMismatch},
		{"a folder", folder, renameTo(`push2`, 0), statusAccessDenied},
		{"itself", a, renameTo(`push\a`, 0), statusOK},
	} {
		if r := w.do(cmdSetInfo, setInfoBody(tc.id, setRename, tc.data)); r.status != tc.want {
			t.Errorf("%s: %#x, want %#x", tc.name, uint32(r.status), uint32(tc.want))
		}
	}
	if r := w.do(cmdSetInfo, setInfoBody(a, setRename, renameTo(`PUSH\A`, 0))); r.status != statusOK {
		t.Errorf("another spelling: %#x", uint32(r.status))
	}
	if _, ok := shelf.Content("push/A"); !ok {
		t.Errorf("another spelling: %s", shelf.Names())
	}
	if r := w.do(cmdSetInfo, setInfoBody(a, setRename, renameTo(`push\B`, 1))); r.status != statusOK {
		t.Errorf("with replacement: %#x", uint32(r.status))
	}
	// The handle is still the same file, under its new name, and so are others' opens.
	if r := w.do(cmdQueryInfo, queryBody(a, infoFile, fileName)); string(r.body[12:]) != string(encodeUTF16(`\push\b`)) {
		t.Errorf("its name: %q", r.body)
	}
	w.do(cmdWrite, writeBody(a, 0, "P"))
	if got, _ := shelf.Content("push/b"); got != `Push\a` {
		t.Errorf("%s: %q", shelf.Names(), got)
	}
	if _, r := w.create(`push\b`, opening{access: genericRead, sharing: shareRead, disposition: openExisting}); r.status != statusSharingViolation {
		t.Errorf("opened under the new name: %#x", uint32(r.status))
	}
	w.close(a)
	w.close(open)
	w.close(folder)
	if len(w.tree.share.opens.byPath) != 0 || shelf.InUse != 0 {
		t.Errorf("%d objects, %d in use", len(w.tree.share.opens.byPath), shelf.InUse)
	}
}

func TestSetInfoObeysWhatItKeeps(t *testing.T) {
	w, shelf := writing(t, 1<<10)
	id := w.mustCreate(`push\a`, everything)
	eof := func(n uint64) []byte { return le.AppendUint64(nil, n) }
	other := setInfoBody(id, 4, make([]byte, 40))
	descriptor := setInfoBody(id, 0, make([]byte, 40))
	descriptor[2] = infoSecurity
	volume := setInfoBody(id, 1, make([]byte, 40))
	volume[2] = infoFileSystem
	outside := setInfoBody(id, setEndOfFile, eof(1))
	le.PutUint16(outside[8:], 1000)
	for name, tc := range map[string]struct {
		body []byte
		want status
	}{
		"longer":         {setInfoBody(id, setEndOfFile, eof(100)), statusOK},
		"too long":       {setInfoBody(id, setEndOfFile, eof(1<<10+1)), statusDiskFull},
		"out of range":   {setInfoBody(id, setEndOfFile, eof(1<<63)), statusInvalidParameter},
		"cut short":      {setInfoBody(id, setEndOfFile, make([]byte, 7)), statusInfoLengthMismatch},
		"no disposition": {setInfoBody(id, setDisposition, nil), statusInfoLengthMismatch},
		"times":          {other, statusNotSupported},
		"descriptor":     {descriptor, statusAccessDenied},
		"volume":         {volume, statusNotSupported},
		"outside":        {outside, statusInvalidParameter},
	} {
		if r := w.do(cmdSetInfo, tc.body); r.status != tc.want {
			t.Errorf("%s: %#x, want %#x", name, uint32(r.status), uint32(tc.want))
		}
	}
	if got, _ := shelf.Content("push/a"); len(got) != 100 {
		t.Errorf("%d bytes", len(got))
	}
	if r := w.do(cmdQueryInfo, queryBody(id, infoFileSystem, fsFullSize)); !slices.Equal(r.body[8:32], slices.Concat(eof(0), eof(0), eof(0))) {
		t.Errorf("the volume of 1 KiB: % x", r.body)
	}
}
