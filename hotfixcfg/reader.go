package hotfixcfg

import (
	"slices"
	"strings"

	"cau/internal/fault"
)

// The element names of a hotfix configuration ("How CAU plug-ins work", Customize the hotfix
// configuration file).
const (
	elDefaultRules   = "DefaultRules"
	elExtensionRules = "ExtensionRules"
	elFolderRules    = "FolderRules"
	elExtension      = "Extension"
	elFolder         = "Folder"
	elTemplate       = "Template"
	elExit           = "ExitConditions"
	elSuccess        = "Success"
	elSuccessReboot  = "Success_RebootRequired"
	elFailReboot     = "Fail_RebootRequired"
	elAlready        = "AlreadyInstalled"
	elNotApplicable  = "NotApplicable"
)

// maxNotes bounds warnings, remarks and problems of one file, each: more tell an administrator nothing.
const maxNotes = 100

func conditionNames() []string {
	return []string{elSuccess, elSuccessReboot, elFailReboot, elAlready, elNotApplicable}
}

func elementNames() []string {
	return append([]string{elDefaultRules, elExtensionRules, elFolderRules, elExtension, elFolder, elTemplate, elExit}, conditionNames()...)
}

// reader turns one document into a Config. It descends into every element it does not know, so that
// a rule under a misspelt parent is an error and not lost. It goes on after a problem with the next
// thing that does not depend on it.
type reader struct {
	doc   *document
	cfg   Config
	lines map[string]int // of each rule, by kind and folded name
	// problems are in the order in which they were met; one means that the Config is worth nothing.
	problems []Error
	// places are where the rules of cfg stand, in the same order.
	places []*element
}

func readConfig(doc *document) *reader {
	r := &reader{doc: doc, lines: map[string]int{}}
	r.walk(doc.root, true)
	if len(r.cfg.Rules) == 0 && len(r.problems) == 0 {
		r.problem(doc.errorAt(doc.root.at, "no rule in this file: <%s> holds neither ExtensionRules with an Extension nor FolderRules with a Folder", printable(doc.root.tag)))
	}
	return r
}

// problem keeps err, if it is one, and tells whether there was none.
func (r *reader) problem(err *Error) (none bool) {
	if err != nil && len(r.problems) < maxNotes {
		r.problems = append(r.problems, *err)
	}
	return err == nil
}

// walk reads a frame element: the root, DefaultRules, a rule list, or one that is not known.
func (r *reader) walk(e *element, root bool) {
	switch e.name {
	case elExtensionRules:
		r.list(e, elExtension, ExtensionRule)
		return
	case elFolderRules:
		r.list(e, elFolder, FolderRule)
		return
	case elDefaultRules:
		r.problem(r.noText(e))
	default:
		if slices.Contains(elementNames(), e.name) {
			r.problem(r.doc.errorAt(e.at, "<%s> is out of place", e.name))
			return
		}
		for _, known := range elementNames() {
			if fold(known) == fold(e.name) {
				r.problem(r.doc.errorAt(e.at, "unknown element <%s>; did you mean <%s>?", printable(e.tag), known))
				return
			}
		}
		if !root {
			r.warn(e.at, "<%s> is not known and was read over", printable(e.tag))
		}
	}
	for _, c := range e.children {
		r.walk(c, false)
	}
}

func (r *reader) list(e *element, child string, kind Kind) {
	r.problem(r.noText(e))
	for _, c := range e.children {
		switch {
		case c.name == child:
			r.rule(c, kind)
		case nearest(c.name, []string{child}) != "":
			r.problem(r.doc.errorAt(c.at, "unknown element <%s>; did you mean <%s>?", printable(c.tag), child))
		default:
			r.walk(c, false)
		}
	}
}

func (r *reader) rule(e *element, kind Kind) {
	rule, before := Rule{Kind: kind}, len(r.problems)
	if !r.problem(r.ruleAttributes(e, &rule)) {
		// Without its name nothing else of the rule is worth a word.
		return
	}
	r.problem(r.noText(e))
	template, exit := r.ruleParts(e, rule.Name)
	if template != nil {
		r.problem(r.template(template, &rule))
	}
	if exit != nil {
		r.exitConditions(exit, &rule)
	}
	if len(r.problems) == before && len(r.problems) < maxNotes {
		r.remark(e, exit, rule)
		r.cfg.Rules, r.places = append(r.cfg.Rules, rule), append(r.places, e)
	}
}

// ruleParts finds the two elements that a rule must have, each once.
func (r *reader) ruleParts(e *element, name string) (template, exit *element) {
	for _, c := range e.children {
		slot := &template
		switch c.name {
		case elTemplate:
		case elExit:
			slot = &exit
		default:
			r.walk(c, false)
			continue
		}
		if *slot != nil {
			r.problem(r.doc.errorAt(c.at, "a second <%s> in rule %s", c.name, quoted(name)))
			continue
		}
		*slot = c
	}
	if template == nil {
		r.problem(r.doc.errorAt(e.at, "rule %s has no <Template>, so no path to install with", quoted(name)))
	}
	if exit == nil {
		r.problem(r.doc.errorAt(e.at, "rule %s has no <ExitConditions>, so no Success code", quoted(name)))
	}
	return template, exit
}

func (r *reader) ruleAttributes(e *element, rule *Rule) *Error {
	named := false
	for _, a := range e.attrs {
		switch {
		case strings.EqualFold(a.name, "name"):
			if named {
				return r.doc.errorAt(a.at, "the name stands twice in <%s>", e.name)
			}
			named = true
			if err := r.ruleName(a, rule); err != nil {
				return err
			}
		case strings.EqualFold(a.name, "alwaysReboot") && rule.Kind == FolderRule:
			set, ok := parseBool(a.text)
			if !ok {
				return r.doc.errorAt(a.at, "alwaysReboot is %s; it can be true or false", quoted(a.text))
			}
			rule.AlwaysReboot = set
		case strings.EqualFold(a.name, "alwaysReboot"):
			return r.doc.errorAt(a.at, "alwaysReboot belongs to <Folder>; for an extension list the code in Success_RebootRequired")
		default:
			return r.unknownAttribute(e, a, "name", "alwaysReboot")
		}
	}
	if !named {
		return r.doc.errorAt(e.at, "<%s> has no name", e.name)
	}
	return nil
}

func (r *reader) ruleName(a value, rule *Rule) *Error {
	name := strings.TrimSpace(a.text)
	if rule.Kind == ExtensionRule {
		name = strings.TrimPrefix(name, ".")
	}
	if why := nameFault(name); why != "" {
		return r.doc.errorAt(a.at, "the name %s cannot match a file or folder: %s", quoted(a.text), why)
	}
	if rule.Kind == ExtensionRule && strings.Contains(name, ".") {
		return r.doc.errorAt(a.at, "the name %s cannot match: a file's extension is what follows its last dot", quoted(a.text))
	}
	key := string(rule.Kind) + ":" + fold(name)
	if first, ok := r.lines[key]; ok {
		return r.doc.errorAt(a.at, "a second %s rule of the name %s; the first stands in line %d", rule.Kind, quoted(name), first)
	}
	r.lines[key] = r.doc.lineOf(a.at)
	rule.Name = name
	return nil
}

func (r *reader) template(e *element, rule *Rule) *Error {
	if err := r.noText(e); err != nil {
		return err
	}
	if len(e.children) > 0 {
		return r.doc.errorAt(e.children[0].at, "unknown element <%s> in Template, which has attributes only", printable(e.children[0].tag))
	}
	var path, parameters *value
	for i, a := range e.attrs {
		slot := &path
		switch {
		case strings.EqualFold(a.name, "path"):
		case strings.EqualFold(a.name, "parameters"):
			slot = &parameters
		default:
			return r.unknownAttribute(e, a, "path", "parameters")
		}
		if *slot != nil {
			return r.doc.errorAt(a.at, "the attribute %s stands twice in <Template>", quoted(a.name))
		}
		*slot = &e.attrs[i]
	}
	if path == nil || strings.TrimSpace(path.text) == "" {
		return r.doc.errorAt(e.at, "rule %s has a <Template> without path", quoted(rule.Name))
	}
	rule.Template.Path = strings.TrimSpace(path.text)
	if _, err := programOf(rule.Template.Path); err != nil {
		return r.doc.errorAt(path.at, "path %s: %s", quoted(rule.Template.Path), err)
	}
	if parameters != nil {
		rule.Template.Parameters = strings.TrimSpace(parameters.text)
		if _, err := CommandLine(*rule, sampleUpdate); err != nil {
			return r.doc.errorAt(parameters.at, "parameters: %s", err)
		}
		if namesShare(rule.Template.Parameters) {
			r.warn(parameters.at, "the parameters of rule %s name a file share; what lies there is not checked and not pinned", quoted(rule.Name))
		}
	}
	if !strings.Contains(rule.Template.Path+rule.Template.Parameters, placeholder) {
		r.warn(e.at, "rule %s never names the update (%s), so each update only starts the same program", quoted(rule.Name), placeholder)
	}
	return nil
}

func (r *reader) exitConditions(e *element, rule *Rule) {
	before := len(r.problems)
	r.problem(r.noText(e))
	seen := map[fault.Code]int{}
	add := func(condition string, codes []placedCode, err *Error) {
		if !r.problem(err) {
			return
		}
		list := rule.Exit.list(condition)
		for _, c := range codes {
			if first, ok := seen[c.code]; ok {
				r.problem(r.doc.errorAt(c.at, "exit code %d (%s) stands twice in rule %s; first in line %d", c.code.Int32(), c.code.Hex(), quoted(rule.Name), first))
				continue
			}
			seen[c.code] = r.doc.lineOf(c.at)
			*list = append(*list, c.code)
		}
	}
	for _, a := range e.attrs {
		if !slices.Contains(conditionNames(), a.name) {
			r.problem(r.unknownAttribute(e, a, conditionNames()...))
			continue
		}
		codes, err := r.readCodes(a)
		add(a.name, codes, err)
	}
	for _, c := range e.children {
		if !slices.Contains(conditionNames(), c.name) {
			r.problem(r.doc.errorAt(c.at, "unknown element <%s> in ExitConditions%s", printable(c.tag), hint(nearest(c.name, conditionNames()))))
			continue
		}
		codes, err := r.conditionCodes(c)
		add(c.name, codes, err)
	}
	if len(rule.Exit.Success) == 0 && len(r.problems) == before {
		r.problem(r.doc.errorAt(e.at, "rule %s lists no Success code; without one every installation would fail", quoted(rule.Name)))
	}
}

// conditionCodes collects the codes of a condition or of an element below it, in the order of the
// forms: attributes, text, children.
func (r *reader) conditionCodes(e *element) ([]placedCode, *Error) {
	var all []placedCode
	for _, a := range e.attrs {
		switch strings.ToLower(a.name) {
		case "code", "codes", "value", "values", "exitcode", "exitcodes":
			codes, err := r.readCodes(a)
			if err != nil {
				return nil, err
			}
			all = append(all, codes...)
		case "name", "description", "comment":
		default:
			return nil, r.unknownAttribute(e, a, "code", "value", "description")
		}
	}
	for _, t := range e.texts {
		codes, err := r.readCodes(t)
		if err != nil {
			return nil, err
		}
		all = append(all, codes...)
	}
	for _, c := range e.children {
		if slices.Contains(elementNames(), c.name) {
			return nil, r.doc.errorAt(c.at, "<%s> is out of place", c.name)
		}
		codes, err := r.conditionCodes(c)
		if err != nil {
			return nil, err
		}
		if len(codes) == 0 {
			return nil, r.doc.errorAt(c.at, "no exit code in <%s>", printable(c.tag))
		}
		all = append(all, codes...)
	}
	return all, nil
}

func (x *ExitConditions) list(condition string) *[]fault.Code {
	switch condition {
	case elSuccess:
		return &x.Success
	case elSuccessReboot:
		return &x.SuccessRebootRequired
	case elFailReboot:
		return &x.FailRebootRequired
	case elAlready:
		return &x.AlreadyInstalled
	default:
		return &x.NotApplicable
	}
}

func (r *reader) noText(e *element) *Error {
	if len(e.texts) == 0 {
		return nil
	}
	t := e.texts[0]
	return r.doc.errorAt(firstInk(t), "the text %s in <%s> means nothing", quoted(strings.TrimSpace(t.text)), printable(e.tag))
}

// unknownAttribute refuses: a misspelt alwaysReboot or parameters read over would change what is run.
func (r *reader) unknownAttribute(e *element, a value, known ...string) *Error {
	return r.doc.errorAt(a.at, "unknown attribute %s in <%s>%s", quoted(a.name), printable(e.tag), hint(nearest(a.name, known)))
}

func (r *reader) warn(at int, format string, args ...any) {
	if len(r.cfg.Warnings) == maxNotes {
		return
	}
	r.cfg.Warnings = append(r.cfg.Warnings, *r.doc.errorAt(at, format, args...))
}

func hint(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

func parseBool(s string) (set, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}
