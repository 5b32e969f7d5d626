package hotfixcfg

// DefaultFileName is the configuration file's name where HotfixConfigFileName names no other.
const DefaultFileName = "DefaultHotfixConfig.xml"

// Bounds of a configuration file. Microsoft's own has three rules; these are far above any real one.
const (
	// MaxConfigBytes bounds the file, in bytes as they lie on the share.
	MaxConfigBytes = 1 << 20
	// MaxConfigDepth bounds how deep elements nest.
	MaxConfigDepth = 32
	// MaxConfigElements bounds how many elements there are.
	MaxConfigElements = 20_000
)

// Config is a hotfix configuration file, understood. The zero value has no rules and installs nothing.
type Config struct {
	// Rules stand in the order of the file. No two of one kind have the same name.
	Rules []Rule `json:"rules"`
	// Warnings are the places that were read over because they change no rule, and what an
	// administrator should look at again.
	Warnings []Error `json:"warnings,omitempty"`
	// Remarks are the places of rules that are right as they stand and do more than they seem to: an
	// installer that may restart the node itself, a folder after which the node always restarts.
	Remarks []Error `json:"remarks,omitempty"`
}

// Extension finds the rule for a file extension, given without its dot, in any case.
func (c *Config) Extension(ext string) (Rule, bool) { return c.find(ExtensionRule, ext) }

// Folder finds the rule for a sub-folder, in any case.
func (c *Config) Folder(name string) (Rule, bool) { return c.find(FolderRule, name) }

func (c *Config) find(kind Kind, name string) (Rule, bool) {
	if c == nil {
		return Rule{}, false
	}
	want := fold(name)
	for _, r := range c.Rules {
		if r.Kind == kind && fold(r.Name) == want {
			return r, true
		}
	}
	return Rule{}, false
}

// Parse reads a configuration file: UTF-8 with or without byte-order mark, or UTF-16 with one. Root
// element and namespace may be any; FolderRules stands inside or beside DefaultRules; exit codes are
// text lists, child elements or attributes, decimal or 0x hex, and the same 32 bits are the same code
// (R20). Whatever would change a rule and cannot be interpreted is an *Error with its place, never a
// rule silently dropped; so are a DTD, an entity of the file's own, and a file beyond the bounds.
func Parse(b []byte) (*Config, error) {
	cfg, problems := Validate(b)
	if len(problems) > 0 {
		return nil, &problems[0]
	}
	return cfg, nil
}

// Validate is Parse with every problem that can be told apart, in the order in which reading met
// them; the first is Parse's. A file that is no XML has one, a rule one for each of its parts. With
// a problem there is no Config.
func Validate(b []byte) (*Config, []Error) {
	doc, err := readDocument(b)
	if err != nil {
		return nil, []Error{*err}
	}
	r := readConfig(doc)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return &r.cfg, nil
}
