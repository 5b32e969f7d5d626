package model

import (
	"errors"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

func TestR24_FilesThatWerePushedAreStagedByTheSameJob(t *testing.T) {
	b := newBench(t, Config{})
	n := b.node("NODE1")
	f := planned("u1", `CAUHotfix_All\a.msu`, "a.msu", "content")
	put := func() error { return n.PutPushed("run1", f.SHA256, f.Size, f.SHA256, []byte("content")) }
	if w := (*Win32Error)(nil); !errors.As(put(), &w) || w.Code != errPathNotFound {
		t.Errorf("before the folder is open: %v", put())
	}
	p := ask[agent.Push](b, "NODE1", agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	if p.Folder != `cau-push\run1` || p.FreeBytes != freeBytes || !n.PushOpen("run1") {
		t.Errorf("%+v", p)
	}
	in := agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{f}}
	b.startJob("NODE1", "none", agent.JobStage, in)
	if r := b.result("NODE1", "none"); r.OK || r.Err.Code != errFileNotFound {
		t.Errorf("nothing was pushed: %+v", r.Err)
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if size, sum, ok := n.Pushed("run1", f.SHA256); !ok || size != f.Size || sum != f.SHA256 {
		t.Errorf("%d %s %t", size, sum, ok)
	}
	for _, name := range []string{`..\a`, `C:\a`, "con", `a\..\..\b`, ""} {
		if n.PutPushed("run1", name, 1, f.SHA256, nil) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if w := (*Win32Error)(nil); !errors.As(n.PutPushed("run1", "big", freeBytes+1, f.SHA256, nil), &w) || w.Code != errDiskFull {
		t.Error("more than there is room for")
	}
	b.startJob("NODE1", "stage", agent.JobStage, in)
	if out := data[agent.StageOutput](t, b.result("NODE1", "stage")); out.Bytes != f.Size {
		t.Errorf("%+v", out)
	}
	if n.FreeBytes() != freeBytes-2*f.Size {
		t.Errorf("free: %d", n.FreeBytes())
	}
	// Somebody wrote other bytes under the name.
	other := planned("u2", f.Path, "a.msu", "CONTENT")
	if err := n.PutPushed("run1", other.SHA256, f.Size, f.SHA256, nil); err != nil {
		t.Fatal(err)
	}
	b.startJob("NODE1", "changed", agent.JobStage, agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{other}})
	if r := b.result("NODE1", "changed"); r.OK || !strings.Contains(r.Err.Message, "not the file of the plan") {
		t.Errorf("another file than the planned one: %+v", r)
	}
	ask[agent.Push](b, "NODE1", agent.OpPushClose, agent.PushArgs{Run: "run1"})
	staged := b.State().Nodes[0].Staged
	if len(staged) != 1 || staged[0] != `C:\Program Files\cau\runs\run1\u1\a.msu` || n.FreeBytes() != freeBytes-f.Size {
		t.Errorf("after closing: %v", staged)
	}
	if _, _, ok := n.Pushed("run1", f.SHA256); ok || n.PushOpen("run1") {
		t.Error("the push folder is still there")
	}
}

func TestANodeHashesWhatItReadsOverItsOwnConnection(t *testing.T) {
	s := &shelf{files: map[string]string{`a\b.msu`: "abc"}, connection: agent.Connection{Dialect: "3.1.1", Signed: true}}
	b := newBench(t, Config{Shares: s})
	b.startJob("NODE1", "hash", agent.JobShareHash, agent.ShareHashInput{Root: root, Files: []string{`a\b.msu`}})
	out := data[agent.ShareHashOutput](t, b.result("NODE1", "hash"))
	want := agent.HashedFile{Path: `a\b.msu`, Size: 3, SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if out.Connection.Account != `LAB\NODE1$` || len(out.Files) != 1 || out.Files[0] != want {
		t.Errorf("%+v", out)
	}
	for id, in := range map[string]agent.ShareHashInput{
		"missing": {Root: root, Files: []string{"none"}}, "sealed": {Root: root, RequireEncryption: true}, "path": {Root: root, Files: []string{`..\x`}}, "many": {Root: root, Files: make([]string, 4097)},
	} {
		b.startJob("NODE1", id, agent.JobShareHash, in)
		if r := b.result("NODE1", id); r.OK {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

func TestAProbeReadsTheRootAsTheComputerAccount(t *testing.T) {
	s := &shelf{files: map[string]string{`a\b.msu`: "content"}, connection: agent.Connection{Dialect: "3.1.1", Signed: true}, entries: 3}
	b := newBench(t, Config{Shares: s})
	b.startJob("NODE1", "root", agent.JobShareProbe, agent.ShareProbeInput{Root: root})
	out := data[agent.ShareProbeOutput](t, b.result("NODE1", "root"))
	if out.Entries != 3 || out.Connection.Account != `LAB\NODE1$` || !out.Connection.Signed {
		t.Errorf("%+v", out)
	}
	b.startJob("NODE1", "file", agent.JobShareProbe, agent.ShareProbeInput{Root: root, File: `a\b.msu`})
	if r := b.result("NODE1", "file"); !r.OK || s.opened != 1 {
		t.Errorf("%+v", r)
	}
	for id, tc := range map[string]struct {
		in   agent.ShareProbeInput
		code int64
	}{
		"missing": {agent.ShareProbeInput{Root: root, File: "none"}, errFileNotFound},
		"sealed":  {agent.ShareProbeInput{Root: root, RequireEncryption: true}, 0},
		"path":    {agent.ShareProbeInput{Root: root, File: `..\x`}, 0},
	} {
		b.startJob("NODE1", id, agent.JobShareProbe, tc.in)
		if r := b.result("NODE1", id); r.OK || r.Err.Code != tc.code {
			t.Errorf("%s: %+v", id, r)
		}
	}
	s.err = &Win32Error{Code: 5, Text: "Access is denied."}
	b.startJob("NODE1", "denied", agent.JobShareProbe, agent.ShareProbeInput{Root: root})
	if r := b.result("NODE1", "denied"); r.OK || r.Err.Code != 5 {
		t.Errorf("%+v", r)
	}
}

func TestAnInstallersSignatureIsJudgedByThePolicy(t *testing.T) {
	for _, tc := range []struct {
		file, content, policy string
		started               bool
		status                int
	}{
		{"a.msu", "MSCF", agent.SignatureRequire, true, signatureValid},
		{"a.exe", "MZ", "", true, signatureUnsigned},
		{"a.exe", "MZ", agent.SignatureWarn, true, signatureUnsigned},
		{"a.exe", "MZ", agent.SignatureRequire, false, 0},
		{"a.exe", "MZ", agent.SignatureIgnore, true, -1},
		{"a.exe", header("signature=valid"), agent.SignatureRequire, true, signatureValid},
		{"a.msu", header("signature=mismatch"), agent.SignatureRequire, false, 0},
		{"a.msu", header("signature=untrusted"), agent.SignatureWarn, true, signatureUntrusted},
		{"a.msu", header("signature=unsigned"), agent.SignatureRequire, false, 0},
		{"a.msu", "MSCF", "never", false, 0},
	} {
		s := &shelf{}
		b := newBench(t, Config{Shares: s})
		f := b.stageFile(s, "NODE1", "u", tc.file, tc.content)
		program, parameters := `%SystemRoot%\System32\wusa.exe`, `"%CAU_UPDATE%\a.msu" /quiet /norestart /log:"%CAU_LOG%"`
		if tc.file == "a.exe" {
			program, parameters = `%CAU_UPDATE%\a.exe`, ""
		}
		b.startJob("NODE1", "install", agent.JobInstaller, agent.InstallerInput{
			Run: "run1", Update: "u", Target: tc.file, Files: []agent.StageFile{f}, Program: program, Parameters: parameters, Signature: tc.policy,
		})
		b.clock.advance(2 * 60e9)
		r := b.result("NODE1", "install")
		if r.OK != tc.started || len(b.State().Nodes[0].Installs) > 0 != tc.started {
			t.Errorf("%+v: %+v", tc, r)
			continue
		}
		if !r.OK {
			continue
		}
		out := data[agent.InstallerOutput](t, r)
		if (out.Signature == nil) != (tc.status < 0) || out.Signature != nil && (out.Signature.Status != tc.status || (out.Signature.Signer == "") != (tc.status == signatureUnsigned)) {
			t.Errorf("%+v: %+v", tc, out.Signature)
		}
		if wrote := out.Log == `C:\Program Files\cau\jobs\run1\install\installer.log`; wrote != (tc.file == "a.msu") {
			t.Errorf("%+v: log %q", tc, out.Log)
		}
	}
}

func TestR17_WhatSomebodyElseMadeIsRefusedAndNotRepaired(t *testing.T) {
	for _, tc := range []struct {
		planted Planted
		ops     map[string]any
	}{
		{Planted{Node: "NODE1", Kind: "reparse"}, map[string]any{
			agent.OpJobStart: agent.JobStartArgs{ID: "a", Run: "run1", Kind: agent.JobStage, Input: "{}"}, agent.OpNodeClean: agent.CleanArgs{},
			agent.OpCheckpointPut: agent.CheckpointPutArgs{Run: "run1"}, agent.OpJobPoll: agent.JobPollArgs{ID: "a", Run: "run1"},
		}},
		{Planted{Node: "NODE1", Path: "jobs", Kind: "owner"}, map[string]any{
			agent.OpJobStart: agent.JobStartArgs{ID: "a", Run: "run1", Kind: agent.JobStage, Input: "{}"}, agent.OpJobList: agent.JobListArgs{},
			agent.OpJobCancel: agent.JobArgs{ID: "a", Run: "run1"},
		}},
		{Planted{Node: "NODE1", Path: "tasks", Kind: "permissions"}, map[string]any{
			agent.OpJobStart: agent.JobStartArgs{ID: "a", Run: "run1", Kind: agent.JobStage, Input: "{}"}, agent.OpJobList: agent.JobListArgs{}, agent.OpNodeClean: agent.CleanArgs{},
		}},
		{Planted{Node: "NODE1", Path: "push", Kind: "reparse"}, map[string]any{
			agent.OpPushOpen: agent.PushArgs{Run: "run1"}, agent.OpPushClose: agent.PushArgs{Run: "run1"},
		}},
	} {
		b := newBench(t, Config{Scenario: Scenario{Planted: []Planted{tc.planted}}})
		for op, args := range tc.ops {
			if r := try(b, "NODE1", op, args); r.OK || r.Err.Kind != "refused" || !strings.Contains(r.Err.Message, "Look at it and remove it") {
				t.Errorf("%+v: %s: %+v", tc.planted, op, r.Err)
			}
			if r := try(b, "NODE2", op, args); !r.OK && strings.Contains(r.Err.Message, "Look at it") {
				t.Errorf("%+v: %s on another node: %+v", tc.planted, op, r.Err)
			}
		}
	}
	b := newBench(t, Config{Scenario: Scenario{Planted: []Planted{{Node: "NODE1", Path: "agent", Kind: "owner"}}}})
	n := b.node("NODE1")
	if r := n.PutAgent("x"); r.OK || n.HasAgent("x") || r.Err.Kind != "refused" {
		t.Errorf("the upload: %+v", r)
	}
	s := &shelf{files: map[string]string{"a.msu": "content"}}
	b = newBench(t, Config{Shares: s, Scenario: Scenario{Planted: []Planted{{Node: "NODE1", Path: "runs", Kind: "reparse"}}}})
	b.startJob("NODE1", "stage", agent.JobStage, agent.StageInput{Run: "run1", Root: root, Files: []agent.StageFile{planned("u", "a.msu", "a.msu", "content")}})
	if r := b.result("NODE1", "stage"); r.OK || r.Err.Kind != "refused" || s.opened != 0 {
		t.Errorf("staging: %+v", r)
	}
}
