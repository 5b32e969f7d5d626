package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// checkpoint is a run's plan and folded state as it lies on a node. It survives restarts.
type checkpoint struct {
	sequence     int64
	written      time.Time
	sha256, text string
}

// maxCheckpoints bounds how many runs' checkpoints a node keeps.
const maxCheckpoints = 64

// putCheckpoint replaces the run's checkpoint as a whole, unless there is a newer one, which is the answer then.
func (n *Node) putCheckpoint(a agent.CheckpointPutArgs) (agent.Checkpoints, error) {
	var none agent.Checkpoints
	if !validName(a.Run) {
		return none, errName()
	}
	if err := n.planted(checkpointFolder); err != nil {
		return none, err
	}
	if base64.StdEncoding.DecodedLen(len(a.Text)) > agent.MaxCheckpoint+2 {
		return none, &refusal{"refused", "the checkpoint is too large"}
	}
	raw, err := base64.StdEncoding.DecodeString(a.Text)
	if err != nil || len(raw) > agent.MaxCheckpoint {
		return none, &refusal{"refused", "the checkpoint is not base64 or too large"}
	}
	sum := sha256.Sum256(raw)
	if !strings.EqualFold(hex.EncodeToString(sum[:]), a.SHA256) {
		return none, &refusal{"refused", "the checkpoint is not what its SHA-256 says"}
	}
	old, exists := n.checkpoints[a.Run]
	switch {
	case exists && old.sequence > a.Sequence:
		return n.listCheckpoints(a.Run, false), nil
	case !exists && len(n.checkpoints) >= maxCheckpoints:
		return none, &refusal{"refused", "too many checkpoints; clean the node"}
	}
	n.checkpoints[a.Run] = checkpoint{sequence: a.Sequence, written: n.now(), sha256: strings.ToLower(a.SHA256), text: a.Text}
	return n.listCheckpoints(a.Run, false), nil
}

// getCheckpoint gives one run's checkpoint with its text, or lists all without.
func (n *Node) getCheckpoint(a agent.CheckpointGetArgs) (agent.Checkpoints, error) {
	if a.Run != "" && !validName(a.Run) {
		return agent.Checkpoints{}, errName()
	}
	if err := n.planted(checkpointFolder); err != nil {
		return agent.Checkpoints{}, err
	}
	return n.listCheckpoints(a.Run, a.Run != ""), nil
}

func (n *Node) listCheckpoints(run string, texts bool) agent.Checkpoints {
	out := agent.Checkpoints{Checkpoints: []agent.Checkpoint{}}
	for name, c := range n.checkpoints {
		if run != "" && run != name {
			continue
		}
		v := agent.Checkpoint{Run: name, Sequence: c.sequence, UTC: stamp(c.written), SHA256: c.sha256}
		if texts {
			v.Text = c.text
		}
		out.Checkpoints = append(out.Checkpoints, v)
	}
	slices.SortFunc(out.Checkpoints, func(a, b agent.Checkpoint) int { return strings.Compare(a.Run, b.Run) })
	return out
}

// dropCheckpoint removes the run's checkpoint and nothing else. One that is not there is no failure.
func (n *Node) dropCheckpoint(a agent.CheckpointDropArgs) (agent.Clean, error) {
	out := agent.Clean{Removed: []string{}}
	if !validName(a.Run) {
		return out, errName()
	}
	if err := n.planted(checkpointFolder); err != nil {
		return out, err
	}
	if _, ok := n.checkpoints[a.Run]; ok {
		out.Removed = append(out.Removed, workFolder+`\`+checkpointFolder+`\`+a.Run+".json")
		delete(n.checkpoints, a.Run)
	}
	return out, nil
}
