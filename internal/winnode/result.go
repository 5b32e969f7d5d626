package winnode

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

// output is a job's data in the plug-ins' shape. A number that decides something and is missing is an error and
// never the good one; texts are printable and bounded (R33).
func output(job plugins.Job, data json.RawMessage) (json.RawMessage, error) {
	var out any
	var err error
	switch job.Kind {
	case plugins.JobStage:
		out, err = stageOutput(data)
	case plugins.JobInstaller:
		out, err = installerOutput(data)
	case plugins.JobShareProbe:
		out, err = probeOutput(data)
	case plugins.JobShareHash:
		out, err = hashOutput(data)
	case plugins.JobScript:
		out, err = scriptOutput(data)
	case plugins.JobFileRead:
		out, err = fileReadOutput(data)
	case plugins.JobFileWrite:
		out, err = fileWriteOutput(job.Input, data)
	case plugins.JobUpdatesScan:
		out, err = scanOutput(data)
	case plugins.JobUpdatesDownload, plugins.JobUpdatesInstall:
		out, err = workOutput(job.Input, data)
	case plugins.JobCauScan:
		out, err = cauScanOutput(data)
	case plugins.JobUpdatesRestart:
		out, err = restartOutput(data)
	default:
		err = fmt.Errorf("there is no kind of job %q", job.Kind)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func connection(c agent.Connection) plugins.ShareConnection {
	return plugins.ShareConnection{
		Dialect: agent.Printable(c.Dialect, 40), Signed: c.Signed, Encrypted: c.Encrypted, Account: agent.Printable(c.Account, maxName),
	}
}

func stageOutput(data json.RawMessage) (plugins.StageJobResult, error) {
	var out agent.StageOutput
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.StageJobResult{}, err
	}
	return plugins.StageJobResult{Connection: connection(out.Connection), Bytes: max(out.Bytes, 0)}, nil
}

func installerOutput(data json.RawMessage) (plugins.InstallerJobResult, error) {
	var out struct {
		ExitCode  *int64 `json:"exit_code"`
		Log       string `json:"log"`
		Signature *struct {
			Status     *int   `json:"status"`
			Signer     string `json:"signer"`
			Thumbprint string `json:"thumbprint"`
		} `json:"signature"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.InstallerJobResult{}, err
	}
	if out.ExitCode == nil {
		return plugins.InstallerJobResult{}, errors.New("the installer's exit code is missing")
	}
	r := plugins.InstallerJobResult{ExitCode: *out.ExitCode, Log: agent.Printable(out.Log, maxMessage)}
	if s := out.Signature; s != nil {
		status := -1
		if s.Status != nil {
			status = *s.Status
		}
		r.Signature = &plugins.Signature{
			Valid: status == 0, Status: signatureStatus(status), Signer: agent.Printable(s.Signer, maxMessage), Thumbprint: agent.Printable(s.Thumbprint, 64),
		}
	}
	return r, nil
}

// signatureStatus is Windows' word for a SignatureStatus (System.Management.Automation.SignatureStatus).
func signatureStatus(status int) string {
	words := []string{"Valid", "UnknownError", "NotSigned", "HashMismatch", "NotTrusted", "NotSupportedFileFormat", "Incompatible"}
	if status < 0 || status >= len(words) {
		return words[1]
	}
	return words[status]
}

func probeOutput(data json.RawMessage) (plugins.ShareProbeJobResult, error) {
	var out struct {
		Connection *agent.Connection `json:"connection"`
		Entries    int               `json:"entries"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.ShareProbeJobResult{}, err
	}
	if out.Connection == nil {
		return plugins.ShareProbeJobResult{}, errors.New("the connection to the share is missing")
	}
	return plugins.ShareProbeJobResult{Connection: connection(*out.Connection), Entries: max(out.Entries, 0)}, nil
}

func hashOutput(data json.RawMessage) (plugins.ShareHashJobResult, error) {
	var out struct {
		Connection *agent.Connection  `json:"connection"`
		Files      []agent.HashedFile `json:"files"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.ShareHashJobResult{}, err
	}
	if out.Connection == nil {
		return plugins.ShareHashJobResult{}, errors.New("the connection to the share is missing")
	}
	r := plugins.ShareHashJobResult{Connection: connection(*out.Connection), Files: []plugins.File{}}
	for _, f := range out.Files {
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size || f.Size < 0 {
			return plugins.ShareHashJobResult{}, errors.New("the SHA-256 of " + agent.Printable(f.Path, maxMessage) + " is missing")
		}
		r.Files = append(r.Files, plugins.File{Path: agent.Printable(f.Path, maxMessage), Size: f.Size, SHA256: strings.ToLower(f.SHA256)})
	}
	return r, nil
}

func scriptOutput(data json.RawMessage) (plugins.ScriptJobResult, error) {
	var out struct {
		agent.ScriptOutput
		ExitCode *int64 `json:"exit_code"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.ScriptJobResult{}, err
	}
	if out.ExitCode == nil {
		return plugins.ScriptJobResult{}, errors.New("the script's exit code is missing")
	}
	return plugins.ScriptJobResult{
		ExitCode: *out.ExitCode, Account: agent.Printable(out.Account, maxName), Truncated: out.Truncated, Log: agent.Printable(out.Log, maxMessage),
	}, nil
}

// resultCode reads an OperationResultCode (wuapi.h: 0 not started to 5 aborted).
func resultCode(code *int) (int, error) {
	const aborted = 5
	if code == nil {
		return 0, errors.New("the result code is missing")
	}
	if *code < 0 || *code > aborted {
		return 0, fmt.Errorf("there is no result code %d", *code)
	}
	return *code, nil
}

func scanOutput(data json.RawMessage) (plugins.UpdatesScanResult, error) {
	var raw struct {
		ResultCode *int `json:"result_code"`
		Updates    []struct {
			agent.FoundUpdate
			Revision *int `json:"revision"`
		} `json:"updates"`
		Warnings []agent.UpdateWarning `json:"warnings"`
		Server   string                `json:"server"`
		Source   string                `json:"source"`
		LastScan string                `json:"last_scan"`
	}
	fail := func(err error) (plugins.UpdatesScanResult, error) { return plugins.UpdatesScanResult{}, err }
	if err := json.Unmarshal(data, &raw); err != nil {
		return fail(err)
	}
	code, err := resultCode(raw.ResultCode)
	if err != nil {
		return fail(err)
	}
	if len(raw.Updates) > maxUpdates {
		return fail(fmt.Errorf("the node names %d updates; more than %d are not believed", len(raw.Updates), maxUpdates))
	}
	out := plugins.UpdatesScanResult{ResultCode: code, Server: agent.Printable(raw.Server, maxName), Source: agent.Printable(raw.Source, maxName)}
	if at, err := time.Parse(time.RFC3339Nano, raw.LastScan); err == nil {
		out.LastScan = at.UTC()
	}
	for _, u := range raw.Updates {
		if u.Revision == nil || *u.Revision < 0 || !guidShape.MatchString(strings.ToLower(u.ID)) {
			return fail(fmt.Errorf("an update has the id %q, which is none", agent.Printable(u.ID, 64)))
		}
		out.Updates = append(out.Updates, foundUpdate(u.FoundUpdate, *u.Revision))
	}
	for _, w := range raw.Warnings[:min(len(raw.Warnings), maxFacts)] {
		out.Warnings = append(out.Warnings, plugins.UpdateWarning{Context: w.Context, HResult: w.HResult, Message: agent.Printable(w.Message, maxMessage)})
	}
	return out, nil
}

func foundUpdate(u agent.FoundUpdate, revision int) plugins.FoundUpdate {
	return plugins.FoundUpdate{
		UpdateID: plugins.UpdateID{ID: u.ID, Revision: revision}, Title: agent.Printable(u.Title, maxMessage), KBs: texts(u.KBs, 40), Type: u.Type,
		Categories: texts(u.Categories, maxName), Severity: agent.Printable(u.Severity, 40), MaxBytes: max(u.MaxBytes, 0),
		Downloaded: u.Downloaded, Mandatory: u.Mandatory, EulaAccepted: u.EulaAccepted, CanAskUser: u.CanAskUser,
		Impact: u.Impact, Reboot: u.Reboot, BrowseOnly: u.BrowseOnly, AutoSelect: u.AutoSelect, Installed: u.Installed, Superseded: texts(u.Superseded, 64),
	}
}

// workOutput takes results for the updates that were asked for and for no other, each once.
func workOutput(input, data json.RawMessage) (plugins.UpdatesJobResult, error) {
	var asked plugins.UpdatesJob
	var raw struct {
		Results []struct {
			agent.UpdateResult
			ResultCode *int   `json:"result_code"`
			HResult    *int64 `json:"hresult"`
		} `json:"results"`
		RestartRequired *bool `json:"restart_required"`
	}
	fail := func(err error) (plugins.UpdatesJobResult, error) { return plugins.UpdatesJobResult{}, err }
	if err := errors.Join(json.Unmarshal(input, &asked), json.Unmarshal(data, &raw)); err != nil {
		return fail(err)
	}
	if raw.RestartRequired == nil {
		return fail(errors.New("the node does not say whether a restart is required"))
	}
	open := make(map[plugins.UpdateID]plugins.UpdateID, len(asked.Updates))
	for _, u := range asked.Updates {
		open[plugins.UpdateID{ID: strings.ToLower(u.ID), Revision: u.Revision}] = u
	}
	out := plugins.UpdatesJobResult{RestartRequired: *raw.RestartRequired}
	for _, r := range raw.Results {
		key := plugins.UpdateID{ID: strings.ToLower(r.ID), Revision: r.Revision}
		id, ok := open[key]
		if !ok {
			return fail(fmt.Errorf("there is a result for %q revision %d, which was not asked for or is there twice", agent.Printable(r.ID, 64), r.Revision))
		}
		delete(open, key)
		result := plugins.UpdateResult{UpdateID: id, Missing: r.Missing, AlreadyDone: r.AlreadyDone, RestartRequired: r.RestartRequired}
		code, err := resultCode(r.ResultCode)
		switch {
		case err == nil:
			result.ResultCode = code
		case !r.Missing && !r.AlreadyDone:
			return fail(fmt.Errorf("update %s: %w", id.ID, err))
		}
		if r.HResult != nil {
			result.HResult = int64(fault.CodeOf(*r.HResult))
		}
		out.Results = append(out.Results, result)
	}
	return out, nil
}

func restartOutput(data json.RawMessage) (plugins.UpdatesRestartResult, error) {
	var out struct {
		Required *bool `json:"required"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.UpdatesRestartResult{}, err
	}
	if out.Required == nil {
		return plugins.UpdatesRestartResult{}, errors.New("the node does not say whether a restart is required")
	}
	return plugins.UpdatesRestartResult{Required: *out.Required}, nil
}

// cauScanOutput takes ids in either of Windows' forms, with braces and without.
func cauScanOutput(data json.RawMessage) (plugins.CauScanResult, error) {
	var raw struct {
		Available *bool            `json:"available"`
		Updates   []agent.CauFound `json:"updates"`
	}
	fail := func(err error) (plugins.CauScanResult, error) { return plugins.CauScanResult{}, err }
	if err := json.Unmarshal(data, &raw); err != nil {
		return fail(err)
	}
	if raw.Available == nil || *raw.Available && raw.Updates == nil {
		return fail(errors.New("the node does not say what CAU's provider finds"))
	}
	if len(raw.Updates) > maxUpdates {
		return fail(fmt.Errorf("the node names %d updates; more than %d are not believed", len(raw.Updates), maxUpdates))
	}
	out := plugins.CauScanResult{Available: *raw.Available}
	for _, u := range raw.Updates {
		id := strings.ToLower(strings.Trim(u.ID, "{} "))
		if !guidShape.MatchString(id) {
			return fail(fmt.Errorf("CAU's provider names an update by %q, which is no id", agent.Printable(u.ID, 64)))
		}
		out.Updates = append(out.Updates, plugins.NamedUpdate{ID: id, Title: agent.Printable(u.Title, maxMessage)})
	}
	return out, nil
}
