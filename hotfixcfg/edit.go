package hotfixcfg

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"cau/internal/fault"
)

// ErrNoRule says that there is no rule of that kind and name.
var ErrNoRule = errors.New("there is no such rule in the file")

// Put gives the file b with rule in it: a rule of the same kind and name becomes this one, another is added after the last of
// its kind. Only what differs is written anew: comments, order, unknown elements, namespaces, quotes, line ends and encoding
// stay byte for byte as they are. The name of a rule that is there stays as the file spells it. The file must be valid before
// (*Error) and is read again afterwards; what could not be edited so that it reads as meant is an error.
func Put(b []byte, rule Rule) ([]byte, error) {
	f, err := openForEdit(b)
	if err != nil {
		return nil, err
	}
	want := slices.Clone(f.cfg.Rules)
	if i := f.find(rule.Kind, rule.Name); i >= 0 {
		rule.Name = want[i].Name
		f.change(f.places[i], want[i], rule)
		want[i] = rule
	} else {
		f.add(rule)
		want = append(want, rule)
	}
	return f.finish(want)
}

// Remove gives the file b without the rule of that kind and name, and without the white space before it. A file without any
// rule is none, so the last one cannot be removed.
func Remove(b []byte, kind Kind, name string) ([]byte, error) {
	f, err := openForEdit(b)
	if err != nil {
		return nil, err
	}
	i := f.find(kind, name)
	if i < 0 {
		return nil, ErrNoRule
	}
	f.drop(f.places[i])
	return f.finish(slices.Delete(slices.Clone(f.cfg.Rules), i, i+1))
}

// editing is a file that is being edited: its changes are made at once, at the end, because each stands at its place in the
// text as it was.
type editing struct {
	*reader
	mark    []byte // byte-order mark
	order   binary.ByteOrder
	newline string
	edits   []edit
}

// edit puts text in place of what stands from from to to.
type edit struct {
	from, to int
	text     string
}

func openForEdit(b []byte) (*editing, error) {
	doc, bad := readDocument(b)
	if bad != nil {
		return nil, bad
	}
	r := readConfig(doc)
	if len(r.problems) > 0 {
		return nil, &r.problems[0]
	}
	f := &editing{reader: r, newline: "\n"}
	switch {
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		f.mark, f.order = b[:2], binary.LittleEndian
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		f.mark, f.order = b[:2], binary.BigEndian
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		f.mark = b[:3]
	}
	if bytes.Contains(doc.text, []byte("\r\n")) {
		f.newline = "\r\n"
	}
	return f, nil
}

func (f *editing) find(kind Kind, name string) int {
	return slices.IndexFunc(f.cfg.Rules, func(r Rule) bool { return r.Kind == kind && fold(r.Name) == fold(name) })
}

// finish makes the edits and proves that the file says what is wanted.
func (f *editing) finish(want []Rule) ([]byte, error) {
	slices.SortStableFunc(f.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var text []byte
	at := 0
	for _, e := range f.edits {
		if e.from < at {
			return nil, errors.New("two changes of the file overlap")
		}
		text = append(append(text, f.doc.text[at:e.from]...), e.text...)
		at = e.to
	}
	text = append(text, f.doc.text[at:]...)
	out := f.encode(text)
	cfg, err := Parse(out)
	if err != nil {
		return nil, fmt.Errorf("the changed file would not be valid: %w", err)
	}
	if !reflect.DeepEqual(sortedRules(cfg.Rules), sortedRules(want)) {
		return nil, errors.New("the file is written in a way that cannot be changed like this; change it by hand")
	}
	return out, nil
}

func sortedRules(list []Rule) []Rule {
	out := slices.Clone(list)
	for i := range out {
		for _, c := range conditionNames() {
			codes := out[i].Exit.list(c)
			if *codes = slices.Sorted(slices.Values(*codes)); len(*codes) == 0 {
				*codes = nil
			}
		}
	}
	slices.SortFunc(out, func(a, b Rule) int {
		return cmp.Or(strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(fold(a.Name), fold(b.Name)))
	})
	return out
}

func (f *editing) encode(text []byte) []byte {
	out := bytes.Clone(f.mark)
	if f.order == nil {
		return append(out, text...)
	}
	var unit [2]byte
	for _, u := range utf16.Encode([]rune(string(text))) {
		f.order.PutUint16(unit[:], u)
		out = append(out, unit[:]...)
	}
	return out
}

func (f *editing) replace(from, to int, text string) {
	f.edits = append(f.edits, edit{from, to, text})
}

// drop takes an element out, with the white space before it.
func (f *editing) drop(e *element) { f.replace(f.spaceBefore(e.at), e.end, "") }

// spaceBefore is where the white space before at begins.
func (f *editing) spaceBefore(at int) int {
	return len(bytes.TrimRight(f.doc.text[:at], " \t\r\n"))
}

// indent is the white space before an element in its line; "" where something else stands there.
func (f *editing) indent(e *element) string {
	before := f.doc.text[f.doc.lines[f.doc.lineOf(e.at)-1]:e.at]
	if len(bytes.Trim(before, " \t")) > 0 {
		return ""
	}
	return string(before)
}

// step is by how much the file indents a child.
func (f *editing) step() string {
	for _, c := range f.doc.root.children {
		if step, ok := strings.CutPrefix(f.indent(c), f.indent(f.doc.root)); ok && step != "" {
			return step
		}
	}
	return "  "
}

// prefix is the namespace prefix of an element, with its colon.
func prefix(e *element) string { return strings.TrimSuffix(e.tag, e.name) }

// codesText lists codes as canonical does.
func codesText(codes []fault.Code) string {
	var shown []string
	for _, c := range codes {
		if c <= 0xFFFF {
			shown = append(shown, strconv.FormatUint(uint64(c), 10))
		} else {
			shown = append(shown, c.Hex())
		}
	}
	return strings.Join(shown, ", ")
}
