package main_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowedImports is the house as a list of edges (docs/architecture.md): who may import whom among our own
// packages. A sub-package follows its parent's line unless it has one of its own. An edge that is not
// listed fails. internal/app is the only package that wires everything.
var allowedImports = map[string][]string{
	".":                              {"internal/app"},
	"internal/fault":                 {},
	"internal/check":                 {},
	"internal/message":               {},
	"internal/shellword":             {},
	"internal/journal":               {"internal/fault"},
	"internal/notify":                {},
	"internal/owngate":               {"internal/fault"},
	"internal/kerberos":              {"internal/fault"},
	"internal/wsman":                 {"internal/fault", "internal/kerberos"},
	"internal/winnode/agent":         {},
	"internal/lab":                   {"internal/lab/...", "internal/winnode/agent"},
	"internal/lab/ntlm":              {},
	"internal/lab/kerberos":          {},
	"internal/lab/spnego":            {"internal/lab/ntlm"},
	"internal/lab/fileserver":        {"internal/lab/ntlm", "internal/lab/spnego"},
	"hotfixcfg":                      {"internal/fault", "internal/check"},
	"smbcheck":                       {"smbcheck/descriptor", "internal/fault", "internal/check", "internal/kerberos", "internal/shellword"},
	"smbcheck/descriptor":            {},
	"plugins":                        {"internal/fault", "internal/check"},
	"plugins/hotfix":                 {"plugins", "hotfixcfg", "hotfixcfg/content", "smbcheck", "internal/fault", "internal/check"},
	"plugins/windowsupdate":          {"plugins", "plugins/windowsupdate/criteria", "internal/fault", "internal/check"},
	"plugins/windowsupdate/criteria": {},
	"plugins/rollingupgrade":         {"plugins", "internal/fault"},
	"plugins/external":               {"plugins", "smbcheck/descriptor", "internal/fault", "internal/check"},
	"engine":                         {"plugins", "internal/fault", "internal/check", "internal/shellword"},
	"internal/winnode":               {"internal/winnode/agent", "internal/wsman", "engine", "plugins", "internal/fault", "internal/check"},
	"internal/coordinator":           {"engine", "plugins", "internal/journal", "internal/message", "internal/fault", "internal/check"},
	"tui":                            {"tui/...", "engine", "plugins", "internal/message", "internal/fault", "internal/check"},
	"internal/cli":                   {"engine", "plugins", "plugins/windowsupdate/criteria", "internal/message", "internal/fault", "internal/check"},
	"internal/app":                   {"*"},
	"internal/sambatest":             {},
	"bench":                          {"bench/...", "internal/wsman", "internal/kerberos", "internal/winnode", "internal/lab", "internal/lab/...", "internal/coordinator", "internal/journal", "engine", "plugins", "smbcheck"},
	// Tests alone, of everything but the network.
	"chaos": {"engine", "plugins", "plugins/hotfix", "hotfixcfg", "smbcheck", "internal/coordinator", "internal/journal", "internal/check"},
	"e2e":   {"internal/check", "internal/cli", "smbcheck"}, // what the program prints, and roots made over SMB
}

// testEdges are what only tests may import beyond the list: real peers and the lab as a peer.
var testEdges = []string{"internal/shellword", "internal/check", "engine", "smbcheck/descriptor", "plugins", "internal/sambatest", "internal/lab/...", "internal/winnode/...", "internal/wsman", "internal/kerberos"}

func TestPackagesImportOnlyAlongTheListedEdges(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		from := local(p.ImportPath)
		rule, ok := ruleFor(from)
		if !ok {
			t.Errorf("%s has no line in the list of allowed imports", from)
			continue
		}
		for _, to := range p.Imports {
			if ours(to) && !allowed(rule, local(to)) {
				t.Errorf("%s imports %s", from, local(to))
			}
		}
		for _, to := range slices.Concat(p.TestImports, p.XTestImports) {
			if ours(to) && local(to) != from && !allowed(rule, local(to)) && !allowed(testEdges, local(to)) {
				t.Errorf("tests of %s import %s", from, local(to))
			}
		}
	}
}

func ours(path string) bool { return path == "cau" || strings.HasPrefix(path, "cau/") }

func local(path string) string {
	if path == "cau" {
		return "."
	}
	return strings.TrimPrefix(path, "cau/")
}

func ruleFor(pkg string) ([]string, bool) {
	for name := pkg; ; {
		if rule, ok := allowedImports[name]; ok {
			if name != pkg {
				rule = append(slices.Clone(rule), name)
			}
			return rule, true
		}
		cut := strings.LastIndex(name, "/")
		if cut < 0 {
			return nil, false
		}
		name = name[:cut]
	}
}

func allowed(rule []string, to string) bool {
	return slices.ContainsFunc(rule, func(r string) bool {
		family, whole := strings.CutSuffix(r, "/...")
		return r == "*" || r == to || whole && (to == family || strings.HasPrefix(to, family+"/"))
	})
}
