package engine

import (
	"context"
	"errors"
)

// Observation is what the checks are decided on: each answer, or why there is none. What was not asked has
// neither and counts as not verified.
type Observation struct {
	Cluster Answer[ClusterView]
	Storage Answer[StorageView]
	Foreign Answer[[]ForeignRun]
	// LosesQuorum is the cluster's own answer for each node: true means it would lose quorum.
	LosesQuorum map[string]Answer[bool]
	Nodes       map[string]NodeObservation
}

// NodeObservation is what one node said.
type NodeObservation struct {
	View    Answer[NodeView]
	Pending Answer[PendingView]
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

// Observe reads everything ClusterChecks decides on, one question after the other. It fails only when ctx ends.
func Observe(ctx context.Context, cluster Cluster, node func(name string) Node) (Observation, error) {
	o := observeCluster(ctx, cluster, "")
	for _, m := range o.Cluster.Value.Nodes {
		if ctx.Err() != nil {
			break
		}
		o.LosesQuorum[m.Name] = AnswerOf(cluster.LosesQuorum(ctx, m.Name))
		n := node(m.Name)
		var no NodeObservation
		no.View = AnswerOf(n.Describe(ctx))
		if no.View.Known {
			no.Pending = AnswerOf(n.PendingRestart(ctx))
		} else {
			no.Pending.Err = no.View.Err
		}
		o.Nodes[m.Name] = no
	}
	return o, ctx.Err()
}

// observeCluster reads what concerns the whole cluster, asked of a peer of about.
func observeCluster(ctx context.Context, cluster Cluster, about string) Observation {
	return Observation{
		Cluster:     AnswerOf(cluster.Describe(ctx, about)),
		Storage:     AnswerOf(cluster.Storage(ctx, about)),
		Foreign:     AnswerOf(cluster.ForeignRuns(ctx, about)),
		LosesQuorum: map[string]Answer[bool]{}, Nodes: map[string]NodeObservation{},
	}
}
