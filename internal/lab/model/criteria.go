package model

import (
	"regexp"
	"strconv"
	"strings"
)

// Failures of the update agent (wuerror.h), as 32 bits without sign.
const (
	wuInstallNotAllowed  = 0x80240016
	wuNoInteractiveUser  = 0x80240020
	wuEulasDeclined      = 0x80240023
	wuInvalidCriteria    = 0x80240032
	wuNotDownloaded      = 0x80246007
	wuUnknownService     = 0x80248014
	wuShutdownInProgress = 0x8007045B
)

// criteria is a search: one of its conjunctions must hold. An empty one finds everything.
type criteria [][]condition

// condition compares one property of an update.
type condition struct {
	name  string
	not   bool
	value string
}

const maxCriteria = 4096

var (
	conditionShape = regexp.MustCompile(`^(?i)([a-z]+)\s*(=|!=)\s*('[^']*'|[0-9]{1,9})$`)
	orWord         = regexp.MustCompile(`(?i)\s+or\s+`)
	andWord        = regexp.MustCompile(`(?i)\s+and\s+`)
)

// readCriteria reads the subset of the agent's query language that has only conjunctions, and "or" between them.
// What it does not know is WU_E_INVALID_CRITERIA, as a wrong query is.
func readCriteria(s string) (criteria, error) {
	invalid := &hresult{wuInvalidCriteria, "The search criteria are not valid (0x80240032 WU_E_INVALID_CRITERIA)."}
	if len(s) > maxCriteria {
		return nil, invalid
	}
	if strings.TrimSpace(s) == "" {
		// The agent's own default.
		s = "IsInstalled = 0 and IsHidden = 0"
	}
	var out criteria
	for _, part := range orWord.Split(s, -1) {
		part = strings.TrimSpace(part)
		if inner, ok := strings.CutPrefix(part, "("); ok {
			if inner, ok = strings.CutSuffix(inner, ")"); !ok {
				return nil, invalid
			}
			part = inner
		}
		var all []condition
		for _, text := range andWord.Split(part, -1) {
			c, ok := readCondition(strings.TrimSpace(text))
			if !ok {
				return nil, invalid
			}
			all = append(all, c)
		}
		if named(all, "revisionnumber") && !named(all, "updateid") {
			return nil, invalid
		}
		out = append(out, all)
	}
	return out, nil
}

func readCondition(s string) (condition, bool) {
	m := conditionShape.FindStringSubmatch(s)
	if m == nil {
		return condition{}, false
	}
	c := condition{name: key(m[1]), not: m[2] == "!=", value: key(strings.Trim(m[3], "'"))}
	quoted := strings.HasPrefix(m[3], "'")
	switch c.name {
	case "isinstalled", "ishidden", "isassigned", "browseonly", "rebootrequired":
		return c, !c.not && !quoted && (c.value == "0" || c.value == "1")
	case "type":
		return c, quoted && (c.value == "software" || c.value == "driver")
	case "updateid":
		return c, quoted && guidShape.MatchString(c.value)
	case "revisionnumber":
		return c, !c.not && !quoted
	}
	return c, false
}

func named(all []condition, name string) bool {
	for _, c := range all {
		if c.name == name {
			return true
		}
	}
	return false
}

// matches tells whether an update is what a search looks for on a node.
func (c criteria) matches(n *Node, u *Update) bool {
	for _, all := range c {
		holds := true
		for _, one := range all {
			holds = holds && (one.property(n, u) == one.value) != one.not
		}
		if holds {
			return true
		}
	}
	return false
}

func (c condition) property(n *Node, u *Update) string {
	truth := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	switch c.name {
	case "isinstalled":
		return truth(n.hasUpdate(u))
	case "ishidden":
		return truth(u.Hidden)
	case "isassigned":
		return truth(!u.BrowseOnly)
	case "browseonly":
		return truth(u.BrowseOnly)
	case "rebootrequired":
		return truth(n.updates.waiting[key(u.ID)])
	case "type":
		if u.Driver {
			return "driver"
		}
		return "software"
	case "updateid":
		return key(u.ID)
	}
	return strconv.Itoa(u.Revision)
}
