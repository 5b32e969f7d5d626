package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// ConfigInit writes a configuration file into a root that has none of that name.
func (p *program) ConfigInit(ctx context.Context, req cli.ConfigInitRequest, note func(string)) (cli.ConfigWritten, error) {
	content, err := configContent(req.From)
	if err != nil {
		return cli.ConfigWritten{}, err
	}
	sum := sha256.Sum256(content)
	w := cli.ConfigWritten{Bytes: len(content), SHA256: hex.EncodeToString(sum[:]), Default: req.From == ""}
	if req.Config == "" {
		req.Config = hotfixcfg.DefaultFileName
	}
	if !cli.OnShare(req.Root) {
		if problem := (&hotfix.Plugin{}).Validate(plugins.Arguments{argConfigName: req.Config}); len(problem) > 0 {
			return w, cli.Usage(&fault.Error{Op: "--config", Err: problem[0], Hint: problem[0].Hint})
		}
		w.Path, err = createIn(req.Root, req.Config, content)
		return w, err
	}
	return p.configOnShare(ctx, req, content, w, note)
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

// createIn makes a new file in a folder of this host.
func createIn(dir, name string, content []byte) (string, error) {
	path := filepath.Join(dir, name)
	fail := func(err error, hint string) (string, error) {
		return path, &fault.Error{Op: "write " + strconv.Quote(path), Err: plainCause(err), Hint: hint}
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
	return path, nil
}

const alreadyThere = "It was not touched. Look at it with cau hotfix config validate, or name another with --config."

// configOnShare makes the file in a root on a file server.
func (p *program) configOnShare(ctx context.Context, req cli.ConfigInitRequest, content []byte, w cli.ConfigWritten, note func(string)) (cli.ConfigWritten, error) {
	look := cli.HotfixCheckRequest{Root: req.Root, Target: req.Target, Config: req.Config}
	r, location, err := p.openReader(ctx, &look, "write into")
	if err != nil {
		return w, err
	}
	defer r.close()
	w.Path = look.Root + `\` + req.Config
	note(fmt.Sprintf("Writing into %s as %s.", look.Root, r.as))
	c, err := smbcheck.Connect(ctx, location, r.who, r.opt)
	if err != nil {
		return w, err
	}
	defer func() { _ = c.Close() }()
	err = c.Create(ctx, req.Config, content)
	switch {
	case errors.Is(err, smbcheck.ErrExists):
		return w, &fault.Error{Op: "write " + strconv.Quote(w.Path), Err: smbcheck.ErrExists, Hint: alreadyThere}
	case errors.Is(err, smbcheck.ErrAccess):
		return w, &fault.Error{Op: "write " + strconv.Quote(w.Path), Err: smbcheck.ErrAccess, Hint: "Writing in a hotfix root is for administrators of its file server alone: sign in as one with --user."}
	}
	return w, err
}
