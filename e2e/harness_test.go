package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cau/engine"
	"cau/internal/lab"
)

// patience bounds one command. Nothing here measures speed: the bound only keeps a hung test from hanging all.
const patience = 4 * time.Minute

// atOnce is how many tests run side by side, unless -parallel says otherwise: most of their time they wait for the
// lab's.
const atOnce = 4

const hotfixPlugin = "Microsoft.HotfixPlugin"

// binary is the program. With -race it looks for races too (raced), but for the many runs of the scenarios, which use
// quick: what they have that is new is the lab's doing.
var (
	binary, quick string
	raced         bool
)

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		_ = flag.Set("test.parallel", strconv.Itoa(atOnce))
	}
	dir, err := os.MkdirTemp("", "cau-e2e-")
	if err != nil {
		panic(err)
	}
	quick = filepath.Join(dir, "quick")
	binary = quick
	built := build(quick)
	if raced && built {
		binary = filepath.Join(dir, "raced")
		built = build(binary, "-race")
	}
	code := 1
	if built {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func build(to string, flags ...string) bool {
	cmd := exec.Command("go", append(append([]string{"build"}, flags...), "-o", to, "..")...)
	cmd.Stderr = os.Stderr
	return cmd.Run() == nil
}

// world is one user's home with the program in it.
type world struct {
	t       *testing.T
	program string
	home    string
	env     []string
}

// newWorld ends its labs and looks for data races in every log when the test is over.
func newWorld(t *testing.T) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("needs processes and servers; not with -short")
	}
	home := t.TempDir()
	w := &world{t: t, program: binary, home: filepath.Join(home, "state"), env: append(os.Environ(), "CAU_HOME="+filepath.Join(home, "state"), "XDG_CACHE_HOME="+filepath.Join(home, "cache"), "TERM=xterm-256color", "NO_COLOR=1")}
	t.Cleanup(func() {
		labs, _ := lab.List(w.home)
		for _, l := range labs {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			_ = lab.Down(ctx, l)
			cancel()
		}
		logs, _ := filepath.Glob(filepath.Join(w.home, "*", "*", "*.log"))
		for _, log := range logs {
			if text, err := os.ReadFile(log); err == nil && bytes.Contains(text, []byte("DATA RACE")) {
				t.Errorf("%s:\n%s", log, text)
			}
		}
	})
	return w
}

// result is how a command ended.
type result struct {
	code        int
	out, errOut string
}

// cau runs the program to its end.
func (w *world) cau(args ...string) result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		w.t.Fatalf("cau %s: %v\n%s%s", strings.Join(args, " "), err, out.String(), errOut.String())
	}
	r := result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
	if strings.Contains(r.errOut, "DATA RACE") {
		w.t.Errorf("cau %s: %s", strings.Join(args, " "), r.errOut)
	}
	return r
}

func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.program, args...)
	cmd.Env = w.env
	cmd.Dir = w.t.TempDir()
	return cmd
}

// want runs the program and fails unless it ends with code.
func (w *world) want(code int, args ...string) result {
	w.t.Helper()
	r := w.cau(args...)
	if r.code != code {
		w.t.Fatalf("cau %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.errOut)
	}
	return r
}

// labSpeed is how much faster than real time labs run where a test does not say; a program that looks for races is slow.
func (w *world) labSpeed() string {
	if w.program != quick {
		return "60"
	}
	return "200"
}

// lab starts a lab that lives until the test ends.
func (w *world) lab(args ...string) lab.Info {
	w.t.Helper()
	r := w.want(0, append([]string{"lab", "up", "--json", "--lab-linger=-1s", "--speed", w.labSpeed()}, args...)...)
	var printed struct{ ID string }
	if err := json.Unmarshal([]byte(r.out), &printed); err != nil {
		w.t.Fatalf("%v in %s", err, r.out)
	}
	info, err := lab.Load(filepath.Join(w.home, "labs", printed.ID))
	if err != nil || !info.Alive {
		w.t.Fatalf("%+v %v", info, err)
	}
	return info
}

// inspect reads what no real cluster would tell.
func (w *world) inspect(info lab.Info) lab.Report {
	w.t.Helper()
	r, err := lab.Inspect(w.t.Context(), info)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// patient are options that keep a slow machine from running into the model's time limits.
func patient() []string {
	return []string{"--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440", "--arg", "HotfixInstallerTimeoutMinutes=1440"}
}

func args(parts ...[]string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// apply are the arguments of a run on the lab's own sample root.
func apply(info lab.Info, more ...string) []string {
	return applyWithin(patient(), info, more...)
}

// applyWithin is apply with other limits. What fails has failed: tests of attempts ask for them.
func applyWithin(limits []string, info lab.Info, more ...string) []string {
	return args([]string{"apply", "--lab=" + info.ID, "--yes", "--json", "--plugin", hotfixPlugin, "--arg", "HotfixRootFolderPath=" + info.Root, "--max-retries-per-node", "0"}, limits, more)
}

// status reads a run's state.
func (w *world) status(run ...string) engine.State {
	w.t.Helper()
	r := w.want(0, append([]string{"status", "--json"}, run...)...)
	var s engine.State
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		w.t.Fatalf("%v in %s", err, r.out)
	}
	return s
}

// facts are the JSON lines of a run.
func facts(t *testing.T, out string) []engine.Fact {
	t.Helper()
	var list []engine.Fact
	for line := range strings.Lines(out) {
		var f engine.Fact
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("not one fact a line: %v in %q", err, line)
		}
		list = append(list, f)
	}
	return list
}

// until waits for something that other processes bring about.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}
