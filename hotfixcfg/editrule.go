package hotfixcfg

import (
	"slices"
	"strings"
)

// change makes the rule at e, which says old, say rule.
func (f *editing) change(e *element, old, rule Rule) {
	template, exit := f.ruleParts(e, rule.Name)
	if old.AlwaysReboot != rule.AlwaysReboot {
		word := "false"
		if rule.AlwaysReboot {
			word = "true"
		}
		f.attribute(e, "alwaysReboot", word, "name")
	}
	if old.Template.Path != rule.Template.Path {
		f.attribute(template, "path", rule.Template.Path, "")
	}
	if old.Template.Parameters != rule.Template.Parameters {
		f.attribute(template, "parameters", rule.Template.Parameters, "path")
	}
	var added strings.Builder
	for _, condition := range conditionNames() {
		codes := *rule.Exit.list(condition)
		if !slices.Equal(*old.Exit.list(condition), codes) {
			f.condition(exit, condition, codesText(codes), &added)
		}
	}
	if added.Len() > 0 {
		f.insert(exit, added.String())
	}
}

// attribute sets an attribute, and puts a new one behind the one that is called after.
func (f *editing) attribute(e *element, name, value, after string) {
	behind := -1
	for _, a := range e.attrs {
		if strings.EqualFold(a.name, name) {
			f.replace(a.at, a.at+a.length, escaped(value))
			return
		}
		if strings.EqualFold(a.name, after) {
			behind = a.at + a.length + 1 // its closing quote
		}
	}
	if behind >= 0 {
		f.replace(behind, behind, " "+name+`="`+escaped(value)+`"`)
	}
}

// condition sets the codes of one condition. Where they stand in one list of plain text or one attribute, that is replaced; else
// all that says them is taken out, and added gets a new element.
func (f *editing) condition(exit *element, condition, codes string, added *strings.Builder) {
	var attrs []value
	var elements []*element
	for _, a := range exit.attrs {
		if a.name == condition {
			attrs = append(attrs, a)
		}
	}
	for _, c := range exit.children {
		if c.name == condition {
			elements = append(elements, c)
		}
	}
	if len(attrs) == 1 && len(elements) == 0 {
		f.replace(attrs[0].at, attrs[0].at+attrs[0].length, codes)
		return
	}
	if len(attrs) == 0 && len(elements) == 1 && codes != "" {
		if c := elements[0]; len(c.attrs) == 0 && c.shut > c.open && !strings.Contains(string(f.doc.text[c.open:c.shut]), "<") {
			inner := string(f.doc.text[c.open:c.shut])
			ink := strings.TrimSpace(inner)
			from := c.open + strings.Index(inner, ink)
			f.replace(from, from+len(ink), codes)
			return
		}
	}
	for _, a := range attrs {
		f.replace(a.at, a.at+a.length, "")
	}
	for _, c := range elements {
		f.drop(c)
	}
	if codes != "" {
		indent := f.newline + f.indent(exit) + f.step()
		tag := prefix(exit) + condition
		added.WriteString(indent + "<" + tag + ">" + codes + "</" + tag + ">")
	}
}

// insert puts text, which begins with a line end, behind the last child of e, or into e where there is none.
func (f *editing) insert(e *element, text string) {
	if n := len(e.children); n > 0 {
		f.replace(e.children[n-1].end, e.children[n-1].end, text)
		return
	}
	closing := f.newline + f.indent(e)
	if e.shut == e.open && f.doc.text[e.open-2] == '/' { // <e/>
		slash := f.spaceBefore(e.open - 2)
		f.replace(slash, e.open, ">"+text+closing+"</"+e.tag+">")
		return
	}
	if strings.Contains(string(f.doc.text[e.open:e.shut]), "\n") {
		closing = ""
	}
	f.replace(e.open, e.open, text+closing)
}

// add puts a new rule behind the last of its kind, in a new list where there is none.
func (f *editing) add(rule Rule) {
	listName, tag := elExtensionRules, elExtension
	if rule.Kind == FolderRule {
		listName, tag = elFolderRules, elFolder
	}
	if list := firstNamed(f.doc.root, listName); list != nil {
		indent := f.indent(list) + f.step()
		if n := len(list.children); n > 0 {
			indent = f.indent(list.children[n-1])
		}
		f.insert(list, f.newline+f.ruleText(rule, prefix(list)+tag, prefix(list), indent))
		return
	}
	parent := firstNamed(f.doc.root, elDefaultRules)
	if parent == nil {
		parent = f.doc.root
	}
	p, indent := prefix(parent), f.indent(parent)+f.step()
	f.insert(parent, f.newline+indent+"<"+p+listName+">"+f.newline+f.ruleText(rule, p+tag, p, indent+f.step())+f.newline+indent+"</"+p+listName+">")
}

// firstNamed finds an element by its name, in the order of the file.
func firstNamed(e *element, name string) *element {
	if e.name == name {
		return e
	}
	for _, c := range e.children {
		if found := firstNamed(c, name); found != nil {
			return found
		}
	}
	return nil
}

// ruleText writes a rule in our own form, with the file's prefix, indentation and line ends.
func (f *editing) ruleText(rule Rule, tag, p, indent string) string {
	step := f.step()
	lines := []string{indent + "<" + tag + ` name="` + escaped(rule.Name) + `"`}
	if rule.AlwaysReboot {
		lines[0] += ` alwaysReboot="true"`
	}
	lines[0] += ">"
	template := indent + step + "<" + p + elTemplate + ` path="` + escaped(rule.Template.Path) + `"`
	if rule.Template.Parameters != "" {
		template += ` parameters="` + escaped(rule.Template.Parameters) + `"`
	}
	lines = append(lines, template+"/>", indent+step+"<"+p+elExit+">")
	for _, condition := range conditionNames() {
		if codes := *rule.Exit.list(condition); len(codes) > 0 {
			lines = append(lines, indent+step+step+"<"+p+condition+">"+codesText(codes)+"</"+p+condition+">")
		}
	}
	lines = append(lines, indent+step+"</"+p+elExit+">", indent+"</"+tag+">")
	return strings.Join(lines, f.newline)
}
