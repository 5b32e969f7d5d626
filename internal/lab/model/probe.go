package model

import (
	"context"
	"errors"
	"fmt"
	"io"

	"cau/internal/winnode/agent"
)

// Lister is a Share that can say how many entries its root has, counting up to limit.
type Lister interface {
	Entries(limit int) (int, error)
}

// maxEntries is how far a probe counts.
const maxEntries = 1000

// probe looks whether the node's computer account can read a root. Like staging it is real work beside the world.
func (n *Node) probe(j *job, in agent.ShareProbeInput) error {
	if in.File != "" && !validRelative(in.File) {
		return &refusal{"refused", "a file path is not a plain path below its folder"}
	}
	if err := j.networkLogon(); err != nil {
		return err
	}
	if n.world.shares == nil {
		return win32(errBadNetworkPath, "The network path was not found.")
	}
	ctx, cancel := context.WithCancel(n.bootLife)
	j.end = cancel
	c := &copying{node: n, job: j, boot: n.boots}
	n.world.working.Go(func() {
		defer cancel()
		out, err := c.look(ctx, in)
		c.report(func() { j.finish(out, err) })
	})
	return nil
}

func (c *copying) look(ctx context.Context, in agent.ShareProbeInput) (agent.ShareProbeOutput, error) {
	var out agent.ShareProbeOutput
	share, connection, err := c.connect(ctx, in.Root, in.RequireEncryption)
	if err != nil {
		return out, err
	}
	defer share.Close()
	out.Connection = connection
	if in.File != "" {
		r, err := share.Open(in.File)
		if err != nil {
			return out, fmt.Errorf("%s: %w", in.File, err)
		}
		defer func() { _ = r.Close() }()
		if _, err := r.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
			return out, fmt.Errorf("%s: %w", in.File, err)
		}
		return out, nil
	}
	list, ok := share.(Lister)
	if !ok {
		return out, errNoListing()
	}
	if out.Entries, err = list.Entries(maxEntries); err != nil {
		return out, fmt.Errorf("%s: %w", in.Root, err)
	}
	return out, nil
}

func errNoListing() error { return &refusal{"refused", "this lab's nodes cannot list a share"} }
