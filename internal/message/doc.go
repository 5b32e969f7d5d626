// Package message holds every text that a user sees, by key.
//
//	cli, tui, app -> message   (imports engine's and check's names only as words; no I/O)
//
// English stands in Go, one file per part of the program. A language is a Texts value; its zero value
// is English. Names of options, arguments, cmdlets, files, rules, exit conditions and plug-ins are
// never translated.
package message
