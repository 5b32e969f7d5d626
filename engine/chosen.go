package engine

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Takes tells whether OnlyNodes and SkipNodes let the node be taken, whatever there is to do on it. A node that is not
// taken gets nothing of the run, and still counts: as a vote, for the failure budget, and as one that must be up.
func (o Options) Takes(node string) bool { return o.notTaken(node) == "" }

// notTaken is why the options leave a node out, empty where they do not.
func (o Options) notTaken(node string) string {
	switch {
	case names(o.SkipNodes, node):
		return "SkipNodes names it."
	case len(o.OnlyNodes) > 0 && !names(o.OnlyNodes, node):
		return "OnlyNodes does not name it."
	}
	return ""
}

// choiceProblems looks at what the options choose of this cluster: a node at least, and sites that it has.
func (o Options) choiceProblems(v ClusterView) []error {
	var errs []error
	if len(v.Nodes) > 0 && !slices.ContainsFunc(v.Nodes, func(m MemberView) bool { return o.Takes(m.Name) }) {
		errs = append(errs, OptionError{"SkipNodes", "leaves no node to take"})
	}
	sites := v.sites()
	for _, site := range o.SiteAwareUpdatingOrder {
		switch {
		case names(sites, site):
		case len(sites) == 0:
			errs = append(errs, OptionError{"SiteAwareUpdatingOrder", "names " + site + ", and no node of the cluster is in a site"})
		default:
			errs = append(errs, OptionError{"SiteAwareUpdatingOrder", fmt.Sprintf("names %s, which is not a site of the cluster; its sites are %s", site, strings.Join(sites, ", "))})
		}
	}
	return errs
}

// sites are the names of the nodes' sites, each once, by name.
func (v *ClusterView) sites() []string {
	var out []string
	for _, m := range v.Nodes {
		if m.Site != "" && !names(out, m.Site) {
			out = append(out, m.Site)
		}
	}
	slices.Sort(out)
	return out
}

// orderNodes puts the nodes first that NodeOrder names, or those whose site SiteAwareUpdatingOrder names, in that order;
// then those with the fewest roles, then by name. The roles were counted once and are not counted again while the run moves
// them about (R14). last, the node that carries this very host, is the last one unless NodeOrder names it (R11).
func orderNodes(nodes []NodePlan, o Options, last string) {
	rank := func(n NodePlan) int {
		if i := place(o.NodeOrder, n.Name); i < len(o.NodeOrder) {
			return i
		}
		if last != "" && strings.EqualFold(n.Name, last) {
			return len(nodes) + len(o.NodeOrder) + len(o.SiteAwareUpdatingOrder)
		}
		return len(o.NodeOrder) + place(o.SiteAwareUpdatingOrder, n.Site)
	}
	slices.SortFunc(nodes, func(a, b NodePlan) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Roles, b.Roles), cmp.Compare(a.Name, b.Name))
	})
}

// place is where list names it, or behind the list's end.
func place(list []string, name string) int {
	if i := slices.IndexFunc(list, func(have string) bool { return strings.EqualFold(have, name) }); i >= 0 {
		return i
	}
	return len(list)
}
