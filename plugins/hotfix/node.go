package hotfix

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cau/hotfixcfg"
	"cau/internal/fault"
	"cau/plugins"
)

// Stage brings the updates to the node. By pull the node itself reads the share as its computer account; by push this
// host reads it and writes to the node's ADMIN$ share. Either way the node checks every hash, and how the files came
// is reported (R13, R24).
func (p *Plugin) Stage(ctx context.Context, node plugins.Node, req plugins.StageRequest, report func(plugins.Progress)) (plugins.StageResult, error) {
	job := plugins.StageJob{Run: req.Run, Root: req.Source, RequireEncryption: req.Arguments.Bool(argEncryption), Files: []plugins.StageFile{}}
	for _, u := range req.Updates {
		files, err := stageFiles(u)
		if err != nil {
			return plugins.StageResult{}, err
		}
		job.Files = append(job.Files, files...)
	}
	var pushed plugins.ShareConnection
	if job.Pushed = req.Delivery == plugins.DeliveryPush; job.Pushed {
		var err error
		if pushed, err = p.push(ctx, node, req, report); err != nil {
			return plugins.StageResult{}, err
		}
		if err := protected(pushed, job.RequireEncryption, "push to ADMIN$", node.Name()); err != nil {
			return plugins.StageResult{}, err
		}
	}
	input, err := json.Marshal(job)
	if err != nil {
		return plugins.StageResult{}, fmt.Errorf("write the staging job: %w", err)
	}
	output, err := node.RunJob(ctx, plugins.Job{ID: req.JobID, Kind: plugins.JobStage, Input: input}, func(e plugins.JobEvent) {
		if words := stagingWords(e); words != "" {
			report(plugins.Progress{Message: words, Percent: percent(e.Done, e.Total)})
		}
	})
	if err != nil {
		return plugins.StageResult{}, err
	}
	var done plugins.StageJobResult
	if err := json.Unmarshal(output, &done); err != nil {
		return plugins.StageResult{}, fmt.Errorf("read the staging job's result: %w", err)
	}
	if job.Pushed {
		done.Connection = pushed
		return plugins.StageResult{Connection: done.Connection, Bytes: done.Bytes}, nil
	}
	if err := protected(done.Connection, job.RequireEncryption, "stage from "+req.Source, node.Name()); err != nil {
		return plugins.StageResult{}, err
	}
	return plugins.StageResult{Connection: done.Connection, Bytes: done.Bytes}, nil
}

// protected refuses a connection on which files could be changed on their way, or read where that is forbidden.
func protected(c plugins.ShareConnection, encryption bool, op, node string) error {
	if c.Encrypted || (c.Signed && !encryption) {
		return nil
	}
	return &fault.Error{
		Op: op, Node: node, Err: fmt.Errorf("the connection was neither encrypted nor signed as required (SMB %s, signed %t, encrypted %t)", c.Dialect, c.Signed, c.Encrypted),
		Hint: "Require SMB signing or encryption on the file server.",
	}
}

// Install runs the update's installer on the node and judges its exit code by the pinned rule (R20).
func (p *Plugin) Install(ctx context.Context, node plugins.Node, req plugins.InstallRequest, report func(plugins.Progress)) (plugins.Result, error) {
	pay, err := pinned(req.Update)
	if err != nil {
		return plugins.Result{}, err
	}
	files, err := stageFiles(req.Update)
	if err != nil {
		return plugins.Result{}, err
	}
	input, err := json.Marshal(plugins.InstallerJob{Run: req.Run, Update: req.Update.ID, Target: files[0].Target, Files: files, Command: req.Update.Command, Signature: req.Signature})
	if err != nil {
		return plugins.Result{}, fmt.Errorf("write the installer job: %w", err)
	}
	job := plugins.Job{ID: req.JobID, Kind: plugins.JobInstaller, Input: input, Limit: time.Duration(pay.TimeoutMinutes) * time.Minute}
	output, err := node.RunJob(ctx, job, func(e plugins.JobEvent) {
		if e.Kind == "starting" {
			report(plugins.Progress{Update: req.Update.Name, Message: "runs " + e.Message, Percent: -1})
		}
	})
	if errors.Is(err, plugins.ErrJobFailed) {
		return plugins.Result{Outcome: plugins.UpdateFailed, Refused: errors.Is(err, plugins.ErrJobRefused), Cause: fault.CauseOf(err)}, nil
	}
	if err != nil {
		return plugins.Result{}, err
	}
	var done plugins.InstallerJobResult
	if err := json.Unmarshal(output, &done); err != nil {
		return plugins.Result{}, fmt.Errorf("read the installer job's result: %w", err)
	}
	return judge(node.Name(), req.Update, pay.Rule, done), nil
}

// judge turns an exit code into a result by the rule.
func judge(node string, u plugins.Update, rule hotfixcfg.Rule, done plugins.InstallerJobResult) plugins.Result {
	code := fault.CodeOf(done.ExitCode)
	outcome := rule.Classify(code)
	r := plugins.Result{ExitCode: &code, RestartRequired: outcome.Restart(), Signature: done.Signature, Log: done.Log}
	switch outcome {
	case hotfixcfg.Installed, hotfixcfg.InstalledRestart:
		r.Outcome = plugins.Installed
	case hotfixcfg.AlreadyInstalled:
		r.Outcome = plugins.AlreadyInstalled
	case hotfixcfg.NotApplicable:
		r.Outcome = plugins.NotApplicable
	case hotfixcfg.Failed, hotfixcfg.FailedRestart:
		r.Outcome = plugins.UpdateFailed
		hint := code.Advice()
		if done.Log != "" {
			hint = "Read the installer's log on the node, in " + done.Log + "; it stays there until cau node clean."
		}
		r.Cause = fault.CauseOf(&fault.Error{Op: "install " + u.Name, Node: node, Code: code, Err: fmt.Errorf("exit code %d is not a success by rule %s", code.Int32(), rule.Name), Hint: hint})
	}
	return r
}

func pinned(u plugins.Update) (payload, error) {
	var pay payload
	if err := json.Unmarshal(u.Payload, &pay); err != nil {
		return pay, fmt.Errorf("read what the plan pinned for %s: %w", u.Name, err)
	}
	if len(pay.Targets) != len(u.Files) || len(u.Files) == 0 {
		return pay, fmt.Errorf("the plan pins %d files and %d places for %s", len(u.Files), len(pay.Targets), u.Name)
	}
	return pay, nil
}

func stageFiles(u plugins.Update) ([]plugins.StageFile, error) {
	pay, err := pinned(u)
	if err != nil {
		return nil, err
	}
	files := make([]plugins.StageFile, 0, len(u.Files))
	for i, f := range u.Files {
		files = append(files, plugins.StageFile{Update: u.ID, File: f, Target: pay.Targets[i]})
	}
	return files, nil
}

// stagingWords says what a staging job reported; the rest is for the job's own log on the node.
func stagingWords(e plugins.JobEvent) string {
	switch e.Kind {
	case "connecting":
		return "connects to " + e.Message
	case "copied":
		return "copied " + e.Message
	case "present":
		return e.Message + " is there already, with the right hash"
	}
	return ""
}

func percent(done, total int64) int {
	if total <= 0 {
		return -1
	}
	return int(min(100, done*100/total))
}
