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
	doc, err := readDocument(b)
	if err != nil {
		return nil, err
	}
	return readConfig(doc)
}
