package engine

import (
	"cmp"
	"time"

	"cau/plugins"
)

// NewState is the state of a run of which nothing happened yet.
func NewState(p *Plan) State {
	s := State{
		Run: p.Run, Cluster: p.Cluster, Plugin: p.Plugin, Simulated: p.Lab != "",
		Status: RunRunning, FailureBudget: p.FailureBudget, Attempts: 1 + p.Options.MaxRetriesPerNode, Nodes: make([]NodeRun, 0, len(p.Nodes)),
	}
	for _, np := range p.Nodes {
		nr := NodeRun{Name: np.Name, Status: NodeWaiting, Phase: PhaseWaiting, Attempt: 1, Updates: make([]UpdateRun, 0, len(np.Updates))}
		for _, u := range np.Updates {
			nr.Updates = append(nr.Updates, runOf(p, u))
		}
		s.Nodes = append(s.Nodes, nr)
	}
	return s
}

// clone shares nothing with s that Apply writes to.
func (s *State) clone() State {
	c := *s
	c.Nodes = make([]NodeRun, len(s.Nodes))
	for i := range s.Nodes {
		c.Nodes[i] = s.Nodes[i].clone()
	}
	return c
}

func (n *NodeRun) clone() NodeRun {
	c := *n
	c.Updates = append(make([]UpdateRun, 0, len(n.Updates)), n.Updates...)
	return c
}

// Fold is the state after facts. It fails with *UnknownFactError at a fact that it does not know and may
// not ignore, and with *MisplacedFactError at one that does not belong to the plan.
func Fold(p *Plan, facts []Fact) (State, error) {
	s := NewState(p)
	for _, f := range facts {
		if err := s.Apply(f); err != nil {
			return s, err
		}
	}
	return s, nil
}

// Apply folds one more fact. A fact that is refused changes nothing. The pointers that f carries are kept,
// and never written through.
func (s *State) Apply(f Fact) error {
	if !f.Kind.known() {
		if !f.MayIgnore {
			return &UnknownFactError{Kind: f.Kind, Number: s.Facts + 1}
		}
		s.Facts++
		return nil
	}
	waited := s.Waiting
	if f.Kind == FactControl && (f.Node == "" || s.Node(f.Node) != nil) {
		s.applyControl(f)
		s.applyUntil(f, waited)
		s.Facts++
		return nil
	}
	if f.Kind == FactRunRestored {
		return s.restore(f)
	}
	if f.Node == "" {
		s.applyRun(f)
		s.applyTimes(f)
		s.applyUntil(f, waited)
		s.Facts++
		return nil
	}
	nr := s.Node(f.Node)
	if nr == nil || (f.Kind.aboutUpdate() && nr.Update(f.Update) == nil) {
		return &MisplacedFactError{Fact: f}
	}
	if f.Kind.aboutUpdate() {
		nr.applyUpdate(nr.Update(f.Update), f)
	} else {
		nr.apply(f)
	}
	s.applyInService(nr, f)
	s.applyWaiting(f)
	s.applyUntil(f, waited)
	s.Facts++
	return nil
}

func (k FactKind) known() bool {
	switch k {
	case FactDiskFull, FactRunCompared, FactLeaseIntent, FactLeaseTaken, FactLeaseNone, FactLeaseDropped, FactTakenOver,
		FactCheckpointDone, FactCheckpointFailed, FactRunRestored:
		return true
	case FactRunStarted, FactRunContinued, FactControl, FactRunPaused, FactRunHeld, FactRunEnded,
		FactRunReleased, FactRunTimeUp, FactRunNoMoreNodes, FactRunWarned, FactCredentialLost, FactCredentialBack,
		FactGateWaiting, FactUpToDate, FactNotTaken, FactStageIntent, FactStageDone, FactScriptIntent, FactScriptDone, FactPauseIntent, FactDrainDone, FactInService,
		FactUndoIntent, FactUndoDone, FactMaintenanceIntent, FactMaintenanceDone, FactInstallIntent, FactInstallDone,
		FactRestartIntent, FactRestartAgain, FactRestartProven, FactRescanIntent, FactRescanDone, FactResumeIntent,
		FactResumeDone, FactSettleDone, FactNodeFailing, FactNodeEnded, FactNodeRetried, FactLooked, FactCleanDone, FactCleanFailed,
		FactFollowUpsFound, FactFollowUpsLeft, FactFollowUpsAsked, FactFollowUpsAnswered, FactRunAsking, FactPluginFailed,
		FactWatchBegun, FactWatchEnded, FactRunWatching, FactInstallerEndedLate, FactScriptEndedLate, FactReturnedLate:
		return true
	}
	return false
}

func (k FactKind) aboutUpdate() bool {
	return k == FactInstallIntent || k == FactInstallDone || k == FactInstallerEndedLate
}

func (s *State) applyRun(f Fact) {
	switch f.Kind {
	case FactRunStarted:
		s.Started, s.Status = f.Time, RunRunning
	case FactRunPaused:
		s.Status, s.Waiting = RunPaused, f.Data.Message
	case FactRunCompared:
		s.Compared = f.Data.Compared
	case FactRunWatching:
		s.Waiting = f.Data.Message
	case FactRunAsking:
		s.applyAsking(f)
	case FactRunHeld:
		s.Status, s.Waiting, s.Cause, s.HeldFor = RunHeld, f.Data.Message, f.Data.Cause, ""
		if len(f.Data.Checks) > 0 {
			s.HeldFor = f.Data.Checks[0].ID
		}
	case FactRunReleased:
		if s.Status == RunHeld {
			s.goOn(RunRunning)
		}
	case FactCredentialLost:
		s.CredentialLost = true
		s.sayWaiting(f.Data.Message)
	case FactCredentialBack:
		s.CredentialLost = false
		s.sayWaiting("")
	case FactRunEnded:
		s.goOn(f.Data.RunStatus)
		s.Cause, s.Ended = f.Data.Cause, f.Time
	default:
		s.applyDurable(f)
	}
}

// sayWaiting says what is waited for, unless the run stands still for a reason of its own.
func (s *State) sayWaiting(message string) {
	if s.Status != RunHeld && s.Status != RunPaused {
		s.Waiting = message
	}
}

// goOn ends whatever the run waited for.
func (s *State) goOn(status RunStatus) {
	s.Status, s.Waiting, s.Cause, s.HeldFor = status, "", nil, ""
}

// applyWaiting keeps what the run waits for between nodes.
func (s *State) applyWaiting(f Fact) {
	switch f.Kind {
	case FactGateWaiting:
		s.Waiting = f.Data.Message
	case FactPauseIntent, FactRestartIntent, FactNodeEnded, FactNodeRetried, FactLooked:
		s.Waiting = ""
	default:
	}
}

func (n *NodeRun) enter(p Phase, at time.Time) {
	if n.Phase == p {
		return
	}
	n.leavePhase(p, at)
	n.Phase, n.PhaseStarted = p, at
}

func (n *NodeRun) apply(f Fact) {
	switch f.Kind {
	case FactUpToDate:
		n.end(NodeUpToDate, f)
	case FactNotTaken:
		n.NotTaken = f.Data.Message
		n.end(NodeNotTaken, f)
	case FactStageIntent:
		n.Traces = true
		n.enter(PhaseStaging, f.Time)
	case FactStageDone:
		n.Staged = true
		n.applyUnstaged(f)
		if f.Data.Connection != nil {
			n.Connection = f.Data.Connection
		}
		if !n.atWork() && !n.Status.Ended() { // in a further pass it is installing; it may have been skipped meanwhile
			n.enter(PhaseWaiting, f.Time)
		}
	case FactFollowUpsFound, FactFollowUpsLeft, FactFollowUpsAsked, FactFollowUpsAnswered:
		n.applyFollowUps(f)
	case FactPluginFailed:
		n.applyPluginFailed(f)
	case FactPauseIntent:
		n.Status, n.PausedByUs, n.Outage = NodeUpdating, true, f.Data.Roles
		if n.Started.IsZero() {
			n.Started = f.Time
		}
		n.enter(PhaseDraining, f.Time)
	case FactInService:
		n.Status, n.InService = NodeUpdating, true
		if n.Started.IsZero() {
			n.Started = f.Time
		}
		n.enter(PhaseInstalling, f.Time)
	case FactDrainDone:
		n.Drained = true
		if len(f.Data.Roles) > 0 {
			n.Outage = f.Data.Roles
		}
		n.enter(PhaseInstalling, f.Time)
	case FactScriptIntent, FactScriptDone:
		n.applyScript(f)
	case FactScriptEndedLate:
		n.applyLateScript(f)
	case FactUndoDone:
		n.PausedByUs, n.Drained, n.Maintenance, n.Look = false, false, false, false
		n.BackInService = n.Leave != "" && n.Leave != LeaveHeld
		switch {
		case n.InService: // it was taken before, and goes on in service
			n.enter(PhaseInstalling, f.Time)
		case n.Leave == "":
			n.Status, n.Started = NodeWaiting, time.Time{}
			n.enter(PhaseWaiting, f.Time)
		}
	case FactMaintenanceIntent:
		// From the intent on it counts as set, so that it is undone after any crash (R16).
		n.Maintenance = n.Maintenance || f.Data.On
	case FactMaintenanceDone:
		n.Maintenance = f.Data.On
	case FactNodeFailing:
		n.Leave, n.Hopeless = f.Data.Leave, cmp.Or(n.Hopeless, f.Data.Hopeless)
		n.BackInService = n.BackInService || (n.Leave == LeaveInService && n.inService())
		n.keepCause(f)
	case FactNodeRetried:
		n.applyRetried(f)
	case FactLooked:
		n.applyLooked(f)
	case FactNodeEnded:
		// The writer keeps the first cause in front and adds how the node is left.
		if f.Data.Cause != nil {
			n.Cause = f.Data.Cause
		}
		n.MayReturn = f.Data.MayReturn
		n.applyUnstaged(f)
		n.end(f.Data.NodeStatus, f)
	case FactCleanDone:
		n.Traces = false
	default:
		n.applyRestart(f)
	}
}

func (n *NodeRun) applyRestart(f Fact) {
	switch f.Kind {
	case FactRestartIntent:
		n.RestartFrom, n.Boot, n.BootRead = f.Data.Boot, f.Data.Boot, f.Data.BootRead
		n.enter(PhaseRestarting, f.Time)
	case FactRestartProven:
		n.RestartFrom, n.RestartDue, n.RestartBegun, n.Boot, n.BootRead = "", false, false, f.Data.Boot, f.Data.BootRead
		n.Restarts++
		n.RestartsInRow++
		n.enter(PhaseRescanning, f.Time)
	case FactRescanIntent:
		n.enter(PhaseRescanning, f.Time)
	case FactRescanDone:
		n.RestartDue = len(f.Data.Pending) > 0
		n.Rescanned = !n.RestartDue
		n.BackInService = n.BackInService || (n.Rescanned && n.inService())
	case FactReturnedLate:
		n.Returned, n.Watched, n.Cause = true, false, f.Data.Cause
		n.Leave = n.leaveNow()
		n.BackInService = n.BackInService || n.inService()
		n.RestartFrom, n.RestartDue, n.RestartBegun, n.Boot, n.BootRead = "", false, false, f.Data.Boot, f.Data.BootRead
		n.Restarts++
		n.RestartsInRow++
		n.enter(PhaseRescanning, f.Time)
	case FactWatchBegun:
		n.Watched = true
	case FactWatchEnded:
		n.Watched, n.WatchOver = false, true
	case FactResumeIntent:
		n.enter(PhaseResuming, f.Time)
	case FactResumeDone:
		n.Resumed, n.BackInService, n.PausedByUs, n.Drained = true, true, false, false
		n.enter(PhaseSettling, f.Time)
	case FactSettleDone:
		n.Settled, n.RolesDown = true, f.Data.Roles
	default:
	}
}

func (n *NodeRun) applyUpdate(u *UpdateRun, f Fact) {
	switch f.Kind {
	case FactInstallIntent:
		u.Started = f.Time
		n.Boot, n.BootRead, n.Rescanned, n.RestartsInRow = f.Data.Boot, f.Data.BootRead, false, 0
		n.enter(PhaseInstalling, f.Time)
	case FactInstallDone:
		u.Ended = f.Time
		res := plugins.Result{Outcome: plugins.Unknown}
		if f.Data.Result != nil {
			res = *f.Data.Result
		}
		u.Outcome, u.RestartRequired, u.Cause, u.Signature, u.Log = res.Outcome, res.RestartRequired, res.Cause, res.Signature, res.Log
		if res.ExitCode != nil {
			code := int64(res.ExitCode.Int32())
			u.ExitCode = &code
		}
		u.RunsOn, u.Refused = f.Data.RunsOn, res.Refused
		n.RestartBegun = n.RestartBegun || restartBegun(res)
		n.RestartDue = n.RestartDue || res.RestartRequired || n.RestartBegun
		// The outcome and the hold are one fact: nothing may slip between them.
		if f.Data.Leave != "" {
			n.Leave = f.Data.Leave
			n.keepCause(f)
		}
	case FactInstallerEndedLate:
		u.Late, n.Watched = f.Data.Result, false
		if f.Data.Cause != nil {
			n.Cause = f.Data.Cause
		}
	default:
	}
}

// keepCause lets the first cause survive whatever happens while the node is wound down (R30).
func (n *NodeRun) keepCause(f Fact) {
	if n.Cause == nil {
		n.Cause = f.Data.Cause
	}
}

func (n *NodeRun) end(st NodeStatus, f Fact) {
	n.Status, n.Ended = st, f.Time
	n.HeldBackBy, n.TakenBy, n.Look = "", "", false
	n.keepCause(f)
	n.enter(PhaseDone, f.Time)
}
