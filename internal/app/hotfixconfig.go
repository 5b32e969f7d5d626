package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// DefaultConfig is our own default configuration file.
func (p *program) DefaultConfig() string { return string(hotfixcfg.DefaultXML()) }

// ConfigValidate reads a configuration file as a run would.
func (p *program) ConfigValidate(_ context.Context, file string) (cli.ConfigReport, error) {
	b, err := readConfigFile(file)
	if err != nil {
		return cli.ConfigReport{}, err
	}
	return configReport(file, b), nil
}

func configReport(file string, b []byte) cli.ConfigReport {
	cfg, problems := hotfixcfg.Validate(b)
	r := cli.ConfigReport{File: file, Valid: len(problems) == 0, Problems: configNotes(problems), Warnings: configNotes(nil), Rules: raw([]hotfixcfg.Rule{})}
	if cfg == nil {
		return r
	}
	r.Warnings = append(configNotes(cfg.Warnings), configNotes(cfg.Remarks)...)
	r.Rules = raw(cfg.Rules)
	for _, rule := range cfg.Rules {
		if rule.Kind == hotfixcfg.FolderRule {
			r.Folders++
		} else {
			r.Extensions++
		}
	}
	return r
}

func configNotes(list []hotfixcfg.Error) []cli.ConfigNote {
	out := make([]cli.ConfigNote, 0, len(list))
	for _, e := range list {
		out = append(out, cli.ConfigNote{Line: e.Line, Column: e.Column, Message: e.Msg})
	}
	return out
}

// readConfigFile reads a file of this host, of which no more than a byte too many is looked at.
func readConfigFile(file string) ([]byte, error) {
	op := "read " + strconv.Quote(file)
	if cli.OnShare(file) {
		return nil, cli.Usage(&fault.Error{Op: op, Err: errors.New("it is on a file share"), Hint: "Copy the file to this host first; cau hotfix check reads it in its root over SMB, with config.valid."})
	}
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, &fault.Error{Op: op, Err: plainCause(err), Hint: "Name the file by its path on this host."}
	case info.IsDir():
		return nil, cli.Usage(&fault.Error{Op: op, Err: errors.New("it is a folder"), Hint: "Name the file in it, such as " + filepath.Join(file, hotfixcfg.DefaultFileName) + "."})
	case !info.Mode().IsRegular():
		return nil, cli.Usage(&fault.Error{Op: op, Err: errors.New("it is no regular file")})
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, &fault.Error{Op: op, Err: plainCause(err)}
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, hotfixcfg.MaxConfigBytes+1))
	if err != nil {
		return nil, &fault.Error{Op: op, Err: plainCause(err)}
	}
	return b, nil
}

// plainCause is the reason of a file error without its path, which the operation names.
func plainCause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// ConfigInit writes a configuration file into a root that has none of that name: a copy of one on this host, else what the nodes
// of a cluster have, else our default.
func (p *program) ConfigInit(ctx context.Context, req cli.ConfigInitRequest, note func(string)) (cli.ConfigWritten, error) {
	if req.Config == "" {
		req.Config = hotfixcfg.DefaultFileName
	}
	w := cli.ConfigWritten{Path: req.Root + `\` + req.Config}
	create := func(content []byte) error { return p.configOnShare(ctx, req, w.Path, content, note) }
	if !cli.OnShare(req.Root) {
		if problem := (&hotfix.Plugin{}).Validate(plugins.Arguments{argConfigName: req.Config}); len(problem) > 0 {
			return w, cli.Usage(&fault.Error{Op: "--config", Err: problem[0], Hint: problem[0].Hint})
		}
		w.Path = filepath.Join(req.Root, req.Config)
		if err := roomFor(w.Path); err != nil {
			return w, err
		}
		create = func(content []byte) error { return createFile(w.Path, content) }
	}
	content, err := configContent(req.From)
	if err != nil {
		return w, err
	}
	w.Default = req.From == ""
	if req.Target.Cluster != "" || req.Target.Lab {
		at, err := checkedRoot(req)
		if err != nil {
			return w, err
		}
		found, err := p.configOfNodes(ctx, req, note)
		if err != nil {
			return w, err
		}
		w.Nodes = found.nodes
		if found.node != "" {
			content, w.Node, w.Default = found.content, found.node, false
		}
		if at != nil {
			create = func(content []byte) error {
				note(fmt.Sprintf("Writing into %s.", req.Root))
				return explained(w.Path, found.session.createAs(ctx, *at, req.Config, content))
			}
		}
	}
	w.Bytes, w.SHA256 = len(content), digestOf(content)
	return w, create(content)
}

// checkedRoot is where a root on a file server lies; nil for a folder on this host.
func checkedRoot(req cli.ConfigInitRequest) (*smbcheck.Location, error) {
	if !cli.OnShare(req.Root) {
		return nil, nil
	}
	plugin := &hotfix.Plugin{}
	args, problems := plugins.Resolve(plugin.Options(), rootArguments(cli.HotfixCheckRequest{Root: req.Root, Config: req.Config}))
	if len(problems) == 0 {
		problems = plugin.Validate(args)
	}
	for _, pr := range problems {
		return nil, cli.Usage(&fault.Error{Op: "write into " + strconv.Quote(req.Root), Err: fmt.Errorf("%s %s", pr.Name, pr.Problem), Hint: pr.Hint})
	}
	at, err := smbcheck.ParseUNC(req.Root)
	if err != nil {
		return nil, cli.Usage(err)
	}
	return &at, nil
}

// configContent is what is written: our default, or a copy of a file that is valid.
func configContent(from string) ([]byte, error) {
	if from == "" {
		return hotfixcfg.DefaultXML(), nil
	}
	b, err := readConfigFile(from)
	if err != nil {
		return nil, err
	}
	if _, err := hotfixcfg.Parse(b); err != nil {
		return nil, cli.Usage(&fault.Error{Op: "copy " + strconv.Quote(from), Err: err, Hint: "Nothing was written. See all its problems with cau hotfix config validate " + strconv.Quote(from) + "."})
	}
	return b, nil
}

// roomFor refuses a folder of this host that is not there, and one that has such a file already.
func roomFor(path string) error {
	dir := filepath.Dir(path)
	fail := func(err error, hint string) error {
		return &fault.Error{Op: "write " + strconv.Quote(path), Err: plainCause(err), Hint: hint}
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint := "Make the folder first."
		if strings.Contains(dir, `\`) || !strings.ContainsAny(dir, `/\`) {
			hint += ` A share is named in single quotes: '\\server\share\folder'.`
		}
		return fail(err, hint)
	case err != nil:
		return fail(err, "")
	case !info.IsDir():
		return fail(errors.New(dir+" is no folder"), "Name the root folder, not a file in it.")
	}
	if _, err := os.Lstat(path); err == nil {
		return fail(smbcheck.ErrExists, alreadyThere)
	}
	return nil
}

// createFile makes a new file on this host.
func createFile(path string, content []byte) error {
	fail := func(err error, hint string) error {
		return &fault.Error{Op: "write " + strconv.Quote(path), Err: plainCause(err), Hint: hint}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // it holds no secret, and the nodes' computer accounts must be able to read it
	if errors.Is(err, fs.ErrExist) {
		return fail(smbcheck.ErrExists, alreadyThere)
	}
	if err != nil {
		return fail(err, "")
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
		return fail(err, "")
	}
	return nil
}

const alreadyThere = "It was not touched. Look at it with cau hotfix config validate, or name another with --config."

// configOnShare makes the file in a root on a file server.
func (p *program) configOnShare(ctx context.Context, req cli.ConfigInitRequest, path string, content []byte, note func(string)) error {
	look := cli.HotfixCheckRequest{Root: req.Root, Target: req.Target, Config: req.Config}
	r, location, err := p.openReader(ctx, &look, "write into")
	if err != nil {
		return err
	}
	defer r.close()
	note(fmt.Sprintf("Writing into %s as %s.", look.Root, r.as))
	c, err := smbcheck.Connect(ctx, location, r.who, r.opt)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	return explained(path, c.Create(ctx, req.Config, content))
}

// explained says what to do about a file that could not be made in a root on a file server.
func explained(path string, err error) error {
	switch {
	case errors.Is(err, smbcheck.ErrExists):
		return &fault.Error{Op: "write " + strconv.Quote(path), Err: smbcheck.ErrExists, Hint: alreadyThere}
	case errors.Is(err, smbcheck.ErrAccess):
		return &fault.Error{Op: "write " + strconv.Quote(path), Err: smbcheck.ErrAccess, Hint: "Writing in a hotfix root is for administrators of its file server alone: sign in as one with --user."}
	}
	return err
}
