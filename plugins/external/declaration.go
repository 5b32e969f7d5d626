package external

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cau/plugins"
)

// Capability is something a plug-in may ask for on a node. It is declared, shown before it is confirmed, and enforced.
type Capability string

// Capabilities are all that there are: what is done as SYSTEM, and while the plug-in scans a node, brings an update to it, or
// installs one. A scan writes nothing, and programs are started only while the node is out of service.
func Capabilities() []Capability {
	return []Capability{
		"script:scan", "script:stage", "script:install", "program:install", "read:stage", "read:install", "write:stage", "write:install",
		"read-anywhere:scan", "read-anywhere:stage", "read-anywhere:install",
	}
}

// capability is what an act needs in a request.
func capability(act, request string) Capability { return Capability(act + ":" + request) }

// Declaration is what a plug-in says of itself.
type Declaration struct {
	Type         kind         `json:"type"`
	Protocol     int          `json:"protocol"`
	Name         string       `json:"name"`
	Version      string       `json:"version"`
	Description  string       `json:"description"`
	Options      []Option     `json:"options"`
	Capabilities []Capability `json:"capabilities"`
}

// Option is one argument that the plug-in takes; see plugins.OptionSpec.
type Option struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Default  string `json:"default,omitempty"`
	Required bool   `json:"required,omitempty"`
	Min      int    `json:"min,omitempty"`
	Max      int    `json:"max,omitempty"`
	Caption  string `json:"caption,omitempty"`
	Help     string `json:"help,omitempty"`
}

var (
	nameShape    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)+$`)
	versionShape = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$`)
	optionShape  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,59}$`)
	idShape      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
)

const maxOptions = 50

// check finds the first thing that is wrong with a declaration.
func (d *Declaration) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: describe: %s", ErrProtocol, fmt.Sprintf(format, args...))
	}
	switch {
	case d.Protocol != Protocol:
		return fail("it speaks version %d of the protocol, and this program version %d", d.Protocol, Protocol)
	case len(d.Name) > 80 || !nameShape.MatchString(d.Name):
		return fail("the name %q is not of the form Maker.Plugin, letters and digits, at most 80 characters", cut(d.Name, 80))
	case reserved(d.Name):
		return fail("the name %s is reserved: names of Microsoft are for the plug-ins of CAU", d.Name)
	case !versionShape.MatchString(d.Version):
		return fail("the version %q is not 1 to 40 letters, digits, dots, plus and minus signs", cut(d.Version, 40))
	case plainText(d.Description) != "":
		return fail("the description %s", plainText(d.Description))
	case len(d.Options) > maxOptions:
		return fail("it has more than %d options", maxOptions)
	}
	seen := map[string]bool{}
	for _, o := range d.Options {
		if problem := o.problem(); problem != "" {
			return fail("option %q %s", cut(o.Name, 60), problem)
		}
		if seen[strings.ToLower(o.Name)] {
			return fail("option %s comes twice", o.Name)
		}
		seen[strings.ToLower(o.Name)] = true
	}
	for i, c := range d.Capabilities {
		switch {
		case !slices.Contains(Capabilities(), c):
			return fail("there is no capability %q", cut(string(c), 40))
		case slices.Contains(d.Capabilities[:i], c):
			return fail("capability %s comes twice", c)
		}
	}
	return nil
}

// reserved tells names that nobody else's plug-in may have.
func reserved(name string) bool {
	maker, _, _ := strings.Cut(name, ".")
	return strings.EqualFold(maker, "Microsoft") || strings.EqualFold(maker, "cau")
}

func (o Option) problem() string {
	switch k := plugins.Kind(o.Kind); {
	case !optionShape.MatchString(o.Name):
		return "is not 1 to 60 letters and digits that begin with a letter"
	case k == plugins.KindSecret:
		return "is a secret; a plug-in gets no secrets"
	case k != plugins.KindText && k != plugins.KindPath && k != plugins.KindBool && k != plugins.KindMinutes:
		return fmt.Sprintf("has the kind %q; there are text, path, bool and minutes", cut(o.Kind, 40))
	case k == plugins.KindMinutes && (o.Min < 0 || o.Max < o.Min || o.Max > 100_000):
		return "has bounds that no number of minutes fits"
	case o.Required && o.Default != "":
		return "is required and has a default"
	}
	for _, text := range []string{o.Default, o.Caption, o.Help} {
		if problem := plainText(text); problem != "" && text != "" {
			return problem
		}
	}
	if o.Default != "" {
		if problem := o.spec().CheckValue(o.Default); problem != "" {
			return "has a default that " + problem
		}
	}
	return ""
}

func (o Option) spec() plugins.OptionSpec {
	return plugins.OptionSpec{Name: o.Name, Kind: plugins.Kind(o.Kind), Default: o.Default, Required: o.Required, Min: o.Min, Max: o.Max, Caption: o.Caption, Help: o.Help}
}

// plainText is what is wrong with a text that people are to read on one line; empty where nothing is.
func plainText(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is empty"
	case len([]rune(s)) > maxText:
		return fmt.Sprintf("has more than %d characters", maxText)
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return "holds a control character"
	}
	return ""
}
