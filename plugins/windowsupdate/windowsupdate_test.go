package windowsupdate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/windowsupdate"
)

const (
	one   = "a1f3c0de-0001-4c41-9b00-000000000001"
	two   = "a1f3c0de-0002-4c41-9b00-000000000002"
	three = "a1f3c0de-0003-4c41-9b00-000000000003"
)

// agent is a node whose update agent answers from lists; jobs are those it was given.
type agent struct {
	name string
	scan plugins.UpdatesScanResult
	// answers are results by update; lost are jobs that die without one, and err fails every job.
	answers map[string]plugins.UpdateResult
	restart bool
	lost    []string
	err     error

	mu   sync.Mutex
	jobs []plugins.Job
}

func (a *agent) Name() string { return a.name }

func (a *agent) RunJob(_ context.Context, job plugins.Job, onEvent func(plugins.JobEvent)) (json.RawMessage, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.jobs = append(a.jobs, job)
	switch {
	case a.err != nil:
		return nil, a.err
	case slices.Contains(a.lost, job.ID):
		return nil, plugins.ErrJobLost
	}
	if job.Kind == plugins.JobUpdatesScan {
		return json.Marshal(a.scan)
	}
	var in plugins.UpdatesJob
	if err := json.Unmarshal(job.Input, &in); err != nil {
		return nil, err
	}
	out := plugins.UpdatesJobResult{RestartRequired: a.restart}
	for i, u := range in.Updates {
		verb := map[plugins.JobKind]string{plugins.JobUpdatesDownload: "downloading", plugins.JobUpdatesInstall: "installing"}[job.Kind]
		onEvent(plugins.JobEvent{Kind: verb, Message: u.ID, Done: int64(i), Total: int64(len(in.Updates))})
		r, ok := a.answers[u.ID]
		if !ok {
			continue
		}
		r.UpdateID = u
		out.Results = append(out.Results, r)
	}
	return json.Marshal(out)
}

func (a *agent) ids() []string {
	var ids []string
	for _, j := range a.jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

func update(id, title string) plugins.FoundUpdate {
	return plugins.FoundUpdate{UpdateID: plugins.UpdateID{ID: id, Revision: 200}, Title: title, EulaAccepted: true, Reboot: 2}
}

func nothing(plugins.Progress) {}

// scanned scans the agents with the arguments in the UI's form.
func scanned(t *testing.T, text string, agents ...*agent) plugins.Scan {
	t.Helper()
	p := &windowsupdate.Plugin{Run: "7f3c0001", ScanJob: "7f3c0001-scan-1", Nodes: func(name string) plugins.Node {
		for _, a := range agents {
			if a.name == name {
				return a
			}
		}
		return nil
	}}
	var names []string
	for _, a := range agents {
		names = append(names, a.name)
	}
	s, err := p.Scan(t.Context(), names, arguments(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func arguments(t *testing.T, text string) plugins.Arguments {
	t.Helper()
	sets, err := plugins.ParseArguments(text)
	if err != nil {
		t.Fatal(err)
	}
	p := &windowsupdate.Plugin{}
	args, problems := plugins.ResolvePlaced(p.Options(), sets[0])
	if problems = append(problems, p.Validate(args)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	return args
}

// asked are the criteria that the agent was asked with.
func asked(t *testing.T, job plugins.Job) string {
	t.Helper()
	var in plugins.UpdatesQuery
	if err := json.Unmarshal(job.Input, &in); err != nil {
		t.Fatal(err)
	}
	return in.Criteria
}

func answers(t *testing.T, s plugins.Scan, id string) map[string]check.Result {
	t.Helper()
	out := map[string]check.Result{}
	for _, c := range s.Checks {
		if c.ID == id {
			out[c.Subject] = c
		}
		if _, ok := check.Lookup(c.ID); !ok {
			t.Errorf("%s is in no catalogue", c.ID)
		}
	}
	return out
}

func TestTheAgentIsAskedCAUsQueryOrTheGivenOneAndRecommendedUpdatesBesideIt(t *testing.T) {
	t.Parallel()
	const usual = "IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=1"
	for text, want := range map[string]string{
		"":                usual,
		`QueryString=" "`: usual,
		"QueryString=isinstalled=0 AND ( Type='driver' )":                           "IsInstalled=0 and Type='Driver'",
		"QueryString=IsInstalled=0 and Type=''Driver''":                             "IsInstalled=0 and Type='Driver'",
		"IncludeRecommendedUpdates=True":                                            "(" + usual + ") or (IsInstalled=0 and Type='Software' and IsHidden=0 and IsAssigned=0 and AutoSelectOnWebSites=1)",
		"IncludeRecommendedUpdates=True;QueryString=IsInstalled=0 and BrowseOnly=1": "IsInstalled=0 and BrowseOnly=1",
	} {
		a := &agent{name: "NODE1", scan: plugins.UpdatesScanResult{ResultCode: 2}}
		scanned(t, text, a)
		if len(a.jobs) != 1 || a.jobs[0].ID != "7f3c0001-scan-1" || asked(t, a.jobs[0]) != want {
			t.Errorf("%s: %v", text, a.jobs)
		}
	}
}

func TestAQueryThatIsNoneOrForNoRunIsAProblemOfQueryString(t *testing.T) {
	t.Parallel()
	p := &windowsupdate.Plugin{}
	for text, want := range map[string]struct {
		says   string
		inside int
	}{
		"IsInstalled=0 and Colour=1":                              {"column 19", 19},
		"IsInstalled=0 and DeploymentAction='Uninstallation'":     {"uninstallation", 0},
		"(IsInstalled=0) or (IsInstalled=1 and IsHidden=0)":       {"installed already", 0},
		"IsAssigned=1" + strings.Repeat(" and IsInstalled=0", 80): {"together with", 0},
	} {
		args := plugins.Arguments{"QueryString": text, "IncludeRecommendedUpdates": "True"}
		problems := p.Validate(args)
		if len(problems) != 1 || problems[0].Name != "QueryString" || problems[0].Inside != want.inside || !strings.Contains(problems[0].Problem, want.says) || problems[0].Hint == "" {
			t.Errorf("%.60s: %+v", text, problems)
		}
	}
	if _, err := p.Scan(t.Context(), nil, plugins.Arguments{}); err == nil {
		t.Error("it scans without nodes")
	}
}

func TestR08_AnUpdateIsPinnedByIDAndRevisionAndOneThatMustBeAloneComesFirst(t *testing.T) {
	t.Parallel()
	alone, done, never := update(two, "Stack"), update(three, "There already"), update(strings.ToUpper(one), "First")
	alone.Impact, alone.KBs, alone.MaxBytes, alone.Categories, alone.Severity = 2, []string{"5900001"}, 16_000_001, []string{"Security Updates"}, "Critical"
	done.Installed = true
	never.Reboot = 0
	s := scanned(t, "", &agent{name: "NODE1", scan: plugins.UpdatesScanResult{ResultCode: 2, Updates: []plugins.FoundUpdate{never, alone, done, never}}})
	list := s.Updates["NODE1"]
	if len(list) != 2 || list[0].ID != two+"-r200" || list[1].ID != one+"-r200" {
		t.Fatalf("%+v", list)
	}
	if u := list[0]; u.Identity != "UpdateID "+two+" revision 200, KB5900001, up to 17 MB" || u.Rule != "Security Updates, Critical" || !u.MayRestart || len(u.Warnings) != 1 || len(u.Files) != 0 || u.LimitMinutes == 0 {
		t.Errorf("%+v", u)
	}
	if u := list[1]; u.MayRestart || u.Rule != "Windows Update" || u.Name != "First" {
		t.Errorf("%+v", u)
	}
}

func TestWhatNeedsLicenceTermsOrSomebodyAtTheConsoleIsLeftOutAndListed(t *testing.T) {
	t.Parallel()
	terms, asks := update(one, "Terms"), update(two, "Asks")
	terms.EulaAccepted, asks.CanAskUser = false, true
	found := plugins.UpdatesScanResult{ResultCode: 2, Updates: []plugins.FoundUpdate{terms, asks, update(three, "Plain")}}
	s := scanned(t, "", &agent{name: "NODE2", scan: found}, &agent{name: "NODE1", scan: found})
	if len(s.Updates["NODE1"]) != 1 || len(s.Updates["NODE2"]) != 1 || len(s.Ignored) != 2 {
		t.Fatalf("%+v", s)
	}
	if g := s.Ignored[0]; g.Path != "Asks" || !strings.Contains(g.Reason, "ask somebody") || !strings.Contains(g.Reason, "NODE1, NODE2") {
		t.Errorf("%+v", g)
	}
	if g := s.Ignored[1]; g.Path != "Terms" || !strings.Contains(g.Reason, "licence terms") {
		t.Errorf("%+v", g)
	}
}

func TestR07_APlanOverDifferentSourcesNeedsAcceptanceAndANodesSourceIsInItsRemarks(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 28, 3, 4, 5, 0, time.UTC)
	windows := plugins.UpdatesScanResult{ResultCode: 2, Source: "Windows Update", LastScan: at}
	managed := plugins.UpdatesScanResult{ResultCode: 2, Source: "Windows Server Update Service", Server: "http://wsus1:8530"}
	s := scanned(t, "", &agent{name: "NODE1", scan: windows}, &agent{name: "NODE2", scan: managed}, &agent{name: "NODE3", scan: windows})
	c := answers(t, s, "wu.source")[""]
	if c.Outcome != check.CannotVerify || c.Remedy == "" || !strings.Contains(c.Evidence, "NODE2: WSUS at http://wsus1:8530; NODE1, NODE3: Windows Update") || s.Source != "different sources" {
		t.Errorf("%+v %s", c, s.Source)
	}
	if got := s.Remarks["NODE1"]; len(got) != 1 || !strings.Contains(got[0], "Windows Update") || !strings.Contains(got[0], "2026-11-28 03:04 UTC") {
		t.Errorf("%v", got)
	}
	s = scanned(t, "", &agent{name: "NODE1", scan: managed}, &agent{name: "NODE2", scan: managed})
	if c := answers(t, s, "wu.source")[""]; c.Outcome != check.Pass || s.Source != "WSUS at http://wsus1:8530" {
		t.Errorf("%+v %s", c, s.Source)
	}
}

func TestANodeThatDoesNotAnswerIsAFailedCheckAndAnIncompleteSearchAWarning(t *testing.T) {
	t.Parallel()
	failed := &agent{name: "NODE1", err: &fault.Error{Op: "scan for updates", Node: "NODE1", Code: 0x80240032, Err: plugins.ErrJobFailed}}
	partial := &agent{name: "NODE2", scan: plugins.UpdatesScanResult{ResultCode: 3, Warnings: []plugins.UpdateWarning{{HResult: 0x80240438}}}}
	aborted := &agent{name: "NODE3", scan: plugins.UpdatesScanResult{ResultCode: 5}}
	c := answers(t, scanned(t, "", failed, partial, aborted), "wu.scan")
	if r := c["NODE1"]; r.Outcome != check.Fail || !strings.Contains(r.Evidence, "WU_E_INVALID_CRITERIA") || r.Remedy != "Correct QueryString." {
		t.Errorf("%+v", r)
	}
	if r := c["NODE2"]; r.Outcome != check.Warn || !strings.Contains(r.Evidence, "WU_E_PT_ENDPOINT_UNREACHABLE") || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
	if r := c["NODE3"]; r.Outcome != check.Fail || !strings.Contains(r.Evidence, "result code is 5") || r.Remedy == "" {
		t.Errorf("%+v", r)
	}
}

// planned are updates as a scan pins them.
func planned(t *testing.T, ids ...string) []plugins.Update {
	t.Helper()
	var found []plugins.FoundUpdate
	for i, id := range ids {
		found = append(found, update(id, fmt.Sprintf("Update %d", i+1)))
	}
	return scanned(t, "", &agent{name: "NODE1", scan: plugins.UpdatesScanResult{ResultCode: 2, Updates: found}}).Updates["NODE1"]
}

func TestStagingDownloadsEverythingAndNamesWhatDidNotCome(t *testing.T) {
	t.Parallel()
	p := &windowsupdate.Plugin{}
	for _, c := range []struct {
		name   string
		second plugins.UpdateResult
		says   string
	}{
		{"it came", plugins.UpdateResult{ResultCode: 2}, ""},
		{"it was there", plugins.UpdateResult{AlreadyDone: true}, ""},
		{"it is not offered any more", plugins.UpdateResult{Missing: true}, ""},
		{"its terms changed", plugins.UpdateResult{HResult: 0x80240023}, ""},
		{"it failed", plugins.UpdateResult{ResultCode: 4, HResult: 0x80240034}, "WU_E_DOWNLOAD_FAILED"},
		{"it came in parts", plugins.UpdateResult{ResultCode: 3}, "with errors"},
		{"it was cancelled", plugins.UpdateResult{}, "did not begin"},
	} {
		a := &agent{name: "NODE1", answers: map[string]plugins.UpdateResult{one: {ResultCode: 2}, two: c.second}}
		var said []string
		res, err := p.Stage(t.Context(), a, plugins.StageRequest{Run: "7f3c0001", JobID: "j", Updates: planned(t, one, two)}, func(p plugins.Progress) { said = append(said, p.Message) })
		failed := c.says != ""
		if err != nil || (len(res.Failed) == 1) != failed || failed && (res.Failed[0].Update != two+"-r200" || !strings.Contains(res.Failed[0].Err.Error(), c.says) || !strings.Contains(res.Failed[0].Err.Error(), "Update 2")) {
			t.Errorf("%s: %+v %v", c.name, res, err)
		}
		if len(said) != 2 || a.jobs[0].Kind != plugins.JobUpdatesDownload || a.jobs[0].ID != "j" {
			t.Errorf("%s: %v %v", c.name, said, a.ids())
		}
	}
	a := &agent{name: "NODE1", answers: map[string]plugins.UpdateResult{one: {ResultCode: 2}}}
	if res, err := p.Stage(t.Context(), a, plugins.StageRequest{Run: "7f3c0001", JobID: "j", Updates: planned(t, one, two)}, nothing); err != nil || len(res.Failed) != 1 || res.Failed[0].Update != two+"-r200" {
		t.Errorf("an update without a result counts as there: %+v %v", res, err)
	}
	if _, err := p.Stage(t.Context(), &agent{err: plugins.ErrJobFailed}, plugins.StageRequest{Run: "7f3c0001", JobID: "j", Updates: planned(t, one)}, nothing); !errors.Is(err, plugins.ErrJobFailed) {
		t.Errorf("%v", err)
	}
}

func TestR19_EveryResultOfTheAgentHasItsOutcome(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		result  plugins.UpdateResult
		restart bool
		want    plugins.Outcome
		due     bool
	}{
		{"installed", plugins.UpdateResult{ResultCode: 2}, false, plugins.Installed, false},
		{"installed, it wants a restart", plugins.UpdateResult{ResultCode: 2, RestartRequired: true}, false, plugins.Installed, true},
		{"installed, the agent waits for a restart", plugins.UpdateResult{ResultCode: 2}, true, plugins.Installed, true},
		{"installed with errors", plugins.UpdateResult{ResultCode: 3, HResult: 0x00240003}, false, plugins.Installed, false},
		{"there already", plugins.UpdateResult{AlreadyDone: true, ResultCode: 2}, false, plugins.AlreadyInstalled, false},
		{"not offered any more", plugins.UpdateResult{Missing: true}, false, plugins.NotApplicable, false},
		{"not applicable", plugins.UpdateResult{ResultCode: 4, HResult: 0x80240017}, false, plugins.NotApplicable, false},
		{"terms", plugins.UpdateResult{HResult: 0x80240023}, false, plugins.Excluded, false},
		{"asks", plugins.UpdateResult{HResult: 0x80240020}, false, plugins.Excluded, false},
		{"failed", plugins.UpdateResult{ResultCode: 4, HResult: 0x80070643}, false, plugins.UpdateFailed, false},
		{"refused until a restart", plugins.UpdateResult{ResultCode: 4, HResult: 0x80240016}, false, plugins.UpdateFailed, true},
		{"handler disabled until a restart", plugins.UpdateResult{ResultCode: 4, HResult: 0x8024201D}, false, plugins.UpdateFailed, true},
		{"aborted", plugins.UpdateResult{ResultCode: 5}, false, plugins.UpdateFailed, false},
		{"cancelled before it", plugins.UpdateResult{}, false, plugins.UpdateFailed, false},
	} {
		a := &agent{name: "NODE1", restart: c.restart, answers: map[string]plugins.UpdateResult{one: c.result}}
		r, err := (&windowsupdate.Plugin{}).Install(t.Context(), a, plugins.InstallRequest{Run: "7f3c0001", JobID: "j", Update: planned(t, one)[0]}, nothing)
		if err != nil || r.Outcome != c.want || r.RestartRequired != c.due {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
		if bad := c.want == plugins.UpdateFailed || c.want == plugins.Excluded; bad != (r.Cause != nil) {
			t.Errorf("%s: cause %v", c.name, r.Cause)
		}
		if c.result.HResult != 0 && (r.ExitCode == nil || *r.ExitCode != fault.CodeOf(c.result.HResult)) {
			t.Errorf("%s: code %v", c.name, r.ExitCode)
		}
	}
}

func TestAFailedJobIsAFailedUpdateAndALostContactIsUnknown(t *testing.T) {
	t.Parallel()
	req := plugins.InstallRequest{Run: "7f3c0001", JobID: "j", Update: planned(t, one)[0]}
	p := &windowsupdate.Plugin{}
	r, err := p.Install(t.Context(), &agent{err: fmt.Errorf("%w: %w", plugins.ErrJobFailed, plugins.ErrJobRefused)}, req, nothing)
	if err != nil || r.Outcome != plugins.UpdateFailed || !r.Refused || r.Cause == nil {
		t.Errorf("%+v %v", r, err)
	}
	for _, lost := range []error{plugins.ErrJobStillRunning, errors.New("no contact")} {
		if r, err := p.Install(t.Context(), &agent{err: lost}, req, nothing); !errors.Is(err, lost) || r.Outcome != "" {
			t.Errorf("%+v %v", r, err)
		}
	}
	if _, err := p.Install(t.Context(), &agent{answers: map[string]plugins.UpdateResult{}}, req, nothing); err == nil {
		t.Error("no result is a result")
	}
}

func TestR19_AfterALostJobTheAgentIsAskedBeforeAnythingIsRepeated(t *testing.T) {
	t.Parallel()
	there := update(one, "Update 1")
	there.Installed = true
	for _, c := range []struct {
		name   string
		agent  *agent
		want   plugins.Outcome
		jobs   string
		failed bool
	}{
		{"it is installed", &agent{scan: plugins.UpdatesScanResult{ResultCode: 2, Updates: []plugins.FoundUpdate{there}}}, plugins.Installed, "j j-ask", false},
		{"it is not", &agent{scan: plugins.UpdatesScanResult{ResultCode: 2, Updates: []plugins.FoundUpdate{update(one, "")}}, answers: map[string]plugins.UpdateResult{one: {ResultCode: 2}}}, plugins.Installed, "j j-ask j-again", false},
		{"it is still at it", &agent{scan: plugins.UpdatesScanResult{ResultCode: 2}, answers: map[string]plugins.UpdateResult{one: {ResultCode: 4, HResult: 0x80240009}}}, "", "j j-ask j-again", true},
		{"the agent cannot be asked", &agent{scan: plugins.UpdatesScanResult{ResultCode: 4}}, "", "j j-ask", true},
	} {
		c.agent.name, c.agent.lost = "NODE1", []string{"j"}
		r, err := (&windowsupdate.Plugin{}).Install(t.Context(), c.agent, plugins.InstallRequest{Run: "7f3c0001", JobID: "j", Update: planned(t, one)[0]}, nothing)
		if (err != nil) != c.failed || r.Outcome != c.want || strings.Join(c.agent.ids(), " ") != c.jobs || err != nil && !errors.Is(err, plugins.ErrJobLost) {
			t.Errorf("%s: %+v, %v, jobs %v", c.name, r, err, c.agent.ids())
		}
		if got := asked(t, c.agent.jobs[1]); got != "UpdateID='"+one+"' and RevisionNumber=200" {
			t.Errorf("%s: asked %s", c.name, got)
		}
	}
}

func TestR08_FollowUpsAreWhatTheAgentOffersNowByTheSameQuery(t *testing.T) {
	t.Parallel()
	terms := update(three, "Terms")
	terms.EulaAccepted = false
	a := &agent{name: "NODE1", scan: plugins.UpdatesScanResult{ResultCode: 2, Updates: []plugins.FoundUpdate{update(two, "New"), terms}}}
	p := &windowsupdate.Plugin{}
	got, err := p.FollowUps(t.Context(), a, plugins.FollowUpRequest{Run: "7f3c0001", JobID: "look", Arguments: plugins.Arguments{"QueryString": "IsInstalled=0"}})
	if err != nil || len(got) != 1 || got[0].ID != two+"-r200" || a.jobs[0].ID != "look" || asked(t, a.jobs[0]) != "IsInstalled=0" {
		t.Errorf("%+v %v %v", got, err, a.ids())
	}
	if _, err := p.FollowUps(t.Context(), &agent{err: errors.New("no contact")}, plugins.FollowUpRequest{}); err == nil {
		t.Error("an agent that does not answer offers nothing")
	}
	left := p.Remaining(planned(t, one, two), map[string]plugins.Result{one + "-r200": {Outcome: plugins.Installed}})
	if len(left) != 1 || left[0].ID != two+"-r200" {
		t.Errorf("%+v", left)
	}
}
