package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
	"cau/plugins"
)

// What signs in may end while a run goes on: a ticket expires, an account is locked. No node is begun that the
// credential may not see through, and none that was begun is given up because of it (R05).

const (
	// credentialPoll is how often a run that is held for its credential looks at it again.
	credentialPoll = time.Minute
	// credentialMargin is what a node takes beside its limits: the gate, storage maintenance, roles that come to rest.
	credentialMargin = 15 * time.Minute
	// credentialPatience is how long a step that was begun waits for a credential that works again, beyond its own limit.
	credentialPatience = 2 * time.Hour
	// unknownLimit is counted for an update that says no limit, as those of older plans.
	unknownLimit = time.Hour
)

// NodeLimit is what one node with these updates may take at most: scripts, drain, installers and restarts up to their
// limits, and a margin. A run begins no node that its credential may not outlast (R05).
func NodeLimit(o Options, updates []plugins.Update) time.Duration {
	minutes := o.DrainTimeoutMinutes + (restartLimit+separateRestarts(o, updates))*o.RebootTimeoutMinutes
	for _, path := range []string{o.PreUpdateScript, o.PostUpdateScript} {
		if path != "" {
			minutes += o.ScriptTimeoutMinutes
		}
	}
	most := credentialMargin + time.Duration(minutes)*time.Minute
	for i := range updates {
		if m := updates[i].LimitMinutes; m > 0 {
			most += time.Duration(m) * time.Minute
		} else {
			most += unknownLimit
		}
	}
	return most
}

// credentialLasts answers the credential's check for a node that would be taken next. asked are the errors of what was
// just asked of the cluster and the node.
func (r *run) credentialLasts(node string, asked ...error) check.Result {
	for _, err := range asked {
		if errors.Is(err, ErrCredential) {
			r.credentialLost(err)
			return check.Result{ID: checkCredential, Outcome: check.Fail, Evidence: capital(sentence(err)), Remedy: r.credentialRemedy()}
		}
	}
	// Only an answer says that it works.
	if slices.Contains(asked, nil) {
		r.credentialWorks()
	}
	if c := r.shortOf(node); c != nil {
		return *c
	}
	return check.Result{ID: checkCredential, Outcome: check.Pass}
}

// shortOf is why the credential may not outlast the node, nil when it does or has no known end.
func (r *run) shortOf(node string) *check.Result {
	np := r.Plan.node(node)
	if np == nil {
		return nil
	}
	return r.shortFor(node, np.Updates)
}

// shortFor is the same for updates that are not the plan's.
func (r *run) shortFor(node string, updates []plugins.Update) *check.Result {
	if r.Credential == nil {
		return nil
	}
	end, ok := r.Credential.Ends()
	if !ok {
		return nil
	}
	left, most := wall(r.Clock.Now(), end), NodeLimit(r.Plan.Options, updates)
	if left >= most {
		return nil
	}
	until := "The credential ended at " + end.UTC().Format(timeOfDay)
	if left > 0 {
		until = fmt.Sprintf("The credential lasts until %s, for another %s", end.UTC().Format(timeOfDay), inMinutes(left))
	}
	return &check.Result{
		ID: checkCredential, Outcome: check.Fail,
		Evidence: fmt.Sprintf("%s; %s may take up to %s.", until, node, inMinutes(most)), Remedy: r.credentialRemedy(),
	}
}

const timeOfDay = "2006-01-02 15:04 UTC"

func inMinutes(d time.Duration) string {
	text := max(d, 0).Round(time.Minute).String()
	if text == "0s" {
		return "less than a minute"
	}
	return strings.TrimSuffix(text, "0s")
}

func (r *run) credentialRemedy() string {
	return "Renew the ticket (kinit): a renewed cache is taken up by itself, and the run goes on. " +
		"For another sign-in: cau credential " + r.Plan.Run + "."
}

// credentialLost records, once until it works again, that the credential does not work and who waits for it.
func (r *run) credentialLost(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.CredentialLost {
		return
	}
	message := capital(sentence(err)) + " No node is begun meanwhile."
	if busy := r.state.underWay(); len(busy) > 0 {
		message += " " + strings.Join(busy, ", ") + " will be finished when it works again."
	}
	// A failure is kept in r.broken, where the sequence meets it.
	_ = r.recordLocked(Fact{Kind: FactCredentialLost, Data: FactData{Message: message, Cause: causeFrom(err)}})
}

// credentialWorks records that what was lost works again.
func (r *run) credentialWorks() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.CredentialLost {
		_ = r.recordLocked(Fact{Kind: FactCredentialBack, Data: FactData{Message: "The credential works again."}})
	}
}

// underWay names the nodes that were begun and are not done.
func (s *State) underWay() []string {
	var out []string
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Status == NodeUpdating || n.Phase == PhaseStaging && !n.Status.Ended() || n.returning() {
			out = append(out, n.Name)
		}
	}
	return out
}

// retryCredential tells whether a step of a node should be asked for again: it ended because the credential does not
// work any more, and that has changed. Steps are made to be repeated, as after a crash (R26). Nobody is waited for
// whose node is still untouched once stop was asked.
func (r *run) retryCredential(ctx context.Context, node string, err error) bool {
	if !errors.Is(err, ErrCredential) || errors.Is(err, plugins.ErrJobLost) || errors.Is(err, plugins.ErrJobFailed) {
		return false
	}
	r.credentialLost(err)
	wait := r.excuses(node)
	for {
		if e := r.Clock.Sleep(ctx, gatePoll); e != nil || wait.over(r.Clock.Now()) || r.brokenErr() != nil {
			return false
		}
		if r.beginsNothing() && r.node(node).Started.IsZero() {
			return false
		}
		_, e := r.Nodes(node).Boot(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case errors.Is(e, ErrCredential):
			continue
		case e == nil:
			r.credentialWorks()
		}
		return true
	}
}

// excuse keeps the time in which the credential did not work out of a wait: what was begun is not given up for it.
func (r *run) excuse(wait *patience, err error) {
	if errors.Is(err, ErrCredential) {
		r.credentialLost(err)
		wait.excuse(r.Clock.Now(), credentialPatience)
	}
}

// excuses is how long this call of Run has waited for the credential in steps of the node, counted from now on.
func (r *run) excuses(node string) *patience {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.excused[node]
	if p == nil {
		p = r.patience(credentialPatience)
		r.excused[node] = p
	}
	p.last = r.Clock.Now()
	return p
}

// lookAtCredential releases a run that is held for its credential when that lasts for the next node again.
func (r *run) lookAtCredential(ctx context.Context) error {
	node := r.nextNode()
	if node == "" || r.shortOf(node) != nil {
		return nil
	}
	results := r.lookAtWorld(ctx, node)
	if err := ctx.Err(); err != nil {
		return err
	}
	if slices.ContainsFunc(results, func(c check.Result) bool { return c.ID == checkCredential && c.Outcome != check.Pass }) {
		return r.brokenErr()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.state.heldForCredential() {
		return r.broken
	}
	return r.recordLocked(Fact{Kind: FactRunReleased, Data: FactData{Message: "The credential lasts for " + node + " again; the run goes on."}})
}

func (s *State) heldForCredential() bool {
	return s.Status == RunHeld && s.HeldFor == checkCredential && !s.StopAsked
}

// nextNode is the first node that waits for its turn; empty when there is none.
func (r *run) nextNode() string {
	for _, np := range r.Plan.Nodes {
		if np.hasWork() && r.node(np.Name).Status == NodeWaiting {
			return np.Name
		}
	}
	return ""
}

// node finds a node of the plan; nil when it is not in it.
func (p *Plan) node(name string) *NodePlan {
	i := slices.IndexFunc(p.Nodes, func(n NodePlan) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Nodes[i]
}
