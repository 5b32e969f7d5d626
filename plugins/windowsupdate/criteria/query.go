package criteria

import "strings"

// Query is what a search is for: one of its groups must hold.
type Query struct {
	Groups []Group
	// Doubled: the text had its quotes doubled, as CAU wants them in the arguments of the self-updating role.
	Doubled bool
}

// Group is a conjunction.
type Group []Term

// Term is one criterion with its operator and its value, all spelt as documented; a GUID is in lower case.
type Term struct {
	Name  string
	Op    Op
	Value string
}

// String is the query with single quotes, as the agent reads it. Parsing it gives the same query.
func (q Query) String() string {
	groups := make([]string, 0, len(q.Groups))
	for _, g := range q.Groups {
		s := g.String()
		if len(q.Groups) > 1 {
			s = "(" + s + ")"
		}
		groups = append(groups, s)
	}
	return strings.Join(groups, " or ")
}

// ForSelfUpdating is the query with every quote doubled, as it must stand in the plug-in arguments of CAU's self-updating
// role (How CAU plug-ins work, section on QueryString). Parsing it gives the same query, and Doubled.
func (q Query) ForSelfUpdating() string { return strings.ReplaceAll(q.String(), "'", "''") }

// String is the group without parentheses.
func (g Group) String() string {
	terms := make([]string, 0, len(g))
	for _, t := range g {
		terms = append(terms, t.String())
	}
	return strings.Join(terms, " and ")
}

// String is "Name=Value".
func (t Term) String() string {
	value := t.Value
	if c, ok := lookup(t.Name); ok && (c.Type == Words || c.Type == GUID) {
		value = "'" + value + "'"
	}
	if t.Op == Contains {
		return t.Name + " contains " + value
	}
	return t.Name + string(t.Op) + value
}

// Asks tells whether the group has this very term.
func (g Group) Asks(t Term) bool {
	for _, have := range g {
		if have == t {
			return true
		}
	}
	return false
}
