package engine

import (
	"context"
	"errors"
	"slices"

	"cau/internal/fault"
	"cau/plugins"
)

// install installs one update, or attaches to it when it has begun before a crash. Once an update is begun
// nothing but its own end ends it (R18).
func (r *run) install(ctx context.Context, np NodePlan, u plugins.Update, nr NodeRun) error {
	job := r.updateJob(nr, u.ID)
	begun := !nr.Update(u.ID).Started.IsZero()
	if err := r.untilMayInstall(ctx, np.Name, nr, begun); err != nil {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case begun:
			// Asking for the job could start it now: whether it was started before is not known (R19).
			return r.ended(np, u, job, plugins.Result{}, err)
		case nr.RestartDue:
			return r.holdNode(np, nr, causeOfStep("before "+u.Name, np.Name, err, restartDueHint(np.Name)))
		}
		return r.fail(np, nr.leaveNow(), causeOfStep("before "+u.Name, np.Name, err, ""))
	}
	if !begun {
		boot, err := r.boot(ctx, np.Name)
		if err != nil && ctx.Err() == nil {
			err = r.lostContact(ctx, np.Name, err)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && nr.RestartDue:
			return r.holdNode(np, nr, causeOf("reach the node before "+u.Name, np.Name, err))
		case err != nil:
			return r.fail(np, nr.leaveNow(), causeOf("reach the node before "+u.Name, np.Name, err))
		}
		intent := FactData{Job: job, Boot: boot.Identity, BootRead: r.now(), Message: beyondPlan(np, u)}
		if err := r.record(Fact{Kind: FactInstallIntent, Node: np.Name, Update: u.ID, Data: intent}); err != nil {
			return err
		}
		r.checkpoint(ctx, np.Name)
	}
	plugin, _ := r.plugin(u)
	res, err := plugin.Install(ctx, r.Nodes(np.Name), r.installRequest(job, u), r.report(np.Name))
	again := r.retryCredential(ctx, np.Name, err)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case again:
		return nil // it is attached to, as after a crash
	}
	if s := res.Signature; s != nil && !s.Valid {
		r.report(np.Name)(plugins.Progress{Update: u.ID, Message: signatureRemark(s), Percent: -1})
	}
	return r.ended(np, u, job, res, err)
}

func (r *run) installRequest(job string, u plugins.Update) plugins.InstallRequest {
	return plugins.InstallRequest{Run: r.Plan.Run, JobID: job, Update: u, Signature: r.Plan.Options.SignaturePolicy}
}

// signatureRemark says what is wrong with a signature that is not valid.
func signatureRemark(s *plugins.Signature) string {
	text := "its Authenticode signature is not valid: " + orElse(s.Status, "no reason was given")
	if s.Signer != "" {
		text += ", signer " + s.Signer
	}
	return text
}

// untilOut waits until the node is seen out of service, as it was left by the drain. Somebody may have
// resumed it meanwhile, while this coordinator slept or was dead: then nothing more is installed there. After
// an installer has begun its peers are waited for longer.
func (r *run) untilOut(ctx context.Context, name string, begun bool) error {
	wait := contactPatience
	if begun {
		wait = settlePatience
	}
	return r.persist(ctx, contactPoll, wait, func() error {
		v, err := r.Cluster.Describe(ctx, name)
		if err != nil {
			return err
		}
		return stillDrained(&v, name, r.Plan.Options.drainMode())
	})
}

// ended records how an update ended; what is not known holds the node.
func (r *run) ended(np NodePlan, u plugins.Update, job string, res plugins.Result, err error) error {
	data := FactData{Job: job, Message: beyondPlan(np, u)}
	switch {
	case errors.Is(err, plugins.ErrJobStillRunning):
		// R18: the update has failed, its process goes on, and the node is left alone.
		res.Outcome, data.Leave, data.RunsOn = plugins.UpdateFailed, LeaveHeld, true
		r.sawRunning(np.Name)
	case err != nil, !known(res.Outcome), res.Outcome == plugins.Unknown:
		res.Outcome, data.Leave = plugins.Unknown, LeaveHeld
	}
	if err != nil && res.Cause == nil {
		res.Cause = causeFrom(err)
	}
	if data.Leave == LeaveHeld {
		data.Cause = causeOfUpdate(np.Name, &UpdateRun{Name: u.Name, Outcome: res.Outcome, Cause: res.Cause})
	}
	data.Result = &res
	return r.record(Fact{Kind: FactInstallDone, Node: np.Name, Update: u.ID, Data: data})
}

// restartBegun tells whether the installer restarts the node itself, whatever the rules make of its exit code:
// ERROR_SUCCESS_REBOOT_INITIATED (winerror.h). Another installer would be restarted under (R18).
func restartBegun(res plugins.Result) bool {
	const rebootInitiated = 1641
	return res.ExitCode != nil && res.ExitCode.Int32() == rebootInitiated
}

func known(o plugins.Outcome) bool {
	return slices.Contains([]plugins.Outcome{plugins.Installed, plugins.AlreadyInstalled, plugins.NotApplicable, plugins.UpdateFailed, plugins.Excluded, plugins.Unknown}, o)
}

// boot reads the node's boot identity, over a new connection when the old one fails.
func (r *run) boot(ctx context.Context, name string) (BootView, error) {
	var b BootView
	err := r.persist(ctx, contactPoll, contactPatience, func() error {
		var err error
		if b, err = r.Nodes(name).Boot(ctx); err != nil {
			r.Nodes(name).Reconnect()
		}
		return err
	})
	return b, err
}

// rescan asks whether a restart is still pending and whether the plug-in still offers what succeeded. Two
// restarts with a restart still pending, or an update offered again, are a loop that ends here (R21).
func (r *run) rescan(ctx context.Context, np NodePlan, nr NodeRun) error {
	if nr.Phase != PhaseRescanning {
		if err := r.record(Fact{Kind: FactRescanIntent, Node: np.Name}); err != nil {
			return err
		}
	}
	done := Fact{Kind: FactRescanDone, Node: np.Name}
	results := resultsOf(nr)
	if len(results) == 0 && nr.Restarts == 0 {
		// Nothing was begun: whatever is pending was so before and is not this run's to restart for (R29).
		return r.record(done)
	}
	var pending PendingView
	err := r.persist(ctx, contactPoll, contactPatience, func() error {
		var err error
		if pending, err = r.Nodes(np.Name).PendingRestart(ctx); err != nil {
			r.Nodes(np.Name).Reconnect()
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		err = r.lostContact(ctx, np.Name, err)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return r.failNode(np, nr, "", causeOf("read whether a restart is pending", np.Name, err))
	case pending.Pending() && nr.RestartsInRow >= restartLimit:
		return r.failNode(np, nr, loopGuardEnded, loopGuard(np.Name, "a restart is still pending after "+plural(nr.RestartsInRow, "restart", "restarts")+": "+pending.Reasons[0]))
	}
	if done.Data.Pending = pending.Reasons; pending.Pending() {
		return r.record(done)
	}
	for _, u := range r.remaining(np, nr, results) {
		if o := results[u.ID].Outcome; succeeded(o) {
			return r.failForGood(np, nr.leaveNow(), loopGuardEnded, offeredAgain(np.Name, u, o))
		}
		done.Data.Remaining = append(done.Data.Remaining, u.Name)
	}
	if again, err := r.lookBeyond(ctx, np, nr); again || err != nil {
		return err
	}
	return r.record(done)
}

// loopGuardEnded is why a node that is in a loop is not tried again.
const loopGuardEnded = "a loop guard ended it"

func loopGuard(node, what string) *fault.Cause {
	return &fault.Cause{Op: "rescan", Node: node, Message: node + ": rescan: loop guard: " + what, Hint: "Look at the node's CBS log (C:\\Windows\\Logs\\CBS)."}
}

func offeredAgain(node string, u plugins.Update, o plugins.Outcome) *fault.Cause {
	return loopGuard(node, u.Name+" is offered again after it was "+string(o))
}

func succeeded(o plugins.Outcome) bool {
	return o == plugins.Installed || o == plugins.AlreadyInstalled
}

// remaining is what the plug-ins still offer of what the node was to get.
func (r *run) remaining(np NodePlan, nr NodeRun, results map[string]plugins.Result) []plugins.Update {
	var out []plugins.Update
	for place := range r.Plan.Instances() {
		plugin, _ := r.pluginAt(place)
		if own := r.Plan.ownUpdates(place, np, nr); len(own) > 0 {
			out = append(out, plugin.Remaining(own, results)...)
		}
	}
	return out
}

// resultsOf are the updates that ended on the node, by id.
func resultsOf(nr NodeRun) map[string]plugins.Result {
	out := map[string]plugins.Result{}
	for i := range nr.Updates {
		u := &nr.Updates[i]
		if u.Outcome == "" {
			continue
		}
		res := plugins.Result{Outcome: u.Outcome, RestartRequired: u.RestartRequired, Cause: u.Cause}
		if u.ExitCode != nil {
			code := fault.CodeOf(*u.ExitCode)
			res.ExitCode = &code
		}
		out[u.ID] = res
	}
	return out
}
