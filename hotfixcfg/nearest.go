package hotfixcfg

// nearest finds the one name that s was probably meant to be, or "" where none is near or several
// are equally near: NODE5 among NODE1 to NODE4 is another node, not a slip of the finger.
func nearest(s string, names []string) string {
	best, found, tie := 0, "", false
	for _, name := range names {
		a, b := []rune(fold(s)), []rune(fold(name))
		if len(a) > longestNear || len(b) > longestNear {
			continue
		}
		most := max(1, max(len(a), len(b))/3)
		if len(a)-len(b) > most || len(b)-len(a) > most {
			continue
		}
		d := distance(a, b)
		switch {
		case d > most:
		case found == "" || d < best:
			best, found, tie = d, name, false
		case d == best && fold(name) != fold(found):
			tie = true
		}
	}
	if tie {
		return ""
	}
	return found
}

// longestNear bounds the work for one comparison, which grows with the square of the length.
const longestNear = 64

// distance counts the insertions, deletions, replacements and swaps of neighbours between a and b.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
