//go:build unix

package external_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cau/plugins"
	"cau/plugins/external"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick only bounds what hangs: nothing here is measured.
var quick = external.Limits{Describe: time.Minute, Turn: time.Minute, Grace: 30 * time.Second}

// write makes an executable that nobody else may write.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plugin")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

const declared = `{"type":"describe","protocol":1,"name":"Test.Plugin","version":"1","description":"d","options":[],"capabilities":["script:install"]}`

// plugin is a registered plug-in that answers install with body, after it read its request.
func plugin(t *testing.T, body string) *external.Plugin {
	t.Helper()
	path := write(t, "#!/bin/sh\nread -r line\ncase $line in *describe*) echo '"+declared+"'; exit 0;; esac\n"+body+"\n")
	r, err := external.Inspect(t.Context(), path, quick)
	if err != nil {
		t.Fatal(err)
	}
	return &external.Plugin{Registration: r, Limits: quick, Run: "0a0b0c0d"}
}

func update(p *external.Plugin) plugins.Update {
	data, _ := json.Marshal(map[string]string{"plugin_sha256": p.Registration.File.SHA256, "data": "d"})
	return plugins.Update{ID: "u1", Name: "U1", LimitMinutes: 7, Payload: data}
}

func install(ctx context.Context, p *external.Plugin, n plugins.Node) (plugins.Result, error) {
	return p.Install(ctx, n, plugins.InstallRequest{Run: "0a0b0c0d", JobID: "job-1", Update: update(p)}, func(plugins.Progress) {})
}

// node answers every job by do.
type node struct {
	do   func(ctx context.Context, job plugins.Job) (json.RawMessage, error)
	mu   sync.Mutex
	jobs []plugins.Job
}

func (*node) Name() string { return "NODE1" }

func (n *node) RunJob(ctx context.Context, job plugins.Job, _ func(plugins.JobEvent)) (json.RawMessage, error) {
	n.mu.Lock()
	n.jobs = append(n.jobs, job)
	n.mu.Unlock()
	if n.do != nil {
		return n.do(ctx, job)
	}
	return json.RawMessage(`{"exit_code":0}`), nil
}

func TestTheSamplesPassTheConformanceSuite(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:"+os.Getenv("PATH")) // what starts a version of Python of one's own choice takes seconds
	for _, s := range []struct {
		path string
		args []plugins.Argument
		want int
	}{
		{"plugin-sh/message.sh", nil, 16},
		{"plugin-python/marker.py", []plugins.Argument{{Name: "Text", Value: `it's "here" \ ü`}}, 16},
	} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", s.path))
		if err != nil {
			t.Fatal(err)
		}
		cases := external.Conform(t.Context(), write(t, string(text)), s.args, quick)
		if len(cases) != s.want {
			t.Errorf("%s: %d cases, want %d", s.path, len(cases), s.want)
		}
		for _, c := range cases {
			if !c.Passed {
				t.Errorf("%s: %s: %s", s.path, c.Name, c.Saw)
			}
			t.Logf("%s: %s: %s", s.path, c.Name, c.Saw)
		}
	}
}

func TestTheConformanceSuiteFailsWhoDoesNotConform(t *testing.T) {
	for body, want := range map[string]string{
		`echo '` + declared + `'`: "refuses garbage",
		`cat >/dev/null`:          "refuses garbage",
		`case $line in *validate*) echo '{"type":"validated","problems":[]}';; *) echo '{"type":"error","reason":"no"}';; esac`: "validate: names a bad argument",
	} {
		p := plugin(t, body)
		limits := quick
		if strings.HasPrefix(body, "cat") { // it hangs, however long it is waited for
			limits.Describe, limits.Turn = 500*time.Millisecond, 500*time.Millisecond
		}
		failed := ""
		for _, c := range external.Conform(t.Context(), p.Registration.File.Path, nil, limits) {
			if !c.Passed {
				failed += c.Name + "; "
			}
		}
		if !strings.Contains(failed, want) {
			t.Errorf("%s: failed are %q, want %q among them", body, failed, want)
		}
	}
}

func TestR31_WhateverAPluginDoesTheNodeFailsWithTheReason(t *testing.T) {
	short := external.Limits{Describe: 20 * time.Second, Turn: 300 * time.Millisecond, Grace: 300 * time.Millisecond}
	for _, c := range []struct {
		name, body, want string
		limits           external.Limits
	}{
		{"crash", `echo 'out of coffee' >&2; exit 3`, "exit status 3 before its last message; it said: out of coffee", quick},
		{"killed", `kill -9 $$`, "killed before its last message", quick},
		{"hang", `sleep 1000`, "said nothing for too long", short},
		{"hang that ignores signals", `trap '' TERM INT HUP; while :; do sleep 1000; done`, "said nothing for too long", short},
		{"garbage", `echo hello`, "message 1: is not a JSON object", quick},
		{"no UTF-8", `printf '\377\n'`, "is not UTF-8", quick},
		{"half a line", `printf '{"type":"progr'`, "ends in the middle", quick},
		{"an endless line", `yes x | tr -d '\n'`, "more than 1048576 bytes", quick},
		{"a flood of messages", `yes '{"type":"progress","message":"x"}'`, "more than 10000 messages", quick},
		{"an unknown message", `echo '{"type":"dance"}'`, `the type "dance"`, quick},
		{"an unknown field", `echo '{"type":"result","outcome":"installed","colour":1}'`, "colour", quick},
		{"another message than the one that answers", `echo '{"type":"done"}'`, "not the one that answers install", quick},
		{"an outcome that does not exist", `echo '{"type":"result","outcome":"fine"}'`, `no outcome "fine"`, quick},
		{"an outcome that is ours to give", `echo '{"type":"result","outcome":"excluded"}'`, `no outcome "excluded"`, quick},
		{"a code of 33 bits", `echo '{"type":"result","outcome":"installed","exit_code":4294967296}'`, "more than 32 bits", quick},
		{"goes on after the end", `echo '{"type":"result","outcome":"installed"}'; echo '{"type":"done"}'`, "went on after its last message", quick},
		{"its own reason", `echo '{"type":"error","reason":"the disk\u001b[2J is full","hint":"empty it"}'`, "the disk [2J is full", quick},
	} {
		p := plugin(t, c.body)
		p.Limits = c.limits
		n := &node{}
		_, err := install(t.Context(), p, n)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "NODE1: ") || len(n.jobs) > 0 {
			t.Errorf("%s: %v, want %q; %d jobs", c.name, err, c.want, len(n.jobs))
		}
	}
}

func TestR31_APluginReachesANodeOnlyInItsTurnAndByWhatItDeclared(t *testing.T) {
	ask := func(more string) string {
		return `echo '{"type":"ask","do":"script"` + more + `}'; read -r a; echo '{"type":"result","outcome":"installed"}'`
	}
	for _, c := range []struct{ name, body, want string }{
		{"another node", ask(`,"job":"a","script":"x","node":"NODE2"`), "the turn of NODE1 and not of NODE2"},
		{"another act", `echo '{"type":"ask","job":"a","do":"format"}'`, `nothing called "format"`},
		{"a job's name", ask(`,"job":"../a","script":"x"`), "the job's name"},
		{"no script", ask(`,"job":"a"`), "1 to 524288 bytes"},
		{"the same job twice", `for i in 1 2; do echo '{"type":"ask","job":"a","do":"script","script":"x"}'; read -r a; done`, "comes twice"},
		{"lists outside a scan", `echo '{"type":"update","id":"u"}'`, "has no lists"},
	} {
		_, err := install(t.Context(), plugin(t, c.body), &node{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, external.ErrProtocol) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	p := plugin(t, ask(`,"job":"a","script":"x"`))
	stage := plugins.StageRequest{Run: "0a0b0c0d", JobID: "stage", Updates: []plugins.Update{update(p)}}
	n := &node{}
	if _, err := p.Stage(t.Context(), n, stage, func(plugins.Progress) {}); err == nil || !strings.Contains(err.Error(), "did not declare the capability script:stage") || len(n.jobs) > 0 {
		t.Errorf("in a phase it did not declare: %v, %d jobs", err, len(n.jobs))
	}
	if r, err := install(t.Context(), p, n); err != nil || r.Outcome != plugins.Installed || len(n.jobs) != 1 {
		t.Errorf("in its turn: %+v %v, %d jobs", r, err, len(n.jobs))
	}
	if _, err := p.Check(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "validate has no node") {
		t.Errorf("without a node: %v", err)
	}
}

func TestR19_WhatIsNotKnownOnTheNodeIsUnknownWhateverThePluginSays(t *testing.T) {
	for _, lost := range []error{plugins.ErrJobStillRunning, plugins.ErrJobLost, errors.New("the node does not answer")} {
		p := plugin(t, `echo '{"type":"ask","job":"a","do":"script","script":"x"}'; read -r a; echo '{"type":"result","outcome":"installed"}'`)
		_, err := install(t.Context(), p, &node{do: func(context.Context, plugins.Job) (json.RawMessage, error) { return nil, lost }})
		if !errors.Is(err, lost) {
			t.Errorf("%v: the plug-in's word was taken: %v", lost, err)
		}
	}
	p := plugin(t, `echo '{"type":"ask","job":"a","do":"script","script":"x"}'; read -r a; echo '{"type":"result","outcome":"failed","reason":"no"}'`)
	failed := func(context.Context, plugins.Job) (json.RawMessage, error) { return nil, plugins.ErrJobFailed }
	if r, err := install(t.Context(), p, &node{do: failed}); err != nil || r.Outcome != plugins.UpdateFailed || !strings.Contains(r.Cause.Message, "no") {
		t.Errorf("a job that says itself that it did nothing is for the plug-in to judge: %+v %v", r, err)
	}
}

func TestTheSameRequestAsksForTheSameJobs(t *testing.T) {
	p := plugin(t, `for j in a b; do echo '{"type":"ask","job":"'$j'","do":"script","script":"x"}'; read -r a; done; echo '{"type":"result","outcome":"installed"}'`)
	first, second := &node{}, &node{}
	for _, n := range []*node{first, second} {
		if _, err := install(t.Context(), p, n); err != nil {
			t.Fatal(err)
		}
	}
	if len(first.jobs) != 2 || first.jobs[0].ID == first.jobs[1].ID || first.jobs[0].ID != second.jobs[0].ID || first.jobs[1].ID != second.jobs[1].ID {
		t.Errorf("%v and %v", first.jobs, second.jobs)
	}
	if first.jobs[0].Limit != 7*time.Minute {
		t.Errorf("the wait is bounded by %s, want the update's limit", first.jobs[0].Limit)
	}
}

func TestR31_APluginIsEndedWithAllThatItStarted(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	p := plugin(t, `sleep 1000 & echo $! >`+pid+`; echo '{"type":"result","outcome":"installed"}'; wait`)
	p.Limits.Grace = 300 * time.Millisecond
	if _, err := install(t.Context(), p, &node{}); err != nil {
		t.Fatal(err)
	}
	var child int
	text, _ := os.ReadFile(pid)
	if _, err := fmt.Sscan(string(text), &child); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child))
		if syscall.Kill(child, 0) != nil || err == nil && strings.Contains(string(state), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("what the plug-in started lives on")
}

func TestACancelledPluginIsToldAndThenEnded(t *testing.T) {
	for name, body := range map[string]string{
		"heeds it":   `echo '{"type":"ask","job":"a","do":"script","script":"x"}'; while read -r a; do case $a in *'"cancel":true'*) exit 1;; esac; done`,
		"ignores it": `echo '{"type":"ask","job":"a","do":"script","script":"x"}'; sleep 1000`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		p := plugin(t, body)
		p.Limits.Grace = 300 * time.Millisecond
		_, err := install(ctx, p, &node{do: func(ctx context.Context, _ plugins.Job) (json.RawMessage, error) {
			cancel()
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
}

func TestR31_APluginGetsTheDocumentedEnvironmentAndNothingElse(t *testing.T) {
	t.Setenv("CAU_SECRET_OF_MINE", "hunter2")
	t.Setenv("HOME", "/nowhere")
	t.Setenv("LANG", "C")
	seen := filepath.Join(t.TempDir(), "env")
	p := plugin(t, `env | sed 's/=.*//' | sort >`+seen+`; echo '{"type":"result","outcome":"installed"}'`)
	if _, err := install(t.Context(), p, &node{}); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(seen)
	for name := range strings.FieldsSeq(string(text)) {
		switch name {
		case "PATH", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "CAU_PLUGIN_PROTOCOL":
		case "PWD", "SHLVL", "_", "OLDPWD": // the shell's own
		default:
			t.Errorf("it got %s", name)
		}
	}
	if !strings.Contains(string(text), "CAU_PLUGIN_PROTOCOL") {
		t.Errorf("%s", text)
	}
}
