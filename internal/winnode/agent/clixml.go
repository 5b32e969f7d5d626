package agent

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"unicode"
)

// maxErrorText bounds the text of a node's standard error, in characters.
const maxErrorText = 400

// ErrorText makes a command's standard error fit for people: the error records of CLIXML (which Windows
// PowerShell writes to a redirected standard error) become their text, control characters become blanks,
// and at most 400 characters remain (R33). It is never parsed further.
func ErrorText(stderr []byte) string {
	const limit = 64 << 10
	stderr = stderr[:min(len(stderr), limit)]
	var text strings.Builder
	if before, objects, ok := bytes.Cut(stderr, []byte("#< CLIXML")); ok {
		text.Write(before)
		text.WriteByte(' ')
		text.WriteString(clixmlErrors(objects))
	} else {
		text.Write(stderr)
	}
	return Printable(text.String(), maxErrorText)
}

// clixmlErrors concatenates the S elements of the error stream, as far as the XML can be read.
func clixmlErrors(objects []byte) string {
	var b strings.Builder
	d := xml.NewDecoder(bytes.NewReader(objects))
	inError := false
	for {
		token, err := d.RawToken()
		if err != nil {
			return unescapeCLIXML(b.String())
		}
		switch t := token.(type) {
		case xml.StartElement:
			inError = false
			for _, a := range t.Attr {
				inError = inError || t.Name.Local == "S" && a.Name.Local == "S" && a.Value == "Error"
			}
		case xml.EndElement:
			inError = false
		case xml.CharData:
			if inError {
				b.Write(t)
			}
		}
	}
}

// unescapeCLIXML turns _x000D_ and the like into characters.
func unescapeCLIXML(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		v, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			b.WriteString("_x")
			s = s[i+2:]
			continue
		}
		b.WriteRune(rune(v))
		s = s[i+7:]
	}
}

// Printable makes text from a node safe for a screen: every character that does not print becomes a
// blank, runs of blanks are folded, at most limit characters remain (R33).
func Printable(s string, limit int) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == ' ' {
			blank = n > 0
			continue
		}
		if blank && n+1 < limit {
			b.WriteByte(' ')
			n++
		}
		blank = false
		if n >= limit {
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
