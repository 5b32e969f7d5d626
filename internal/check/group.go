package check

// Group is one line of a list of results: the passes of one check about several subjects together, everything
// else by itself.
type Group struct {
	Result
	// Subjects are those that passed alike; empty where the result has none.
	Subjects []string
}

// Grouped shortens a list for people. Only passes are put together: what needs attention keeps its own line.
func Grouped(results []Result) []Group {
	var out []Group
	for _, r := range results {
		if n := len(out); n > 0 && r.Outcome == Pass && out[n-1].Outcome == Pass && out[n-1].ID == r.ID && r.Subject != "" && len(out[n-1].Subjects) > 0 {
			out[n-1].Subjects = append(out[n-1].Subjects, r.Subject)
			if out[n-1].Evidence != r.Evidence {
				out[n-1].Evidence = ""
			}
			continue
		}
		g := Group{Result: r}
		if r.Subject != "" {
			g.Subjects = []string{r.Subject}
		}
		out = append(out, g)
	}
	return out
}
