package engine

import (
	"context"
	"fmt"
)

// lostContact says of a node that does not answer how its peers see it: whoever decides what becomes of it must know
// whether the node is gone or only the way there from this host (R22). The first cause stays in front (R30).
func (r *run) lostContact(ctx context.Context, name string, err error) error {
	v, asked := r.Cluster.Describe(ctx, name)
	if asked != nil {
		return fmt.Errorf("%w; its peers cannot be asked either: %s", err, oneLine(asked))
	}
	m := v.Member(name)
	switch {
	case m == nil:
		return fmt.Errorf("%w; its peers do not know it as a node any more", err)
	case m.State == NodeUp, m.State == NodePaused:
		return fmt.Errorf("%w; its peers see it %s, so that contact is lost from this host only", err, m.State)
	}
	return fmt.Errorf("%w; its peers see it %s, too", err, m.State)
}
