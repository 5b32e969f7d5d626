package model

import (
	"regexp"
	"strings"
)

var (
	nameShape   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)
	deviceShape = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

// validName admits what may be one folder's name: run, update and job ids.
func validName(s string) bool { return nameShape.MatchString(s) && !deviceShape.MatchString(s) }

func errName() error {
	return &refusal{"refused", "a run, update or job id is not made of a-z, 0-9 and -"}
}

// validRelative admits a path below a folder, with backslashes: no drive, no stream, no way up, no device.
func validRelative(p string) bool {
	for _, name := range strings.Split(p, `\`) {
		bad := name == "" || strings.Trim(name, ".") == "" || strings.ContainsAny(name, `<>:"/|?*`) ||
			strings.HasSuffix(name, " ") || strings.HasSuffix(name, ".") || deviceShape.MatchString(name)
		if bad || strings.IndexFunc(name, func(r rune) bool { return r < ' ' }) >= 0 {
			return false
		}
	}
	return true
}

// key is how a path is found on a disk that ignores case.
func key(path string) string { return strings.ToLower(path) }
