package winnode_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"cau/internal/winnode"
	"cau/internal/winnode/agent"
)

// shelf is one node's checkpoints.
type shelf map[string]agent.Checkpoint

// shelves gives every machine its own.
func shelves(s *site) map[string]shelf {
	all := map[string]shelf{}
	for _, m := range s.machines {
		own := shelf{}
		all[m.name] = own
		m.ops[agent.OpCheckpointPut] = func(args json.RawMessage) (any, *agent.OpError) {
			var a agent.CheckpointPutArgs
			if err := json.Unmarshal(args, &a); err != nil {
				s.t.Error(err)
			}
			if own[a.Run].Sequence <= a.Sequence {
				own[a.Run] = agent.Checkpoint{Run: a.Run, Sequence: a.Sequence, UTC: "2026-11-20T10:00:00Z", SHA256: a.SHA256, Text: a.Text}
			}
			c := own[a.Run]
			c.Text = ""
			return agent.Checkpoints{Checkpoints: []agent.Checkpoint{c}}, nil
		}
		m.ops[agent.OpCheckpointGet] = func(args json.RawMessage) (any, *agent.OpError) {
			var a agent.CheckpointGetArgs
			if err := json.Unmarshal(args, &a); err != nil {
				s.t.Error(err)
			}
			var out agent.Checkpoints
			for run, c := range own {
				if a.Run == "" {
					c.Text = ""
				}
				if a.Run == "" || a.Run == run {
					out.Checkpoints = append(out.Checkpoints, c)
				}
			}
			return out, nil
		}
		m.ops[agent.OpCheckpointDrop] = func(args json.RawMessage) (any, *agent.OpError) {
			var a agent.CheckpointDropArgs
			if err := json.Unmarshal(args, &a); err != nil {
				s.t.Error(err)
			}
			delete(own, a.Run)
			return agent.Clean{}, nil
		}
	}
	return all
}

func TestR27_ARunsCheckpointIsRemovedFromEveryNodeAndNoOtherRunsIs(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	lie := shelves(s)
	for _, own := range lie {
		own["r1"], own["r2"] = agent.Checkpoint{Run: "r1"}, agent.Checkpoint{Run: "r2"}
	}
	if err := f.DropCheckpoint(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	for node, own := range lie {
		if _, is := own["r1"]; is || len(own) != 1 {
			t.Errorf("%s holds %v", node, own)
		}
	}
	if err := f.DropCheckpoint(t.Context(), "../r2"); err == nil {
		t.Error("a path is taken for a run")
	}
}

func TestR27_ACheckpointLiesOnTwoNodesThatAreInService(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3", "N4")
	lie := shelves(s)
	c := threeUp()
	c.Nodes[0].State = 2 // N1 is under maintenance
	c.Nodes = append(c.Nodes, agent.Member{Name: "N4"})
	s.on(agent.OpClusterGet, give(c))
	put := func(sequence int64, prefer ...string) ([]string, error) {
		return f.PutCheckpoint(t.Context(), winnode.Checkpoint{Run: "r1", Sequence: sequence, Text: []byte("state")}, prefer...)
	}
	if on, err := put(1); err != nil || !slices.Equal(on, []string{"N2", "N3"}) {
		t.Fatal(on, err)
	}
	if on, err := put(2, "n4", "N1"); err != nil || !slices.Equal(on, []string{"N4", "N2"}) {
		t.Fatal(on, err)
	}
	s.at("N2").ops[agent.OpCheckpointPut] = refuse("win32", 112)
	if on, err := put(3); err != nil || !slices.Equal(on, []string{"N3", "N4"}) {
		t.Fatal("a full disk is not passed over", on, err)
	}
	s.at("N3").ops[agent.OpCheckpointPut] = refuse("win32", 112)
	if on, err := put(4); err == nil || !slices.Equal(on, []string{"N4"}) {
		t.Fatal("one copy of three possible ones is no success", on, err)
	}
	if len(lie["N1"]) != 0 {
		t.Error("a node under maintenance got one")
	}
	if _, err := put(0); !errors.Is(err, winnode.ErrNewerCheckpoint) {
		t.Error(err)
	}
	s.at("N4").ops[agent.OpCheckpointPut] = give(agent.Checkpoints{})
	if on, err := put(9); err == nil || len(on) != 0 {
		t.Error("what the node does not confirm counts as written", on, err)
	}
}

func TestR27_OneNodeInServiceIsEnoughWhereThereIsNoOther(t *testing.T) {
	s, f := newSite(t, "N1", "N2")
	shelves(s)
	c := threeUp()
	c.Nodes[0].State = 2
	s.on(agent.OpClusterGet, give(c))
	checkpoint := winnode.Checkpoint{Run: "r1", Sequence: 1, Text: []byte("state")}
	if on, err := f.PutCheckpoint(t.Context(), checkpoint); err != nil || !slices.Equal(on, []string{"N2"}) {
		t.Error(on, err)
	}
	c.Nodes[1].State = 1
	s.at("N1").ops[agent.OpClusterGet] = give(c)
	s.at("N2").fail = []error{errAway, errAway}
	if on, err := f.PutCheckpoint(t.Context(), checkpoint); err == nil {
		t.Error("written nowhere, and no error", on)
	}
}

func TestR27_TheNewestIntactCheckpointOfEveryRunIsFound(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	lie := shelves(s)
	lay := func(node, run string, sequence int64, text string) {
		sum := sha256.Sum256([]byte(text))
		lie[node][run] = agent.Checkpoint{Run: run, Sequence: sequence, SHA256: hex.EncodeToString(sum[:]), Text: base64.StdEncoding.EncodeToString([]byte(text))}
	}
	lay("N1", "r1", 1, "old")
	lay("N2", "r1", 2, "new")
	lay("N3", "r1", 2, "new")
	lay("N1", "r2", 5, "older")
	lay("N3", "r2", 6, "newer")
	changed := lie["N3"]["r2"]
	changed.Text = base64.StdEncoding.EncodeToString([]byte("changed"))
	lie["N3"]["r2"] = changed
	lie["N2"]["../evil"] = agent.Checkpoint{Run: "../evil", Sequence: 1}
	found, err := f.FindCheckpoints(t.Context())
	if err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a changed checkpoint goes unmentioned: %v", err)
	}
	got := map[string]string{}
	for _, c := range found {
		got[c.Run] = string(c.Text)
	}
	if len(got) != 2 || got["r1"] != "new" || got["r2"] != "older" {
		t.Errorf("%v", got)
	}
	s.at("N2").fail = []error{errAway}
	if found, err := f.FindCheckpoints(t.Context()); err == nil || len(found) == 0 {
		t.Errorf("a node that is away: %v %v", found, err)
	}
}

func TestR27_ANodeThatIsDownIsNamedAsNotRead(t *testing.T) {
	s, f := newSite(t, "N1", "N2", "N3")
	shelves(s)
	c := threeUp()
	c.Nodes[1].State = 1
	s.on(agent.OpClusterGet, give(c))
	if _, err := f.Describe(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := f.FindCheckpoints(t.Context()); err == nil || !strings.Contains(err.Error(), "N2") {
		t.Errorf("what N2 holds goes unmentioned: %v", err)
	}
}

func TestR27_ACheckpointOutOfBoundsNeverLeaves(t *testing.T) {
	s, f := newSite(t, "N1")
	for _, c := range []winnode.Checkpoint{
		{Run: "R 1", Text: []byte("x")}, {Run: "r1"}, {Run: "r1", Sequence: -1, Text: []byte("x")}, {Run: "r1", Text: make([]byte, agent.MaxCheckpoint+1)},
	} {
		if _, err := f.PutCheckpoint(t.Context(), c); err == nil {
			t.Errorf("%+v", c.Run)
		}
	}
	if s.at("N1").shells != 0 {
		t.Error("something left")
	}
}
