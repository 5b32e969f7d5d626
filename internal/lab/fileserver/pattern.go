package fileserver

import (
	"strings"
	"unicode"
)

// matches tells whether a name fits a search pattern, without regard to case
// (MS-FSA 2.1.4.4). Besides * and ? there are the forms that old programs' patterns
// are rewritten to: < is a * that stops before the last dot, > a ? that may also
// stand for nothing before a dot or the end, " a dot or the end.
//
// Work is bounded by the product of the lengths, whatever the pattern.
func matches(pattern, name string) bool {
	n := []rune(name)
	lastDot := strings.LastIndexByte(name, '.')
	if lastDot >= 0 {
		lastDot = len([]rune(name[:lastDot]))
	}
	// reach[j] says that the pattern so far can have eaten j characters.
	reach := make([]bool, len(n)+1)
	reach[0] = true
	for _, c := range pattern {
		reach = advance(reach, c, n, lastDot)
	}
	return reach[len(n)]
}

func advance(reach []bool, c rune, n []rune, lastDot int) []bool {
	next := make([]bool, len(reach))
	for j, ok := range reach {
		if !ok {
			continue
		}
		atEnd := j == len(n)
		switch c {
		case '*':
			for k := j; k <= len(n); k++ {
				next[k] = true
			}
			return next
		case '<':
			stop := len(n)
			if lastDot >= j {
				stop = lastDot
			}
			for k := j; k <= stop; k++ {
				next[k] = true
			}
		case '?':
			if !atEnd {
				next[j+1] = true
			}
		case '>':
			if atEnd || n[j] == '.' {
				next[j] = true
			} else {
				next[j+1] = true
			}
		case '"':
			if atEnd {
				next[j] = true
			} else if n[j] == '.' {
				next[j+1] = true
			}
		default:
			if !atEnd && unicode.ToUpper(n[j]) == unicode.ToUpper(c) {
				next[j+1] = true
			}
		}
	}
	return next
}
