package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/lab"
)

// labReadyWithin bounds how long a lab may take until its listeners are up.
const labReadyWithin = 30 * time.Second

// defaultLab is the lab that starts by itself.
func defaultLab(linger time.Duration) cli.LabRequest {
	return cli.LabRequest{Nodes: 4, Scenario: "default", Speed: 30, Linger: linger}
}

func (p *program) labDir(id string) string { return filepath.Join(p.dir, "labs", id) }

// livingLab finds the newest living lab, or the one whose id begins with id.
func (p *program) livingLab(id string) (lab.Info, bool, error) {
	all, err := lab.List(p.dir)
	if err != nil {
		return lab.Info{}, false, err
	}
	for _, l := range all {
		if l.Alive && strings.HasPrefix(l.ID, id) {
			return l, true, nil
		}
	}
	return lab.Info{}, false, nil
}

// useLab attaches to the lab that target means, starting one where none lives. The hold keeps it alive.
func (p *program) useLab(ctx context.Context, target cli.Target) (lab.Info, *lab.Hold, error) {
	info, alive, err := p.livingLab(target.LabID)
	if err == nil && !alive {
		if target.LabID != "" {
			return info, nil, &fault.Error{Op: "use lab " + target.LabID, Err: lab.ErrGone, Hint: "See the living ones with cau lab list, or start one with cau lab up."}
		}
		info, err = p.startLab(ctx, defaultLab(target.LabLinger))
	}
	if err != nil {
		return info, nil, err
	}
	held, err := lab.Attach(ctx, info)
	return info, held, err
}

// startLab starts the lab's own process and waits until its listeners are up.
func (p *program) startLab(ctx context.Context, req cli.LabRequest) (lab.Info, error) {
	for _, s := range req.Shares {
		if _, err := lab.ParseShare(s); err != nil {
			return lab.Info{}, cli.Usage(err)
		}
	}
	program, err := coordinator.Executable(p.cache)
	if err != nil {
		return lab.Info{}, err
	}
	id := newID(3)
	dir := p.labDir(id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return lab.Info{}, fmt.Errorf("make the lab's folder: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "lab.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return lab.Info{}, fmt.Errorf("open the lab's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	args := []string{
		"lab", "serve", id, "--nodes", strconv.Itoa(req.Nodes), "--scenario", req.Scenario,
		"--speed", strconv.FormatFloat(req.Speed, 'g', -1, 64), "--lab-linger=" + req.Linger.String(),
	}
	for _, s := range req.Shares {
		args = append(args, "--share", s)
	}
	cmd := exec.Command(program, args...) //nolint:noctx // the lab outlives whoever started it
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.SysProcAttr = coordinator.Detached()
	cmd.Env = append(os.Environ(), "CAU_HOME="+p.dir)
	if err := cmd.Start(); err != nil {
		return lab.Info{}, fmt.Errorf("start the lab: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the lab, or with this process
	info, err := awaitLab(ctx, dir, ended)
	if err != nil {
		_ = cmd.Process.Kill() // nobody knows of it and nobody would end it
	}
	return info, err
}

func awaitLab(ctx context.Context, dir string, ended <-chan error) (lab.Info, error) {
	ctx, cancel := context.WithTimeout(ctx, labReadyWithin)
	defer cancel()
	for {
		if info, err := lab.Load(dir); err == nil && info.Alive {
			return info, nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(filepath.Join(dir, "lab.log"))
			return lab.Info{}, &fault.Error{Op: "start the lab", Err: fmt.Errorf("it ended at once (%w): %s", orNil(err), strings.TrimSpace(string(text)))}
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return lab.Info{}, ctx.Err()
			}
			return lab.Info{}, &fault.Error{Op: "start the lab", Err: fmt.Errorf("it is not ready after %s", labReadyWithin), Hint: "See " + filepath.Join(dir, "lab.log") + "."}
		}
	}
}

func orNil(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// newID is n random bytes in hex.
func newID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand never fails
	return hex.EncodeToString(b)
}

// Scenarios are the lab's; a lab without them is a defect that its own tests find.
func (p *program) Scenarios() []cli.Scenario {
	all, err := lab.Scenarios()
	if err != nil {
		return nil
	}
	out := make([]cli.Scenario, 0, len(all))
	for _, s := range all {
		out = append(out, cli.Scenario(s))
	}
	return out
}

// LabUp starts a lab.
func (p *program) LabUp(ctx context.Context, req cli.LabRequest) (cli.LabInfo, error) {
	info, err := p.startLab(ctx, req)
	if err != nil {
		return cli.LabInfo{}, err
	}
	return p.labInfo(info)
}

// LabList lists the living labs.
func (p *program) LabList(context.Context) ([]cli.LabInfo, error) {
	all, err := lab.List(p.dir)
	if err != nil {
		return nil, err
	}
	var out []cli.LabInfo
	for _, l := range all {
		if !l.Alive {
			continue
		}
		info, err := p.labInfo(l)
		if err != nil {
			return nil, err
		}
		out = append(out, info)
	}
	return out, nil
}

// LabDown ends a lab: the one whose id begins with id, or the newest.
func (p *program) LabDown(ctx context.Context, id string) (string, error) {
	info, alive, err := p.livingLab(id)
	if err != nil {
		return "", err
	}
	if !alive {
		return "", &fault.Error{Op: "end the lab", Err: lab.ErrGone, Hint: "See the living ones with cau lab list."}
	}
	return info.ID, lab.Down(ctx, info)
}

// LabServe is the inside of the lab's process.
func (p *program) LabServe(ctx context.Context, id string, req cli.LabRequest) error {
	cfg := lab.Config{Dir: p.labDir(id), ID: id, Nodes: req.Nodes, Scenario: req.Scenario, Speed: req.Speed, Linger: req.Linger}
	for _, s := range req.Shares {
		share, err := lab.ParseShare(s)
		if err != nil {
			return cli.Usage(err)
		}
		cfg.Shares = append(cfg.Shares, share)
	}
	return lab.Serve(ctx, cfg)
}

// labInfo is what may be printed of a lab. The password goes into a file of its own (R04).
func (p *program) labInfo(l lab.Info) (cli.LabInfo, error) {
	file := filepath.Join(p.labDir(l.ID), "password")
	if err := os.WriteFile(file, []byte(l.Password+"\n"), 0o600); err != nil {
		return cli.LabInfo{}, fmt.Errorf("write the lab's password file: %w", err)
	}
	nodes, secure := map[string]string{}, map[string]string{}
	for _, n := range l.Nodes {
		nodes[n.Name], secure[n.Name] = n.Address, "https://"+n.HTTPS
	}
	return cli.LabInfo{
		ID: l.ID, Started: l.Started, Cluster: l.Cluster, Scenario: l.Scenario, Speed: l.Speed, User: l.User,
		PasswordFile: file, Root: l.Root, Nodes: nodes, HTTPS: secure, CAFile: l.CAFile,
		Realm: l.Kerberos.Realm, KDC: l.Kerberos.KDC, KRB5Config: l.Kerberos.ConfigFile, Keytab: l.Kerberos.KeytabFile, Simulated: true,
	}, nil
}
