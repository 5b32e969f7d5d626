package fileserver

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"
)

func queryDirectoryBody(id fileID, class, flags byte, pattern string, room uint32) []byte {
	text := encodeUTF16(pattern)
	b := make([]byte, 32, 33+len(text))
	le.PutUint16(b, 33)
	b[2], b[3] = class, flags
	le.PutUint64(b[8:], id.persistent)
	le.PutUint64(b[16:], id.volatile)
	le.PutUint16(b[24:], headerSize+32)
	le.PutUint16(b[26:], uint16(len(text)))
	le.PutUint32(b[28:], room)
	return append(append(b, text...), 0)
}

// names reads the names out of a listing of a class.
func names(t *testing.T, class byte, body []byte) (out []string) {
	t.Helper()
	lengthAt := 60
	if class == classNames {
		lengthAt = 8
	}
	data := body[8:]
	if int(le.Uint32(body[4:])) != len(data) {
		t.Fatalf("%d bytes announced, %d there", le.Uint32(body[4:]), len(data))
	}
	for {
		at, size := nameOffset(class), int(le.Uint32(data[lengthAt:]))
		name, ok := decodeUTF16(data[at : at+size])
		if !ok {
			t.Fatal("a name that is not UTF-16")
		}
		out = append(out, name)
		next := le.Uint32(data)
		if next == 0 {
			return out
		}
		if next%8 != 0 {
			t.Fatalf("entry at odd offset %d", next)
		}
		data = data[next:]
	}
}

func TestListingsArriveWholeInEveryClassAndPortion(t *testing.T) {
	files := fstest.MapFS{}
	want := []string{".", ".."}
	for n := range 40 {
		name := fmt.Sprintf("file%02d.msu", n)
		files["many/"+name] = &fstest.MapFile{}
		want = append(want, name)
	}
	for _, class := range []byte{classDirectory, classFullDirectory, classBothDirectory, classNames, classIDBothDirectory, classIDFullDirectory} {
		for _, c := range []struct {
			room  uint32
			flags byte
		}{{64 << 10, 0}, {300, 0}, {64 << 10, singleEntry}} {
			w := newWire(t, smb311)
			w.tree.share.FS = files
			id := w.open("many")
			var got []string
			for portions := 0; ; portions++ {
				r := w.one(w.signed(w.message(cmdQueryDirectory, queryDirectoryBody(id, class, c.flags, "*", c.room))))
				if r.status == statusNoMoreFiles {
					if c.room < 1000 && portions < 3 {
						t.Errorf("class %d: %d portions in %d bytes each", class, portions, c.room)
					}
					break
				}
				if r.status != statusOK || len(r.body) > 8+int(c.room) {
					t.Fatalf("class %d: %#x, %d bytes", class, uint32(r.status), len(r.body))
				}
				part := names(t, class, r.body)
				if c.flags&singleEntry != 0 && len(part) != 1 {
					t.Fatalf("class %d: %d entries where one was asked for", class, len(part))
				}
				got = append(got, part...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("class %d, %d bytes: %q", class, c.room, got)
			}
		}
	}
}

func TestListingStartsOverAndTakesAnotherPattern(t *testing.T) {
	w := newWire(t, smb311)
	w.tree.share.FS = fstest.MapFS{"d/a.msu": {}, "d/b.msi": {}}
	id := w.open("d")
	ask := func(flags byte, pattern string) reply {
		return w.one(w.signed(w.message(cmdQueryDirectory, queryDirectoryBody(id, classNames, flags, pattern, 4096))))
	}
	if got := names(t, classNames, ask(0, "*.msu").body); !slices.Equal(got, []string{"a.msu"}) {
		t.Errorf("first %q", got)
	}
	if r := ask(0, "*.msi"); r.status != statusNoMoreFiles {
		t.Errorf("a new pattern without a restart: %#x", uint32(r.status))
	}
	if got := names(t, classNames, ask(restartScans, "").body); !slices.Equal(got, []string{"a.msu"}) {
		t.Errorf("restarted %q", got)
	}
	if got := names(t, classNames, ask(reopen, "*.msi").body); !slices.Equal(got, []string{"b.msi"}) {
		t.Errorf("reopened %q", got)
	}
}

func TestListingsThatCannotBeGivenSayWhy(t *testing.T) {
	w := newWire(t, smb311)
	dir, file := w.open("dir"), w.open(`dir\file.txt`)
	for name, c := range map[string]struct {
		body []byte
		want status
	}{
		"of a file":      {queryDirectoryBody(file, classNames, 0, "*", 4096), statusInvalidParameter},
		"unknown class":  {queryDirectoryBody(dir, 99, 0, "*", 4096), statusInvalidInfoClass},
		"no room":        {queryDirectoryBody(dir, classNames, 0, "*", 4), statusInfoLengthMismatch},
		"nothing found":  {queryDirectoryBody(w.open("dir"), classNames, 0, "*.iso", 4096), statusNoSuchFile},
		"too much asked": {queryDirectoryBody(dir, classNames, 0, "*", maxTransact+1), statusInvalidParameter},
	} {
		r := w.one(w.signed(w.message(cmdQueryDirectory, c.body, func(b []byte) {
			if name == "too much asked" {
				le.PutUint16(b[6:], 17)
			}
		})))
		if r.status != c.want {
			t.Errorf("%s: %#x, want %#x", name, uint32(r.status), uint32(c.want))
		}
		w.next = w.conn.window.low
	}
}

func queryInfoBody(id fileID, kind, class byte, room uint32) []byte {
	b := make([]byte, 41)
	le.PutUint16(b, 41)
	b[2], b[3] = kind, class
	le.PutUint32(b[4:], room)
	le.PutUint64(b[24:], id.persistent)
	le.PutUint64(b[32:], id.volatile)
	return b
}

func TestInformationClassesHaveTheSizesOfTheSpecification(t *testing.T) {
	w := newWire(t, smb311)
	id := w.open(`dir\file.txt`)
	ask := func(kind, class byte, room uint32) reply {
		return w.one(w.signed(w.message(cmdQueryInfo, queryInfoBody(id, kind, class, room))))
	}
	path := 2 * len(`\dir\file.txt`)
	for class, size := range map[[2]byte]int{ // MS-FSCC 2.4 and 2.5
		{infoFile, fileBasic}: 40, {infoFile, fileStandard}: 24, {infoFile, fileInternal}: 8, {infoFile, fileEA}: 4,
		{infoFile, fileAccess}: 4, {infoFile, fileName}: 4 + path, {infoFile, filePosition}: 8, {infoFile, fileMode}: 4,
		{infoFile, fileAlignment}: 4, {infoFile, fileAll}: 100 + path, {infoFile, fileStream}: 24 + 14,
		{infoFile, fileNetworkOpen}: 56, {infoFile, fileAttributeTag}: 8,
		{infoFileSystem, fsVolume}: 18 + 2, {infoFileSystem, fsSize}: 24, {infoFileSystem, fsDevice}: 8,
		{infoFileSystem, fsAttribute}: 12 + 8, {infoFileSystem, fsFullSize}: 32, {infoFileSystem, fsSector}: 28,
	} {
		r := ask(class[0], class[1], 4096)
		if r.status != statusOK || len(r.body) != 8+size {
			t.Errorf("class %v: %#x, %d bytes, want %d", class, uint32(r.status), len(r.body)-8, size)
		}
		short := ask(class[0], class[1], uint32(size-1))
		want, length := statusInfoLengthMismatch, 9
		if variableFrom(class[0], class[1]) > 0 {
			want, length = statusBufferOverflow, 8+size-1
		}
		if short.status != want || len(short.body) != length {
			t.Errorf("class %v in a byte less: %#x, %d bytes", class, uint32(short.status), len(short.body))
		}
	}
	for class, want := range map[[2]byte]status{
		{infoFile, fileAlternate}: statusObjectNameNotFound, {infoFile, 99}: statusInvalidInfoClass,
		{infoFileSystem, 99}: statusInvalidInfoClass, {4, 1}: statusInvalidInfoClass, {infoSecurity, 0}: statusOK,
	} {
		if r := ask(class[0], class[1], 4096); r.status != want {
			t.Errorf("class %v: %#x, want %#x", class, uint32(r.status), uint32(want))
		}
	}
	standard := ask(infoFile, fileStandard, 4096).body[8:]
	if le.Uint64(standard[8:]) != 200000 || le.Uint64(standard) != 200704 || standard[21] != 0 {
		t.Errorf("size % x", standard)
	}
}

func TestCloseTellsTheAttributesWhenAsked(t *testing.T) {
	w := newWire(t, smb311)
	for _, asked := range []bool{false, true} {
		body := closeBody(w.open(`dir\file.txt`))
		if asked {
			body[2] = 1
		}
		r := w.one(w.signed(w.message(cmdClose, body)))
		if told := le.Uint64(r.body[48:]) == 200000; r.status != statusOK || len(r.body) != 60 || told != asked {
			t.Errorf("asked %v: %#x, % x", asked, uint32(r.status), r.body)
		}
	}
}

// broken is a file system in which nothing can be opened.
type broken struct{ err error }

func (b broken) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: b.err}
}

func TestTroubleBelowTheShareIsTold(t *testing.T) {
	for err, want := range map[error]status{
		fs.ErrPermission: statusAccessDenied, fs.ErrNotExist: statusObjectNameNotFound,
		errors.New("disk on fire"): statusIODeviceError,
	} {
		w := newWire(t, smb311)
		id := w.open(`dir\file.txt`)
		dir := w.open("dir")
		w.tree.share.FS = broken{err}
		if r := w.one(w.signed(w.message(cmdRead, readBody(id, 10, 0)))); r.status != want {
			t.Errorf("read, %v: %#x", err, uint32(r.status))
		}
		if r := w.one(w.signed(w.message(cmdQueryDirectory, queryDirectoryBody(dir, classNames, 0, "*", 4096)))); r.status != want {
			t.Errorf("list, %v: %#x", err, uint32(r.status))
		}
	}
}
