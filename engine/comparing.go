package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// At the run's end the nodes are asked for their builds and for what is installed, and the differences are said (R08).
// Nothing is decided by that: a node that does not answer is named, and the run ends as it ends.

const (
	// comparePatience bounds the whole comparison, in the run's time.
	comparePatience = 2 * time.Minute
	// mostDifferences bounds how many differing updates a fact holds.
	mostDifferences = 100
)

// InstalledView is what a node has.
type InstalledView struct {
	// Build is the build of Windows: "10.0.20348.2700".
	Build string `json:"build"`
	// Updates are the ids of what is installed, as Win32_QuickFixEngineering has them ("KB5031364"). It does not list
	// updates of other products, nor what an .msi or .exe installed.
	Updates []string `json:"updates"`
}

// Comparison is what the nodes have and what some of them do not have.
type Comparison struct {
	// Builds are the builds of the nodes that answered, by build; more than one is a difference.
	Builds []BuildOn `json:"builds,omitempty"`
	// Updates are those that are on some of the nodes that answered, and not on all. More is how many are left out.
	Updates []UpdateOn `json:"updates,omitempty"`
	More    int        `json:"more,omitempty"`
	// Unanswered are the nodes that could not be compared.
	Unanswered []UnansweredNode `json:"unanswered,omitempty"`
}

// BuildOn is a build and the nodes that have it.
type BuildOn struct {
	Build string   `json:"build"`
	Nodes []string `json:"nodes"`
}

// UpdateOn is an update that not all nodes have.
type UpdateOn struct {
	ID     string   `json:"id"`
	On     []string `json:"on"`
	Absent []string `json:"absent"`
}

// UnansweredNode is a node that did not say what it has, and why.
type UnansweredNode struct {
	Node string `json:"node"`
	Why  string `json:"why"`
}

// compare asks all nodes of the plan side by side and records what differs, once per run. It fails only when ctx ends or
// nothing can be recorded.
func (r *run) compare(ctx context.Context) error {
	r.mu.Lock()
	done := r.state.Compared != nil
	r.mu.Unlock()
	if done || len(r.Plan.Nodes) == 0 {
		return nil
	}
	limited, cancel := context.WithCancel(ctx)
	var timer sync.WaitGroup
	defer timer.Wait()
	defer cancel()
	timer.Go(func() {
		defer cancel()
		_ = r.Clock.Sleep(limited, comparePatience) // its end is the limit, whatever ended it
	})
	answers := r.installedEverywhere(limited)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c := compared(answers)
	return r.record(Fact{Kind: FactRunCompared, Data: FactData{Compared: &c}})
}

// installedEverywhere asks at most observedAtOnce nodes at the same time. One that has not answered when the limit is over
// is not waited for: what it says then is not looked at.
func (r *run) installedEverywhere(ctx context.Context) map[string]Answer[InstalledView] {
	queue := make(chan string, len(r.Plan.Nodes))
	for _, np := range r.Plan.Nodes {
		queue <- np.Name
	}
	close(queue)
	var mu sync.Mutex
	answers := map[string]Answer[InstalledView]{}
	var workers sync.WaitGroup
	for range min(observedAtOnce, len(r.Plan.Nodes)) {
		workers.Go(func() {
			for name := range queue {
				a := Answer[InstalledView]{Err: errNoTime}
				if ctx.Err() == nil {
					a = ask(ctx, func() (InstalledView, error) { return r.Nodes(name).Installed(ctx) })
				}
				if !a.Known && ctx.Err() != nil {
					a.Err = errNoTime
				}
				mu.Lock()
				answers[name] = a
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return answers
}

var errNoTime = &notYetError{"it did not answer within " + comparePatience.String()}

// compared finds what differs between those that answered.
func compared(answers map[string]Answer[InstalledView]) Comparison {
	var c Comparison
	builds, on := map[string][]string{}, map[string]map[string]bool{}
	var known []string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		a := answers[name]
		if !a.Known {
			c.Unanswered = append(c.Unanswered, UnansweredNode{name, sentence(a.problem())})
			continue
		}
		known = append(known, name)
		builds[a.Value.Build] = append(builds[a.Value.Build], name)
		for _, id := range a.Value.Updates {
			id = strings.ToUpper(id)
			if on[id] == nil {
				on[id] = map[string]bool{}
			}
			on[id][name] = true
		}
	}
	for _, build := range slices.Sorted(maps.Keys(builds)) {
		c.Builds = append(c.Builds, BuildOn{build, builds[build]})
	}
	for _, id := range slices.Sorted(maps.Keys(on)) {
		if len(on[id]) == len(known) {
			continue
		}
		if len(c.Updates) == mostDifferences {
			c.More++
			continue
		}
		u := UpdateOn{ID: id}
		for _, name := range known {
			if on[id][name] {
				u.On = append(u.On, name)
			} else {
				u.Absent = append(u.Absent, name)
			}
		}
		c.Updates = append(c.Updates, u)
	}
	slices.SortStableFunc(c.Builds, func(a, b BuildOn) int { return cmp.Compare(len(b.Nodes), len(a.Nodes)) })
	return c
}

// Lines says what was found, one sentence for each difference, or that there is none.
func (c *Comparison) Lines() []string {
	var lines []string
	if len(c.Builds) > 1 {
		var each []string
		for _, b := range c.Builds {
			each = append(each, orElse(b.Build, "no build")+" on "+strings.Join(b.Nodes, ", "))
		}
		lines = append(lines, "Builds differ: "+strings.Join(each, "; ")+".")
	}
	for _, u := range c.Updates {
		lines = append(lines, u.ID+" is on "+firstOf(u.On)+" and not on "+firstOf(u.Absent)+".")
	}
	if c.More > 0 {
		lines = append(lines, plural(c.More, "more update differs.", "more updates differ."))
	}
	for _, u := range c.Unanswered {
		lines = append(lines, u.Node+" could not be compared: "+u.Why)
	}
	if len(lines) == 0 {
		lines = append(lines, "All nodes have the same build and the same updates.")
	}
	return lines
}
