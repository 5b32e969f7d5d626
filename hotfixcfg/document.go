package hotfixcfg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"unicode/utf8"
)

// document is an XML file as a small tree in which everything knows its byte offset.
type document struct {
	text  []byte
	lines []int // offset of each line's first byte
	root  *element
}

type element struct {
	name string // without its prefix
	tag  string // with its prefix, as the end tag must spell it
	at   int
	// open is behind the start tag, shut before the end tag, end behind it; all the same where the tag closes itself.
	open, shut, end int
	attrs           []value
	children        []*element
	texts           []value
}

// value is text of an attribute or between tags. Where raw is set, it is the same text as it stands
// in the file from offset at, so that a place inside it can be pointed at.
type value struct {
	name string // of an attribute
	text string
	at   int
	raw  string
	// length is how many bytes an attribute's value takes in the file; 0 where that is not known.
	length int
}

func (d *document) errorAt(at int, format string, args ...any) *Error {
	at = min(max(at, 0), len(d.text))
	line := d.lineOf(at)
	start := d.lines[line-1]
	return &Error{Line: line, Column: utf8.RuneCount(d.text[start:at]) + 1, Msg: fmt.Sprintf(format, args...)}
}

// lineOf is cheap, unlike a column: it is asked for every code of a file that may be one long line.
func (d *document) lineOf(at int) int { return sort.SearchInts(d.lines, at+1) }

func readDocument(b []byte) (*document, *Error) {
	dec, bad := decode(b)
	d := &document{text: dec.text, lines: []int{0}}
	for i, c := range d.text {
		if c == '\n' {
			d.lines = append(d.lines, i+1)
		}
	}
	if bad != nil {
		return nil, d.errorAt(bad.at, "%s", bad.msg)
	}
	if err := d.build(dec.wide); err != nil {
		return nil, err
	}
	return d, nil
}

// build reads raw tokens, not checked ones: prefixes are of no interest, and an end tag that does not
// match can be reported together with the place of its start tag.
func (d *document) build(wide bool) *Error {
	var charset *Error
	x := xml.NewDecoder(bytes.NewReader(d.text))
	x.CharsetReader = func(name string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(name, "us-ascii") || (wide && strings.HasPrefix(fold(name), "UTF-16")) {
			return in, nil
		}
		charset = d.errorAt(0, "the file says its encoding is %s, which is not what it is or not read; save it as UTF-8", quoted(name))
		return nil, charset
	}
	var open []*element
	for count := 0; ; {
		start := int(x.InputOffset())
		token, err := x.RawToken()
		end := int(x.InputOffset())
		switch {
		case charset != nil:
			return charset
		case errors.Is(err, io.EOF):
			return d.finish(open)
		case err != nil:
			return d.syntax(err, end)
		}
		switch t := token.(type) {
		case xml.Directive:
			return d.errorAt(start, "a document type or entity declaration is refused")
		case xml.StartElement:
			if count++; count > MaxConfigElements {
				return d.errorAt(start, "more than %d elements", MaxConfigElements)
			}
			if len(open) == MaxConfigDepth {
				return d.errorAt(start, "elements nest deeper than %d", MaxConfigDepth)
			}
			e, bad := d.newElement(t, start, end)
			if bad != nil {
				return bad
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case d.root != nil:
				return d.errorAt(start, "a second root element <%s>", printable(e.tag))
			default:
				d.root = e
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 0 {
				return d.errorAt(start, "</%s> closes nothing", printable(tagOf(t.Name)))
			}
			top := open[len(open)-1]
			if top.tag != tagOf(t.Name) {
				return d.errorAt(start, "</%s> where </%s> is expected (<%s> stands in line %d)",
					printable(tagOf(t.Name)), printable(top.tag), printable(top.tag), d.lineOf(top.at))
			}
			top.shut, top.end = start, end
			open = open[:len(open)-1]
		case xml.CharData:
			v := value{text: string(t), at: start}
			if strings.TrimSpace(v.text) == "" {
				continue
			}
			if raw := d.text[start:end]; !bytes.ContainsAny(raw, "&<") {
				v.raw = string(raw)
			}
			if len(open) == 0 {
				return d.errorAt(firstInk(v), "text outside the root element")
			}
			top := open[len(open)-1]
			top.texts = append(top.texts, v)
		}
	}
}

func (d *document) finish(open []*element) *Error {
	switch {
	case len(open) > 0:
		top := open[len(open)-1]
		return d.errorAt(len(d.text), "the file ends, but <%s> of line %d is not closed", printable(top.tag), d.lineOf(top.at))
	case d.root == nil:
		return d.errorAt(0, "there is no XML in this file")
	}
	return nil
}

func (d *document) syntax(err error, at int) *Error {
	msg := err.Error()
	var s *xml.SyntaxError
	if errors.As(err, &s) {
		msg = s.Msg
	}
	return d.errorAt(at, "not well-formed XML: %s", printable(msg))
}

func (d *document) newElement(t xml.StartElement, start, end int) (*element, *Error) {
	e := &element{name: t.Name.Local, tag: tagOf(t.Name), at: start, open: end}
	spans := attributeSpans(string(d.text[start:end]))
	seen := make(map[string]bool, len(t.Attr))
	for i, a := range t.Attr {
		v := value{name: a.Name.Local, text: a.Value, at: start}
		// The spans come from our own reading of the tag; they only improve the place, so they are
		// dropped rather than trusted where the two readings differ.
		if i < len(spans) && len(spans) == len(t.Attr) {
			v.at, v.length = start+spans[i].from, spans[i].to-spans[i].from
			if raw := string(d.text[start+spans[i].from : start+spans[i].to]); raw == a.Value {
				v.raw = raw
			}
		}
		tag := tagOf(a.Name)
		if seen[tag] {
			return nil, d.errorAt(v.at, "attribute %s stands twice in <%s>", quoted(tag), printable(e.tag))
		}
		seen[tag] = true
		// XML reads white space in an attribute as spaces; encoding/xml leaves that to its caller.
		v.text = strings.NewReplacer("\t", " ", "\r\n", " ", "\r", " ", "\n", " ").Replace(v.text)
		switch {
		case a.Name.Space == "xml", a.Name.Space == "xmlns", a.Name.Space == "xsi":
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			e.attrs = append(e.attrs, v)
		}
	}
	return e, nil
}

type span struct{ from, to int }

// attributeSpans finds the attribute values of a well-formed start tag, without their quotes.
func attributeSpans(tag string) []span {
	var spans []span
	for i := 0; i < len(tag); i++ {
		if c := tag[i]; c == '"' || c == '\'' {
			n := strings.IndexByte(tag[i+1:], c)
			if n < 0 {
				return nil
			}
			spans = append(spans, span{i + 1, i + 1 + n})
			i += n + 1
		}
	}
	return spans
}

func tagOf(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// firstInk is the offset of the first character that is not white space, where that is known.
func firstInk(v value) int {
	return v.at + len(v.raw) - len(strings.TrimLeft(v.raw, " \t\r\n"))
}
