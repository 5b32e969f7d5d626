package criteria

import (
	"fmt"
	"slices"
	"strings"
)

// MaxLength bounds a query in characters, as read and as written by String: a node is asked no longer one.
const MaxLength = 2000

// maxDepth bounds parentheses within each other.
const maxDepth = 16

const allowedTerm = "a criterion such as IsInstalled=0, or a parenthesis around such"

// Parse reads a query, with single quotes or with all of them doubled. What is wrong is an *Error with its column.
func Parse(text string) (Query, error) {
	p := &parser{text: []rune(text)}
	if len(p.text) > 2*MaxLength || len(text) > 8*MaxLength {
		return Query{}, &Error{Column: MaxLength + 1, Problem: "the query is too long", Allowed: fmt.Sprintf("at most %d characters", MaxLength)}
	}
	q, err := p.query()
	if err != nil {
		return Query{}, err
	}
	if n := len([]rune(q.String())); n > MaxLength || !q.Doubled && len(p.text) > MaxLength {
		return Query{}, &Error{Column: MaxLength + 1, Problem: "the query is too long", Allowed: fmt.Sprintf("at most %d characters", MaxLength)}
	}
	return q, nil
}

// quoting is how the text's quotes are written.
type quoting int

const (
	unknown quoting = iota
	single
	doubled
)

type parser struct {
	text   []rune
	at     int
	quotes quoting
}

func (p *parser) fail(at int, allowed, problem string, a ...any) *Error {
	return &Error{Column: at + 1, Problem: fmt.Sprintf(problem, a...), Allowed: allowed}
}

func (p *parser) blanks() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// next is the next character, 0 at the end.
func (p *parser) next() rune {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// word reads letters, digits and what a name could be misspelt with.
func (p *parser) word() string {
	start := p.at
	for p.at < len(p.text) && (letter(p.text[p.at]) || p.at > start && (digit(p.text[p.at]) || p.text[p.at] == '_')) {
		p.at++
	}
	return string(p.text[start:p.at])
}

func letter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func digit(r rune) bool  { return r >= '0' && r <= '9' }

func (p *parser) query() (Query, error) {
	var q Query
	for {
		g, err := p.group(0)
		if err != nil {
			return q, err
		}
		q.Groups = append(q.Groups, g)
		p.blanks()
		if p.at == len(p.text) {
			q.Doubled = p.quotes == doubled
			return q, nil
		}
		start := p.at
		if w := p.word(); !strings.EqualFold(w, "or") {
			return q, p.unexpected(start, w)
		}
	}
}

// unexpected is what stands where a criterion has ended.
func (p *parser) unexpected(at int, word string) *Error {
	const allowed = `"and", "or", or the end`
	switch {
	case word != "":
		return p.fail(at, allowed, "%q stands where a criterion has ended", shown(word))
	case p.text[at] == ')':
		return p.fail(at, allowed, "this parenthesis closes nothing")
	}
	return p.fail(at, allowed, "%q stands where a criterion has ended", string(p.text[at]))
}

// group reads criteria and parentheses joined by "and"; those within parentheses are the group's own.
func (p *parser) group(depth int) (Group, error) {
	var out Group
	type place struct {
		term Term
		at   int
	}
	var places []place
	for {
		p.blanks()
		start := p.at
		if p.next() == '(' {
			inner, err := p.inParentheses(depth)
			if err != nil {
				return nil, err
			}
			for _, t := range inner {
				places = append(places, place{t, start})
			}
			out = append(out, inner...)
		} else {
			t, err := p.term()
			if err != nil {
				return nil, err
			}
			places = append(places, place{t, start})
			out = append(out, t)
		}
		p.blanks()
		before := p.at
		if w := p.word(); strings.EqualFold(w, "and") {
			continue
		}
		p.at = before
		if depth > 0 {
			return out, nil // whether a revision has its update is known at the end of the whole group
		}
		for _, pl := range places {
			if err := p.revision(out, pl.term, pl.at); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// revision refuses a RevisionNumber without the UpdateID= that it belongs to.
func (p *parser) revision(g Group, t Term, at int) error {
	const allowed = "UpdateID='…' and RevisionNumber=… in one group"
	if t.Name != "RevisionNumber" {
		return nil
	}
	has := func(op Op) bool {
		return slices.ContainsFunc(g, func(o Term) bool { return o.Name == "UpdateID" && o.Op == op })
	}
	switch {
	case has(NotEqual):
		return p.fail(at, allowed, "RevisionNumber cannot be combined with UpdateID!=")
	case !has(Equal):
		return p.fail(at, allowed, "RevisionNumber needs UpdateID= beside it")
	}
	return nil
}

func (p *parser) inParentheses(depth int) (Group, error) {
	open := p.at
	if depth == maxDepth {
		return nil, p.fail(open, fmt.Sprintf("at most %d within each other", maxDepth), "there are too many parentheses within each other")
	}
	p.at++
	g, err := p.group(depth + 1)
	if err != nil {
		return nil, err
	}
	start := p.at
	if p.next() == ')' {
		p.at++
		return g, nil
	}
	w := p.word()
	switch {
	case strings.EqualFold(w, "or"):
		return nil, p.fail(start, `"or" between parentheses: (a=1 and b=1) or (a=1 and c=1)`, `"or" stands within parentheses; it is allowed at the top level alone`)
	case start == len(p.text):
		return nil, p.fail(start, `"and" or ")"`, "the parenthesis at column %d is not closed", open+1)
	case w != "":
		return nil, p.fail(start, `"and" or ")"`, "%q stands where a criterion has ended", shown(w))
	}
	return nil, p.fail(start, `"and" or ")"`, "%q stands where a criterion has ended", string(p.text[start]))
}

func (p *parser) term() (Term, error) {
	start := p.at
	name := p.word()
	if name == "" {
		if p.at == len(p.text) {
			return Term{}, p.fail(start, allowedTerm, "a criterion is missing")
		}
		return Term{}, p.fail(start, allowedTerm, "%q stands where a criterion should", string(p.text[start]))
	}
	if strings.EqualFold(name, "and") || strings.EqualFold(name, "or") {
		return Term{}, p.fail(start, allowedTerm, "a criterion is missing before %q", name)
	}
	c, ok := lookup(name)
	if !ok {
		return Term{}, p.fail(start, allowedNames(name), "there is no criterion %q", shown(name))
	}
	op, err := p.op(c)
	if err != nil {
		return Term{}, err
	}
	value, err := p.value(c)
	if err != nil {
		return Term{}, err
	}
	return Term{Name: c.Name, Op: op, Value: value}, nil
}

// allowedNames are all criteria, the one that was probably meant first.
func allowedNames(name string) string {
	names := make([]string, 0, len(All()))
	for _, c := range All() {
		names = append(names, c.Name)
	}
	list := strings.Join(names, ", ")
	if near := nearest(name); near != "" {
		return "did you mean " + near + "? All there are: " + list
	}
	return list
}

func (p *parser) op(c Criterion) (Op, error) {
	p.blanks()
	start := p.at
	var op Op
	switch {
	case p.next() == '=':
		op, p.at = Equal, p.at+1
	case p.next() == '!' && p.at+1 < len(p.text) && p.text[p.at+1] == '=':
		op, p.at = NotEqual, p.at+2
	default:
		if w := p.word(); strings.EqualFold(w, string(Contains)) {
			op = Contains
		} else if start == len(p.text) {
			return "", p.fail(start, c.allowedOps(), "the operator is missing")
		} else {
			return "", p.fail(start, c.allowedOps(), "%q is no operator", shown(w+strings.TrimSpace(string(p.text[p.at:min(len(p.text), p.at+1)]))))
		}
	}
	if !slices.Contains(c.Ops, op) {
		return "", p.fail(start, c.allowedOps(), "%s does not take %s", c.Name, op)
	}
	return op, nil
}

func (p *parser) value(c Criterion) (string, error) {
	p.blanks()
	start := p.at
	switch {
	case p.at == len(p.text):
		return "", p.fail(start, c.allowedValues(), "the value is missing")
	case p.next() == '\'':
		s, err := p.quoted(c)
		if err != nil {
			return "", err
		}
		value, problem := c.text(s)
		if problem != "" {
			return "", p.fail(start, c.allowedValues(), "%s", problem)
		}
		return value, nil
	}
	if p.next() == '-' {
		p.at++
	}
	for p.at < len(p.text) && (digit(p.text[p.at]) || letter(p.text[p.at])) {
		p.at++
	}
	bare := string(p.text[start:p.at])
	if bare == "" {
		return "", p.fail(start, c.allowedValues(), "%q is no value", string(p.text[start]))
	}
	if strings.Trim(strings.TrimPrefix(bare, "-"), "0123456789") != "" || bare == "-" {
		return "", p.fail(start, c.allowedValues(), "%q is no value", shown(bare))
	}
	value, problem := c.number(bare)
	if problem != "" {
		return "", p.fail(start, c.allowedValues(), "%s", problem)
	}
	return value, nil
}

// quoted reads a string in quotes: single ones, or doubled ones, the same in the whole query. No value that there is holds
// a quote, so two of them are never the escape of one.
func (p *parser) quoted(c Criterion) (string, error) {
	start := p.at
	kind := single
	if p.at+1 < len(p.text) && p.text[p.at+1] == '\'' {
		kind = doubled
	}
	if p.quotes != unknown && p.quotes != kind {
		return "", p.fail(start, "the same quotes in the whole query: all single, or all doubled for self-updating", "some quotes are doubled and some are not")
	}
	p.quotes = kind
	p.at += int(kind)
	begin := p.at
	for p.at < len(p.text) && p.text[p.at] != '\'' {
		p.at++
	}
	end := p.at
	for range int(kind) {
		if p.next() != '\'' {
			return "", p.fail(p.at, c.allowedValues(), "the quote at column %d is not closed", start+1)
		}
		p.at++
	}
	if p.next() == '\'' {
		return "", p.fail(p.at, c.allowedValues(), "there is a quote too many")
	}
	return string(p.text[begin:end]), nil
}
