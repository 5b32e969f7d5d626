package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"cau/internal/winnode/agent"
)

// hash reads files of a root as the node's computer account and says their SHA-256. Like staging it is real work beside the
// world, and the node reads what it would stage.
func (n *Node) hash(j *job, in agent.ShareHashInput) error {
	if len(in.Files) > maxStageFiles {
		return &refusal{"refused", "too many files for one job"}
	}
	for _, f := range in.Files {
		if !validRelative(f) {
			return &refusal{"refused", "a file path is not a plain path below its folder"}
		}
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
		out, err := c.hash(ctx, in)
		c.report(func() { j.finish(out, err) })
	})
	return nil
}

func (c *copying) hash(ctx context.Context, in agent.ShareHashInput) (agent.ShareHashOutput, error) {
	out := agent.ShareHashOutput{Files: []agent.HashedFile{}}
	share, connection, err := c.connect(ctx, in.Root, in.RequireEncryption)
	if err != nil {
		return out, err
	}
	defer share.Close()
	out.Connection = connection
	for _, path := range in.Files {
		r, err := share.Open(path)
		if err != nil {
			return out, fmt.Errorf("%s: %w", path, err)
		}
		sum := sha256.New()
		size, err := io.Copy(sum, r)
		_ = r.Close()
		if err != nil {
			return out, fmt.Errorf("%s: %w", path, err)
		}
		out.Files = append(out.Files, agent.HashedFile{Path: path, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	}
	return out, nil
}
