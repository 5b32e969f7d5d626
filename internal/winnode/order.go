package winnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"cau/internal/winnode/agent"
	"cau/plugins"
)

var idShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)

// order is a job as the node takes it.
func (n *Node) order(job plugins.Job) (agent.JobStartArgs, error) {
	var run string
	var input any
	switch job.Kind {
	case plugins.JobStage:
		var in plugins.StageJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return agent.JobStartArgs{}, fmt.Errorf("the job's input: %w", err)
		}
		run = in.Run
		input = agent.StageInput{
			Run: in.Run, Root: in.Root, RequireEncryption: in.RequireEncryption, ReserveBytes: n.fleet.cfg.ReserveBytes,
			Files: stageFiles(in.Files),
		}
	case plugins.JobInstaller:
		var in plugins.InstallerJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			return agent.JobStartArgs{}, fmt.Errorf("the job's input: %w", err)
		}
		run = in.Run
		input = agent.InstallerInput{
			Run: in.Run, Update: in.Update, Target: in.Target, Files: stageFiles(in.Files),
			Program: in.Command.Program, Parameters: in.Command.Parameters,
		}
	default:
		return agent.JobStartArgs{}, fmt.Errorf("there is no kind of job %q", job.Kind)
	}
	if !idShape.MatchString(job.ID) || !idShape.MatchString(run) {
		return agent.JobStartArgs{}, errors.New("a job's id and run are made of a-z, 0-9 and -, at most 100 characters")
	}
	text, err := json.Marshal(input)
	if err != nil {
		return agent.JobStartArgs{}, err
	}
	return agent.JobStartArgs{ID: job.ID, Run: run, Kind: string(job.Kind), Input: string(text)}, nil
}

func stageFiles(files []plugins.StageFile) []agent.StageFile {
	out := make([]agent.StageFile, 0, len(files))
	for _, f := range files {
		out = append(out, agent.StageFile{Update: f.Update, Path: f.Path, Size: f.Size, SHA256: f.SHA256, Target: f.Target})
	}
	return out
}

// output is a job's data in the plug-ins' shape.
func output(kind plugins.JobKind, data json.RawMessage) (json.RawMessage, error) {
	switch kind {
	case plugins.JobStage:
		var out agent.StageOutput
		if err := json.Unmarshal(data, &out); err != nil {
			return nil, err
		}
		c := out.Connection
		return json.Marshal(plugins.StageJobResult{
			Connection: plugins.ShareConnection{
				Dialect: agent.Printable(c.Dialect, 40), Signed: c.Signed, Encrypted: c.Encrypted, Account: agent.Printable(c.Account, maxName),
			},
			Bytes: out.Bytes,
		})
	case plugins.JobInstaller:
		var out struct {
			ExitCode *int64 `json:"exit_code"`
			Log      string `json:"log"`
		}
		if err := json.Unmarshal(data, &out); err != nil {
			return nil, err
		}
		if out.ExitCode == nil { // no code is not code 0
			return nil, errors.New("the installer's exit code is missing")
		}
		return json.Marshal(plugins.InstallerJobResult{ExitCode: *out.ExitCode, Log: agent.Printable(out.Log, maxMessage)})
	}
	return nil, fmt.Errorf("there is no kind of job %q", kind)
}
