package winnode

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cau/internal/winnode/agent"
	"cau/plugins"
)

// idShape is what runs and jobs are called: names of folders and tasks on a node.
var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)

var errBadID = errors.New("the names of jobs and runs are made of a-z, 0-9 and -, at most 100 characters")

// Bounds of what goes to the update agent.
const (
	maxCriteria = 2000
	maxUpdates  = 2000
)

// order is a job as the node takes it.
func (n *Node) order(job plugins.Job) (agent.JobStartArgs, error) {
	run, input, err := n.input(job)
	if err != nil {
		return agent.JobStartArgs{}, fmt.Errorf("the job's input: %w", err)
	}
	if !idShape.MatchString(job.ID) || !idShape.MatchString(run) {
		return agent.JobStartArgs{}, errBadID
	}
	if job.AsCaller && job.Kind != plugins.JobScript {
		return agent.JobStartArgs{}, fmt.Errorf("a job of kind %q runs as SYSTEM only", job.Kind)
	}
	text, err := json.Marshal(input)
	if err != nil {
		return agent.JobStartArgs{}, err
	}
	return agent.JobStartArgs{ID: job.ID, Run: run, Kind: string(job.Kind), Input: string(text)}, nil
}

// input translates a kind's input from the plug-ins' shape to the node's.
func (n *Node) input(job plugins.Job) (run string, input any, err error) {
	switch job.Kind {
	case plugins.JobStage:
		var in plugins.StageJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return "", nil, err
		}
		out := agent.StageInput{
			Run: in.Run, Root: in.Root, RequireEncryption: in.RequireEncryption, Pushed: in.Pushed,
			ReserveBytes: n.fleet.cfg.ReserveBytes, Files: stageFiles(in.Files),
		}
		if in.Pushed { // the node reads its push folder, and no share
			out.Root = ""
		}
		return in.Run, out, nil
	case plugins.JobInstaller:
		var in plugins.InstallerJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return "", nil, err
		}
		switch in.Signature {
		case "", plugins.SignatureRequire, plugins.SignatureWarn, plugins.SignatureIgnore:
		default:
			return "", nil, fmt.Errorf("there is no signature policy %q", in.Signature)
		}
		return in.Run, agent.InstallerInput{
			Run: in.Run, Update: in.Update, Target: in.Target, Files: stageFiles(in.Files),
			Program: in.Command.Program, Parameters: in.Command.Parameters, Signature: string(in.Signature),
		}, nil
	case plugins.JobShareProbe:
		var in plugins.ShareProbeJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return "", nil, err
		}
		return in.Run, agent.ShareProbeInput{Root: in.Root, RequireEncryption: in.RequireEncryption, File: in.File}, nil
	case plugins.JobShareHash:
		var in plugins.ShareHashJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return "", nil, err
		}
		return in.Run, agent.ShareHashInput{Root: in.Root, RequireEncryption: in.RequireEncryption, Files: in.Files}, nil
	case plugins.JobScript:
		return scriptInput(job.Input)
	case plugins.JobFileRead:
		return fileReadInput(job.Input)
	case plugins.JobFileWrite:
		return n.fileWriteInput(job.Input)
	case plugins.JobUpdatesScan, plugins.JobUpdatesDownload, plugins.JobUpdatesInstall:
		return updatesInput(job)
	case plugins.JobCauScan:
		return cauScanInput(job.Input)
	case plugins.JobUpdatesRestart:
		var in plugins.UpdatesQuery // of which only the run matters
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return "", nil, err
		}
		return in.Run, struct{}{}, nil
	}
	return "", nil, fmt.Errorf("there is no kind of job %q", job.Kind)
}

func stageFiles(files []plugins.StageFile) []agent.StageFile {
	out := make([]agent.StageFile, 0, len(files))
	for _, f := range files {
		out = append(out, agent.StageFile{Update: f.Update, Path: f.Path, Size: f.Size, SHA256: f.SHA256, Target: f.Target})
	}
	return out
}

// scriptInput checks the pinned script against its hash before it leaves; the node does so again.
func scriptInput(raw json.RawMessage) (run string, input any, err error) {
	var in plugins.ScriptJob
	if err := json.Unmarshal(raw, &in); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(in.Text)
	switch {
	case len(in.Text) == 0 || len(in.Text) > agent.MaxScript:
		return "", nil, fmt.Errorf("a script has 1 to %d bytes, this one has %d", agent.MaxScript, len(in.Text))
	case hex.EncodeToString(sum[:]) != in.SHA256:
		return "", nil, errors.New("the script is not the one of the plan: its SHA-256 differs")
	case !slices.Contains([]string{plugins.PhasePre, plugins.PhasePost, plugins.PhaseScan, plugins.PhaseStage, plugins.PhaseInstall}, in.Phase):
		return "", nil, fmt.Errorf("there is no phase %q", in.Phase)
	}
	return in.Run, agent.ScriptInput{
		Name: agent.Printable(in.Name, maxName), SHA256: in.SHA256, Cluster: agent.Printable(in.Cluster, maxName), Phase: in.Phase,
		Text: base64.StdEncoding.EncodeToString(in.Text),
	}, nil
}

// updatesInput is what the update agent is asked for. The criteria are the administrator's own words in the agent's
// language and travel as data; the ids are those of the plan.
func updatesInput(job plugins.Job) (run string, input any, err error) {
	var in plugins.UpdatesJob
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return "", nil, err
	}
	q := agent.UpdatesQuery{
		Criteria: in.Criteria, ServerSelection: in.ServerSelection, ServiceID: in.ServiceID,
		IncludePotentiallySuperseded: in.IncludePotentiallySuperseded,
	}
	const service = 3
	if err := checkCriteria(q.Criteria); err != nil {
		return "", nil, err
	}
	switch {
	case q.ServerSelection < 0 || q.ServerSelection > service:
		return "", nil, fmt.Errorf("there is no server selection %d", q.ServerSelection)
	case (q.ServerSelection == service) != guidShape.MatchString(strings.ToLower(q.ServiceID)):
		return "", nil, errors.New("a service is named by its GUID where, and only where, the server selection is 3")
	}
	if job.Kind == plugins.JobUpdatesScan {
		return in.Run, q, nil
	}
	work := agent.UpdatesWorkInput{UpdatesQuery: q}
	seen := map[string]bool{}
	for _, u := range in.Updates {
		key := fmt.Sprintf("%s/%d", strings.ToLower(u.ID), u.Revision)
		if seen[key] {
			return "", nil, fmt.Errorf("update %q is named twice", u.ID)
		}
		seen[key] = true
		if !guidShape.MatchString(strings.ToLower(u.ID)) || u.Revision < 0 {
			return "", nil, fmt.Errorf("update %q revision %d is not an update's id", u.ID, u.Revision)
		}
		work.Updates = append(work.Updates, agent.UpdateID{ID: u.ID, Revision: u.Revision})
	}
	if len(work.Updates) == 0 || len(work.Updates) > maxUpdates {
		return "", nil, fmt.Errorf("1 to %d updates are worked through, not %d", maxUpdates, len(work.Updates))
	}
	return in.Run, work, nil
}

func checkCriteria(s string) error {
	if s == "" || len(s) > maxCriteria || s != agent.Printable(s, maxCriteria) {
		return fmt.Errorf("the criteria are empty, longer than %d characters or hold characters that no query has", maxCriteria)
	}
	return nil
}

func cauScanInput(raw json.RawMessage) (run string, input any, err error) {
	var in plugins.CauScanJob
	if err := json.Unmarshal(raw, &in); err != nil {
		return "", nil, err
	}
	return in.Run, agent.CauScanInput{Criteria: in.QueryString, Recommended: in.IncludeRecommendedUpdates}, checkCriteria(in.QueryString)
}
