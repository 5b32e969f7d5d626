package model

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

func part(path string, offset int64, content string) agent.FileWriteInput {
	sum := sha256.Sum256([]byte(content))
	return agent.FileWriteInput{
		Run: "run1", Update: "u1", Path: path, Offset: offset, SHA256: hex.EncodeToString(sum[:]), Data: base64.StdEncoding.EncodeToString([]byte(content)),
	}
}

// job runs one job under a name of its own.
func (b *bench) ran(kind string, in any) agent.JobResult {
	b.t.Helper()
	id := fmt.Sprintf("file-%d", len(b.State().Nodes[0].Staged)*1000+b.State().Nodes[0].Jobs)
	b.startJob("NODE1", id, kind, in)
	return b.result("NODE1", id)
}

func TestAFileIsWrittenInPartsReadBackRunAndRemovedWithItsRun(t *testing.T) {
	b := newBench(t, Config{})
	text := updateMark + "\nexit=3010\n"
	half := len(text) / 2
	for range 2 { // a part that is written again, after a crash, is the same file
		b.ran(agent.JobFileWrite, part("fw.exe", 0, text[:half]))
		out := data[agent.FileWriteOutput](t, b.ran(agent.JobFileWrite, part("fw.exe", int64(half), text[half:])))
		if sum := sha256.Sum256([]byte(text)); out.Size != int64(len(text)) || out.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%+v", out)
		}
	}
	read := data[agent.FileReadOutput](t, b.ran(agent.JobFileRead, agent.FileReadInput{Run: "run1", Update: "u1", Path: "FW.exe", Offset: 4}))
	if got, _ := base64.StdEncoding.DecodeString(read.Data); string(got) != text[4:] || read.Size != int64(len(text)) {
		t.Errorf("%+v", read)
	}
	long := strings.Repeat("x", agent.MaxFileRead+1)
	b.ran(agent.JobFileWrite, part(`deep\log.txt`, 0, long))
	read = data[agent.FileReadOutput](t, b.ran(agent.JobFileRead, agent.FileReadInput{Run: "run1", Update: "u1", Path: `deep\log.txt`}))
	if read.Size != int64(len(long)) || len(read.Data) != base64.StdEncoding.EncodedLen(agent.MaxFileRead) {
		t.Errorf("%d bytes of %d", len(read.Data), read.Size)
	}
	ask[agent.Clean](b, "NODE1", agent.OpNodeClean, agent.CleanArgs{Run: "run1"})
	if left := b.State().Nodes[0].Staged; len(left) != 0 {
		t.Errorf("clean leaves %v", left)
	}
}

func TestR17_AFileOutsideTheUpdatesFolderOrBehindAReparsePointIsRefused(t *testing.T) {
	b := newBench(t, Config{Scenario: Scenario{Planted: []Planted{{Node: "NODE1", Path: `runs\run1\bad`, Kind: "reparse"}}}})
	changed := part("a", 0, "x")
	changed.SHA256 = strings.Repeat("0", 64)
	full := part("a", 0, "x")
	full.ReserveBytes = freeBytes
	elsewhere := part("a", 0, "x")
	elsewhere.Update = "bad"
	read := func(update, path string) agent.FileReadInput {
		return agent.FileReadInput{Run: "run1", Update: update, Path: path}
	}
	for name, c := range map[string]struct {
		kind string
		in   any
		says string
		code int64
	}{
		"a way up":               {agent.JobFileWrite, part(`..\a`, 0, "x"), "plain path", 0},
		"a drive":                {agent.JobFileWrite, part(`C:\a`, 0, "x"), "plain path", 0},
		"a stream":               {agent.JobFileWrite, part(`a:b`, 0, "x"), "plain path", 0},
		"a hole":                 {agent.JobFileWrite, part(`a`, 1, "x"), "ends before", 0},
		"too large":              {agent.JobFileWrite, part(`a`, agent.MaxFile, "x"), "out of bounds", 0},
		"another content":        {agent.JobFileWrite, changed, "cut or changed", 0},
		"no room":                {agent.JobFileWrite, full, "bytes free", 112},
		"a reparse point":        {agent.JobFileWrite, elsewhere, "is a reparse point", 0},
		"a read through one":     {agent.JobFileRead, read("bad", "a"), "is a reparse point", 0},
		"a read of a volume":     {agent.JobFileRead, read("", `C:\ClusterStorage\Volume1\a`), "is a reparse point", 0},
		"a read of a share":      {agent.JobFileRead, read("", `\\fs1\share\a`), "not the full path", 0},
		"a read of a device":     {agent.JobFileRead, read("", `C:\Windows\nul.txt`), "plain path", 0},
		"a read of a disc":       {agent.JobFileRead, read("", `D:\setup.exe`), "no fixed drive", 0},
		"a read of nothing":      {agent.JobFileRead, read("u1", "a"), "not a file", 2},
		"a read of what is held": {agent.JobFileRead, read("", `c:\windows\system32\config\SAM`), "being used by another process", 32},
	} {
		if r := b.ran(c.kind, c.in); r.OK || !strings.Contains(r.Err.Message, c.says) || r.Err.Code != c.code {
			t.Errorf("%s: %+v %+v", name, r, r.Err)
		}
	}
	if on := b.State().Nodes[0].Staged; len(on) != 0 {
		t.Errorf("written nevertheless: %v", on)
	}
	if r := data[agent.FileReadOutput](t, b.ran(agent.JobFileRead, read("", `C:\Windows\System32\drivers\etc\hosts`))); r.Size == 0 {
		t.Error("a file of Windows' own cannot be read")
	}
}
