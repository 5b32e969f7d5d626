package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"cau/internal/winnode/agent"
)

// errSharing is ERROR_SHARING_VIOLATION.
const errSharing = 32

// fullPath is a path on a drive.
var fullPath = regexp.MustCompile(`^[A-Za-z]:\\.`)

// writeFile writes a part of a file into an update's folder of the run. The part ends the file.
func (n *Node) writeFile(j *job, in agent.FileWriteInput) error {
	if !validName(in.Run) || !validName(in.Update) {
		return errName()
	}
	if !validRelative(in.Path) {
		return &refusal{"refused", "a file path is not a plain path below its folder"}
	}
	part, err := base64.StdEncoding.DecodeString(in.Data)
	if err != nil || len(part) > agent.MaxFileWrite || in.Offset < 0 || in.Offset+int64(len(part)) > agent.MaxFile {
		return &refusal{"refused", "the part of the file is out of bounds"}
	}
	if sum := sha256.Sum256(part); hex.EncodeToString(sum[:]) != in.SHA256 {
		return &refusal{"refused", "the part of the file is cut or changed"}
	}
	if need := 2*int64(len(part)) + in.ReserveBytes; len(part) > 0 && n.free < need {
		return win32(errDiskFull, fmt.Sprintf("the system drive has %d bytes free and %d are needed", n.free, need))
	}
	if err := n.planted(`runs\` + in.Run + `\` + in.Update + `\` + in.Path); err != nil {
		return err
	}
	path := stagedPath(in.Run, in.Update, in.Path)
	old := n.disk[key(path)]
	if int64(len(old.content)) < in.Offset {
		return &refusal{"refused", in.Path + " ends before the part that is to follow"}
	}
	content := append(append([]byte{}, old.content[:in.Offset]...), part...)
	sum := sha256.Sum256(content)
	f := file{path: path, size: int64(len(content)), sha256: hex.EncodeToString(sum[:]), head: content[:min(len(content), maxHead)], content: content}
	n.put(f)
	j.event("written", in.Path, f.size, f.size)
	j.finish(agent.FileWriteOutput{Size: f.size, SHA256: f.sha256}, nil)
	return nil
}

// readFile reads a part of a file of an update's folder, or by its full path.
func (n *Node) readFile(j *job, in agent.FileReadInput) error {
	if !validName(in.Run) {
		return errName()
	}
	if in.Offset < 0 {
		return &refusal{"refused", "the offset is out of bounds"}
	}
	content, err := n.content(in)
	if err != nil {
		return err
	}
	out := agent.FileReadOutput{Size: int64(len(content))}
	if in.Offset < out.Size {
		content = content[in.Offset:]
		out.Data = base64.StdEncoding.EncodeToString(content[:min(len(content), agent.MaxFileRead)])
	}
	j.event("read", in.Path, int64(base64.StdEncoding.DecodedLen(len(out.Data))), out.Size)
	j.finish(out, nil)
	return nil
}

func (n *Node) content(in agent.FileReadInput) ([]byte, error) {
	if in.Update != "" {
		if !validName(in.Update) {
			return nil, errName()
		}
		if !validRelative(in.Path) {
			return nil, &refusal{"refused", "a file path is not a plain path below its folder"}
		}
		if err := n.planted(`runs\` + in.Run + `\` + in.Update + `\` + in.Path); err != nil {
			return nil, err
		}
		return n.onDisk(stagedPath(in.Run, in.Update, in.Path), in.Path)
	}
	switch {
	case !fullPath.MatchString(in.Path):
		return nil, &refusal{"refused", "the path is not the full path of a file on a drive of this node"}
	case !validRelative(in.Path[3:]):
		return nil, &refusal{"refused", "a file path is not a plain path below its folder"}
	case in.Path[0]|0x20 != 'c':
		return nil, &refusal{"refused", in.Path[:3] + " is no fixed drive of this node"}
	}
	// What stands for a cluster shared volume is a reparse point.
	if strings.HasPrefix(key(in.Path), `c:\clusterstorage\`) {
		return nil, foreignFolder(in.Path, "reparse")
	}
	return n.onDisk(in.Path, in.Path)
}

// onDisk is a file's content: one that a job wrote, or one of the few of Windows' own that the model knows.
func (n *Node) onDisk(path, said string) ([]byte, error) {
	switch key(path) {
	case `c:\windows\system32\drivers\etc\hosts`:
		return []byte("# Copyright (c) 1993-2009 Microsoft Corp.\r\n#\r\n# This is a sample HOSTS file used by Microsoft TCP/IP for Windows.\r\n"), nil
	case `c:\windows\system32\config\sam`:
		return nil, win32(errSharing, "The process cannot access the file because it is being used by another process.")
	}
	f, ok := n.disk[key(path)]
	if !ok {
		return nil, &coded{"missing", said + " is not a file on this node", errFileNotFound}
	}
	if f.content == nil && f.size > 0 {
		return nil, &refusal{"refused", "the simulated cluster keeps nothing of files that were copied"}
	}
	return f.content, nil
}
