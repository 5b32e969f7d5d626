package winnode

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"cau/internal/winnode/agent"
	"cau/plugins"
)

// fileReadInput leaves the path to the node: what a plain path below a folder is, Windows knows best.
func fileReadInput(raw json.RawMessage) (run string, input any, err error) {
	var in plugins.FileReadJob
	if err := json.Unmarshal(raw, &in); err != nil {
		return "", nil, err
	}
	switch {
	case in.Update != "" && !idShape.MatchString(in.Update):
		return "", nil, errBadID
	case in.Offset < 0:
		return "", nil, fmt.Errorf("a file is not read from byte %d", in.Offset)
	}
	return in.Run, agent.FileReadInput{Run: in.Run, Update: in.Update, Path: in.Path, Offset: in.Offset}, nil
}

// fileWriteInput checks the part against its hash before it leaves; the node does so again.
func (n *Node) fileWriteInput(raw json.RawMessage) (run string, input any, err error) {
	var in plugins.FileWriteJob
	if err := json.Unmarshal(raw, &in); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(in.Data)
	switch {
	case !idShape.MatchString(in.Update):
		return "", nil, errBadID
	case len(in.Data) > agent.MaxFileWrite:
		return "", nil, fmt.Errorf("a part of a file has at most %d bytes, this one has %d", agent.MaxFileWrite, len(in.Data))
	case in.Offset < 0 || in.Offset+int64(len(in.Data)) > agent.MaxFile:
		return "", nil, fmt.Errorf("a file has at most %d bytes", agent.MaxFile)
	case hex.EncodeToString(sum[:]) != in.SHA256:
		return "", nil, errors.New("the part of the file is not what its SHA-256 says")
	}
	return in.Run, agent.FileWriteInput{
		Run: in.Run, Update: in.Update, Path: in.Path, Offset: in.Offset, SHA256: in.SHA256, Data: base64.StdEncoding.EncodeToString(in.Data),
		ReserveBytes: n.fleet.cfg.ReserveBytes,
	}, nil
}

func fileReadOutput(data json.RawMessage) (plugins.FileReadJobResult, error) {
	var out struct {
		Size *int64  `json:"size"`
		Data *string `json:"data"`
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return plugins.FileReadJobResult{}, err
	}
	if out.Size == nil || out.Data == nil || *out.Size < 0 || len(*out.Data) > base64.StdEncoding.EncodedLen(agent.MaxFileRead) {
		return plugins.FileReadJobResult{}, errors.New("the file's size or content is missing or out of bounds")
	}
	read, err := base64.StdEncoding.DecodeString(*out.Data)
	if err != nil {
		return plugins.FileReadJobResult{}, err
	}
	return plugins.FileReadJobResult{Size: *out.Size, Data: read}, nil
}

// fileWriteOutput holds the node's answer against what was to be written: the part ends the file.
func fileWriteOutput(order, data json.RawMessage) (plugins.FileWriteJobResult, error) {
	var in plugins.FileWriteJob
	var out agent.FileWriteOutput
	if err := errors.Join(json.Unmarshal(order, &in), json.Unmarshal(data, &out)); err != nil {
		return plugins.FileWriteJobResult{}, err
	}
	if sum, err := hex.DecodeString(out.SHA256); err != nil || len(sum) != sha256.Size || out.Size != in.Offset+int64(len(in.Data)) {
		return plugins.FileWriteJobResult{}, errors.New("the file that was written has another size, or no SHA-256")
	}
	return plugins.FileWriteJobResult{Size: out.Size, SHA256: out.SHA256}, nil
}
