package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cau/internal/winnode/agent"
)

// under performs an operation under a lease's epoch.
func under(b *bench, epoch int64, on, op string, args any) agent.Response {
	b.t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.node(on).Operate(agent.Request{V: agent.Version, Op: op, Args: text, Epoch: epoch})
}

func TestR27_OfTwoCoordinatorsOneGetsTheLease(t *testing.T) {
	b := newBench(t, Config{})
	first := ask[agent.Lease](b, "NODE1", agent.OpLeaseTake, agent.LeaseTakeArgs{Run: "run1", Holder: "host1"})
	second := ask[agent.Lease](b, "NODE2", agent.OpLeaseTake, agent.LeaseTakeArgs{Run: "run2", Holder: "host2"})
	if !first.Taken || first.Epoch != 1 || second.Taken || second.Epoch != 1 || second.Run != "run1" || second.Holder != "host1" {
		t.Fatalf("%+v %+v", first, second)
	}
	b.clock.advance(time.Minute)
	renewed := ask[agent.Lease](b, "NODE3", agent.OpLeaseRenew, agent.LeaseArgs{Epoch: 1, Run: "run1", Holder: "host1"})
	if renewed.RenewedUTC <= first.RenewedUTC {
		t.Errorf("renewed %s, taken %s", renewed.RenewedUTC, first.RenewedUTC)
	}
	third := ask[agent.Lease](b, "NODE2", agent.OpLeaseTake, agent.LeaseTakeArgs{Expect: 1, Run: "run2", Holder: "host2"})
	if !third.Taken || third.Epoch != 2 {
		t.Errorf("the next epoch: %+v", third)
	}
	for _, op := range []string{agent.OpLeaseRenew, agent.OpLeaseDrop} {
		if r := try(b, "NODE1", op, agent.LeaseArgs{Epoch: 1, Run: "run1", Holder: "host1"}); r.OK || r.Err.Kind != "fenced" {
			t.Errorf("%s of an epoch that is over: %+v", op, r)
		}
		if r := try(b, "NODE1", op, agent.LeaseArgs{Epoch: 2, Run: "run1", Holder: "host1"}); r.OK {
			t.Errorf("%s of somebody else's lease", op)
		}
	}
	for _, g := range b.cluster().Groups {
		if strings.HasPrefix(g.Name, agent.LeaseGroup) {
			t.Errorf("the lease is in the list of roles: %+v", g)
		}
	}
	if l := b.State().Lease; l.Epoch != 2 || l.Run != "run2" {
		t.Errorf("state: %+v", l)
	}
	if l := ask[agent.Lease](b, "NODE1", agent.OpLeaseDrop, agent.LeaseArgs{Epoch: 2, Run: "run2", Holder: "host2"}); l.Epoch != 0 {
		t.Errorf("after the drop: %+v", l)
	}
	if l := ask[agent.Lease](b, "NODE1", agent.OpLeaseRead, nil); l.Epoch != 0 {
		t.Errorf("read: %+v", l)
	}
	ask[agent.Lease](b, "NODE1", agent.OpLeaseDrop, agent.LeaseArgs{Epoch: 2, Run: "run2", Holder: "host2"})
	if l := ask[agent.Lease](b, "NODE1", agent.OpLeaseTake, agent.LeaseTakeArgs{Run: "run3", Holder: "host3"}); !l.Taken || l.Epoch != 3 {
		t.Errorf("no number is given twice: %+v", l)
	}
}

func TestR27_ChangingOperationsOfAnotherEpochAreFenced(t *testing.T) {
	b := newBench(t, Config{})
	ask[agent.Lease](b, "NODE1", agent.OpLeaseTake, agent.LeaseTakeArgs{Run: "run1", Holder: "host1"})
	ask[agent.Lease](b, "NODE1", agent.OpLeaseTake, agent.LeaseTakeArgs{Expect: 1, Run: "run2", Holder: "host2"})
	for op := range b.node("NODE1").operations() {
		r := under(b, 1, "NODE1", op, struct{}{})
		if fenced := !r.OK && r.Err.Kind == "fenced"; fenced != agent.Fenced(op) {
			t.Errorf("%s under an old epoch: fenced is %t (%+v)", op, fenced, r.Err)
		}
	}
	for _, op := range []string{agent.OpHello, agent.OpClusterGet, agent.OpCauRuns, agent.OpPendingGet, agent.OpLeaseRead} {
		if r := under(b, 1, "NODE1", op, struct{}{}); !r.OK {
			t.Errorf("%s only reads: %+v", op, r.Err)
		}
	}
	if r := under(b, 2, "NODE1", agent.OpNodePause, agent.PauseArgs{Node: "NODE3", DrainType: 1}); !r.OK {
		t.Errorf("under the newest: %+v", r.Err)
	}
	b.restart("NODE1")
	b.clock.advance(60 * time.Second)
	if r := under(b, 1, "NODE1", agent.OpNodeRestartAbort, struct{}{}); r.OK || r.Err.Kind != "fenced" {
		t.Errorf("without the cluster the node knows what it has seen: %+v", r.Err)
	}
	if r := under(b, 2, "NODE1", agent.OpNodeRestartAbort, struct{}{}); !r.OK {
		t.Errorf("%+v", r.Err)
	}
	b.clock.advance(9 * time.Second)
	if r := under(b, 2, "NODE1", agent.OpNodeRestartAbort, struct{}{}); r.OK || r.Err.Code != errNodeDown {
		t.Errorf("a cluster that gives no answer is no permission: %+v", r.Err)
	}
}

func TestR27_ACheckpointIsReplacedAsAWholeAndSurvivesARestart(t *testing.T) {
	b := newBench(t, Config{})
	put := func(run string, sequence int64, text string) agent.Response {
		sum := sha256.Sum256([]byte(text))
		return try(b, "NODE2", agent.OpCheckpointPut, agent.CheckpointPutArgs{
			Run: run, Sequence: sequence, SHA256: hex.EncodeToString(sum[:]), Text: base64.StdEncoding.EncodeToString([]byte(text)),
		})
	}
	for _, r := range []agent.Response{put("run1", 3, "three"), put("run1", 5, "five"), put("run1", 5, "five"), put("run2", 1, "one")} {
		if !r.OK {
			t.Fatalf("%+v", r.Err)
		}
	}
	if r := put("run1", 4, "four"); !r.OK || !strings.Contains(string(r.Data), `"sequence":5`) {
		t.Errorf("an older one is answered by the newer: %+v", r)
	}
	if r := try(b, "NODE2", agent.OpCheckpointPut, agent.CheckpointPutArgs{Run: "run1", Sequence: 9, SHA256: strings.Repeat("0", 64), Text: "eA=="}); r.OK {
		t.Error("one that is not what its hash says")
	}
	if _, err := b.node("NODE2").putCheckpoint(agent.CheckpointPutArgs{Run: "run1", Sequence: 9, Text: strings.Repeat("A", agent.MaxCheckpoint/3*4+8)}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("one that is too large: %v", err)
	}
	b.restart("NODE2")
	b.clock.advance(5 * time.Minute)
	got := ask[agent.Checkpoints](b, "NODE2", agent.OpCheckpointGet, agent.CheckpointGetArgs{Run: "run1"}).Checkpoints
	if text, err := base64.StdEncoding.DecodeString(got[0].Text); err != nil || len(got) != 1 || string(text) != "five" || got[0].Sequence != 5 {
		t.Errorf("%+v", got)
	}
	list := ask[agent.Checkpoints](b, "NODE2", agent.OpCheckpointGet, agent.CheckpointGetArgs{}).Checkpoints
	if len(list) != 2 || list[0].Text != "" || list[0].SHA256 == "" {
		t.Errorf("the list: %+v", list)
	}
	ask[agent.Clean](b, "NODE2", agent.OpNodeClean, agent.CleanArgs{Run: "run1"})
	if left := b.State().Nodes[1].Checkpoints; len(left) != 1 || left[0].Run != "run2" {
		t.Errorf("after cleaning: %+v", left)
	}
}

func TestALockOfCauExpiresAfterAnHourWithoutRenewal(t *testing.T) {
	b := newBench(t, Config{})
	mine := agent.CauLockArgs{ID: "0f8fad5b-d9cb-469f-a165-70867728950e"}
	other := agent.CauLockArgs{ID: "7c9e6679-7425-40de-944b-e07fc1f90ae7"}
	runs := func() []string { return ask[agent.CauRuns](b, "NODE3", agent.OpCauRuns, nil).Runs }
	ask[done](b, "NODE1", agent.OpCauLockTake, mine)
	ask[done](b, "NODE2", agent.OpCauLockTake, mine)
	if got := runs(); len(got) != 1 || got[0] != mine.ID {
		t.Fatalf("runs: %v", got)
	}
	if r := try(b, "NODE2", agent.OpCauLockTake, other); r.OK || r.Err.Kind != "refused" {
		t.Errorf("a second instance: %+v", r)
	}
	b.clock.advance(50 * time.Minute)
	ask[done](b, "NODE1", agent.OpCauLockRenew, mine)
	b.clock.advance(50 * time.Minute)
	if len(runs()) != 1 {
		t.Error("it went although it was renewed")
	}
	b.clock.advance(11 * time.Minute)
	if len(runs()) != 0 {
		t.Error("it stays without renewal")
	}
	if r := try(b, "NODE1", agent.OpCauLockRenew, mine); r.OK || r.Err.Kind != "missing" {
		t.Errorf("renewing what is gone: %+v", r)
	}
	ask[done](b, "NODE1", agent.OpCauLockTake, other)
	ask[done](b, "NODE1", agent.OpCauLockDrop, other)
	ask[done](b, "NODE1", agent.OpCauLockDrop, other)
	if len(runs()) != 0 {
		t.Error("dropped")
	}
	if r := try(b, "NODE1", agent.OpCauLockTake, agent.CauLockArgs{ID: "{X}"}); r.OK {
		t.Error("an id that is no GUID")
	}
	foreign := newBench(t, Config{Scenario: Scenario{ForeignRun: other.ID}})
	foreign.clock.advance(3 * time.Hour)
	if r := try(foreign, "NODE1", agent.OpCauLockTake, other); r.OK {
		t.Error("somebody else's run is taken for ours")
	}
	ask[done](foreign, "NODE1", agent.OpCauLockDrop, other)
	if got := ask[agent.CauRuns](foreign, "NODE1", agent.OpCauRuns, nil).Runs; len(got) != 1 {
		t.Errorf("somebody else's run was dropped: %v", got)
	}
}
