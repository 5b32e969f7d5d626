// Package shellword makes one word of a text for a shell, so that what came from outside can stand in a command that people
// copy (R33).
//
//	engine, smbcheck -> shellword (pure)
package shellword

import "strings"

const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-"

// POSIX makes s one word of a POSIX shell (XCU 2.2.2: nothing is special inside single quotes).
func POSIX(s string) string {
	if s != "" && strings.Trim(s, plainInShell) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// PowerShell makes s one single-quoted string. PowerShell takes the typographic single quotes for quotes as well, so each of
// them is doubled (about_Quoting_Rules, and the language specification 2.3.5.2).
func PowerShell(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		if strings.ContainsRune("'\u2018\u2019\u201a\u201b", r) {
			b.WriteRune(r)
		}
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}
