package winnode_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
	"cau/plugins"
)

const (
	guid1 = "11111111-2222-3333-4444-555555555555"
	guid2 = "AAAAAAAA-2222-3333-4444-555555555555"
)

var query = plugins.UpdatesQuery{Run: "r1", Criteria: "IsInstalled=0 and Type='Software'"}

func work(t *testing.T, kind plugins.JobKind, ids ...string) plugins.Job {
	t.Helper()
	in := plugins.UpdatesJob{UpdatesQuery: query}
	for _, id := range ids {
		in.Updates = append(in.Updates, plugins.UpdateID{ID: id, Revision: 200})
	}
	return plugins.Job{ID: "w", Kind: kind, Input: raw(t, in)}
}

// ended runs a job that ends at once with the data, and says what the node was asked for.
func ended(t *testing.T, job plugins.Job, data string) (result json.RawMessage, order string, err error) {
	t.Helper()
	s, f := newSite(t, "N1")
	j := &script{steps: []agent.JobPoll{{Exists: true, Result: `{"ok":true,"data":` + data + `}`}}}
	j.on(s)
	result, err = f.Node("N1").RunJob(t.Context(), job, nil)
	if len(j.began) > 0 {
		order = j.began[0].Input
	}
	return result, order, err
}

func TestEveryKindOfJobIsAskedForAndAnsweredInItsOwnShape(t *testing.T) {
	for _, c := range []struct {
		name              string
		job               plugins.Job
		order, data, want string
	}{
		{
			"share probe",
			plugins.Job{ID: "p", Kind: plugins.JobShareProbe, Input: raw(t, plugins.ShareProbeJob{Run: "r1", Root: `\\fs\root`, RequireEncryption: true, File: "a.xml"})},
			`{"root":"\\\\fs\\root","require_encryption":true,"file":"a.xml"}`,
			`{"connection":{"dialect":"3.1.1\u001b","signed":true,"encrypted":true,"account":"FC\\N1$"},"entries":3}`,
			`{"connection":{"dialect":"3.1.1","signed":true,"encrypted":true,"account":"FC\\N1$"},"entries":3}`,
		},
		{
			"hash",
			plugins.Job{ID: "h", Kind: plugins.JobShareHash, Input: raw(t, plugins.ShareHashJob{Run: "r1", Root: `\\fs\root`, Files: []string{`a\b.msu`}})},
			`{"root":"\\\\fs\\root","require_encryption":false,"files":["a\\b.msu"]}`,
			`{"connection":{"dialect":"3.1.1","signed":true,"encrypted":false,"account":"FC\\N1$"},"files":[{"path":"a\\b.msu\u001b","size":3,"sha256":"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}]}`,
			`{"connection":{"dialect":"3.1.1","signed":true,"encrypted":false,"account":"FC\\N1$"},"files":[{"path":"a\\b.msu","size":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}]}`,
		},
		{
			"scan",
			plugins.Job{ID: "s", Kind: plugins.JobUpdatesScan, Input: raw(t, query)},
			`{"criteria":"IsInstalled=0 and Type='Software'","server_selection":0,"service_id":"","include_superseded":false}`,
			`{"result_code":2,"updates":[{"id":"` + guid1 + `","revision":200,"title":"Cumulative\r\nUpdate","kbs":["5001"],"type":1,"max_bytes":-5,"impact":2,"reboot":2}],"warnings":[{"context":4,"hresult":-1,"message":"a\u0007b"}],"server":"http://wsus"}`,
			`{"result_code":2,"updates":[{"id":"` + guid1 + `","revision":200,"title":"Cumulative Update","kbs":["5001"],"type":1,"max_bytes":0,"downloaded":false,"mandatory":false,"eula_accepted":false,"can_ask_user":false,"impact":2,"reboot":2,"browse_only":false,"auto_select":false}],"warnings":[{"context":4,"hresult":-1,"message":"a b"}],"server":"http://wsus"}`,
		},
		{
			"install", work(t, plugins.JobUpdatesInstall, guid1, guid2),
			`{"criteria":"IsInstalled=0 and Type='Software'","server_selection":0,"service_id":"","include_superseded":false,"updates":[{"id":"` + guid1 + `","revision":200},{"id":"` + guid2 + `","revision":200}]}`,
			`{"results":[{"id":"` + guid1 + `","revision":200,"result_code":4,"hresult":-2145124329},{"id":"` + strings.ToLower(guid2) + `","revision":200,"missing":true}],"restart_required":true}`,
			`{"results":[{"id":"` + guid1 + `","revision":200,"result_code":4,"hresult":2149842967},{"id":"` + guid2 + `","revision":200,"missing":true,"result_code":0,"hresult":0}],"restart_required":true}`,
		},
		{
			"CAU's own scan",
			plugins.Job{ID: "c", Kind: plugins.JobCauScan, Input: raw(t, plugins.CauScanJob{Run: "r1", QueryString: "IsInstalled=0", IncludeRecommendedUpdates: true})},
			`{"criteria":"IsInstalled=0","recommended":true}`,
			`{"available":true,"updates":[{"id":"{` + strings.ToUpper(guid1) + `}","title":"A\u001bB"}]}`,
			`{"available":true,"updates":[{"id":"` + strings.ToLower(guid1) + `","title":"A B"}]}`,
		},
		{
			"restart required", plugins.Job{ID: "q", Kind: plugins.JobUpdatesRestart, Input: raw(t, query)}, `{}`, `{"required":true}`, `{"required":true}`,
		},
		{
			"installer with a signature",
			plugins.Job{ID: "i", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{Run: "r1", Signature: plugins.SignatureRequire})},
			`{"run":"r1","update":"","target":"","files":[],"program":"","parameters":"","signature":"require"}`,
			`{"exit_code":0,"log":"C:\\l\u001b","signature":{"status":2,"signer":"CN=x\u0007","thumbprint":""}}`,
			`{"exit_code":0,"log":"C:\\l","signature":{"valid":false,"status":"NotSigned","signer":"CN=x"}}`,
		},
		{
			"signed installer",
			plugins.Job{ID: "i", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{Run: "r1"})},
			`{"run":"r1","update":"","target":"","files":[],"program":"","parameters":""}`,
			`{"exit_code":0,"log":"","signature":{"status":0,"signer":"CN=Microsoft"}}`,
			`{"exit_code":0,"signature":{"valid":true,"status":"Valid","signer":"CN=Microsoft"}}`,
		},
		{
			"a signature without a status is not valid",
			plugins.Job{ID: "i", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{Run: "r1"})},
			`{"run":"r1","update":"","target":"","files":[],"program":"","parameters":""}`,
			`{"exit_code":0,"signature":{"signer":"CN=Microsoft"}}`,
			`{"exit_code":0,"signature":{"valid":false,"status":"UnknownError","signer":"CN=Microsoft"}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, order, err := ended(t, c.job, c.data)
			if err != nil || order != c.order || string(got) != c.want {
				t.Errorf("%v\nasked %s\nwant  %s\ngot   %s\nwant  %s", err, order, c.order, got, c.want)
			}
		})
	}
}

func TestR19_ANumberThatIsMissingIsNeverTheGoodOne(t *testing.T) {
	scan := plugins.Job{ID: "s", Kind: plugins.JobUpdatesScan, Input: raw(t, query)}
	restart := plugins.Job{ID: "q", Kind: plugins.JobUpdatesRestart, Input: raw(t, query)}
	cau := plugins.Job{ID: "c", Kind: plugins.JobCauScan, Input: raw(t, plugins.CauScanJob{Run: "r1", QueryString: "IsInstalled=0"})}
	install := work(t, plugins.JobUpdatesInstall, guid1)
	one := `{"id":"` + guid1 + `","revision":200`
	for name, c := range map[string]struct {
		job  plugins.Job
		data string
	}{
		"scan without a code":               {scan, `{"updates":[]}`},
		"scan with an unknown code":         {scan, `{"result_code":9,"updates":[]}`},
		"an update without an id":           {scan, `{"result_code":2,"updates":[{"id":"x","revision":1}]}`},
		"an update without a revision":      {scan, `{"result_code":2,"updates":[{"id":"` + guid1 + `"}]}`},
		"install without a code":            {install, `{"results":[` + one + `}],"restart_required":false}`},
		"install with code 6":               {install, `{"results":[` + one + `,"result_code":6}],"restart_required":false}`},
		"install without a word on restart": {install, `{"results":[` + one + `,"result_code":2}]}`},
		"a result that nobody asked for":    {install, `{"results":[{"id":"` + guid2 + `","revision":200,"result_code":2}],"restart_required":false}`},
		"a result of another revision":      {install, `{"results":[{"id":"` + guid1 + `","revision":201,"result_code":2}],"restart_required":false}`},
		"a result twice":                    {install, `{"results":[` + one + `,"result_code":4},` + one + `,"result_code":2}],"restart_required":false}`},
		"CAU's scan without a word":         {cau, `{"updates":[]}`},
		"CAU's scan without a list":         {cau, `{"available":true}`},
		"CAU's update without an id":        {cau, `{"available":true,"updates":[{"id":"KB1"}]}`},
		"no word on a restart":              {restart, `{}`},
		"share probe without a connection":  {plugins.Job{ID: "p", Kind: plugins.JobShareProbe, Input: raw(t, plugins.ShareProbeJob{Run: "r1"})}, `{"entries":3}`},
		"script without a code":             {scriptJob(t, "exit 0"), `{"account":"SYSTEM"}`},
		"nothing at all":                    {install, `null`},
	} {
		if got, _, err := ended(t, c.job, c.data); !errors.Is(err, plugins.ErrJobLost) {
			t.Errorf("%s: %s %v", name, got, err)
		}
	}
}

func TestR33_AnOrderOutOfBoundsNeverLeaves(t *testing.T) {
	ask := func(change func(*plugins.UpdatesJob)) plugins.Job {
		in := plugins.UpdatesJob{UpdatesQuery: query, Updates: []plugins.UpdateID{{ID: guid1, Revision: 1}}}
		change(&in)
		return plugins.Job{ID: "w", Kind: plugins.JobUpdatesInstall, Input: raw(t, in)}
	}
	tell := func(change func(*plugins.ScriptJob)) plugins.Job {
		job := scriptJob(t, "exit 0")
		var in plugins.ScriptJob
		if err := json.Unmarshal(job.Input, &in); err != nil {
			t.Fatal(err)
		}
		change(&in)
		job.Input = raw(t, in)
		return job
	}
	big := strings.Repeat("#", agent.MaxScript+1)
	asSystem := installer
	asSystem.AsCaller = true
	for name, job := range map[string]plugins.Job{
		"no criteria":           ask(func(u *plugins.UpdatesJob) { u.Criteria = "" }),
		"control characters":    ask(func(u *plugins.UpdatesJob) { u.Criteria = "IsInstalled=0\n" }),
		"endless criteria":      ask(func(u *plugins.UpdatesJob) { u.Criteria = strings.Repeat("x", 5000) }),
		"server selection 4":    ask(func(u *plugins.UpdatesJob) { u.ServerSelection = 4 }),
		"service without id":    ask(func(u *plugins.UpdatesJob) { u.ServerSelection = 3 }),
		"id without service":    ask(func(u *plugins.UpdatesJob) { u.ServiceID = guid1 }),
		"no update":             ask(func(u *plugins.UpdatesJob) { u.Updates = nil }),
		"no id":                 ask(func(u *plugins.UpdatesJob) { u.Updates[0].ID = "KB5001" }),
		"negative revision":     ask(func(u *plugins.UpdatesJob) { u.Updates[0].Revision = -1 }),
		"twice":                 ask(func(u *plugins.UpdatesJob) { u.Updates = append(u.Updates, u.Updates[0]) }),
		"script changed":        tell(func(s *plugins.ScriptJob) { s.Text = []byte("other") }),
		"script empty":          tell(func(s *plugins.ScriptJob) { s.Text = nil }),
		"no phase":              tell(func(s *plugins.ScriptJob) { s.Phase = "during" }),
		"script too long":       scriptJob(t, big),
		"policy unknown":        {ID: "i", Kind: plugins.JobInstaller, Input: raw(t, plugins.InstallerJob{Run: "r1", Signature: "maybe"})},
		"installer as caller":   asSystem,
		"restart without a run": {ID: "q", Kind: plugins.JobUpdatesRestart, Input: json.RawMessage(`{}`)},
	} {
		s, f := newSite(t, "N1")
		if _, err := f.Node("N1").RunJob(t.Context(), job, nil); err == nil || s.at("N1").shells != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzJobResults(f *testing.F) {
	f.Add(0, `{"result_code":2,"updates":[{"id":"`+guid1+`","revision":1,"title":"x"}]}`)
	f.Add(1, `{"results":[{"id":"`+guid1+`","revision":200,"result_code":2}],"restart_required":true}`)
	f.Add(2, `{"exit_code":1,"account":"x"}`)
	f.Fuzz(func(t *testing.T, which int, data string) {
		jobs := []plugins.Job{{ID: "s", Kind: plugins.JobUpdatesScan, Input: raw(t, query)}, work(t, plugins.JobUpdatesInstall, guid1), scriptJob(t, "exit 0")}
		if which < 0 || which >= len(jobs) || !json.Valid([]byte(data)) {
			return
		}
		got, _, err := ended(t, jobs[which], data)
		if err != nil {
			return
		}
		for _, r := range string(got) {
			if r < ' ' || r == 0x7f {
				t.Errorf("%q holds a control character", got)
			}
		}
		if which == 1 && !strings.Contains(string(got), `"restart_required"`) {
			t.Errorf("%s", got)
		}
	})
}
