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
	conditionShape = regexp.MustCompile(`^(?i)([a-z]+)\s*(=|!=|\bcontains\b)\s*('[^']*'|[0-9]{1,9})$`)
	orWord         = regexp.MustCompile(`(?i)\s+or\s+`)
	andWord        = regexp.MustCompile(`(?i)\s+and\s+`)
)

// readCriteria reads the agent's query language: conjunctions, each in parentheses or none, and "or" between them. What it
// does not know is WU_E_INVALID_CRITERIA, as a wrong query is.
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
	contains := is(m[2], "contains")
	c := condition{name: key(m[1]), not: m[2] == "!=", value: key(strings.Trim(m[3], "'"))}
	quoted := strings.HasPrefix(m[3], "'")
	if contains != (c.name == "categoryids") {
		return c, false
	}
	switch c.name {
	case "isinstalled", "ishidden", "isassigned", "browseonly", "rebootrequired", "ispresent", "autoselectonwebsites":
		return c, !c.not && !quoted && (c.value == "0" || c.value == "1")
	case "type":
		return c, quoted && (c.value == "software" || c.value == "driver")
	case "deploymentaction":
		return c, quoted && !c.not && (c.value == "installation" || c.value == "uninstallation" || c.value == "optionalinstallation")
	case "categoryids":
		return c, quoted && guidShape.MatchString(c.value)
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
	case "isinstalled", "ispresent":
		return truth(n.hasUpdate(u))
	case "autoselectonwebsites":
		return truth(u.autoSelected())
	case "deploymentaction":
		return "installation"
	case "categoryids":
		return categoryID(u.Category)
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

// categoryID is the id of a classification (WSUS, UpdateClassification: the ids are Microsoft's); no update is of one that the
// lab does not know.
func categoryID(name string) string {
	switch name {
	case "Security Updates":
		return "0fa1201d-4330-4fa8-8ae9-b877473b6441"
	case "Updates":
		return "cd5ffd1e-e932-4e3a-bf74-18bf0b1bbd83"
	case "Update Rollups":
		return "28bc880e-0592-4cbf-8f95-c79b17911d5f"
	case "Feature Packs":
		return "b54e7d24-7add-428f-8b75-90a396fa584f"
	case "Drivers":
		return "ebfc1fc5-71a4-4f7b-9aca-3b9a503104a0"
	}
	return ""
}
