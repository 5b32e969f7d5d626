package external

import (
	"context"
	"errors"
	"fmt"

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
	p := s.plugin(newSimulated())
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
	return &Plugin{Registration: s.registration, Limits: s.limits, Run: "00000000", Cluster: "FC1", Nodes: func(string) plugins.Node { return n }}
}

func (s *suite) scan(args plugins.Arguments) []plugins.Update {
	n := newSimulated()
	found, err := s.plugin(n).Scan(s.ctx, []string{n.Name()}, args)
	updates := found.Updates[n.Name()]
	if err == nil && len(updates) == 0 {
		err = errors.New("it found no update, so that staging and installing cannot be tried; give it arguments with which it finds one")
	}
	if !s.add("scan", err, fmt.Sprintf("%d updates", len(updates))) {
		return nil
	}
	again, err := s.plugin(newSimulated()).Scan(s.ctx, []string{n.Name()}, args)
	if err == nil && fmt.Sprint(again.Updates) != fmt.Sprint(found.Updates) {
		err = errors.New("a second scan found something else on the same node")
	}
	s.add("scan: says the same again", err, "the same")
	refuses := newSimulated()
	refuses.fails = true
	_, err = s.plugin(refuses).Scan(s.ctx, []string{n.Name()}, args)
	var said *saidError
	if errors.As(err, &said) && said.reason != "" {
		err = nil
	}
	s.add("scan: a node that refuses is said or passed over", err, refuses.saw())
	return updates[:1]
}

func (s *suite) update(u plugins.Update, args plugins.Arguments) {
	n := newSimulated()
	p := s.plugin(n)
	stage := plugins.StageRequest{Run: p.Run, JobID: "00000000-stage", Arguments: args, Updates: []plugins.Update{u}}
	_, err := p.Stage(s.ctx, n, stage, nothing)
	s.add("stage "+u.ID, err, n.saw())
	refuses := newSimulated()
	refuses.fails = true
	if _, err = p.Stage(s.ctx, refuses, stage, nothing); err == nil && len(refuses.jobs) > 0 {
		err = errors.New("it says done although the node could not do what it asked for")
	} else if said := (*saidError)(nil); errors.As(err, &said) {
		err = nil
	}
	s.add("stage: a job that fails is no success", err, refuses.saw())
	install := plugins.InstallRequest{Run: p.Run, JobID: "00000000-install", Update: u}
	s.install(u, p, n, install)
}

// install tries the installation of an update whose files lie on the node.
func (s *suite) install(u plugins.Update, p *Plugin, staged *simulated, install plugins.InstallRequest) {
	n := staged.again()
	r, err := p.Install(s.ctx, n, install, nothing)
	if err == nil && !r.Outcome.Final() {
		err = fmt.Errorf("it ended as %s", r.Outcome)
	}
	s.add("install "+u.ID, err, string(r.Outcome)+"; "+n.saw())
	again := staged.again()
	_, err = p.Install(s.ctx, again, install, nothing)
	if err == nil && fmt.Sprint(again.jobs) != fmt.Sprint(n.jobs) {
		err = errors.New("asked again after a crash it names other jobs, so that they would be begun twice")
	}
	s.add("install: asks for the same jobs again", err, "the same jobs")
	broken := staged.again()
	broken.fails = true
	r, err = p.Install(s.ctx, broken, install, nothing)
	if err == nil && len(broken.jobs) > 0 && r.Outcome == plugins.Installed {
		err = errors.New("it says installed although the node could not do what it asked for")
	}
	s.add("install: a job that fails is no success", err, string(r.Outcome))
	s.cancel(u, staged)
}

// cancel wants a plug-in that ends by itself when nobody waits for it any more.
func (s *suite) cancel(u plugins.Update, staged *simulated) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	n := staged.again()
	n.entered = cancel
	p := s.plugin(n)
	asked, err := p.unpin(u)
	forced := false
	if err == nil {
		t := p.turn("install", n, p.Run, "00000000-cancel")
		t.request.Update, t.folder, t.forced = asked, u.ID, &forced
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
