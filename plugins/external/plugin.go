package external

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

// Plugin is a registered plug-in. Every request looks at the executable again and starts it only if it is as it was
// registered. It can install without Nodes, but not scan.
type Plugin struct {
	Registration Registration
	// Nodes gives a node for Scan; Run names the jobs there.
	Nodes func(name string) plugins.Node
	Run   string
	// Cluster is told to the plug-in and its scripts.
	Cluster string
	Limits  Limits
}

var (
	_ plugins.Plugin  = (*Plugin)(nil)
	_ plugins.Checker = (*Plugin)(nil)
)

// Name is the declared name.
func (p *Plugin) Name() string { return p.Registration.Declared.Name }

// Description is the declared one.
func (p *Plugin) Description() string { return plainLine(p.Registration.Declared.Description) }

// Options are the declared ones.
func (p *Plugin) Options() []plugins.OptionSpec { return p.Registration.Declared.specs() }

func (d *Declaration) specs() []plugins.OptionSpec {
	out := make([]plugins.OptionSpec, 0, len(d.Options))
	for _, o := range d.Options {
		out = append(out, o.spec())
	}
	return out
}

// Validate finds nothing beyond what Options say: it does no I/O, and the plug-in itself is asked by Check.
func (p *Plugin) Validate(plugins.Arguments) []plugins.ArgumentError { return nil }

// Check asks the plug-in about its arguments.
func (p *Plugin) Check(ctx context.Context, args plugins.Arguments) ([]plugins.ArgumentError, error) {
	if err := p.trusted(); err != nil {
		return nil, err
	}
	m, err := talk[*validatedMessage](ctx, p.Registration.File.Path, p.Limits, turn{request: request{Cau: Protocol, Request: "validate", Arguments: args}, most: p.Limits.describe()})
	if err != nil {
		return nil, failure(p.Name(), "check the arguments", "", err)
	}
	var out []plugins.ArgumentError
	for _, pr := range m.Problems {
		out = append(out, plugins.ArgumentError{Name: orText(plainLine(pr.Name), "--arg"), Problem: orText(plainLine(pr.Problem), "is wrong"), Hint: plainLine(pr.Hint)})
	}
	return out, nil
}

// trusted looks whether the executable is as it was registered.
func (p *Plugin) trusted() error { return p.Registration.Unchanged() }

// updateShape bounds an update's id, so that what the engine puts before it still fits.
var updateShape = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

const (
	maxUpdates = 1000
	maxData    = 64 << 10
)

// pinnedData is what the plan keeps for the plug-in.
type pinnedData struct {
	SHA256 string `json:"plugin_sha256"`
	Data   string `json:"data"`
}

// Scan asks the plug-in about its arguments, and then about each node in turn. The executable is pinned (R08).
func (p *Plugin) Scan(ctx context.Context, nodes []string, args plugins.Arguments) (plugins.Scan, error) {
	problems, err := p.Check(ctx, args)
	if err != nil {
		return plugins.Scan{}, err
	}
	for _, pr := range problems {
		return plugins.Scan{}, &fault.Error{Op: "--arg", Err: pr, Hint: pr.Hint}
	}
	f := p.Registration.File
	out := plugins.Scan{
		Source: p.Registration.Shown(), Updates: map[string][]plugins.Update{}, Checks: []check.Result{},
		Pinned: []plugins.File{{Path: f.Path, Size: f.Size, SHA256: f.SHA256}},
	}
	for _, name := range nodes {
		list, ignored, err := p.scan(ctx, name, args)
		if err != nil {
			return plugins.Scan{}, err
		}
		out.Updates[name] = list
		out.Ignored = append(out.Ignored, ignored...)
	}
	return out, nil
}

func (p *Plugin) scan(ctx context.Context, name string, args plugins.Arguments) ([]plugins.Update, []plugins.Ignored, error) {
	if err := p.trusted(); err != nil {
		return nil, nil, err
	}
	list, ignored := []plugins.Update{}, []plugins.Ignored{}
	t := p.turn("scan", p.Nodes(name), p.Run, p.Run+"-scan-"+name)
	t.request.Arguments = args
	t.list = func(m any) error {
		if g, ok := m.(*ignoredMessage); ok {
			ignored = append(ignored, plugins.Ignored{Path: plainLine(g.Path), Reason: plainLine(g.Reason)})
			return nil
		}
		u, err := p.pin(m.(*updateMessage)) //nolint:forcetypeassert // hold gives nothing else
		if err != nil || len(list) >= maxUpdates {
			return errorsOr(err, fmt.Errorf("%w: more than %d updates", ErrProtocol, maxUpdates))
		}
		for _, have := range list {
			if have.ID == u.ID {
				return fmt.Errorf("%w: the update %s comes twice", ErrProtocol, u.ID)
			}
		}
		list = append(list, u)
		return nil
	}
	if _, err := talk[*struct{ envelope }](ctx, p.Registration.File.Path, p.Limits, t); err != nil {
		return nil, nil, failure(p.Name(), "scan", name, err)
	}
	return list, ignored, nil
}

func errorsOr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// turn is a request about a node.
func (p *Plugin) turn(what string, node plugins.Node, run, job string) turn {
	return turn{
		request: request{Cau: Protocol, Request: what, Run: run, Cluster: p.Cluster, Node: node.Name()}, node: node,
		granted: p.Registration.Declared.Capabilities, run: run, job: job,
	}
}

// pin is an update as the plan holds it.
func (p *Plugin) pin(m *updateMessage) (plugins.Update, error) {
	fail := func(problem string) (plugins.Update, error) {
		return plugins.Update{}, fmt.Errorf("%w: update %q: %s", ErrProtocol, cut(m.ID, 40), problem)
	}
	switch {
	case !updateShape.MatchString(m.ID):
		return fail("the id is not of [a-z0-9-], 1 to 40 characters")
	case plainText(m.Name) != "":
		return fail("the name " + plainText(m.Name))
	case plainText(m.Identity) != "":
		return fail("the identity " + plainText(m.Identity))
	case m.LimitMinutes < 1 || m.LimitMinutes > 1440:
		return fail("limit_minutes is not from 1 to 1440")
	case len(m.Data) > maxData:
		return fail(fmt.Sprintf("the data has more than %d bytes", maxData))
	}
	data, err := json.Marshal(pinnedData{p.Registration.File.SHA256, m.Data})
	if err != nil {
		return fail(err.Error())
	}
	u := plugins.Update{ID: m.ID, Name: m.Name, Plugin: p.Name(), Identity: m.Identity, Rule: p.Name() + " " + p.Registration.Declared.Version, MayRestart: m.MayRestart, LimitMinutes: m.LimitMinutes, Payload: data}
	for _, w := range m.Warnings {
		u.Warnings = append(u.Warnings, plainLine(w))
	}
	return u, nil
}

// unpin reads what the plan holds of an update, and compares the executable of the plan with the one registered now.
func (p *Plugin) unpin(u plugins.Update) (*requestUpdate, error) {
	var d pinnedData
	if err := json.Unmarshal(u.Payload, &d); err != nil {
		return nil, fmt.Errorf("read what the plan pinned for %s: %w", u.Name, err)
	}
	if now := p.Registration.File.SHA256; !strings.EqualFold(d.SHA256, now) {
		return nil, &fault.Error{
			Op: "start the plug-in " + p.Name(), Err: fmt.Errorf("the plan was made with the executable of SHA-256 %s, and %s is registered now", d.SHA256, now),
			Hint: "Make a new plan, or register the executable again that the plan was made with.",
		}
	}
	return &requestUpdate{ID: u.ID, Name: u.Name, Identity: u.Identity, Data: d.Data}, p.trusted()
}

// Stage asks the plug-in for each update in turn. Nothing of it comes from a share that this program could judge.
func (p *Plugin) Stage(ctx context.Context, node plugins.Node, req plugins.StageRequest, report func(plugins.Progress)) (plugins.StageResult, error) {
	for _, u := range req.Updates {
		asked, err := p.unpin(u)
		if err != nil {
			return plugins.StageResult{}, err
		}
		t := p.turn("stage", node, req.Run, req.JobID+"-"+u.ID)
		t.request.Update, t.request.Arguments, t.report, t.update, t.folder = asked, req.Arguments, report, u.ID, u.ID
		if _, err := talk[*struct{ envelope }](ctx, p.Registration.File.Path, p.Limits, t); err != nil {
			return plugins.StageResult{}, p.failed(ctx, "stage "+u.Name, node.Name(), err)
		}
	}
	return plugins.StageResult{}, nil
}

// failed leaves the end of ctx as it is, so that whoever ended it knows it again.
func (p *Plugin) failed(ctx context.Context, op, node string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return failure(p.Name(), op, node, err)
}

// Install asks the plug-in for one update. What the plug-in does not answer properly is an error: it may have begun
// something on the node, now or before a crash, and nobody knows (R19).
func (p *Plugin) Install(ctx context.Context, node plugins.Node, req plugins.InstallRequest, report func(plugins.Progress)) (plugins.Result, error) {
	asked, err := p.unpin(req.Update)
	if err != nil {
		return plugins.Result{}, err
	}
	t := p.turn("install", node, req.Run, req.JobID)
	var seen plugins.InstallerJobResult
	t.request.Update, t.report, t.update, t.folder, t.signature, t.seen = asked, report, req.Update.ID, req.Update.ID, req.Signature, &seen
	t.limit = time.Duration(req.Update.LimitMinutes) * time.Minute
	m, err := talk[*resultMessage](ctx, p.Registration.File.Path, p.Limits, t)
	if err != nil {
		return plugins.Result{}, p.failed(ctx, "install "+req.Update.Name, node.Name(), err)
	}
	r, err := p.judge(node.Name(), req.Update, m)
	if err == nil {
		r.Signature, r.Log = seen.Signature, seen.Log
	}
	return r, err
}

func (p *Plugin) judge(node string, u plugins.Update, m *resultMessage) (plugins.Result, error) {
	r := plugins.Result{Outcome: plugins.Outcome(m.Outcome), RestartRequired: m.RestartRequired}
	if m.ExitCode != nil {
		if *m.ExitCode < -1<<31 || *m.ExitCode > 1<<32-1 {
			return plugins.Result{}, failure(p.Name(), "install "+u.Name, node, fmt.Errorf("%w: the exit code %s has more than 32 bits", ErrProtocol, strconv.FormatInt(*m.ExitCode, 10)))
		}
		code := fault.CodeOf(*m.ExitCode)
		r.ExitCode = &code
	}
	switch r.Outcome {
	case plugins.Installed, plugins.AlreadyInstalled, plugins.NotApplicable:
	case plugins.UpdateFailed:
		said := &saidError{plainLine(m.Reason), plainLine(m.Hint)}
		r.Cause = fault.CauseOf(failure(p.Name(), "install "+u.Name, node, said))
	case plugins.Excluded, plugins.Unknown:
		fallthrough
	default:
		return plugins.Result{}, failure(p.Name(), "install "+u.Name, node, fmt.Errorf("%w: there is no outcome %q", ErrProtocol, cut(m.Outcome, 40)))
	}
	return r, nil
}

// Remaining is every planned update without a final result.
func (p *Plugin) Remaining(planned []plugins.Update, results map[string]plugins.Result) []plugins.Update {
	var left []plugins.Update
	for _, u := range planned {
		if r, ok := results[u.ID]; !ok || !r.Outcome.Final() {
			left = append(left, u)
		}
	}
	return left
}
