package kerberos

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of a krb5.conf with everything that it includes.
const (
	maxConfBytes = 256 << 10
	maxConfFiles = 64
	maxConfDepth = 4
)

// krb5conf is what we take from a krb5.conf: the default realm, where KDCs are, the default cache, and which
// encryption types are permitted. Everything else in it is for other programs.
type krb5conf struct {
	defaultRealm string
	cache        string
	noDNS        bool
	permitted    []string
	kdcs         map[string][]string // by realm, in order
}

// readConf reads path with its includes. A file that is not there is an error only when it was asked for.
func readConf(path string, asked bool) (krb5conf, error) {
	c := krb5conf{kdcs: map[string][]string{}}
	p := &confParser{conf: &c, root: map[string]bool{}}
	for _, file := range filepath.SplitList(path) {
		err := p.file(file, 0)
		if errors.Is(err, fs.ErrNotExist) && !asked {
			continue
		}
		if err != nil {
			return c, fmt.Errorf("%s: %w", file, err)
		}
	}
	return c, nil
}

// confParser walks the profile format of MIT krb5 ("krb5.conf").
type confParser struct {
	conf         *krb5conf
	root         map[string]bool // values that were set: the first one counts
	files, bytes int

	section, block string
	depth          int
}

func (p *confParser) file(path string, depth int) error {
	if p.files++; p.files > maxConfFiles || depth > maxConfDepth {
		return errors.New("too many includes")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxConfBytes+1))
	if err != nil {
		return err
	}
	if p.bytes += len(b); p.bytes > maxConfBytes {
		return errors.New("the configuration is too large")
	}
	p.section, p.block, p.depth = "", "", 0
	for number, line := range strings.Split(string(b), "\n") {
		if err := p.line(strings.TrimSpace(line), depth); err != nil {
			return fmt.Errorf("line %d: %w", number+1, err)
		}
	}
	return nil
}

func (p *confParser) line(line string, depth int) error {
	if line == "" || line[0] == '#' || line[0] == ';' {
		return nil
	}
	if word, rest, ok := strings.Cut(line, " "); ok && p.depth == 0 {
		switch rest = strings.TrimSpace(rest); word {
		case "include":
			return p.included([]string{rest}, depth)
		case "includedir":
			return p.directory(rest, depth)
		case "module":
			return nil
		}
	}
	if line[0] == '[' {
		name, _, ok := strings.Cut(line[1:], "]")
		if !ok {
			return errors.New("a section has no end")
		}
		p.section, p.block, p.depth = strings.ToLower(name), "", 0
		return nil
	}
	if line[0] == '}' {
		if p.depth--; p.depth < 0 {
			return errors.New("a bracket ends that never began")
		}
		return nil
	}
	name, value, ok := strings.Cut(line, "=")
	if !ok {
		return nil // other programs' business
	}
	name, value = strings.TrimRight(strings.TrimSpace(name), "*"), strings.TrimSpace(value)
	if inner, ok := strings.CutPrefix(value, "{"); ok {
		if p.depth++; p.depth == 1 {
			p.block = name
		}
		inner = strings.TrimSpace(inner)
		if rest, closed := strings.CutSuffix(inner, "}"); closed {
			p.depth--
			inner = strings.TrimSpace(rest)
			if k, v, ok := strings.Cut(inner, "="); ok {
				p.set(strings.TrimSpace(k), strings.TrimSpace(v), 1)
			}
		}
		return nil
	}
	p.set(name, value, p.depth)
	return nil
}

// set takes one value that stands at depth.
func (p *confParser) set(name, value string, depth int) {
	value = strings.Trim(value, `"`)
	switch {
	case p.section == "libdefaults" && depth == 0:
		name = strings.ToLower(name)
		if p.root[name] {
			return
		}
		p.root[name] = true
		switch name {
		case "default_realm":
			p.conf.defaultRealm = value
		case "default_ccache_name":
			p.conf.cache = value
		case "dns_lookup_kdc":
			p.conf.noDNS = slices.Contains([]string{"false", "no", "n", "f", "off", "0", "nil"}, strings.ToLower(value))
		case "permitted_enctypes":
			p.conf.permitted = strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
		}
	case p.section == "realms" && depth == 1 && name == "kdc":
		p.conf.kdcs[p.block] = append(p.conf.kdcs[p.block], strings.TrimRight(value, "* "))
	}
}

func (p *confParser) included(files []string, depth int) error {
	for _, f := range files {
		before := *p
		if err := p.file(f, depth+1); err != nil {
			return fmt.Errorf("include %s: %w", f, err)
		}
		p.section, p.block, p.depth = before.section, before.block, before.depth
	}
	return nil
}

// directory includes the files whose names MIT krb5 would take: letters, digits, dash, underscore, or *.conf.
func (p *confParser) directory(dir string, depth int) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var files []string
	for _, e := range entries {
		plain := !strings.ContainsFunc(e.Name(), func(r rune) bool {
			return r == '.' || r == '@' || r == '/' || !isPlain(r)
		})
		if plain || strings.HasSuffix(e.Name(), ".conf") && e.Name()[0] != '.' {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return p.included(files, depth)
}
