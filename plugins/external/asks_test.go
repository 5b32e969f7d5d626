//go:build unix

package external_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/external"
)

// able is a registered plug-in with these capabilities that answers every other request than describe with body.
func able(t *testing.T, capabilities, body string) *external.Plugin {
	t.Helper()
	says := strings.Replace(declared, `["script:install"]`, `[`+capabilities+`]`, 1)
	path := write(t, "#!/bin/sh\nread -r line\ncase $line in *describe*) echo '"+says+"'; exit 0;; esac\n"+body+"\n")
	r, err := external.Inspect(t.Context(), path, quick)
	if err != nil {
		t.Fatal(err)
	}
	return &external.Plugin{Registration: r, Limits: quick, Run: "0a0b0c0d", Cluster: "FC1"}
}

// asking asks once, keeps the answer in the file, and ends the request.
func asking(ask, answer string) string {
	return `cat <<'E'
{"type":"ask","job":"a",` + ask + `}
E
read -r a; printf '%s' "$a" >` + answer + `
case $line in *'"install"'*) echo '{"type":"result","outcome":"installed"}';; *) echo '{"type":"done"}';; esac`
}

func stage(ctx context.Context, p *external.Plugin, n plugins.Node) error {
	_, err := p.Stage(ctx, n, plugins.StageRequest{Run: "0a0b0c0d", JobID: "job-s", Updates: []plugins.Update{update(p)}}, func(plugins.Progress) {})
	return err
}

func scan(ctx context.Context, p *external.Plugin, n plugins.Node) error {
	q := *p
	q.Nodes = func(string) plugins.Node { return n }
	_, err := q.Scan(ctx, []string{"NODE1"}, nil)
	return err
}

const sumOfX = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"

func TestWhatAPluginAsksForBecomesAJobOfTheNodeInItsOwnFolderPhaseAndCluster(t *testing.T) {
	for name, c := range map[string]struct{ capability, ask, kind, input, result, answer string }{
		"a script": {
			"script:install", `"do":"script","script":"x"`, "script",
			`{"run":"0a0b0c0d","name":"install a","sha256":"` + sumOfX + `","cluster":"FC1","phase":"install","text":"eA=="}`,
			`{"exit_code":3}`, `{"cau":1,"answer":"a","ok":true,"exit_code":3,"truncated":false,"output":""}`,
		},
		"a write": {
			"write:install", `"do":"write","path":"d\\f","offset":7,"data":"eA=="`, "file.write",
			`{"run":"0a0b0c0d","update":"u1","path":"d\\f","offset":7,"sha256":"` + sumOfX + `","data":"eA=="}`,
			`{"size":8,"sha256":"ff"}`, `{"cau":1,"answer":"a","ok":true,"exit_code":0,"truncated":false,"output":"","size":8,"sha256":"ff"}`,
		},
		"a read": {
			"read:install", `"do":"read","path":"d\\f","offset":2`, "file.read", `{"run":"0a0b0c0d","update":"u1","path":"d\\f","offset":2}`,
			`{"size":3,"data":"eA=="}`, `{"cau":1,"answer":"a","ok":true,"exit_code":0,"truncated":false,"output":"","size":3,"data":"eA=="}`,
		},
		"a read anywhere": {
			"read-anywhere:install", `"do":"read","path":"C:\\f"`, "file.read", `{"run":"0a0b0c0d","path":"C:\\f","offset":0}`,
			`{"size":0,"data":""}`, `{"cau":1,"answer":"a","ok":true,"exit_code":0,"truncated":false,"output":"","size":0}`,
		},
		"a program": {
			"program:install", `"do":"program","files":[{"path":"d\\fw.exe","size":1,"sha256":"` + sumOfX + `"}],"parameters":"/q"`, "installer",
			`{"run":"0a0b0c0d","update":"u1","target":"d\\fw.exe","files":[{"update":"u1","path":"d\\fw.exe","size":1,"sha256":"` + sumOfX + `","target":"d\\fw.exe"}],` +
				`"command":{"program":"%CAU_UPDATE%\\fw.exe","parameters":"/q"},"signature":"require"}`,
			`{"exit_code":3010}`, `{"cau":1,"answer":"a","ok":true,"exit_code":3010,"truncated":false,"output":""}`,
		},
		"another program": {
			"program:install", `"do":"program","files":[{"path":"fw.msi","size":1,"sha256":"` + sumOfX + `"}],"program":"%SystemRoot%\\System32\\msiexec.exe","parameters":"/i \"%CAU_UPDATE%\\fw.msi\""`, "installer",
			`{"run":"0a0b0c0d","update":"u1","target":"fw.msi","files":[{"update":"u1","path":"fw.msi","size":1,"sha256":"` + sumOfX + `","target":"fw.msi"}],` +
				`"command":{"program":"%SystemRoot%\\System32\\msiexec.exe","parameters":"/i \"%CAU_UPDATE%\\fw.msi\""},"signature":"require"}`,
			`{"exit_code":0}`, `{"cau":1,"answer":"a","ok":true,"exit_code":0,"truncated":false,"output":""}`,
		},
	} {
		answer := filepath.Join(t.TempDir(), "answer")
		p := able(t, `"`+c.capability+`"`, asking(c.ask, answer))
		n := &node{do: func(context.Context, plugins.Job) (json.RawMessage, error) { return json.RawMessage(c.result), nil }}
		_, err := p.Install(t.Context(), n, plugins.InstallRequest{Run: "0a0b0c0d", JobID: "job-1", Update: update(p), Signature: plugins.SignatureRequire}, func(plugins.Progress) {})
		got, _ := os.ReadFile(answer)
		if err != nil || len(n.jobs) != 1 || string(n.jobs[0].Kind) != c.kind || string(n.jobs[0].Input) != c.input || string(got) != c.answer {
			t.Errorf("%s: %v\n jobs %+v\n want %s\n answer %s\n want   %s", name, err, n.jobs, c.input, got, c.answer)
		}
	}
}

func TestAScriptSeesThePhaseOfItsRequest(t *testing.T) {
	p := able(t, `"script:scan","script:stage"`, `case $line in *'"validate"'*) echo '{"type":"validated","problems":[]}'; exit 0;; esac
`+asking(`"do":"script","script":"x"`, "/dev/null"))
	for phase, ask := range map[string]func(context.Context, *external.Plugin, plugins.Node) error{plugins.PhaseStage: stage, plugins.PhaseScan: scan} {
		n := &node{}
		var in plugins.ScriptJob
		if err := ask(t.Context(), p, n); err != nil || len(n.jobs) != 1 || json.Unmarshal(n.jobs[0].Input, &in) != nil || in.Phase != phase || in.Cluster != "FC1" {
			t.Errorf("%s: %v, %+v", phase, err, in)
		}
	}
}

func TestR31_WithoutItsCapabilityNoFileIsTouchedAndNoProgramStarted(t *testing.T) {
	const read, anywhere, program = `"do":"read","path":"f"`, `"do":"read","path":"C:\\f"`, `"do":"program","files":[{"path":"f","size":1,"sha256":"` + sumOfX + `"}]`
	const toWrite = `"do":"write","path":"f","data":"eA=="`
	validates := `case $line in *'"validate"'*) echo '{"type":"validated","problems":[]}'; exit 0;; esac
`
	for name, c := range map[string]struct {
		capabilities, ask, want string
		do                      func(context.Context, *external.Plugin, plugins.Node) error
	}{
		"read":                       {`"write:install","read:stage"`, read, "did not declare the capability read:install", nil},
		"read anywhere":              {`"read:install"`, anywhere, "did not declare the capability read-anywhere:install", nil},
		"read below, may anywhere":   {`"read-anywhere:install"`, read, "did not declare the capability read:install", nil},
		"write":                      {`"read:install","write:stage"`, toWrite, "did not declare the capability write:install", nil},
		"program":                    {`"script:install","write:install"`, program, "did not declare the capability program:install", nil},
		"program in staging":         {`"program:install"`, program, "a stage asks for no program", stage},
		"write in a scan":            {`"write:stage"`, toWrite, "a scan asks for no write", scan},
		"read of a folder in a scan": {`"read:stage","read-anywhere:scan"`, read, "a scan asks for no read", scan},
	} {
		p := able(t, c.capabilities, validates+asking(c.ask, "/dev/null"))
		n := &node{}
		var err error
		if c.do != nil {
			err = c.do(t.Context(), p, n)
		} else {
			_, err = install(t.Context(), p, n)
		}
		if !errors.Is(err, external.ErrProtocol) || !strings.Contains(err.Error(), c.want) || len(n.jobs) > 0 {
			t.Errorf("%s: %v, want %q; %d jobs", name, err, c.want, len(n.jobs))
		}
	}
}

func TestR31_AnAskThatIsOutOfBoundsReachesNoNode(t *testing.T) {
	file := func(path string) string { return `"do":"write","data":"eA==","path":"` + path + `"` }
	long := strings.Repeat("QUFB", plugins.MaxFileWrite/3+1)
	for name, c := range map[string]struct{ ask, want string }{
		"a way up":          {file(`..\\f`), "not a plain path"},
		"a way up within":   {file(`a\\..\\..\\f`), "not a plain path"},
		"a drive":           {file(`C:\\f`), "not a plain path"},
		"a share":           {file(`\\\\s\\h\\f`), "not a plain path"},
		"a stream":          {file(`f:s`), "not a plain path"},
		"a slash":           {file(`a/f`), "not a plain path"},
		"a trailing dot":    {file(`f.`), "not a plain path"},
		"no path":           {file(``), "1 to 200 characters"},
		"a device path":     {`"do":"read","path":"\\\\?\\C:\\f"`, "not a plain path"},
		"up from a drive":   {`"do":"read","path":"C:\\a\\..\\f"`, "not a plain path"},
		"before the start":  {`"do":"read","path":"f","offset":-1`, "less than 0"},
		"too much":          {`"do":"write","path":"f","data":"` + long + `"`, "at most 524288 bytes"},
		"too far":           {`"do":"write","path":"f","data":"eA==","offset":16777216`, "at most 16777216 bytes"},
		"no base64":         {`"do":"write","path":"f","data":"?"`, "illegal base64"},
		"no files":          {`"do":"program"`, "1 to 64 files"},
		"no hash":           {`"do":"program","files":[{"path":"f","size":1,"sha256":"x"}]`, "no SHA-256"},
		"a line feed":       {`"do":"program","files":[{"path":"f","size":1,"sha256":"` + sumOfX + `"}],"parameters":"a\nb"`, "control character"},
		"another act's":     {`"do":"script","script":"x","path":"f"`, "a script has no path"},
		"minutes of a read": {`"do":"read","path":"f","minutes":3`, "a read has no minutes"},
	} {
		p := able(t, `"script:install","read:install","read-anywhere:install","write:install","program:install"`, `cat <<'E'
{"type":"ask","job":"a",`+c.ask+`}
E
read -r a; echo '{"type":"result","outcome":"installed"}'`)
		n := &node{}
		if _, err := install(t.Context(), p, n); !errors.Is(err, external.ErrProtocol) || !strings.Contains(err.Error(), c.want) || len(n.jobs) > 0 {
			t.Errorf("%s: %v, want %q; %d jobs", name, err, c.want, len(n.jobs))
		}
	}
}

func TestAnAnswerHasWindowsNumberOfWhatDidNotWork(t *testing.T) {
	answer := filepath.Join(t.TempDir(), "answer")
	p := able(t, `"read:install"`, asking(`"do":"read","path":"f"`, answer))
	n := &node{do: func(context.Context, plugins.Job) (json.RawMessage, error) {
		return nil, errors.Join(plugins.ErrJobFailed, &fault.Error{Op: "read the file", Code: 2, Err: errors.New("not there")})
	}}
	if _, err := install(t.Context(), p, n); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(answer); !strings.Contains(string(got), `"ok":false`) || !strings.Contains(string(got), `"code":2,`) {
		t.Errorf("%s", got)
	}
}
