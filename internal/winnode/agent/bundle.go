package agent

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"path"
	"strings"
	"sync"
)

// The scripts, as they lie in this folder. The bundle is made of them and of nothing else.
//
//go:embed boot/*.ps1 prelude/*.ps1 ops/*.ps1 jobs/*.ps1 main.ps1
var scripts embed.FS

// bundle is built once; what it is built from is constant.
//
//nolint:gochecknoglobals // never written after
var bundle = sync.OnceValues(func() (text []byte, sum string) {
	text = build()
	h := sha256.Sum256(text)
	return text, hex.EncodeToString(h[:])
})

// Bundle is the one text that a node runs operations from: ASCII, lines ended by LF, the same bytes in
// every build of the same sources on every platform. The caller owns the slice.
func Bundle() []byte {
	text, _ := bundle()
	return bytes.Clone(text)
}

// BundleSHA256 is the hash of Bundle in lower-case hex. It names the bundle on the node.
func BundleSHA256() string {
	_, sum := bundle()
	return sum
}

// build puts the scripts together: parameters, functions, the loader that jobs start with, operations and
// jobs as script blocks by name, and last the part that calls one of them.
func build() []byte {
	var b strings.Builder
	b.WriteString("# cau: what runs on a node. Checked by its SHA-256 before every use; see the cau documentation.\n")
	b.WriteString("param([string]$CauSha256, [string]$CauVerb, [string]$CauArgument, [string[]]$CauLines)\n")
	for _, s := range scriptsIn("prelude") {
		b.WriteString(s.text)
	}
	// A here-string ends at a line that starts with '@; no loader has one, and a test keeps it so.
	b.WriteString("$CauLoader = @'\n" + compact(script("boot/run.ps1")) + "'@\n")
	for _, table := range []struct{ folder, variable string }{{"ops", "$CauOperations"}, {"jobs", "$CauJobs"}} {
		b.WriteString(table.variable + " = @{}\n")
		for _, s := range scriptsIn(table.folder) {
			b.WriteString(table.variable + "['" + s.name + "'] = {\n" + s.text + "}\n")
		}
	}
	b.WriteString(script("main.ps1"))
	return []byte(b.String())
}

type namedScript struct{ name, text string }

// scriptsIn are a folder's scripts in the order of their names.
func scriptsIn(folder string) []namedScript {
	entries, err := scripts.ReadDir(folder)
	if err != nil {
		return nil // the folders are embedded; TestBundle... would fail
	}
	out := make([]namedScript, 0, len(entries))
	for _, e := range entries {
		out = append(out, namedScript{strings.TrimSuffix(e.Name(), ".ps1"), script(path.Join(folder, e.Name()))})
	}
	return out
}

// script is one script with LF line ends, whatever the checkout made of them.
func script(name string) string {
	text, err := scripts.ReadFile(name)
	if err != nil {
		return ""
	}
	s := strings.ReplaceAll(string(text), "\r\n", "\n")
	if !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return s
}

// compact drops comments and indentation, which a command line has no room for.
func compact(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
