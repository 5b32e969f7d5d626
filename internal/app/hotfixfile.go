package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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

// configFile is a configuration file, on this host or in a root on a file server.
type configFile struct {
	path string
	read func(context.Context) ([]byte, error)
	// replace puts a new content in the place of was, with the same permissions; smbcheck.ErrChanged where the file says
	// something else by now.
	replace func(ctx context.Context, was, is []byte) error
	close   func()
}

const noConfigHint = "Write one with cau hotfix config init, or name another with --config."

// configFile finds a configuration file; nothing is read yet.
func (p *program) configFile(ctx context.Context, place cli.ConfigPlace, verb string, note func(string)) (configFile, error) {
	if place.Root != "" && !cli.OnShare(place.Root) {
		if place.Target.Lab {
			return configFile{}, cli.Usage(&fault.Error{Op: verb + " " + strconv.Quote(place.Root), Err: errors.New("it is on this host, and --lab has nothing to do with it"), Hint: "Name no root for the lab's own, or leave --lab out."})
		}
		return localConfig(place)
	}
	return p.sharedConfig(ctx, place, verb, note)
}

// localConfig is a file of this host, by its own path or its folder's.
func localConfig(place cli.ConfigPlace) (configFile, error) {
	path, op := place.Root, "read "+strconv.Quote(place.Root)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return configFile{}, &fault.Error{Op: op, Err: plainCause(err), Hint: `Name a folder or a file on this host, or a share in single quotes: '\\server\share\folder'.`}
	case !info.IsDir() && place.Config != "":
		return configFile{}, cli.Usage(&fault.Error{Op: "--config", Err: errors.New(strconv.Quote(path) + " is a file already"), Hint: "Leave it out, or name the folder."})
	case info.IsDir():
		if path, err = configIn(path, place.Config); err != nil {
			return configFile{}, err
		}
	}
	// What a link leads to is what is read and replaced; the link stays.
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return configFile{}, &fault.Error{Op: "read " + strconv.Quote(path), Err: plainCause(err), Hint: noConfigHint}
	}
	return configFile{
		path:    path,
		read:    func(context.Context) ([]byte, error) { return readConfigFile(target) },
		replace: func(_ context.Context, was, is []byte) error { return replaceLocal(target, was, is) },
		close:   func() {},
	}, nil
}

// configIn finds the file in a folder, in any case, as a Windows file server would.
func configIn(dir, name string) (string, error) {
	if name == "" {
		name = hotfixcfg.DefaultFileName
	}
	if problem := (&hotfix.Plugin{}).Validate(plugins.Arguments{argConfigName: name}); len(problem) > 0 {
		return "", cli.Usage(&fault.Error{Op: "--config", Err: problem[0], Hint: problem[0].Hint})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", &fault.Error{Op: "read " + strconv.Quote(dir), Err: plainCause(err)}
	}
	found := ""
	for _, e := range entries {
		if e.Name() == name {
			return filepath.Join(dir, name), nil
		}
		if strings.EqualFold(e.Name(), name) {
			found = e.Name()
		}
	}
	if found == "" {
		return "", &fault.Error{Op: "read " + strconv.Quote(filepath.Join(dir, name)), Err: fs.ErrNotExist, Hint: noConfigHint}
	}
	return filepath.Join(dir, found), nil
}

// replaceLocal writes beside the file, with its permissions, and renames.
func replaceLocal(path string, was, is []byte) (err error) {
	fail := func(err error) error { return &fault.Error{Op: "write " + strconv.Quote(path), Err: plainCause(err)} }
	temporary := path + "." + strings.ToLower(rand.Text()[:8]) + ".cau-partial"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary)
		}
	}()
	_, err = f.Write(is)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fail(err)
	}
	if err = keepPermissions(path, temporary); err != nil {
		return &fault.Error{Op: "write " + strconv.Quote(path), Err: fmt.Errorf("%w: %w", smbcheck.ErrKept, plainCause(err)), Hint: "It was left as it is. Change it as its owner or as an administrator."}
	}
	now, err := readConfigFile(path)
	if err != nil {
		return err
	}
	if string(now) != string(was) {
		return smbcheck.ErrChanged
	}
	if err = os.Rename(temporary, path); err != nil {
		return fail(err)
	}
	syncFolder(filepath.Dir(path))
	return nil
}

// syncFolder makes a rename last where the platform can; the file is whole either way.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// sharedConfig is a file in a root on a file server. Each of its calls has a connection of its own: somebody may think long
// about what he is asked between them.
func (p *program) sharedConfig(ctx context.Context, place cli.ConfigPlace, verb string, note func(string)) (configFile, error) {
	look := cli.HotfixCheckRequest{Root: place.Root, Target: place.Target, Config: place.Config}
	if at := strings.LastIndexAny(look.Root, `\/`); look.Config == "" && at > 0 && strings.EqualFold(filepath.Ext(look.Root), ".xml") {
		look.Root, look.Config = look.Root[:at], look.Root[at+1:]
	}
	if look.Config == "" {
		look.Config = hotfixcfg.DefaultFileName
	}
	r, at, err := p.openReader(ctx, &look, verb)
	if err != nil {
		return configFile{}, err
	}
	path := look.Root + `\` + look.Config
	connected := func(ctx context.Context, use func(*smbcheck.Connection) error) error {
		c, err := smbcheck.Connect(ctx, at, r.who, labOptions(r.opt, r.lab, at))
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		return use(c)
	}
	return configFile{
		path: path,
		read: func(ctx context.Context) (b []byte, err error) {
			note(fmt.Sprintf("Reading %s as %s.", path, r.as))
			err = connected(ctx, func(c *smbcheck.Connection) error {
				b, err = c.ReadFile(ctx, look.Config, hotfixcfg.MaxConfigBytes+1, nil)
				return err
			})
			if errors.Is(err, smbcheck.ErrMissing) {
				err = &fault.Error{Op: "read " + strconv.Quote(path), Err: smbcheck.ErrMissing, Hint: noConfigHint}
			}
			return b, err
		},
		replace: func(ctx context.Context, was, is []byte) error {
			err := connected(ctx, func(c *smbcheck.Connection) error { return c.Replace(ctx, look.Config, was, is) })
			if errors.Is(err, smbcheck.ErrAccess) {
				err = &fault.Error{Op: "write " + strconv.Quote(path), Err: err, Hint: "Writing in a hotfix root is for administrators of its file server alone: sign in as one with --user."}
			}
			return err
		},
		close: r.close,
	}, nil
}
