package content

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FromName reads what an update's file name says: "windows10.0-kb5031234-x64_0123abcd.msu" is KB5031234 for
// windows10.0 on x64. What stands before a KB number is the product.
func FromName(name string) About {
	base := name[strings.LastIndexAny(name, `\/`)+1:]
	if dot := strings.LastIndexByte(base, '.'); dot > 0 {
		base = base[:dot]
	}
	about := About{Source: Name, KB: articleIn(base), Architecture: architectureIn(base)}
	if at := articleAt(base); at != nil {
		about.Product = line(strings.Trim(base[:at[0]], "-_ ."))
	}
	return about
}

// article matches the number of a knowledge base article; today's have seven digits.
func article() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(kb[ -]?([0-9]{6,8}))(?:[^0-9]|$)`)
}

// articleIn finds an article's number in text, as "KB5031234".
func articleIn(text string) string {
	if m := article().FindStringSubmatch(text); m != nil {
		return "KB" + m[2]
	}
	return ""
}

func articleAt(text string) []int {
	if m := article().FindStringSubmatchIndex(text); m != nil {
		return m[2:4]
	}
	return nil
}

// architectureIn finds the last word in text that is an architecture.
func architectureIn(text string) string {
	found := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if a := architecture(word); a != "" {
			found = a
		}
	}
	return found
}

// architecture is one spelling for the several that packages use: the Template property of Windows Installer,
// the properties of an .msu, and file names.
func architecture(word string) string {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "x64", "amd64":
		return "x64"
	case "x86", "intel", "i386":
		return "x86"
	case "arm64":
		return "arm64"
	case "arm":
		return "arm"
	case "ia64", "intel64":
		return "ia64"
	}
	return ""
}

// maxLine bounds one part of a description, in bytes.
const maxLine = 200

// line makes one short line of printable characters of what a file says of itself (R33).
func line(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		switch {
		case r == utf8.RuneError || !unicode.IsGraphic(r):
			r = '?'
		case b.Len()+utf8.RuneLen(r) > maxLine-3:
			return b.String() + "..."
		}
		b.WriteRune(r)
	}
	return b.String()
}

// printable is line for text that is mostly ours.
func printable(s string) string { return line(s) }
