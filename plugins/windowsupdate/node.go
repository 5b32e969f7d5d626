package windowsupdate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/windowsupdate/criteria"
)

// OperationResultCode and InstallationImpact, InstallationRebootBehavior (wuapi.h).
const (
	resultSucceeded  = 2
	resultWithErrors = 3
	resultFailed     = 4
	resultAborted    = 5
	impactAlone      = 2
	rebootNever      = 0
)

// Results of the agent that are no failure of the update's own (wuerror.h).
const (
	wuInProgress          fault.Code = 0x80240009
	wuInstallNotAllowed   fault.Code = 0x80240016
	wuNotApplicable       fault.Code = 0x80240017
	wuNoInteractiveUser   fault.Code = 0x80240020
	wuEulasDeclined       fault.Code = 0x80240023
	wuDisabledTillRestart fault.Code = 0x8024201D
)

// Stage lets the node's agent download the updates, each by a call of its own. One that is not offered any more, or that
// wants its licence terms accepted since, is the installation's to judge. One that could not be downloaded has failed; the
// others are installed, as CAU's plug-ins report it by update (IStageCallback.ReportStagingResult, MSFT_CAU_DownloadUpdateInfo).
func (p *Plugin) Stage(ctx context.Context, node plugins.Node, req plugins.StageRequest, report func(plugins.Progress)) (plugins.StageResult, error) {
	byID := map[plugins.UpdateID]plugins.Update{}
	var wanted []plugins.UpdateID
	for _, u := range req.Updates {
		id, err := pin(u)
		if err != nil {
			return plugins.StageResult{}, err
		}
		wanted, byID[id] = append(wanted, id), u
	}
	done, err := work(ctx, node, plugins.Job{ID: req.JobID, Kind: plugins.JobUpdatesDownload}, req.Run, wanted, func(e plugins.JobEvent) {
		switch e.Kind {
		case "downloading":
			report(plugins.Progress{Message: "downloads " + e.Message, Percent: percent(e.Done, e.Total)})
		case "present":
			report(plugins.Progress{Message: e.Message + " is downloaded already", Percent: percent(e.Done, e.Total)})
		}
	})
	if err != nil {
		return plugins.StageResult{}, err
	}
	var out plugins.StageResult
	for _, id := range wanted {
		fail := func(code fault.Code, what string) {
			u := byID[id]
			out.Failed = append(out.Failed, plugins.StageFailure{Update: u.ID, Err: &fault.Error{Op: "download " + u.Name, Node: node.Name(), Code: code, Err: errors.New(what)}})
		}
		r, ok := done.of(id)
		code := fault.CodeOf(r.HResult)
		switch {
		case !ok:
			fail(0, "the agent gives no result")
		case r.Missing, r.AlreadyDone, r.ResultCode == resultSucceeded, code == wuEulasDeclined, code == wuNoInteractiveUser:
		default:
			fail(code, "the agent "+words(r.ResultCode))
		}
	}
	return out, nil
}

// Install lets the node's agent install one update. What became of one whose job was lost the agent is asked (R19).
func (p *Plugin) Install(ctx context.Context, node plugins.Node, req plugins.InstallRequest, report func(plugins.Progress)) (plugins.Result, error) {
	res, err := install(ctx, node, req, req.JobID, report)
	if !errors.Is(err, plugins.ErrJobLost) {
		return res, err
	}
	id, wrong := pin(req.Update)
	if wrong != nil {
		return plugins.Result{}, wrong
	}
	report(plugins.Progress{Update: req.Update.Name, Message: "asks the agent what became of it", Percent: -1})
	ask := criteria.Query{Groups: []criteria.Group{{
		{Name: "UpdateID", Op: criteria.Equal, Value: id.ID}, {Name: "RevisionNumber", Op: criteria.Equal, Value: fmt.Sprint(id.Revision)},
	}}}
	found, asked := search(ctx, node, req.Run, req.JobID+"-ask", ask.String())
	if asked != nil {
		return plugins.Result{}, fmt.Errorf("%w; and the agent could not be asked: %w", err, asked)
	}
	for _, f := range found.Updates {
		if f.Installed {
			// Whether it waits for a restart was in the answer that is lost. One that is not needed does no harm (R21).
			return plugins.Result{Outcome: plugins.Installed, RestartRequired: f.Reboot != rebootNever}, nil
		}
	}
	// It is not installed, or not yet: the agent may go on with what it began, and then refuses to begin anything.
	res, again := install(ctx, node, req, req.JobID+"-again", report)
	if again == nil && res.ExitCode != nil && (*res.ExitCode == wuInProgress || *res.ExitCode == wuInstallNotAllowed) {
		return plugins.Result{}, fmt.Errorf("%w; and the agent does not begin it again: %s", err, res.ExitCode)
	}
	return res, again
}

func install(ctx context.Context, node plugins.Node, req plugins.InstallRequest, jobID string, report func(plugins.Progress)) (plugins.Result, error) {
	id, err := pin(req.Update)
	if err != nil {
		return plugins.Result{}, err
	}
	job := plugins.Job{ID: jobID, Kind: plugins.JobUpdatesInstall, Limit: installMinutes * time.Minute}
	done, err := work(ctx, node, job, req.Run, []plugins.UpdateID{id}, func(e plugins.JobEvent) {
		if e.Kind == "installing" {
			report(plugins.Progress{Update: req.Update.Name, Message: "installs " + e.Message, Percent: -1})
		}
	})
	if errors.Is(err, plugins.ErrJobFailed) {
		return plugins.Result{Outcome: plugins.UpdateFailed, Refused: errors.Is(err, plugins.ErrJobRefused), Cause: fault.CauseOf(err)}, nil
	}
	if err != nil {
		return plugins.Result{}, err
	}
	r, ok := done.of(id)
	if !ok {
		return plugins.Result{}, fmt.Errorf("the agent gives no result for %s", req.Update.Name)
	}
	return judge(node.Name(), req.Update.Name, r, done.RestartRequired), nil
}

// judge turns the agent's result into the plan's. Success with errors is success: whether it holds is proven by the agent's
// next answer, after the restart (FollowUps, R21).
func judge(node, name string, r plugins.UpdateResult, restart bool) plugins.Result {
	code := fault.CodeOf(r.HResult)
	out := plugins.Result{RestartRequired: r.RestartRequired || restart}
	if code != 0 {
		out.ExitCode = &code
	}
	fail := func(what string) *fault.Cause {
		return fault.CauseOf(&fault.Error{Op: "install " + name, Node: node, Code: code, Err: errors.New(what)})
	}
	switch {
	case r.Missing, code == wuNotApplicable:
		out.Outcome = plugins.NotApplicable
	case r.AlreadyDone:
		out.Outcome = plugins.AlreadyInstalled
	case r.ResultCode == resultSucceeded, r.ResultCode == resultWithErrors:
		out.Outcome = plugins.Installed
	case code == wuEulasDeclined, code == wuNoInteractiveUser:
		out.Outcome, out.Cause = plugins.Excluded, fail("it needs somebody at the console, and was left out")
	default:
		out.Outcome, out.Cause = plugins.UpdateFailed, fail("the agent "+words(r.ResultCode))
		out.RestartRequired = out.RestartRequired || code == wuInstallNotAllowed || code == wuDisabledTillRestart
	}
	return out
}

func words(resultCode int) string {
	switch resultCode {
	case resultWithErrors:
		return "succeeded with errors"
	case resultFailed:
		return "failed"
	case resultAborted:
		return "aborted it"
	}
	return fmt.Sprintf("did not begin it (result code %d)", resultCode)
}

// results are a job's by update.
type results struct{ plugins.UpdatesJobResult }

func (r results) of(id plugins.UpdateID) (plugins.UpdateResult, bool) {
	for _, one := range r.Results {
		if one.UpdateID == id {
			return one, true
		}
	}
	return plugins.UpdateResult{}, false
}

// work runs a job of the agent over updates that are named exactly; the criteria are those of the plan's own updates.
func work(ctx context.Context, node plugins.Node, job plugins.Job, run string, wanted []plugins.UpdateID, onEvent func(plugins.JobEvent)) (results, error) {
	var out results
	input, err := json.Marshal(plugins.UpdatesJob{UpdatesQuery: plugins.UpdatesQuery{Run: run, Criteria: DefaultQuery}, Updates: wanted})
	if err != nil {
		return out, fmt.Errorf("write the agent's job: %w", err)
	}
	job.Input = input
	data, err := node.RunJob(ctx, job, onEvent)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(data, &out.UpdatesJobResult); err != nil {
		return out, fmt.Errorf("read the agent's results: %w", err)
	}
	return out, nil
}

// pin is what the plan pinned for an update (R08).
func pin(u plugins.Update) (plugins.UpdateID, error) {
	var p pinned
	if err := json.Unmarshal(u.Payload, &p); err != nil || p.ID == "" {
		return p.UpdateID, fmt.Errorf("the plan does not say which update %s is", u.Name)
	}
	return p.UpdateID, nil
}

// FollowUps asks the node's agent again what it offers. An update that was installed and is offered once more keeps its id, by
// which the run sees that it was undone (R21); one that was tried and did not apply is offered again by the agent or not.
func (p *Plugin) FollowUps(ctx context.Context, node plugins.Node, req plugins.FollowUpRequest) ([]plugins.Update, error) {
	q, err := query(req.Arguments)
	if err != nil {
		return nil, err
	}
	found, err := search(ctx, node, req.Run, req.JobID, q.String())
	if err != nil {
		return nil, err
	}
	updates, _ := offers(found.Updates)
	return updates, nil
}

func percent(done, total int64) int {
	if total <= 0 {
		return -1
	}
	return int(min(100, done*100/total))
}
