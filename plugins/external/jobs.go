package external

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// do has the node do what was asked for, as a job of its task scheduler that outlives the connection. Its name is the same
// when the request is made again, so that it is found and not begun twice (R19, R26).
func (c *conversation) do(ctx context.Context, m *askMessage) answer {
	said := answer{Cau: Protocol, Answer: m.Job}
	if err := errors.Join(ctx.Err(), c.unknown); err != nil {
		said.Error = plainLine(err.Error())
		return said
	}
	kind, in := c.order(m)
	input, err := json.Marshal(in)
	if err != nil {
		said.Error = plainLine(err.Error())
		return said
	}
	limit := c.limit
	if asked := time.Duration(m.Minutes) * time.Minute; asked > 0 && (limit == 0 || asked < limit) {
		limit = asked
	}
	name := sha256.Sum256([]byte(c.job + "\x00" + m.Job))
	job := plugins.Job{ID: c.run + "-x-" + hex.EncodeToString(name[:12]), Kind: kind, Input: input, Limit: limit}
	var output strings.Builder
	done, err := c.node.RunJob(ctx, job, func(e plugins.JobEvent) {
		switch {
		case e.Kind != "output":
		case output.Len()+len(e.Message) >= maxOutput:
			said.Truncated = true
		default:
			output.WriteString(e.Message + "\n")
		}
	})
	said.Output = output.String()
	if err == nil {
		if err = c.tell(&said, kind, done); err != nil {
			err = fmt.Errorf("%w that can be read: %w", plugins.ErrJobLost, err)
		}
	}
	if err != nil {
		if !errors.Is(err, plugins.ErrJobFailed) {
			c.unknown = err
		}
		said.OK, said.Error = false, plainLine(err.Error())
		var f *fault.Error
		if errors.As(err, &f) {
			said.Code = uint32(f.Code)
		}
	}
	return said
}

// order is the job on the node.
func (c *conversation) order(m *askMessage) (plugins.JobKind, any) {
	sum := func(b []byte) string {
		s := sha256.Sum256(b)
		return hex.EncodeToString(s[:])
	}
	switch act, _ := m.act(); act {
	case actRead:
		return plugins.JobFileRead, plugins.FileReadJob{Run: c.run, Update: c.folder, Path: m.Path, Offset: m.Offset}
	case actReadAnywhere:
		return plugins.JobFileRead, plugins.FileReadJob{Run: c.run, Path: m.Path, Offset: m.Offset}
	case actWrite:
		return plugins.JobFileWrite, plugins.FileWriteJob{Run: c.run, Update: c.folder, Path: m.Path, Offset: m.Offset, SHA256: sum(m.Data), Data: m.Data}
	case actProgram:
		own := m.Files[0].Path
		in := plugins.InstallerJob{
			Run: c.run, Update: c.folder, Target: own, Signature: c.signature,
			Command: plugins.Command{Program: m.Program, Parameters: m.Parameters},
		}
		if in.Command.Program == "" { // the variable is the folder that the program's own file lies in
			in.Command.Program = "%" + plugins.UpdateFolderVariable + `%\` + own[strings.LastIndexByte(own, '\\')+1:]
		}
		for _, f := range m.Files {
			in.Files = append(in.Files, plugins.StageFile{Update: c.folder, File: plugins.File{Path: f.Path, Size: f.Size, SHA256: f.SHA256}, Target: f.Path})
		}
		return plugins.JobInstaller, in
	default:
		return plugins.JobScript, plugins.ScriptJob{
			Run: c.run, Name: c.request.Request + " " + m.Job, SHA256: sum([]byte(m.Script)), Cluster: c.request.Cluster, Phase: c.request.Request, Text: []byte(m.Script),
		}
	}
}

// tell reads how the job ended.
func (c *conversation) tell(said *answer, kind plugins.JobKind, done json.RawMessage) error {
	var err error
	switch kind {
	case plugins.JobFileRead:
		var r plugins.FileReadJobResult
		err = json.Unmarshal(done, &r)
		said.Size, said.Data = &r.Size, r.Data
	case plugins.JobFileWrite:
		var r plugins.FileWriteJobResult
		err = json.Unmarshal(done, &r)
		said.Size, said.SHA256 = &r.Size, r.SHA256
	case plugins.JobInstaller:
		var r plugins.InstallerJobResult
		err = json.Unmarshal(done, &r)
		said.ExitCode = r.ExitCode
		if err == nil && c.seen != nil {
			*c.seen = r
		}
	default:
		var r plugins.ScriptJobResult
		err = json.Unmarshal(done, &r)
		said.ExitCode, said.Truncated = r.ExitCode, said.Truncated || r.Truncated
	}
	said.OK = err == nil
	return err
}
