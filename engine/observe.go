package engine

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Observation is what the checks are decided on: each answer, or why there is none. What was not asked has
// neither and counts as not verified.
type Observation struct {
	Cluster Answer[ClusterView]
	Storage Answer[StorageView]
	Foreign Answer[[]ForeignRun]
	// Backups are what is being backed up or maintained now.
	Backups Answer[[]string]
	// LosesQuorum is the cluster's own answer for each node: true means it would lose quorum.
	LosesQuorum map[string]Answer[bool]
	Nodes       map[string]NodeObservation
	// Most is how long the run may take, each node up to its limit; zero where there is no run to speak of.
	Most time.Duration
}

// NodeObservation is what one node said.
type NodeObservation struct {
	View    Answer[NodeView]
	Pending Answer[PendingView]
	// Updaters and BitLocker are what else could act there, and whether it comes back from a restart by itself.
	Updaters  Answer[UpdatersView]
	BitLocker Answer[BitLockerView]
	// Roles is where its roles may go, Residents what no drain moves.
	Roles     Answer[[]RoleView]
	Residents Answer[ResidentsView]
}

// Answer is a value that was read, or why it could not be.
type Answer[T any] struct {
	Value T
	Err   error
	// Known is set when Value was read.
	Known bool
}

// AnswerOf keeps a call's two results.
func AnswerOf[T any](v T, err error) Answer[T] {
	return Answer[T]{Value: v, Err: err, Known: err == nil}
}

var errNotAsked = errors.New("it was not asked")

func (a Answer[T]) problem() error {
	switch {
	case a.Known:
		return nil
	case a.Err != nil:
		return a.Err
	}
	return errNotAsked
}

// observedAtOnce bounds how many nodes are asked at the same time.
const observedAtOnce = 16

// Observe reads everything ClusterChecks decides on: the cluster first, then the nodes side by side. It fails only
// when ctx ends.
func Observe(ctx context.Context, cluster Cluster, node func(name string) Node) (Observation, error) {
	o := observeCluster(ctx, cluster, "")
	members := o.Cluster.Value.Nodes
	for _, m := range members {
		o.LosesQuorum[m.Name] = AnswerOf(cluster.LosesQuorum(ctx, m.Name))
	}
	seen := make([]NodeObservation, len(members))
	queue := make(chan int, len(members))
	for i := range members {
		queue <- i
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(observedAtOnce, len(members)) {
		workers.Go(func() {
			for i := range queue {
				seen[i] = observeNode(ctx, node(members[i].Name))
			}
		})
	}
	workers.Wait()
	for i, m := range members {
		o.Nodes[m.Name] = seen[i]
	}
	return o, ctx.Err()
}

// observeNode asks a node that does not answer once and no more.
func observeNode(ctx context.Context, n Node) NodeObservation {
	o := NodeObservation{View: AnswerOf(n.Describe(ctx))}
	if !o.View.Known {
		o.Pending.Err, o.Updaters.Err, o.BitLocker.Err = o.View.Err, o.View.Err, o.View.Err
		o.Roles.Err, o.Residents.Err = o.View.Err, o.View.Err
		return o
	}
	o.Pending = AnswerOf(n.PendingRestart(ctx))
	o.Updaters = AnswerOf(n.Updaters(ctx))
	o.BitLocker = AnswerOf(n.BitLocker(ctx))
	o.Roles = AnswerOf(n.Roles(ctx))
	o.Residents = AnswerOf(n.Residents(ctx))
	return o
}

// observeCluster reads what concerns the whole cluster, asked of a peer of about.
func observeCluster(ctx context.Context, cluster Cluster, about string) Observation {
	return Observation{
		Cluster:     AnswerOf(cluster.Describe(ctx, about)),
		Storage:     AnswerOf(cluster.Storage(ctx, about)),
		Foreign:     AnswerOf(cluster.ForeignRuns(ctx, about)),
		Backups:     AnswerOf(cluster.Backups(ctx, about)),
		LosesQuorum: map[string]Answer[bool]{}, Nodes: map[string]NodeObservation{},
	}
}
