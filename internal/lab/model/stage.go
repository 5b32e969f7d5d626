package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"cau/internal/winnode/agent"
)

// Limits of one stage job.
const (
	maxStageFiles = 4096
	maxHead       = 4096
)

// Win32 errors of files and shares (winerror.h).
const (
	errFileNotFound   = 2
	errBadNetworkPath = 53
	errDiskFull       = 112
)

// stage copies files from the share to the node. Reading is real work over a real network, so it happens
// beside the world and comes back when it is done.
func (n *Node) stage(j *job, in agent.StageInput) error {
	if err := checkStage(in); err != nil {
		return err
	}
	if err := n.planted(`runs\` + in.Run); err != nil {
		return err
	}
	if in.Pushed {
		return n.stagePushed(j, in)
	}
	if err := j.networkLogon(); err != nil {
		return err
	}
	if n.world.shares == nil {
		return win32(errBadNetworkPath, "The network path was not found.")
	}
	ctx, cancel := context.WithCancel(n.bootLife)
	j.end = cancel
	c := &copying{node: n, job: j, in: in, boot: n.boots}
	n.world.working.Go(func() {
		defer cancel()
		out, err := c.all(ctx)
		c.report(func() { j.finish(out, err) })
	})
	return nil
}

func checkStage(in agent.StageInput) error {
	if !validName(in.Run) {
		return errName()
	}
	if len(in.Files) > maxStageFiles {
		return &refusal{"refused", "too many files for one job"}
	}
	for _, f := range in.Files {
		if !validName(f.Update) {
			return errName()
		}
		if !validRelative(f.Path) || !validRelative(f.Target) || f.Size < 0 {
			return &refusal{"refused", "a file path is not a plain path below its folder"}
		}
	}
	return nil
}

// copying is a stage job at work, outside of the world's lock.
type copying struct {
	node *Node
	job  *job
	in   agent.StageInput
	boot int
}

// report does something to the world, unless a restart ended the job. It reports whether it did.
func (c *copying) report(do func()) bool {
	defer c.node.world.lock()()
	if !c.job.process || c.boot != c.node.boots {
		return false
	}
	do()
	return true
}

func (c *copying) all(ctx context.Context) (agent.StageOutput, error) {
	var out agent.StageOutput
	share, connection, err := c.connect(ctx, c.in.Root, c.in.RequireEncryption)
	if err != nil {
		return out, err
	}
	defer share.Close()
	out.Connection = connection
	wanted, total, err := c.missing()
	if err != nil {
		return out, err
	}
	for _, f := range wanted {
		got, err := copyOne(share, f)
		if err != nil {
			return out, fmt.Errorf("%s: %w", f.Path, err)
		}
		got.path = stagedPath(c.in.Run, f.Update, f.Target)
		out.Bytes += got.size
		if !c.report(func() {
			c.node.put(got)
			c.job.event("copied", f.Target, out.Bytes, total)
		}) {
			return out, context.Canceled
		}
	}
	return out, nil
}

// connect opens the root and reports how the connection is protected. Nothing is read from a file over one that is
// not what is required (R13).
func (c *copying) connect(ctx context.Context, root string, encrypted bool) (Share, agent.Connection, error) {
	c.report(func() { c.job.event("connecting", root, 0, 0) })
	share, connection, err := c.node.world.shares.Open(ctx, c.node.name, root)
	if err != nil {
		return nil, connection, fmt.Errorf("%s: %w", root, err)
	}
	if connection.Account == "" {
		connection.Account = c.node.account()
	}
	c.report(func() {
		c.job.event("connection", fmt.Sprintf("SMB %s signed=%t encrypted=%t", connection.Dialect, connection.Signed, connection.Encrypted), 0, 0)
	})
	if encrypted && !connection.Encrypted {
		share.Close()
		return nil, connection, &refusal{"refused", "the connection to the share is not encrypted, and encryption is required"}
	}
	return share, connection, nil
}

// stagePushed takes files from the run's push folder instead of a share (R24).
func (n *Node) stagePushed(j *job, in agent.StageInput) error {
	if err := n.plantedPush(); err != nil {
		return err
	}
	if !n.pushes[in.Run] {
		return &coded{"missing", "nothing was pushed to this node for the run", errPathNotFound}
	}
	wanted, total := n.notStaged(j, in)
	if err := n.room(total, in.ReserveBytes); err != nil {
		return err
	}
	var out agent.StageOutput
	for _, f := range wanted {
		// A pushed file is named by its hash.
		have, ok := n.disk[key(pushedPath(in.Run, f.SHA256))]
		if !ok {
			return fmt.Errorf("%s: %w", f.Path, win32(errFileNotFound, "The system cannot find the file specified."))
		}
		if have.size != f.Size || !strings.EqualFold(have.sha256, f.SHA256) {
			return fmt.Errorf("%s: %w", f.Path, errNotPlanned())
		}
		have.path = stagedPath(in.Run, f.Update, f.Target)
		out.Bytes += have.size
		n.put(have)
		j.event("copied", f.Target, out.Bytes, total)
	}
	j.finish(out, nil)
	return nil
}

func errNotPlanned() error {
	return &refusal{"refused", "not the file of the plan: its size or SHA-256 differs"}
}

// missing are the files that are not on the disk yet as they were planned; there must be room for them (R23).
func (c *copying) missing() (wanted []agent.StageFile, total int64, err error) {
	c.report(func() {
		wanted, total = c.node.notStaged(c.job, c.in)
		err = c.node.room(total, c.in.ReserveBytes)
	})
	return wanted, total, err
}

func (n *Node) notStaged(j *job, in agent.StageInput) (wanted []agent.StageFile, total int64) {
	for _, f := range in.Files {
		have, ok := n.disk[key(stagedPath(in.Run, f.Update, f.Target))]
		if ok && have.size == f.Size && strings.EqualFold(have.sha256, f.SHA256) {
			j.event("present", f.Target, f.Size, f.Size)
			continue
		}
		wanted = append(wanted, f)
		total += f.Size
	}
	return wanted, total
}

func (n *Node) room(total, reserve int64) error {
	if need := 2*total + reserve; total > 0 && n.free < need {
		return win32(errDiskFull, fmt.Sprintf("the system drive has %d bytes free and %d are needed", n.free, need))
	}
	return nil
}

// put writes a file to the node's disk.
func (n *Node) put(f file) {
	if old, ok := n.disk[key(f.path)]; ok {
		n.free += old.size
	}
	n.disk[key(f.path)] = f
	n.free -= f.size
}

// copyOne reads one file and proves that it is the one that was planned.
func copyOne(share Share, want agent.StageFile) (file, error) {
	r, err := share.Open(want.Path)
	if err != nil {
		return file{}, err
	}
	defer func() { _ = r.Close() }()
	sum := sha256.New()
	var head headWriter
	// One byte more than planned tells a file that grew.
	size, err := io.Copy(io.MultiWriter(sum, &head), io.LimitReader(r, want.Size+1))
	if err != nil {
		return file{}, err
	}
	got := hex.EncodeToString(sum.Sum(nil))
	if size != want.Size || !strings.EqualFold(got, want.SHA256) {
		return file{}, errNotPlanned()
	}
	return file{size: size, sha256: got, head: head.b}, nil
}

// headWriter keeps the first bytes and forgets the rest.
type headWriter struct{ b []byte }

func (w *headWriter) Write(p []byte) (int, error) {
	if room := maxHead - len(w.b); room > 0 {
		w.b = append(w.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func stagedPath(run, update, target string) string {
	return runFolder(run) + `\` + update + `\` + target
}

// alone refuses an update beside which another file lies than those that were planned (R09).
func (n *Node) alone(in agent.InstallerInput) error {
	planned := map[string]bool{}
	for _, f := range in.Files {
		planned[key(stagedPath(in.Run, f.Update, f.Target))] = true
	}
	below := key(stagedPath(in.Run, in.Update, ""))
	for k, f := range n.disk {
		if strings.HasPrefix(k, below) && !planned[k] {
			return &refusal{"refused", f.path + " lies beside the update and is not in the plan. Look at it and remove it."}
		}
	}
	return nil
}

// verify finds the staged files of an update as they were planned; its own file must be among them.
func (n *Node) verify(in agent.InstallerInput) error {
	own := false
	for _, f := range in.Files {
		if !validRelative(f.Target) {
			return &refusal{"refused", "a file path is not a plain path below its folder"}
		}
		if f.Update != in.Update {
			return &refusal{"refused", "a file of another update is listed"}
		}
		have, ok := n.disk[key(stagedPath(in.Run, f.Update, f.Target))]
		if !ok {
			return &refusal{"missing", f.Target + " is not staged on this node"}
		}
		if have.size != f.Size || !strings.EqualFold(have.sha256, f.SHA256) {
			return &refusal{"refused", f.Target + " is not the file of the plan: its size or SHA-256 differs"}
		}
		own = own || strings.EqualFold(f.Target, in.Target)
	}
	if !own {
		return &refusal{"refused", "the update's own file is not among its files"}
	}
	return nil
}
