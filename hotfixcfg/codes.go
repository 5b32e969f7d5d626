package hotfixcfg

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"cau/internal/fault"
)

// placedCode is an exit code and where it stands.
type placedCode struct {
	code fault.Code
	at   int
}

// readCodes splits a list at commas, semicolons and white space and reads each number.
func (r *reader) readCodes(v value) ([]placedCode, *Error) {
	text := v.text
	if v.raw != "" {
		text = v.raw
	}
	var codes []placedCode
	for i := 0; i < len(text); {
		n := strings.IndexAny(text[i:], ", ;\t\r\n")
		if n < 0 {
			n = len(text) - i
		}
		if n > 0 {
			at := v.at
			if v.raw != "" {
				at += i
			}
			code, ok := parseCode(text[i : i+n])
			if !ok {
				return nil, r.doc.errorAt(at, "%s is not an exit code: decimal, negative decimal or 0x hex, of 32 bits", quoted(text[i:i+n]))
			}
			codes = append(codes, placedCode{code, at})
		}
		i += n + 1
	}
	return codes, nil
}

// parseCode reads one exit code. Signed and unsigned spellings of the same 32 bits are the same code.
func parseCode(s string) (fault.Code, bool) {
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		return fault.CodeOf(int64(n)), err == nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < math.MinInt32 || n > math.MaxUint32 {
		return 0, false
	}
	return fault.CodeOf(n), true
}

// ParseCodes reads exit codes as a file lists them: decimal, negative decimal or 0x hex, of 32 bits, between commas,
// semicolons or white space. An empty list is none.
func ParseCodes(list string) ([]fault.Code, error) {
	var codes []fault.Code
	for _, word := range strings.FieldsFunc(list, func(c rune) bool { return strings.ContainsRune(", ;\t\r\n", c) }) {
		code, ok := parseCode(word)
		if !ok {
			return nil, fmt.Errorf("%s is not an exit code: decimal, negative decimal or 0x hex, of 32 bits", quoted(word))
		}
		codes = append(codes, code)
	}
	return codes, nil
}
