package agent

// The lease keeps two coordinators apart in the cluster (R27). One epoch of it is a clustered role, offline and
// empty, called LeaseGroup + the epoch: the cluster lets exactly one caller create it. The newest epoch is the
// one that counts; its holder and the time of its last renewal stand in the role's description.
const (
	OpLeaseTake  = "lease.take"
	OpLeaseRenew = "lease.renew"
	OpLeaseRead  = "lease.read"
	OpLeaseDrop  = "lease.drop"

	// LeaseGroup begins the names of the roles; what follows is the epoch in decimal.
	LeaseGroup = "cau-lease-"
)

// Fenced tells whether an operation changes something: asked for under an epoch (Request.Epoch), it is refused under any
// other than the newest (R27). What takes, renews and drops the lease names its epoch itself. The scripts hold the same
// list.
func Fenced(op string) bool {
	switch op {
	case OpNodePause, OpNodeResume, OpStorageMaintenance, OpGroupMove, OpServiceStart, OpNodeRestart, OpNodeRestartAbort, OpNodeClean,
		OpJobStart, OpJobRunHere, OpJobCancel, OpJobKill, OpJobDelete, OpPushOpen, OpPushClose, OpCheckpointPut, OpCheckpointDrop,
		OpShareApply, OpFirewallRule, OpCauLockTake, OpCauLockRenew, OpCauLockDrop:
		return true
	}
	return false
}

// Lease answers every lease operation: the newest epoch there is after it.
type Lease struct {
	// Epoch is 0 when nobody holds the lease.
	Epoch  int64  `json:"epoch"`
	Run    string `json:"run"`
	Holder string `json:"holder"`
	// RenewedUTC is when it was last taken or renewed, by the clock of the node that was asked then.
	RenewedUTC string `json:"renewed_utc"`
	// LastEpoch, LastRun and LastHolder are those of the newest epoch that there was, one that was dropped too.
	LastEpoch  int64  `json:"last_epoch"`
	LastRun    string `json:"last_run"`
	LastHolder string `json:"last_holder"`
	// Taken: this very call created the epoch (OpLeaseTake).
	Taken bool `json:"taken,omitempty"`
}

// LeaseTakeArgs create the epoch after the newest one, which must still be Expect (0: nobody holds it). Whoever loses
// the race gets the winner's lease with Taken false. Older epochs are removed. A lease that is dropped keeps its role,
// marked so: no epoch is ever given out twice, and a coordinator that slept through another's run is never obeyed.
type LeaseTakeArgs struct {
	Expect int64  `json:"expect"`
	Run    string `json:"run"`
	Holder string `json:"holder"`
}

// LeaseArgs renew or drop an epoch that must still be the newest one and Run's (refused otherwise).
type LeaseArgs struct {
	Epoch  int64  `json:"epoch"`
	Run    string `json:"run"`
	Holder string `json:"holder"`
}

// Checkpoints are the plan and the folded state of a run, without secrets, on nodes that are not in maintenance (R27).
const (
	OpCheckpointPut  = "checkpoint.put"
	OpCheckpointGet  = "checkpoint.get"
	OpCheckpointDrop = "checkpoint.drop"
)

// MaxCheckpoint bounds a checkpoint's text in bytes: in base64 it still fits into one request.
const MaxCheckpoint = 1400 << 10

// CheckpointPutArgs replace the run's checkpoint as a whole, unless the node has one with a higher Sequence.
type CheckpointPutArgs struct {
	Run      string `json:"run"`
	Sequence int64  `json:"sequence"`
	SHA256   string `json:"sha256"`
	// Text is base64.
	Text string `json:"text"`
}

// CheckpointGetArgs name a run; an empty one lists what there is, without texts.
type CheckpointGetArgs struct {
	Run string `json:"run"`
}

// CheckpointDropArgs name the run whose checkpoint goes; Clean answers with what was removed.
type CheckpointDropArgs struct {
	Run string `json:"run"`
}

// Checkpoints answers what puts and gets checkpoints.
type Checkpoints struct {
	Checkpoints []Checkpoint `json:"checkpoints"`
}

// Checkpoint is one run's, as it lies on the node. Text is base64 and only there when its run was named.
type Checkpoint struct {
	Run      string `json:"run"`
	Sequence int64  `json:"sequence"`
	UTC      string `json:"utc"`
	SHA256   string `json:"sha256"`
	Text     string `json:"text,omitempty"`
}

// Our own lock object of Microsoft's CAU (MSFT_CAURun), so that it refuses to run at the same time. The provider
// deletes it after an hour without renewal. Opt-in: that an instance can be made this way is unproven.
const (
	OpCauLockTake  = "cau.lock.take"
	OpCauLockRenew = "cau.lock.renew"
	OpCauLockDrop  = "cau.lock.drop"
)

// CauLockArgs name the lock: a GUID in lower case without braces.
type CauLockArgs struct {
	ID string `json:"id"`
}
