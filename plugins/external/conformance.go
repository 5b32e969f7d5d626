package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"cau/internal/fault"
	"cau/plugins"
)

// Case is one case of the conformance suite and how it went.
type Case struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Saw is what was seen.
	Saw string `json:"saw"`
}

// Conform runs the conformance suite against an executable: every request, right and wrong, on a simulated node. Arguments
// are those that its scan needs. What later cases build on and is not there fails them.
func Conform(ctx context.Context, path string, args []plugins.Argument, limits Limits) []Case {
	s := &suite{ctx: ctx, limits: limits}
	r, err := Inspect(ctx, path, limits)
	s.registration = r
	if r.File.Path == "" {
		s.add("trusted file", err, "")
		return s.cases
	}
	s.add("trusted file", nil, r.File.Mode+", owner "+r.File.Owner)
	if !s.add("describe", err, r.Declared.Name+" "+r.Declared.Version+", may: "+r.Declared.may()) {
		return s.cases
	}
	s.refuses("another version of the protocol", `{"cau":99,"request":"describe"}`)
	s.refuses("garbage", `this is no JSON`)
	s.refuses("a request that does not exist", `{"cau":1,"request":"no-such-request"}`)
	resolved, problems := plugins.Resolve(r.Declared.specs(), args)
	if len(problems) > 0 {
		s.add("arguments", problems[0], "")
		return s.cases
	}
	s.validate(resolved)
	for _, u := range s.scan(resolved) {
		s.update(u, resolved)
	}
	return s.cases
}

type suite struct {
	ctx          context.Context //nolint:containedctx // the suite lives within one call
	limits       Limits
	registration Registration
	cases        []Case
}

func (s *suite) add(name string, err error, saw string) bool {
	c := Case{Name: name, Passed: err == nil, Saw: saw}
	if err != nil {
		c.Saw = err.Error()
		if hint := fault.Hint(err); hint != "" {
			c.Saw += ". " + hint
		}
	}
	s.cases = append(s.cases, c)
	return err == nil
}

// refuses wants an error message, or an end that is no answer, and no hanging.
func (s *suite) refuses(what, line string) {
	_, err := talk[*errorMessage](s.ctx, s.registration.File.Path, s.limits, turn{raw: []byte(line + "\n"), most: s.limits.describe()})
	var said *saidError
	switch {
	case err == nil:
		s.add("refuses "+what, nil, "it said that it is an error")
	case errors.As(err, &said):
		s.add("refuses "+what, nil, said.Error())
	default:
		s.add("refuses "+what, fmt.Errorf("an error message is wanted: %w", err), "")
	}
}

func (s *suite) validate(args plugins.Arguments) {
	p := s.plugin(&simulated{})
	problems, err := p.Check(s.ctx, args)
	if err == nil && len(problems) > 0 {
		err = problems[0]
	}
	s.add("validate: takes good arguments", err, "no problems")
	bad := plugins.Arguments{"NoSuchArgument": "x"}
	for name, value := range args {
		bad[name] = value
	}
	problems, err = p.Check(s.ctx, bad)
	if err == nil && len(problems) == 0 {
		err = errors.New("it said nothing of NoSuchArgument, which it did not declare")
	}
	saw := ""
	if len(problems) > 0 {
		saw = problems[0].Error()
	}
	s.add("validate: names a bad argument", err, saw)
}

func (s *suite) plugin(n *simulated) *Plugin {
	return &Plugin{Registration: s.registration, Limits: s.limits, Run: "00000000", Nodes: func(string) plugins.Node { return n }}
}

func (s *suite) scan(args plugins.Arguments) []plugins.Update {
	n := &simulated{}
	found, err := s.plugin(n).Scan(s.ctx, []string{n.Name()}, args)
	updates := found.Updates[n.Name()]
	if err == nil && len(updates) == 0 {
		err = errors.New("it found no update, so that staging and installing cannot be tried; give it arguments with which it finds one")
	}
	if !s.add("scan", err, fmt.Sprintf("%d updates", len(updates))) {
		return nil
	}
	again, err := s.plugin(&simulated{}).Scan(s.ctx, []string{n.Name()}, args)
	if err == nil && fmt.Sprint(again.Updates) != fmt.Sprint(found.Updates) {
		err = errors.New("a second scan found something else on the same node")
	}
	s.add("scan: says the same again", err, "the same")
	return updates[:1]
}

func (s *suite) update(u plugins.Update, args plugins.Arguments) {
	n := &simulated{}
	p := s.plugin(n)
	stage := plugins.StageRequest{Run: p.Run, JobID: "00000000-stage", Arguments: args, Updates: []plugins.Update{u}}
	_, err := p.Stage(s.ctx, n, stage, nothing)
	s.add("stage "+u.ID, err, n.saw())
	install := plugins.InstallRequest{Run: p.Run, JobID: "00000000-install", Update: u}
	n = &simulated{}
	r, err := p.Install(s.ctx, n, install, nothing)
	if err == nil && !r.Outcome.Final() {
		err = fmt.Errorf("it ended as %s", r.Outcome)
	}
	s.add("install "+u.ID, err, string(r.Outcome)+"; "+n.saw())
	again := &simulated{}
	_, err = p.Install(s.ctx, again, install, nothing)
	if err == nil && fmt.Sprint(again.jobs) != fmt.Sprint(n.jobs) {
		err = errors.New("asked again after a crash it names other jobs, so that they would be begun twice")
	}
	s.add("install: asks for the same jobs again", err, "the same jobs")
	broken := &simulated{fails: true}
	r, err = p.Install(s.ctx, broken, install, nothing)
	if err == nil && len(broken.jobs) > 0 && r.Outcome == plugins.Installed {
		err = errors.New("it says installed although the node could not do what it asked for")
	}
	s.add("install: a job that fails is no success", err, string(r.Outcome))
	s.cancel(u)
}

// cancel wants a plug-in that ends by itself when nobody waits for it any more.
func (s *suite) cancel(u plugins.Update) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	n := &simulated{entered: cancel}
	p := s.plugin(n)
	asked, err := p.unpin(u)
	forced := false
	if err == nil {
		t := p.turn("install", n, ScriptInInstall, p.Run, "00000000-cancel")
		t.request.Update, t.forced = asked, &forced
		_, err = talk[*resultMessage](ctx, s.registration.File.Path, s.limits, t)
	}
	if errors.Is(err, context.Canceled) && s.ctx.Err() == nil {
		err = nil
	}
	if forced {
		err = fmt.Errorf("it went on for more than %s after it was cancelled, and was ended", s.limits.grace())
	}
	s.add("cancel", err, "it ended by itself")
}

func nothing(plugins.Progress) {}

// simulated is a node that runs no PowerShell: of a script it understands Write-Output 'text' and exit N, as the lab does, and
// passes over the rest.
type simulated struct {
	fails   bool
	entered func()

	mu   sync.Mutex
	jobs []string
}

var (
	outputLine = regexp.MustCompile(`^(?i:Write-Output)\s+'((?:[^']|'')*)'$`)
	exitLine   = regexp.MustCompile(`^(?i:exit)\s+(-?[0-9]{1,10})$`)
)

// Name is the simulated node's.
func (n *simulated) Name() string { return "NODE1" }

func (n *simulated) saw() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strconv.Itoa(len(n.jobs)) + " jobs on the node"
}

// RunJob runs a script as far as it is understood.
func (n *simulated) RunJob(ctx context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	n.mu.Lock()
	n.jobs = append(n.jobs, job.ID)
	n.mu.Unlock()
	if n.entered != nil {
		n.entered()
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if n.fails {
		return nil, fmt.Errorf("%w: the simulated node refuses", plugins.ErrJobFailed)
	}
	var in plugins.ScriptJob
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return nil, err
	}
	done := plugins.ScriptJobResult{Account: `NT AUTHORITY\SYSTEM`}
	for line := range strings.SplitSeq(string(in.Text), "\n") {
		line = strings.TrimSpace(line)
		if m := outputLine.FindStringSubmatch(line); m != nil {
			onEvent(plugins.JobEvent{Kind: "output", Message: strings.ReplaceAll(m[1], "''", "'")})
		}
		if m := exitLine.FindStringSubmatch(line); m != nil {
			code, err := strconv.ParseInt(m[1], 10, 64)
			if err != nil {
				return nil, err
			}
			done.ExitCode = code
			break
		}
	}
	return json.Marshal(done)
}
