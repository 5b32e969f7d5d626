package criteria

import (
	"fmt"
	"strconv"
	"strings"
)

// Op is a criterion's operator.
type Op string

// The operators.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Contains Op = "contains"
)

// Type is what a criterion compares with.
type Type string

// The types of value.
const (
	// Words are strings of a list.
	Words Type = "word"
	// GUID is a string that holds a UUID.
	GUID Type = "guid"
	// Truth is 0 or 1.
	Truth Type = "0 or 1"
	// Number is an integer from 0 to 2147483647.
	Number Type = "number"
)

// Criterion is one property that may be asked for (IUpdateSearcher::Search, table of criteria).
type Criterion struct {
	Name   string
	Type   Type
	Ops    []Op
	Values []string // of Words
	// Means is one sentence for people.
	Means string
}

// All are the criteria, in the order of the documented table. DeploymentAction's 'OptionalInstallation' is not in that table;
// it is in wide use.
func All() []Criterion {
	equal := []Op{Equal}
	return []Criterion{
		{"Type", Words, []Op{Equal, NotEqual}, []string{"Software", "Driver"}, "Software or drivers."},
		{"DeploymentAction", Words, equal, []string{"Installation", "Uninstallation", "OptionalInstallation"}, "What the update server's administrator deploys it for; Installation where it is not named."},
		{"IsAssigned", Truth, equal, nil, "1: meant for Automatic Updates."},
		{"BrowseOnly", Truth, equal, nil, "1: optional."},
		{"AutoSelectOnWebSites", Truth, equal, nil, "1: selected by Windows Update by itself."},
		{"UpdateID", GUID, []Op{Equal, NotEqual}, nil, "One update, in all revisions."},
		{"RevisionNumber", Number, equal, nil, "One revision; only together with UpdateID=."},
		{"CategoryIDs", GUID, []Op{Contains}, nil, "A product or a classification."},
		{"IsInstalled", Truth, equal, nil, "0: not installed yet."},
		{"IsHidden", Truth, equal, nil, "0: not hidden by an administrator."},
		{"IsPresent", Truth, equal, nil, "1: installed for one or more products."},
		{"RebootRequired", Truth, equal, nil, "1: waits for a restart."},
	}
}

func lookup(name string) (Criterion, bool) {
	for _, c := range All() {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Criterion{}, false
}

// form is how the criterion is written, for people.
func (c Criterion) form() string {
	switch c.Type {
	case Words:
		return c.Name + string(c.Ops[0]) + "'" + c.Values[0] + "'"
	case GUID:
		op := string(c.Ops[0])
		if c.Ops[0] == Contains {
			op = " contains "
		}
		return c.Name + op + "'12345678-9abc-def0-1234-56789abcdef0'"
	case Truth:
		return c.Name + "=0 or " + c.Name + "=1"
	case Number:
	}
	return c.Name + "=100"
}

// allowedValues says what may stand after the operator.
func (c Criterion) allowedValues() string {
	switch c.Type {
	case Words:
		return "'" + strings.Join(c.Values, "', '") + "'"
	case GUID:
		return "a GUID in single quotes, as in " + c.form()
	case Truth:
		return "0 or 1, without quotes"
	case Number:
	}
	return "a whole number from 0 to 2147483647, without quotes"
}

func (c Criterion) allowedOps() string {
	ops := make([]string, 0, len(c.Ops))
	for _, o := range c.Ops {
		ops = append(ops, string(o))
	}
	return c.Name + " takes " + strings.Join(ops, " and ") + ": " + c.form()
}

// text is a quoted value as the criterion's canonical one, or what is wrong with it.
func (c Criterion) text(s string) (string, string) {
	switch c.Type {
	case Words:
		for _, v := range c.Values {
			if strings.EqualFold(v, s) {
				return v, ""
			}
		}
		return "", fmt.Sprintf("'%s' is no value of %s", shown(s), c.Name)
	case GUID:
		if !isGUID(s) {
			return "", fmt.Sprintf("'%s' is no GUID", shown(s))
		}
		return strings.ToLower(s), ""
	case Truth, Number:
	}
	return "", c.Name + " is a number, and '" + shown(s) + "' is in quotes"
}

// number is a bare value as the criterion's canonical one, or what is wrong with it.
func (c Criterion) number(s string) (string, string) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case c.Type == Words || c.Type == GUID:
		return "", c.Name + " is compared with a string, and " + shown(s) + " has no quotes"
	case err != nil || n < 0 || n > 2147483647:
		return "", shown(s) + " is out of range"
	case c.Type == Truth && n > 1:
		return "", shown(s) + " is neither 0 nor 1"
	}
	return strconv.FormatInt(n, 10), ""
}

// isGUID tells 12345678-9abc-def0-1234-56789abcdef0 in any case.
func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (s[i] == '-') || !dash && !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
			return false
		}
	}
	return true
}
