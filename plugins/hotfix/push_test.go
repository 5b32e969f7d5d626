package hotfix_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// pushed is a node that takes files and remembers what came, and the staging job after it.
type pushed struct {
	node
	connection plugins.ShareConnection
	err        error
	stop       bool // reads a little of each file and gives up
	files      map[string]string
	order      *[]string
}

func (p pushed) Push(ctx context.Context, req plugins.PushRequest, report func(plugins.Progress)) (plugins.ShareConnection, error) {
	*p.order = append(*p.order, "push of "+req.Run)
	for _, f := range req.Files {
		r, err := req.Open(ctx, f.Path)
		if err != nil {
			return p.connection, err
		}
		if p.stop {
			_, _ = io.CopyN(io.Discard, r, 1)
			_ = r.Close()
			return p.connection, errors.New("the disk is full")
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return p.connection, err
		}
		p.files[f.Path] = string(data)
		report(plugins.Progress{Message: "pushed " + f.Path})
	}
	if _, err := req.Open(ctx, "not-in-the-plan"); err == nil {
		return p.connection, errors.New("a file that is not in the plan was given")
	}
	return p.connection, p.err
}

// copying is a root that gives files in pieces, for ever where the content is "endless".
type copying struct {
	root
	closed *int
}

func (c copying) Close() error { *c.closed++; return nil }

func (c copying) CopyFile(ctx context.Context, path string, to io.Writer) error {
	for {
		if _, err := io.WriteString(to, c.files[path]); err != nil || c.files[path] != "endless" {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func TestR24_PushBringsEveryPlannedFileOnceBeforeTheJobThatChecksIt(t *testing.T) {
	defer goleak.VerifyNone(t)
	files := documented(t)
	updates := scan(t, root{facts: signed(), files: files}).Updates["NODE2"]
	for _, pieces := range []bool{false, true} {
		closed := 0
		p := &hotfix.Plugin{Open: func(_ context.Context, at smbcheck.Location) (hotfix.Root, error) {
			r := root{facts: signed(), files: files, read: new(int)}
			if at.Server != "FS1" {
				t.Errorf("%+v", at)
			}
			if pieces {
				return copying{r, &closed}, nil
			}
			return r, nil
		}}
		var job plugins.StageJob
		var order []string
		n := pushed{
			connection: plugins.ShareConnection{Dialect: "3.1.1", Encrypted: true, Account: `CONTOSO\ann`}, files: map[string]string{}, order: &order,
			node: func(j plugins.Job) (any, error) {
				order = append(order, "job")
				return plugins.StageJobResult{Bytes: 7}, json.Unmarshal(j.Input, &job)
			},
		}
		res, err := p.Stage(t.Context(), n, plugins.StageRequest{
			Run: "0123abcd", JobID: "j", Source: `\\FS1\Hotfixes\Root`, Arguments: plugins.Arguments{"RequireSMBEncryption": "False"}, Updates: updates, Delivery: plugins.DeliveryPush,
		}, func(plugins.Progress) {})
		if err != nil || !job.Pushed || len(job.Files) != 7 || res.Connection != n.connection || res.Bytes != 7 || !slices.Equal(order, []string{"push of 0123abcd", "job"}) {
			t.Errorf("%v %+v %+v %v", err, res, job, order)
		}
		if len(n.files) != 5 || n.files[`NODE2\FolderRule1\SpecialHotfix1.exe`] != "five" || pieces && closed != 1 {
			t.Errorf("%v, closed %d", n.files, closed)
		}
	}
}

func TestR24_WhatKeepsFilesFromBeingPushedFailsTheStaging(t *testing.T) {
	defer goleak.VerifyNone(t)
	files := documented(t)
	updates := scan(t, root{facts: signed(), files: files}).Updates["NODE3"]
	files[`CAUHotfix_All\Update1.msu`] = "endless"
	open := func(context.Context, smbcheck.Location) (hotfix.Root, error) {
		return copying{root{facts: signed(), files: files, read: new(int)}, new(int)}, nil
	}
	safe := plugins.ShareConnection{Dialect: "3.1.1", Signed: true}
	for name, c := range map[string]struct {
		open       hotfix.Opener
		node       plugins.Node
		encryption string
		says       string
	}{
		"no pusher":             {open, node(nil), "False", "takes no pushed files"},
		"no way to the root":    {nil, pushed{order: new([]string)}, "False", "no way to read the hotfix root"},
		"half-way":              {open, pushed{connection: safe, stop: true, order: new([]string)}, "False", "the disk is full"},
		"encryption is missing": {open, pushed{connection: safe, order: new([]string)}, "True", "is not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &hotfix.Plugin{Open: c.open}
			_, err := p.Stage(t.Context(), c.node, plugins.StageRequest{
				Run: "0123abcd", JobID: "j", Source: `\\FS1\Hotfixes\Root`, Arguments: plugins.Arguments{"RequireSMBEncryption": c.encryption}, Updates: updates, Delivery: plugins.DeliveryPush,
			}, func(plugins.Progress) {})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestR24_APushOverAnUnprotectedConnectionIsRefusedBeforeTheJob(t *testing.T) {
	updates := scan(t, root{facts: signed(), files: documented(t)}).Updates["NODE3"]
	p := &hotfix.Plugin{Open: func(context.Context, smbcheck.Location) (hotfix.Root, error) {
		return root{facts: signed(), files: documented(t), read: new(int)}, nil
	}}
	var order []string
	n := pushed{connection: plugins.ShareConnection{Dialect: "2.1"}, files: map[string]string{}, order: &order, node: func(plugins.Job) (any, error) {
		order = append(order, "job")
		return plugins.StageJobResult{}, nil
	}}
	_, err := p.Stage(t.Context(), n, plugins.StageRequest{Run: "r", JobID: "j", Source: `\\FS1\Hotfixes\Root`, Arguments: plugins.Arguments{"RequireSMBEncryption": "False"}, Updates: updates, Delivery: plugins.DeliveryPush}, func(plugins.Progress) {})
	if err == nil || slices.Contains(order, "job") {
		t.Errorf("%v %v", err, order)
	}
}

func TestSignatureAndLogOfAnInstallerReachItsResult(t *testing.T) {
	p := &hotfix.Plugin{}
	var job plugins.InstallerJob
	n := node(func(j plugins.Job) (any, error) {
		return plugins.InstallerJobResult{ExitCode: 1603, Log: `C:\Program Files\cau\u.log`, Signature: &plugins.Signature{Status: "NotSigned"}}, json.Unmarshal(j.Input, &job)
	})
	got, err := p.Install(t.Context(), n, plugins.InstallRequest{Run: "r", JobID: "j", Update: update(t, "Update2.msi"), Signature: plugins.SignatureRequire}, func(plugins.Progress) {})
	if err != nil || job.Signature != plugins.SignatureRequire || got.Log != `C:\Program Files\cau\u.log` || got.Signature == nil || got.Signature.Status != "NotSigned" || !strings.Contains(got.Cause.Hint, got.Log) {
		t.Errorf("%v %+v, job %+v", err, got, job)
	}
}
