package winnode_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/internal/winnode"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

// adminShare is a fake ADMIN$.
type adminShare struct {
	c       plugins.ShareConnection
	there   map[string]bool
	written map[string]string
	careful bool // reads as much as it was told and no further
	closed  int
	fail    error
}

func (a *adminShare) Connection() plugins.ShareConnection { return a.c }

func (a *adminShare) Upload(_ context.Context, path string, size int64, _ string, r io.Reader) error {
	if a.there[path] {
		return nil
	}
	if a.careful {
		r = io.LimitReader(r, size)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	a.written[path] = string(text)
	return a.fail
}

func (a *adminShare) Close() error { a.closed++; return nil }

// pushSite is one node with a fake ADMIN$; the source holds a file for each text, under its own text as path.
func pushSite(t *testing.T, share *adminShare, free int64) (*site, *winnode.Node, *[]string) {
	t.Helper()
	s := &site{t: t, machines: map[string]*machine{"10.0.0.1": {t: t, name: "N1", ops: map[string]operation{}}}, clock: &clock{}}
	share.written = map[string]string{}
	var hosts []string
	cfg := winnode.Config{
		Dialer: s, Clock: s.clock, ReserveBytes: 100, Nodes: []winnode.NodeAddress{{Name: "N1", Address: "10.0.0.1", Host: "n1.contoso.test"}},
		AdminShare: func(_ context.Context, host string) (winnode.AdminShare, error) {
			hosts = append(hosts, host)
			return share, nil
		},
	}
	f, err := winnode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	s.on(agent.OpPushOpen, func(args json.RawMessage) (any, *agent.OpError) {
		var a agent.PushArgs
		if err := json.Unmarshal(args, &a); err != nil {
			t.Error(err)
		}
		return agent.Push{Folder: `cau-push\` + a.Run, FreeBytes: free}, nil
	})
	s.on(agent.OpPushClose, give(agent.Push{}))
	return s, f.Node("N1"), &hosts
}

func pushed(paths ...string) plugins.PushRequest {
	r := plugins.PushRequest{Run: "r1", Open: func(_ context.Context, path string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(path)), nil
	}}
	for _, p := range paths {
		r.Files = append(r.Files, pinned(p))
	}
	return r
}

func pinned(text string) plugins.File {
	sum := sha256.Sum256([]byte(text))
	return plugins.File{Path: text, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
}

func TestR24_FilesArePushedUnderTheirHashesEachOnce(t *testing.T) {
	share := &adminShare{c: plugins.ShareConnection{Dialect: "3.1.1", Signed: true}}
	s, n, hosts := pushSite(t, share, 1000)
	var seen []plugins.Progress
	c, err := n.Push(t.Context(), pushed("one", "two", "one"), func(p plugins.Progress) { seen = append(seen, p) })
	if err != nil || c != share.c || len(share.written) != 2 || share.closed != 1 {
		t.Fatalf("%v %v %v", c, err, share.written)
	}
	for _, text := range []string{"one", "two"} {
		if share.written[`cau-push\r1\`+pinned(text).SHA256] != text {
			t.Errorf("%v", share.written)
		}
	}
	if !slices.Equal(*hosts, []string{"n1.contoso.test"}) || s.machines["10.0.0.1"].hosts[0] != "n1.contoso.test" {
		t.Errorf("reached as %v and %v", *hosts, s.machines["10.0.0.1"].hosts)
	}
	if len(seen) != 2 || seen[0].Percent != 0 || seen[1].Percent != 50 {
		t.Errorf("%+v", seen)
	}
}

func TestR24_NothingIsPushedOverAConnectionThatIsNeitherSignedNorEncrypted(t *testing.T) {
	for _, c := range []plugins.ShareConnection{{}, {Signed: true}, {Encrypted: true}} {
		share := &adminShare{c: c}
		_, n, _ := pushSite(t, share, 1000)
		_, err := n.Push(t.Context(), pushed("one"), nil)
		if safe := c.Signed || c.Encrypted; (err == nil) != safe || (len(share.written) == 1) != safe || share.closed != 1 || (!safe && fault.Hint(err) == "") {
			t.Errorf("%+v: %v, %v written", c, err, share.written)
		}
	}
}

func TestR24_PushingNeedsRoomForTheFilesTwice(t *testing.T) {
	for free, fits := range map[int64]bool{105: false, 106: true, 0: false} {
		share := &adminShare{c: plugins.ShareConnection{Signed: true}}
		_, n, hosts := pushSite(t, share, free)
		_, err := n.Push(t.Context(), pushed("one"), nil)
		var e *fault.Error
		if (err == nil) != fits || (!fits && (!errors.As(err, &e) || e.Code != 112 || len(*hosts) != 0)) {
			t.Errorf("%d free: %v", free, err)
		}
	}
}

func TestR24_OnlyTheFilesOfThePlanArePushed(t *testing.T) {
	wrong, cut, long := pinned("one"), pinned("one"), pinned("one")
	wrong.SHA256 = strings.Repeat("0", 64)
	cut.Size, long.Size = 4, 2
	for _, f := range []plugins.File{wrong, cut, long} {
		for _, careful := range []bool{false, true} {
			share := &adminShare{c: plugins.ShareConnection{Signed: true}, careful: careful}
			_, n, _ := pushSite(t, share, 1000)
			r := pushed()
			r.Files = []plugins.File{f}
			if _, err := n.Push(t.Context(), r, nil); err == nil || !strings.Contains(err.Error(), "not the file of the plan") || len(share.written) != 0 || share.closed != 1 {
				t.Errorf("%+v (%v): %v %v", f, careful, err, share.written)
			}
		}
	}
}

func TestR33_APushThatLeadsElsewhereIsRefused(t *testing.T) {
	for _, folder := range []string{"", "cau-push", `..\System32`, `cau-push\r2`, `\\fs2\ADMIN$\cau-push\r1`} {
		share := &adminShare{c: plugins.ShareConnection{Signed: true}}
		s, n, hosts := pushSite(t, share, 1000)
		s.on(agent.OpPushOpen, give(agent.Push{Folder: folder, FreeBytes: 1000}))
		if _, err := n.Push(t.Context(), pushed("one"), nil); err == nil || len(*hosts) != 0 {
			t.Errorf("%q: %v", folder, err)
		}
	}
	bad := pushed("one")
	bad.Run = `..\x`
	hashless := pushed("one")
	hashless.Files[0].SHA256 = `..\..\x`
	two := pushed("one", "two")
	two.Files[1].SHA256 = two.Files[0].SHA256
	two.Files[1].Size = 9
	for _, r := range []plugins.PushRequest{bad, hashless, two, {Run: "r1", Files: bad.Files}} {
		s, n, _ := pushSite(t, &adminShare{}, 1000)
		if _, err := n.Push(t.Context(), r, nil); err == nil || s.machines["10.0.0.1"].shells != 0 {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestR24_ANodeThatIsOnlyAskedGetsAFolderAndNoFile(t *testing.T) {
	share := &adminShare{c: plugins.ShareConnection{Dialect: "3.1.1", Signed: true}}
	s, n, hosts := pushSite(t, share, 1000)
	c, err := n.Push(t.Context(), pushed(), nil)
	if err != nil || c != share.c || len(share.written) != 0 || share.closed != 1 || len(*hosts) != 1 || s.machines["10.0.0.1"].count(agent.OpPushOpen) != 1 {
		t.Errorf("%+v %v %v", c, err, share.written)
	}
	open := &adminShare{c: plugins.ShareConnection{}}
	if _, n, _ := pushSite(t, open, 1000); n != nil {
		if _, err := n.Push(t.Context(), pushed(), nil); err == nil {
			t.Error("a connection that is neither signed nor encrypted will do")
		}
	}
}

func TestR24_WithoutAWayToTheShareThePushIsRefusedAndSaysWhatElse(t *testing.T) {
	_, f := newSite(t, "N1")
	if _, err := f.Node("N1").Push(t.Context(), pushed("one"), nil); err == nil || !strings.Contains(fault.Hint(err), "pull") {
		t.Error(err)
	}
}

func TestR24_WhatAnUploadFailsWithIsTheCause(t *testing.T) {
	share := &adminShare{c: plugins.ShareConnection{Signed: true}, fail: &fault.Error{Op: "write", Code: 112, Err: errors.New("full"), Hint: "Free space."}}
	_, n, _ := pushSite(t, share, 1000)
	_, err := n.Push(t.Context(), pushed("one"), nil)
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != 112 || e.Node != "N1" || fault.Hint(err) != "Free space." {
		t.Errorf("%v", err)
	}
}

func TestR24_APushedStageJobReadsNoShareAndRemovesThePushFolder(t *testing.T) {
	share := &adminShare{}
	s, n, _ := pushSite(t, share, 1000)
	m := s.machines["10.0.0.1"]
	j := &script{steps: []agent.JobPoll{{Exists: true, Result: `{"ok":true,"data":{"connection":{},"bytes":3}}`}}}
	j.on(s)
	job := plugins.Job{ID: "s", Kind: plugins.JobStage, Input: raw(t, plugins.StageJob{Run: "r1", Root: `\\fs\root`, Pushed: true})}
	if _, err := n.RunJob(t.Context(), job, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(j.began[0].Input, `"pushed":true`) || !strings.Contains(j.began[0].Input, `"root":""`) || m.count(agent.OpPushClose) != 1 {
		t.Errorf("%s, %v", j.began[0].Input, m.calls())
	}
	s.on(agent.OpPushClose, refuse("win32", 5))
	var warned bytes.Buffer
	if _, err := n.RunJob(t.Context(), job, func(e plugins.JobEvent) { warned.WriteString(e.Kind + e.Message) }); err != nil || !strings.Contains(warned.String(), "push folder") {
		t.Errorf("%v %s", err, &warned)
	}
	job.Input = raw(t, plugins.StageJob{Run: "r1", Root: `\\fs\root`})
	j.polls = nil
	before := m.count(agent.OpPushClose)
	if _, err := n.RunJob(t.Context(), job, nil); err != nil || m.count(agent.OpPushClose) != before {
		t.Error("a job that pulls removes a push folder")
	}
}
