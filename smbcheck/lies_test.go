package smbcheck_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

// lie changes one message of a server that has honestly signed somebody in, and returns what it says instead; nil is
// silence. What it returns gets a right signature or seal.
type lie func(f frame) frame

// of tells the lie in the successful answers to a command only.
func of(command uint16, change func(f frame)) lie {
	return func(f frame) frame {
		if f.answer(command) {
			change(f)
		}
		return f
	}
}

// liar stands between a client and a real server, holds the session's keys, and tells lies once the share is open.
type liar struct {
	t    *testing.T
	who  *smbcheck.Accomplice
	tell lie

	mu   sync.Mutex
	open bool
}

func (l *liar) change(in bool, f frame) []frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.who.Hear(in, f); err != nil {
		l.t.Error(err)
	}
	if !in {
		l.open = l.open || f[0] == 0xFD || f.command() != negotiate && f.command() != setup && f.command() != treeConnect
		return pass(f)
	}
	if !l.open {
		return pass(f)
	}
	text := f
	sealed := f[0] == 0xFD
	if sealed {
		m, err := l.who.Open(f)
		if err != nil {
			l.t.Error(err)
			return nil
		}
		text = m
	}
	var said frame
	for len(text) > 0 {
		n := int(le.Uint32(text[20:]))
		if n == 0 {
			n = len(text)
		}
		m := l.tell(append(frame(nil), text[:n]...))
		text = text[n:]
		if m == nil {
			return nil
		}
		if !sealed {
			signed, err := l.who.Sign(m)
			if err != nil {
				l.t.Error(err)
			}
			m = signed
		}
		said = append(said, m...)
	}
	if sealed {
		m, err := l.who.Seal(f, said)
		if err != nil {
			l.t.Error(err)
		}
		said = m
	}
	return pass(said)
}

// listed finds the entries of a listing (MS-SMB2 2.2.34, MS-FSCC 2.4).
func listed(f frame, each func(entry []byte)) {
	at := int(le.Uint16(f[64+2:]))
	for {
		entry := f[at:]
		next := int(le.Uint32(entry))
		each(entry)
		if next == 0 {
			return
		}
		at += next
	}
}

func inUTF16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

// renamed gives file.txt another name of eight units in a listing.
func renamed(name []byte) lie {
	return of(queryDirectory, func(f frame) {
		if at := bytes.Index(f, inUTF16("file.txt")); at >= 0 {
			copy(f[at:], name)
		}
	})
}

func TestR33_LiesWithARightSignatureEndInAnErrorOrChangeNothing(t *testing.T) {
	t.Parallel()
	size := func(n uint64) lie {
		return func(f frame) frame {
			switch {
			case f.answer(create) && len(f) >= 64+88 && f[64+56]&0x10 == 0: // no folder
				le.PutUint64(f[64+48:], n)
			case f.answer(queryInfo) && len(f) >= 64+8+56:
				le.PutUint64(f[64+8+48:], n)
			}
			return f
		}
	}
	inBody := func(command uint16, at int, b ...byte) lie { return of(command, func(f frame) { copy(f[64+at:], b) }) }
	inHeader := func(command uint16, at int, b ...byte) lie { return of(command, func(f frame) { copy(f[at:], b) }) }
	inEntries := func(at int, b ...byte) lie {
		return of(queryDirectory, func(f frame) { listed(f, func(e []byte) { copy(e[at:], b) }) })
	}
	// In the first entry, so that the others are not where it says.
	inFirst := func(at int, b ...byte) lie {
		return of(queryDirectory, func(f frame) { copy(f[int(le.Uint16(f[64+2:]))+at:], b) })
	}
	cut := func(command uint16, n int) lie {
		return func(f frame) frame {
			if f.answer(command) && le.Uint32(f[20:]) == 0 {
				return f[:n]
			}
			return f
		}
	}
	other := func(command uint16, at int) lie { return of(command, func(f frame) { f[at] ^= 0x55 }) }
	everyHeader := func(at int, b ...byte) lie { return func(f frame) frame { copy(f[at:], b); return f } }
	ones := []byte{0xFF, 0xFF, 0xFF, 0xFF}
	lies := map[string]struct {
		tell lie
		want error // nil: any error, or the truth
	}{
		"a size below zero":               {size(1 << 63), nil},
		"a size of 2^62":                  {size(1 << 62), nil},
		"a size of 2 TiB":                 {size(2 << 40), nil},
		"a size of 40 GB":                 {size(40 << 30), nil},
		"a size of 4":                     {size(4), smbcheck.ErrChanged},
		"a size of 6":                     {size(6), smbcheck.ErrChanged},
		"listed with a size below zero":   {inEntries(40, 0, 0, 0, 0, 0, 0, 0, 0x80), nil},
		"contexts of CREATE far away":     {inBody(create, 80, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F), nil},
		"an answer to CREATE cut":         {cut(create, 64+80), nil},
		"an answer to CREATE empty":       {cut(create, 64), nil},
		"QUERY_INFO longer than it is":    {inBody(queryInfo, 4, ones...), nil},
		"QUERY_INFO somewhere else":       {inBody(queryInfo, 2, 0xFF, 0xFF), nil},
		"QUERY_INFO of one byte":          {inBody(queryInfo, 4, 1, 0, 0, 0), nil},
		"QUERY_INFO cut":                  {cut(queryInfo, 64+20), nil},
		"a listing longer than it is":     {inBody(queryDirectory, 4, ones...), nil},
		"a listing somewhere else":        {inBody(queryDirectory, 2, 0xFF, 0xFF), nil},
		"a listing in the header":         {inBody(queryDirectory, 2, 0, 0), nil},
		"a listing of nothing":            {inBody(queryDirectory, 4, 0, 0, 0, 0), nil},
		"a listing cut":                   {cut(queryDirectory, 64+100), nil},
		"entries inside each other":       {inFirst(0, 1), nil},
		"entries that overlap":            {inFirst(0, 8), nil},
		"an entry behind the end":         {inFirst(0, 0xF0, 0xFF, 0xFF, 0xFF), nil},
		"a name longer than the listing":  {inEntries(60, ones...), nil},
		"a name of one and a half units":  {inEntries(60, 3, 0, 0, 0), errBelieved}, // it is called f then
		"no name":                         {inEntries(60, 0, 0, 0, 0), nil},
		"READ longer than it is":          {inBody(readFile, 4, ones...), nil},
		"READ from the end of the header": {inBody(readFile, 2, 0xFF), nil},
		"READ from the header":            {inBody(readFile, 2, 0), nil},
		"READ of nothing, for ever":       {inBody(readFile, 4, 0, 0, 0, 0), nil},
		"READ cut":                        {cut(readFile, 64+17), nil},
		"more than was asked for":         {tooMuch, nil},
		"no credits":                      {everyHeader(14, 0, 0), nil},
		"too many credits":                {everyHeader(14, 0xFF, 0xFF), nil},
		"another message's number":        {other(create, 24), smbcheck.ErrUnreachable},
		"the number of no message":        {inHeader(create, 24, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), smbcheck.ErrUnreachable},
		"another session":                 {other(create, 40), smbcheck.ErrUnreachable},
		"another share":                   {other(create, 36), nil},
		"an answer to something else":     {inHeader(create, 12, queryInfo), nil},
		"a status that does not exist":    {inHeader(queryDirectory, 8, ones...), nil},
		"overflow while reading":          {inHeader(readFile, 8, 5, 0, 0, 0x80), nil},
		"chained with itself":             {inHeader(create, 20, 1), nil},
		"chained in the header":           {inHeader(create, 20, 64), nil},
		"chained to the end":              {of(create, func(f frame) { le.PutUint32(f[20:], uint32(len(f))) }), nil},
		"chained behind the end":          {inHeader(create, 20, 0xF8, 0xFF, 0xFF, 0xFF), nil},
		"chained at an odd place":         {inHeader(queryInfo, 20, 67), nil},
		"the same listing for ever":       {forEver(func(int) string { return "file.txt" }), smbcheck.ErrName},
		"a listing without an end":        {forEver(func(n int) string { return fmt.Sprintf("%08d", n) }), smbcheck.ErrLimit},
		"the folder above as a name":      {renamed(inUTF16(`..\..\ab`)), smbcheck.ErrName},
		"a slash in a name":               {renamed(inUTF16("../ab/cd")), smbcheck.ErrName},
		"a stream as a name":              {renamed(inUTF16("file:txt")), smbcheck.ErrName},
		"a zero in a name":                {renamed(inUTF16("file\x00txt")), smbcheck.ErrName},
		"an escape sequence in a name":    {renamed(inUTF16("\x1b[31mabc")), smbcheck.ErrName},
		"a name that reads backwards":     {renamed(inUTF16("a\u202etxt.exe")[:16]), smbcheck.ErrName},
		"half a surrogate pair in a name": {renamed([]byte{0, 0xD8}), smbcheck.ErrName},
		"a device as a name":              {renamed(inUTF16("nul .txt")), smbcheck.ErrName},
		"a dot at the end of a name":      {renamed(inUTF16("file.tx.")), smbcheck.ErrName},
		"the file is a link":              {inEntries(56, 0x20, 0x04), errBelieved},
		"silence":                         {func(frame) frame { return nil }, smbcheck.ErrUnreachable},
	}
	s := attacked(t)
	for name, c := range lies {
		for _, share := range []string{"plain", "enc"} {
			t.Run(name+"/"+share, func(t *testing.T) {
				l := &liar{t: t, who: smbcheck.NewAccomplice(asRoot, smbcheck.SMB311), tell: c.tell}
				m := startMiddle(t, s.Addr, l.change)
				judge(t, m.addr, share, l.who, c.want)
			})
		}
	}
}

// judge goes through everything and holds that a lie ends in an error, or changes nothing of what is seen.
func judge(t *testing.T, addr, share string, who smbcheck.Credentials, want error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var opt smbcheck.Options
	if want == nil || errors.Is(want, smbcheck.ErrUnreachable) {
		opt.Timeout = 300 * time.Millisecond // some of them are ended by silence only
	}
	_, err := throughout(ctx, addr, share, who, opt)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		t.Errorf("only the caller's deadline ended it: %v", err)
	case want != nil && !errors.Is(err, want):
		t.Errorf("%v, want %v", err, want)
	case want == nil && errors.Is(err, errBelieved):
		t.Error(err)
	}
}

// tooMuch answers each READ with 300 KiB.
func tooMuch(f frame) frame {
	if !f.answer(readFile) || le.Uint32(f[20:]) != 0 {
		return f
	}
	const n = 300 << 10
	le.PutUint32(f[64+4:], n)
	return append(f[:64+16], make([]byte, n)...)
}

// forEver answers each QUERY_DIRECTORY with the first listing, with other names for file.txt.
func forEver(name func(n int) string) lie {
	var first frame
	n := 0
	return func(f frame) frame {
		if f.command() != queryDirectory {
			return f
		}
		if first == nil && f.status() == 0 {
			first = append(frame(nil), f...)
		}
		if first == nil {
			return f
		}
		n++
		again := append(append(frame(nil), f[:64]...), first[64:]...)
		clear(again[8:12])
		le.PutUint32(again[20:], 0)
		if at := bytes.Index(again, inUTF16("file.txt")); at >= 0 {
			copy(again[at:], inUTF16(name(n)))
		}
		return again
	}
}

// An interim answer needs no signature (MS-SMB2 3.3.4.1.1), so anybody can send it; it is no sign of life.
func TestInterimAnswersWithoutAnEndAreSilence(t *testing.T) {
	t.Parallel()
	s := attacked(t)
	for _, command := range []uint16{create, queryDirectory, readFile, treeConnect} {
		t.Run(fmt.Sprint(command), func(t *testing.T) {
			m := pendingForEver(t, s, command)
			judge(t, m.addr, "plain", asRoot, smbcheck.ErrUnreachable)
		})
	}
}

func pendingForEver(t *testing.T, s *sambatest.Server, command uint16) *middle {
	t.Helper()
	hold := onAnswer(command, func(frame) []frame { return nil })
	return startFlood(t, s.Addr, hold, func(f frame) frame {
		if !f.plain() || f.command() != command {
			return nil
		}
		p := append(append(frame(nil), f[:64]...), 9, 0, 0, 0, 0, 0, 0, 0, 0)
		le.PutUint32(p[8:], 0x103) // STATUS_PENDING
		p[16] |= 2                 // asynchronous
		p.unsign()
		return p
	})
}

func TestR33_ADescriptorThatIsNoneCannotBeVerified(t *testing.T) {
	t.Parallel()
	s := attacked(t)
	for name, spoil := range map[string]func(sd []byte){
		"owner behind the end":     func(sd []byte) { le.PutUint32(sd[4:], 1<<30) },
		"list in the header":       func(sd []byte) { le.PutUint32(sd[16:], 4) },
		"65535 entries":            func(sd []byte) { le.PutUint16(sd[le.Uint32(sd[16:])+4:], 0xFFFF) },
		"an entry longer than all": func(sd []byte) { le.PutUint16(sd[le.Uint32(sd[16:])+10:], 0xFFF0) },
		"another revision":         func(sd []byte) { sd[0] = 7 },
		"not self-relative":        func(sd []byte) { sd[3] &^= 0x80 },
	} {
		t.Run(name, func(t *testing.T) {
			l := &liar{t: t, who: smbcheck.NewAccomplice(asRoot, smbcheck.SMB311), tell: of(queryInfo, func(f frame) {
				if sd := f[le.Uint16(f[64+2:]):]; len(sd) > 20 && sd[0] == 1 && sd[3]&0x80 != 0 && le.Uint32(sd[16:]) > 20 {
					spoil(sd)
				}
			})}
			m := startMiddle(t, s.Addr, l.change)
			c, err := smbcheck.Connect(t.Context(), at("plain", "root"), l.who, smbcheck.Options{Addr: m.addr})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			tree, err := c.Walk(t.Context(), smbcheck.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range append(tree.Entries, tree.Root) {
				if e.Security != nil || !errors.Is(e.Unread, smbcheck.ErrProtocol) {
					t.Errorf("%q: %v, %v", e.Path, e.Security, e.Unread)
				}
			}
			for _, r := range smbcheck.ACLChecks(smbcheck.ACL{Location: at("plain", "root"), Tree: tree, Config: "file.txt"}, false) {
				if r.Outcome != "cannot-verify" && r.ID != "acl.files.writers" { // there is nothing else in the root
					t.Errorf("%+v", r)
				}
			}
		})
	}
}
