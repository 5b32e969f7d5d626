package app

import "cau/internal/cli"

// shownAround is how many lines that stay are shown before and after what changes.
const shownAround = 2

// difference is what makes one text another: the fewest lines that go and come, in order, with a few around them.
func difference(was, is []string) []cli.ConfigLine {
	head := 0
	for head < len(was) && head < len(is) && was[head] == is[head] {
		head++
	}
	tail := 0
	for tail < len(was)-head && tail < len(is)-head && was[len(was)-1-tail] == is[len(is)-1-tail] {
		tail++
	}
	marks := middle(was[head:len(was)-tail], is[head:len(is)-tail])
	for i := range marks {
		marks[i].Line += head
	}
	return around(marks, was, head, tail)
}

// maxTable bounds the memory for the comparison of two texts, in cells; beyond it all of the one goes and all of the other comes.
const maxTable = 4 << 20

// middle compares by the longest common subsequence.
func middle(was, is []string) []cli.ConfigLine {
	if (len(was)+1)*(len(is)+1) > maxTable {
		return steps(was, is, func(i, _ int) bool { return i < len(was) }, func(int, int) bool { return false })
	}
	width := len(is) + 1
	longest := make([]int32, (len(was)+1)*width)
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			if was[i] == is[j] {
				longest[i*width+j] = longest[(i+1)*width+j+1] + 1
			} else {
				longest[i*width+j] = max(longest[(i+1)*width+j], longest[i*width+j+1])
			}
		}
	}
	goes := func(i, j int) bool {
		return i < len(was) && (j == len(is) || longest[(i+1)*width+j] >= longest[i*width+j+1])
	}
	return steps(was, is, goes, func(i, j int) bool { return i < len(was) && j < len(is) && was[i] == is[j] })
}

func steps(was, is []string, goes, stays func(i, j int) bool) []cli.ConfigLine {
	var out []cli.ConfigLine
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case stays(i, j):
			out = append(out, cli.ConfigLine{Mark: " ", Line: i + 1, Text: was[i]})
			i, j = i+1, j+1
		case goes(i, j):
			out = append(out, cli.ConfigLine{Mark: "-", Line: i + 1, Text: was[i]})
			i++
		default:
			out = append(out, cli.ConfigLine{Mark: "+", Line: j + 1, Text: is[j]})
			j++
		}
	}
	return out
}

// around adds the lines before and after, and drops those in between that are far from any change.
func around(marks []cli.ConfigLine, was []string, head, tail int) []cli.ConfigLine {
	var all []cli.ConfigLine
	stays := func(i int) cli.ConfigLine { return cli.ConfigLine{Mark: " ", Line: i + 1, Text: was[i]} }
	for i := max(head-shownAround, 0); i < head; i++ {
		all = append(all, stays(i))
	}
	all = append(all, marks...)
	for i := len(was) - tail; i < min(len(was)-tail+shownAround, len(was)); i++ {
		all = append(all, stays(i))
	}
	near := func(at int) bool {
		for i := max(at-shownAround, 0); i <= min(at+shownAround, len(all)-1); i++ {
			if all[i].Mark != " " {
				return true
			}
		}
		return false
	}
	out := []cli.ConfigLine{}
	for i, l := range all {
		if near(i) {
			out = append(out, l)
		}
	}
	return out
}
