package engine

import (
	"errors"
	"slices"
	"strings"

	"cau/internal/fault"
)

// mostCauses bounds how many different causes one line names.
const mostCauses = 8

// oneLine is err in one line, however many errors were joined: one cause of several nodes is said once, after their
// names. Every reason and evidence goes through here, because a screen has no place for a line break in a sentence.
func oneLine(err error) string { return oneLineOf(err.Error(), namedIn(err)) }

// sentence is err in one line with a full stop.
func sentence(err error) string { return strings.TrimSuffix(oneLine(err), ".") + "." }

// causeFrom is err as data, in one line; nil gives nil.
func causeFrom(err error) *fault.Cause {
	c := fault.CauseOf(err)
	if c != nil {
		c.Message = oneLine(err)
	}
	return c
}

// namedIn are the nodes that errors in err's tree are about.
func namedIn(err error) []string {
	var nodes []string
	if e, ok := err.(*fault.Error); ok && e.Node != "" { //nolint:errorlint // this very error; those below it are walked to
		nodes = append(nodes, e.Node)
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			nodes = append(nodes, namedIn(inner)...)
		}
	default:
		if inner := errors.Unwrap(err); inner != nil {
			nodes = append(nodes, namedIn(inner)...)
		}
	}
	return nodes
}

// oneLineOf puts the lines of text, each about one of nodes or about none, into one.
func oneLineOf(text string, nodes []string) string {
	if !strings.ContainsAny(text, "\r\n") {
		return text
	}
	type cause struct {
		before string
		nodes  []string
		after  string
	}
	var causes []cause
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		c := cause{after: strings.TrimSpace(line)}
		at := len(c.after)
		for _, n := range nodes {
			if i := strings.Index(line, n+": "); i >= 0 && i < at {
				at = i
				c = cause{line[:i], []string{n}, strings.TrimSpace(line[i+len(n)+2:])}
			}
		}
		if c.before+c.after == "" {
			continue
		}
		i := slices.IndexFunc(causes, func(have cause) bool { return have.after == c.after && (len(have.nodes) > 0) == (len(c.nodes) > 0) })
		switch {
		case i < 0:
			causes = append(causes, c)
		case len(c.nodes) > 0 && !slices.Contains(causes[i].nodes, c.nodes[0]):
			causes[i].nodes = append(causes[i].nodes, c.nodes[0])
		}
	}
	parts := make([]string, 0, len(causes))
	for _, c := range causes[:min(len(causes), mostCauses)] {
		who := strings.Join(c.nodes, ", ")
		if who != "" {
			who += ": "
		}
		parts = append(parts, c.before+who+c.after)
	}
	if more := len(causes) - mostCauses; more > 0 {
		parts = append(parts, "and "+plural(more, "more cause", "more causes"))
	}
	return strings.Join(parts, "; ")
}
