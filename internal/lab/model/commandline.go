package model

import "strings"

// variables are the environment of the SYSTEM account that command lines may name.
//
//nolint:gochecknoglobals // a constant table
var variables = map[string]string{
	"systemroot":   `C:\Windows`,
	"windir":       `C:\Windows`,
	"systemdrive":  `C:`,
	"programfiles": `C:\Program Files`,
	"programdata":  `C:\ProgramData`,
	"temp":         `C:\Windows\TEMP`,
	"tmp":          `C:\Windows\TEMP`,
	"comspec":      `C:\Windows\system32\cmd.exe`,
}

// expand replaces %NAME% where there is such a variable, as ExpandEnvironmentStrings does. own are the process's own
// variables, in lower case: %CAU_UPDATE% is the folder of the update that is being installed, %CAU_LOG% a file for
// the installer's log.
func expand(s string, own map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "%")
		if value, known := variable(name, own); closed && known {
			b.WriteString(value)
			s = after
			continue
		}
		// Not a variable: the percent sign stays, and the next one may begin a variable.
		b.WriteByte('%')
		s = rest
	}
}

func variable(name string, own map[string]string) (value string, known bool) {
	if value, known = own[strings.ToLower(name)]; known {
		return value, known
	}
	value, known = variables[strings.ToLower(name)]
	return value, known
}

// split takes a command line's parameters apart as CommandLineToArgvW does: white space separates outside
// of quotes, backslashes count only before a quote.
func split(s string) []string {
	var args []string
	var arg strings.Builder
	started, quoted := false, false
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\':
			n := 0
			for i < len(s) && s[i] == '\\' {
				n++
				i++
			}
			started = true
			if i < len(s) && s[i] == '"' {
				arg.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					arg.WriteByte('"')
					i++
				}
			} else {
				arg.WriteString(strings.Repeat(`\`, n))
			}
		case c == '"':
			started = true
			if quoted && i+1 < len(s) && s[i+1] == '"' {
				arg.WriteByte('"')
				i++
			}
			quoted = !quoted
			i++
		case (c == ' ' || c == '\t') && !quoted:
			if started {
				args = append(args, arg.String())
				arg.Reset()
				started = false
			}
			i++
		default:
			started = true
			arg.WriteByte(c)
			i++
		}
	}
	if started {
		args = append(args, arg.String())
	}
	return args
}
