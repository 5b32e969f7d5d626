package content

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/richardlehane/mscfb"
)

// maxSummary bounds the summary information; Windows writes a few hundred bytes.
const maxSummary = 64 << 10

// The properties of a summary information stream (Windows Installer, "Summary Property Descriptions"; [MS-OLEPS] 2.21).
const (
	pidCodepage = 1
	pidTitle    = 2
	pidSubject  = 3
	pidKeywords = 5
	pidComments = 6
	pidTemplate = 7
)

// installer reads a Windows Installer package or patch.
func installer(r io.ReaderAt) (About, error) {
	stream, err := summaryStream(r)
	if err != nil {
		return About{}, err
	}
	p, err := properties(stream)
	if err != nil {
		return About{}, err
	}
	about := About{Source: Summary, Product: line(p[pidSubject]), Title: line(title(p))}
	for _, text := range []string{p[pidSubject], p[pidTitle], p[pidComments], p[pidKeywords]} {
		if about.KB == "" {
			about.KB = articleIn(text)
		}
	}
	// A package's Template is "platform;languages"; a patch's lists product codes, which are no architecture.
	platform, _, _ := strings.Cut(p[pidTemplate], ";")
	platform, _, _ = strings.Cut(platform, ",")
	about.Architecture = architecture(platform)
	if !about.Known() {
		return About{}, errNotRead
	}
	return about, nil
}

// title is the first that says something: Windows Installer wants a fixed word in Title, which says what kind of file it is.
func title(p map[uint32]string) string {
	if t := strings.TrimSpace(p[pidTitle]); t != "" && !slices.Contains([]string{"installation database", "patch", "transform", "merge module"}, strings.ToLower(t)) {
		return t
	}
	if t := strings.TrimSpace(p[pidComments]); t != "" && !strings.HasPrefix(strings.ToLower(t), "this installer database contains the logic and data") {
		return t
	}
	return p[pidSubject]
}

// summaryStream finds the stream in the compound file. The library indexes what a file claims; whatever it runs into is an
// error of the file.
func summaryStream(r io.ReaderAt) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the compound file is damaged: %v", p)
		}
	}()
	signature := make([]byte, 8)
	if _, err := r.ReadAt(signature, 0); err != nil || string(signature) != "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" {
		return nil, errors.New("it is no compound file")
	}
	doc, err := mscfb.New(r)
	if err != nil {
		return nil, err
	}
	for _, f := range doc.File {
		if f.Initial == 5 && f.Name == "SummaryInformation" && len(f.Path) == 0 {
			if f.Size > maxSummary {
				return nil, fmt.Errorf("its summary information has %d bytes", f.Size)
			}
			b, err := io.ReadAll(io.LimitReader(f, maxSummary))
			if err != nil {
				return nil, err
			}
			return b, nil
		}
	}
	return nil, errors.New("there is no summary information in it")
}

var errSummary = errors.New("its summary information is damaged")

// properties reads the texts of a property set's first section ([MS-OLEPS] 2.21, 2.20, 2.15). Every offset is checked; the
// published reader of property sets slices unchecked.
func properties(b []byte) (map[uint32]string, error) {
	const header = 28 + 20
	if len(b) < header || binary.LittleEndian.Uint16(b) != 0xFFFE {
		return nil, errSummary
	}
	start := binary.LittleEndian.Uint32(b[44:])
	if uint64(start)+8 > uint64(len(b)) {
		return nil, errSummary
	}
	section := b[start:]
	count := binary.LittleEndian.Uint32(section[4:])
	if uint64(count)*8+8 > uint64(len(section)) {
		return nil, errSummary
	}
	at := map[uint32][]byte{}
	for i := range count {
		id, off := binary.LittleEndian.Uint32(section[8+8*i:]), binary.LittleEndian.Uint32(section[12+8*i:])
		if uint64(off)+8 > uint64(len(section)) {
			return nil, errSummary
		}
		at[id] = section[off:]
	}
	codepage := uint16(1252)
	if v, ok := at[pidCodepage]; ok {
		codepage = binary.LittleEndian.Uint16(v[4:])
	}
	out := map[uint32]string{}
	for _, id := range []uint32{pidTitle, pidSubject, pidKeywords, pidComments, pidTemplate} {
		if v, ok := at[id]; ok {
			text, err := stringOf(v, codepage)
			if err != nil {
				return nil, err
			}
			out[id] = text
		}
	}
	return out, nil
}

// stringOf reads a typed value that is a string; another type is no text.
func stringOf(v []byte, codepage uint16) (string, error) {
	const vtLPSTR, vtLPWSTR = 30, 31
	kind, size, rest := binary.LittleEndian.Uint32(v), uint64(binary.LittleEndian.Uint32(v[4:])), v[8:]
	switch kind {
	case vtLPWSTR:
		size *= 2
		codepage = 1200
	case vtLPSTR:
	default:
		return "", nil
	}
	if size > uint64(len(rest)) {
		return "", errSummary
	}
	return decode(rest[:size], codepage), nil
}

// decode turns bytes of a code page into text up to the first zero. Beyond ASCII it knows UTF-8, UTF-16 and the Latin part
// of Windows-1252; a character of any other code page becomes a question mark.
func decode(b []byte, codepage uint16) string {
	if codepage == 1200 {
		units := make([]uint16, 0, len(b)/2)
		for i := 0; i+1 < len(b); i += 2 {
			u := binary.LittleEndian.Uint16(b[i:])
			if u == 0 {
				break
			}
			units = append(units, u)
		}
		return string(utf16.Decode(units))
	}
	if zero := slices.Index(b, 0); zero >= 0 {
		b = b[:zero]
	}
	if codepage == 65001 && utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	for _, c := range b {
		switch {
		case c < 0x80:
			s.WriteByte(c)
		case c >= 0xA0 && (codepage == 1252 || codepage == 28591):
			s.WriteRune(rune(c))
		default:
			s.WriteByte('?')
		}
	}
	return s.String()
}
