package plugins

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is the type of an option's value.
type Kind string

// The kinds of option.
const (
	KindText Kind = "text"
	// KindPath is a folder: `\\server\share\root`.
	KindPath Kind = "path"
	// KindBool is True or False, as PowerShell prints them.
	KindBool Kind = "bool"
	// KindMinutes is a whole number of minutes between Min and Max.
	KindMinutes Kind = "minutes"
	// KindSecret is never shown, stored or logged (R04).
	KindSecret Kind = "secret"
)

// OptionSpec describes one argument of a plug-in. The wizard's page, the command line and validation
// are generated from it.
type OptionSpec struct {
	// Name is the argument's name as CAU spells it.
	Name string
	// Aliases are other documented spellings; names match without regard to case.
	Aliases  []string
	Kind     Kind
	Default  string
	Required bool
	// Min and Max bound KindMinutes.
	Min, Max int
	// Caption is the label on the wizard's page, in Microsoft's words where there are any.
	Caption string
	// Help is one or two sentences.
	Help string
}

// Argument is one name and value as the user gave it.
type Argument struct{ Name, Value string }

// Arguments are validated values by canonical name, defaults filled in.
type Arguments map[string]string

// Bool reads a KindBool argument.
func (a Arguments) Bool(name string) bool { return strings.EqualFold(a[name], "True") }

// Int reads a KindMinutes argument; 0 where there is none.
func (a Arguments) Int(name string) int {
	n, err := strconv.Atoi(a[name])
	if err != nil {
		return 0
	}
	return n
}

// ArgumentError is a problem with one argument, in words for its field.
type ArgumentError struct {
	Name    string
	Problem string
	Hint    string
	// Missing: the argument is required and was not given.
	Missing bool
	// Unknown: the plug-in takes no argument of that name.
	Unknown bool
	// At is where it stands in a text of arguments; zero where there was none. Inside counts characters from 1 within the
	// value, for a Plugin that knows where in it the problem is; 0 is the whole.
	At     Place
	Inside int
}

// Error is "Name: problem"; the place is for whoever has the text to show it in.
func (e ArgumentError) Error() string { return e.Name + ": " + e.Problem }

// ParseArgument splits "Name=Value"; the value may hold further equal signs and be empty.
func ParseArgument(s string) (Argument, error) {
	name, value, ok := strings.Cut(s, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		return Argument{}, ArgumentError{Name: s, Problem: "is not of the form Name=Value", Hint: `Write it as HotfixRootFolderPath=\\server\share\root.`}
	}
	return Argument{Name: name, Value: value}, nil
}

// ParsePluginArgument splits "Name=Value" or "PLUGIN:Name=Value"; plugin is empty where none is named.
func ParsePluginArgument(s string) (plugin string, a Argument, err error) {
	if a, err = ParseArgument(s); err != nil {
		return "", a, err
	}
	if i := strings.LastIndexByte(a.Name, ':'); i >= 0 {
		plugin, a.Name = strings.TrimSpace(a.Name[:i]), strings.TrimSpace(a.Name[i+1:])
		if plugin == "" || a.Name == "" {
			return "", a, ArgumentError{Name: s, Problem: "is not of the form PLUGIN:Name=Value", Hint: `Write it as Microsoft.HotfixPlugin:HotfixRootFolderPath=\\server\share\root.`}
		}
	}
	return plugin, a, nil
}

// Resolve matches what the user gave against the specs: canonical names, defaults, and every problem found.
func Resolve(specs []OptionSpec, given []Argument) (Arguments, []ArgumentError) {
	placed := make([]Placed, 0, len(given))
	for _, g := range given {
		placed = append(placed, Placed{Argument: g})
	}
	return ResolvePlaced(specs, placed)
}

// ResolvePlaced is Resolve for arguments with their places, which problems then have.
func ResolvePlaced(specs []OptionSpec, given []Placed) (Arguments, []ArgumentError) {
	out := make(Arguments, len(specs))
	var problems []ArgumentError
	seen := map[string]bool{}
	for _, g := range given {
		spec, ok := find(specs, g.Name)
		switch {
		case !ok:
			problems = append(problems, ArgumentError{Name: shortName(g.Name), Problem: "is not an argument of this plug-in", Hint: "It takes " + names(specs) + ".", Unknown: true, At: g.At})
			continue
		case seen[spec.Name]:
			problems = append(problems, ArgumentError{Name: spec.Name, Problem: "is given twice", At: g.At})
			continue
		}
		seen[spec.Name] = true
		value, problem := spec.parse(g.Value)
		if problem != "" {
			problems = append(problems, ArgumentError{Name: spec.Name, Problem: problem, Hint: spec.Help, At: g.ValueAt})
			continue
		}
		out[spec.Name] = value
	}
	for _, spec := range specs {
		if _, ok := out[spec.Name]; ok {
			continue
		}
		if spec.Required && !seen[spec.Name] {
			problems = append(problems, ArgumentError{Name: spec.Name, Problem: "is missing", Hint: spec.Help, Missing: true})
			continue
		}
		if spec.Default != "" {
			out[spec.Name] = spec.Default
		}
	}
	return out, problems
}

// CheckValue returns the problem with value for this option, or "".
func (s OptionSpec) CheckValue(value string) string {
	_, problem := s.parse(value)
	return problem
}

func (s OptionSpec) parse(value string) (canonical, problem string) {
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", "holds a control character"
	}
	if strings.TrimSpace(value) == "" {
		if s.Required {
			return "", "is empty"
		}
		return "", ""
	}
	switch s.Kind {
	case KindBool:
		switch {
		case strings.EqualFold(value, "true"):
			return "True", ""
		case strings.EqualFold(value, "false"):
			return "False", ""
		}
		return "", fmt.Sprintf("is %q; write True or False", value)
	case KindMinutes:
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if err != nil || n < s.Min || n > s.Max {
			return "", fmt.Sprintf("is %q; write whole minutes from %d to %d", value, s.Min, s.Max)
		}
		return strconv.Itoa(n), ""
	case KindText, KindPath, KindSecret:
	}
	return value, ""
}

// Takes tells whether one of the options has that name or spelling.
func Takes(specs []OptionSpec, name string) bool {
	_, ok := find(specs, name)
	return ok
}

func find(specs []OptionSpec, name string) (OptionSpec, bool) {
	for _, s := range specs {
		if strings.EqualFold(s.Name, name) {
			return s, true
		}
		for _, a := range s.Aliases {
			if strings.EqualFold(a, name) {
				return s, true
			}
		}
	}
	return OptionSpec{}, false
}

func names(specs []OptionSpec) string {
	list := make([]string, 0, len(specs))
	for _, s := range specs {
		list = append(list, s.Name)
	}
	return strings.Join(list, ", ")
}
