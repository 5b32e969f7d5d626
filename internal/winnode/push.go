package winnode

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strings"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/plugins"
)

// AdminShare is a connection to a node's ADMIN$ share, which is %SystemRoot%.
type AdminShare interface {
	// Connection is how it is protected, as this side proves it.
	Connection() plugins.ShareConnection
	// Upload writes a file of size bytes with this SHA-256 (lower-case hex) at a path below ADMIN$, with backslashes,
	// unless it is there already with that size and hash. The folder exists.
	Upload(ctx context.Context, path string, size int64, sha256 string, r io.Reader) error
	Close() error
}

var _ plugins.Pusher = (*Node)(nil)

// pushWords is what Push calls itself in errors.
const pushWords = "push files"

var sha256Shape = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Push brings the files to the node's push folder, each under its SHA-256 as name: the folder is made by the node with
// its final descriptor, the free space is checked as staging does, and a connection that is neither signed nor
// encrypted is refused before the first byte (R24). A stage job with Pushed takes them from there, checks them again,
// and then the folder is removed. Without files it does all but writing: that is how a node is asked whether it would
// take any.
func (n *Node) Push(ctx context.Context, req plugins.PushRequest, report func(plugins.Progress)) (plugins.ShareConnection, error) {
	var none plugins.ShareConnection
	fail := func(err error) (plugins.ShareConnection, error) {
		return none, &fault.Error{Op: pushWords, Node: n.Name(), Err: err}
	}
	if n.fleet.cfg.AdminShare == nil {
		return none, &fault.Error{
			Op: pushWords, Node: n.Name(), Err: errors.New("there is no way to this node's ADMIN$ share"),
			Hint: "Let the nodes read the share themselves, as their computer accounts (pull).",
		}
	}
	files, total, err := pushFiles(req)
	if err != nil {
		return fail(err)
	}
	folder, err := n.openPush(ctx, req.Run, total)
	if err != nil {
		return none, err
	}
	share, err := n.fleet.cfg.AdminShare(ctx, n.link.computer())
	if err != nil {
		return none, wrapFault(pushWords, n.Name(), err)
	}
	c := share.Connection()
	if !c.Signed && !c.Encrypted {
		_ = share.Close() // nothing was sent through it
		return none, &fault.Error{
			Op: pushWords, Node: n.Name(), Err: errors.New("the connection to ADMIN$ is neither signed nor encrypted"),
			Hint: "Let the node require SMB signing or encryption, or let it read the share itself (pull).",
		}
	}
	done := int64(0)
	for _, f := range files {
		if report != nil {
			report(plugins.Progress{Message: "pushing " + agent.Printable(f.Path, maxName), Percent: percent(done, total)})
		}
		if err := pushFile(ctx, share, folder, f, req.Open); err != nil {
			_ = share.Close() // the upload's error is the cause
			return none, wrapFault(pushWords+" ("+agent.Printable(f.Path, maxName)+")", n.Name(), err)
		}
		done += f.Size
	}
	if err := share.Close(); err != nil {
		return none, wrapFault(pushWords, n.Name(), err)
	}
	return c, nil
}

// wrapFault names node and operation, and keeps a fault's number and hint.
func wrapFault(op, node string, err error) error {
	var e *fault.Error
	if errors.As(err, &e) {
		return &fault.Error{Op: op, Node: node, Code: e.Code, Err: err, Hint: e.Hint}
	}
	return &fault.Error{Op: op, Node: node, Err: err}
}

// pushFiles are the files, each content once, and their size.
func pushFiles(req plugins.PushRequest) (files []plugins.File, total int64, err error) {
	if !idShape.MatchString(req.Run) {
		return nil, 0, errBadID
	}
	if req.Open == nil {
		return nil, 0, errors.New("there is nothing to read the files with")
	}
	const largest = 1 << 40
	seen := map[string]int64{}
	for _, f := range req.Files {
		size, known := seen[f.SHA256]
		switch {
		case !sha256Shape.MatchString(f.SHA256) || f.Size < 0 || f.Size > largest || total > largest:
			return nil, 0, fmt.Errorf("%q: its size or SHA-256 is none", agent.Printable(f.Path, maxName))
		case known && size != f.Size:
			return nil, 0, fmt.Errorf("%q has the SHA-256 of a file of another size", agent.Printable(f.Path, maxName))
		case known:
			continue
		}
		seen[f.SHA256] = f.Size
		files, total = append(files, f), total+f.Size
	}
	return files, total, nil
}

// openPush makes the push folder and checks that there is room for the files twice, as staging copies them once more.
func (n *Node) openPush(ctx context.Context, run string, total int64) (folder string, err error) {
	var p struct {
		Folder    string `json:"folder"`
		FreeBytes *int64 `json:"free_bytes"`
	}
	if _, err := n.link.call(ctx, agent.OpPushOpen, agent.PushArgs{Run: run}, &p); err != nil {
		return "", err
	}
	if want := pushRoot + `\` + run; !strings.EqualFold(p.Folder, want) {
		return "", &fault.Error{Op: what(agent.OpPushOpen), Node: n.Name(), Err: fmt.Errorf("the node names the folder %q, not %q", agent.Printable(p.Folder, maxName), want)}
	}
	if p.FreeBytes == nil {
		return "", missing(agent.OpPushOpen, n.Name(), "free space")
	}
	const diskFull = 112
	if need := 2*total + n.fleet.cfg.ReserveBytes; *p.FreeBytes < need {
		return "", &fault.Error{
			Op: what(agent.OpPushOpen), Node: n.Name(), Code: diskFull,
			Err: fmt.Errorf("the system drive has %d bytes free and %d are needed", *p.FreeBytes, need),
		}
	}
	return p.Folder, nil
}

// pushRoot is the folder below ADMIN$ that holds a folder for each run.
const pushRoot = "cau-push"

func pushFile(ctx context.Context, share AdminShare, folder string, f plugins.File, open func(context.Context, string) (io.ReadCloser, error)) error {
	source, err := open(ctx, f.Path)
	if err != nil {
		return err
	}
	r := &pinnedReader{r: source, left: f.Size, sum: sha256.New(), want: f.SHA256}
	err = share.Upload(ctx, folder+`\`+f.SHA256, f.Size, f.SHA256, r)
	if closeErr := source.Close(); err == nil {
		err = closeErr
	}
	if err == nil && r.bad != nil { // an upload that swallowed it
		err = r.bad
	}
	return err
}

// pinnedReader gives an error in place of the last bytes when what was read is not the file of the plan.
type pinnedReader struct {
	r    io.Reader
	left int64
	sum  hash.Hash
	want string
	bad  error
}

// Read reads on.
func (p *pinnedReader) Read(b []byte) (int, error) {
	if p.bad != nil {
		return 0, p.bad
	}
	n, err := p.r.Read(b)
	p.left -= int64(n)
	_, _ = p.sum.Write(b[:n]) // a hash never fails
	cut := errors.Is(err, io.EOF) && p.left != 0
	if cut || p.left < 0 || (p.left == 0 && hex.EncodeToString(p.sum.Sum(nil)) != p.want) {
		p.bad = errors.New("it is not the file of the plan: its size or SHA-256 differs")
		return 0, p.bad
	}
	return n, err
}

func percent(done, total int64) int {
	if total <= 0 {
		return -1
	}
	return int(float64(done) / float64(total) * 100)
}

// ClosePush removes the run's push folder with everything in it. RunJob does so after a stage job with Pushed.
func (n *Node) ClosePush(ctx context.Context, run string) error {
	if !idShape.MatchString(run) {
		return &fault.Error{Op: what(agent.OpPushClose), Node: n.Name(), Err: errBadID}
	}
	_, err := n.link.call(ctx, agent.OpPushClose, agent.PushArgs{Run: run}, nil)
	return err
}

// tidy removes what was pushed for a stage job that has taken it. That it could not is told as an event: the files are
// staged, and Clean removes the rest.
func (w *jobWatch) tidy(ctx context.Context) {
	var in plugins.StageJob
	if w.job.Kind != plugins.JobStage || json.Unmarshal(w.job.Input, &in) != nil || !in.Pushed {
		return
	}
	if err := w.node.ClosePush(ctx, in.Run); err != nil && w.onEvent != nil {
		w.onEvent(plugins.JobEvent{Time: w.now(), Kind: "warning", Message: agent.Printable(err.Error(), maxMessage)})
	}
}
