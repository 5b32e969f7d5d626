package hotfixcfg

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decoded is a file's text in UTF-8 without byte-order mark.
type decoded struct {
	text []byte
	// wide is set when the bytes were UTF-16, which the XML declaration may then name.
	wide bool
}

// decode turns the bytes of a file into UTF-8 and refuses what is no text. Its errors carry an offset
// into the text that it returns with them.
func decode(b []byte) (decoded, *textError) {
	if len(b) > MaxConfigBytes {
		head := b[:MaxConfigBytes]
		return decoded{text: bytes.ToValidUTF8(head, []byte("?"))},
			&textError{at: 0, msg: fmt.Sprintf("the file has %d bytes; at most %d are read", len(b), MaxConfigBytes)}
	}
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		return decodeWide(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return decodeWide(b[2:], binary.BigEndian)
	}
	b = bytes.TrimPrefix(b, []byte{0xEF, 0xBB, 0xBF})
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return decoded{text: bytes.ToValidUTF8(b, []byte("?"))},
				&textError{at: i, msg: "this is not UTF-8; save the file as UTF-8, or as UTF-16 with a byte-order mark"}
		case r == 0:
			return decoded{text: b}, &textError{at: i, msg: "a zero byte; UTF-16 is read only with a byte-order mark"}
		}
		i += n
	}
	return decoded{text: b}, nil
}

func decodeWide(b []byte, order binary.ByteOrder) (decoded, *textError) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i += 2 {
		if i+1 == len(b) {
			return decoded{text: out, wide: true}, &textError{at: len(out), msg: "UTF-16 with half a character at the end"}
		}
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+3 < len(b) {
				low = rune(order.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return decoded{text: out, wide: true}, &textError{at: len(out), msg: "UTF-16 with half a surrogate pair"}
			}
			i += 2
		}
		if r == 0 {
			return decoded{text: out, wide: true}, &textError{at: len(out), msg: "a zero character"}
		}
		out = utf8.AppendRune(out, r)
	}
	return decoded{text: out, wide: true}, nil
}

// textError is a fault at a byte offset of the text, before it has a line and a column.
type textError struct {
	at  int
	msg string
}

// Lines is the text of a file in lines, without their ends, for people. What is not text in it is replaced by question marks.
func Lines(b []byte) []string {
	dec, _ := decode(b)
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(dec.text), "\r\n", "\n"), "\n"), "\n")
}
