package hotfixcfg

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// placeholder stands for the update's full path on the node.
const placeholder = "$update$"

// sampleUpdate is a path like the ones a node really gets; a template is tried on it when it is read.
const sampleUpdate = `C:\Program Files\cau\sample update.msu`

// programOf resolves a template's path (R09): a bare name lies in %SystemRoot%\System32; a full path
// stays as it is, environment variables included, because only the node knows their values; $update$
// stays. Everything that could be read relative to a current folder, or that names a share, is refused.
func programOf(path string) (string, error) {
	if n := len(path); n >= 2 && path[0] == '"' && path[n-1] == '"' {
		path = path[1 : n-1]
	}
	if path == placeholder {
		return path, nil
	}
	if strings.Contains(path, "$") && strings.Contains(fold(path), fold(placeholder)) {
		return "", fmt.Errorf("it must be %s alone, in lower case, or not contain it", placeholder)
	}
	path = strings.ReplaceAll(path, "/", `\`)
	if strings.HasPrefix(path, `\\`) {
		return "", fmt.Errorf("a path on a file share or in the device namespace is refused; only %s may lie on the share", placeholder)
	}
	root, rest := splitRoot(path)
	if root == "" && !strings.Contains(path, `\`) {
		if why := nameFault(path); why != "" {
			return "", errors.New(why)
		}
		if strings.Contains(path, "%") {
			return "", errors.New("a variable must be followed by a backslash")
		}
		return `%SystemRoot%\System32\` + path, nil
	}
	if root == "" {
		return "", errors.New("it is neither a full path nor a bare name; it would depend on the current folder")
	}
	if rest == "" && root[0] != '%' {
		return "", errors.New("it names a drive, not a program")
	}
	if rest != "" {
		for _, part := range strings.Split(rest, `\`) {
			if why := nameFault(part); why != "" {
				return "", errors.New(why)
			}
		}
		return root + `\` + rest, nil
	}
	return root, nil
}

// splitRoot cuts a drive (C:) or a leading environment variable (%ProgramFiles%) off a path. Root is
// "" where the path begins with neither; rest has no leading backslash.
func splitRoot(path string) (root, rest string) {
	switch {
	case len(path) >= 3 && isLetter(path[0]) && path[1] == ':' && path[2] == '\\':
		return path[:2], path[3:]
	case strings.HasPrefix(path, "%"):
		end := strings.IndexByte(path[1:], '%') + 1
		if end < 2 || strings.Trim(path[1:end], variableChars) != "" {
			return "", ""
		}
		root, rest = path[:end+1], path[end+1:]
		if rest == "" {
			return root, ""
		}
		if cut, ok := strings.CutPrefix(rest, `\`); ok && cut != "" {
			return root, cut
		}
	}
	return "", ""
}

// variableChars are the characters of the environment variables that Windows itself defines.
const variableChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_()"

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// namesShare tells whether text holds a UNC path.
func namesShare(text string) bool {
	return regexp.MustCompile(`(^|[^\\])\\\\[^\\"\s]+\\`).MatchString(text)
}
