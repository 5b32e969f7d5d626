package app

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/adrg/xdg"
	"golang.org/x/term"

	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/message"
)

// program is the wired program: it implements cli.Services, and the screens' services through a view.
type program struct {
	texts message.Texts
	// dir is where runs and labs live: $CAU_HOME, or cau below $XDG_STATE_HOME.
	dir string
	// cache holds copies of the executable, for processes that outlive the file that go run executes.
	cache   string
	version string
	streams cli.Streams
	// used is the cluster that was signed in to: one command means one cluster, asks for one password once, and
	// keeps its lab alive to the end.
	used *session
}

// Main runs the command line and returns the exit code. The first interrupt ends what the viewer does, never a run (R29).
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // whoever reads our output may leave: the write fails, and the viewer detaches (R29)
	p := &program{dir: homeDir(), cache: filepath.Join(xdg.CacheHome, "cau"), version: version(), streams: streams()}
	defer p.leave()
	return cli.Run(ctx, p, p.streams, p.version, args)
}

// leave gives back what the command held.
func (p *program) leave() {
	if p.used != nil {
		p.used.close()
	}
}

func homeDir() string {
	if dir := os.Getenv("CAU_HOME"); dir != "" {
		// The lab and the coordinator have a working folder of their own: a relative path would mean another place there.
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
		return dir
	}
	return filepath.Join(xdg.StateHome, "cau")
}

// version is the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}

// streams looks at the program's ends: Bubble Tea draws garbage into a file and on a dumb terminal.
func streams() cli.Streams {
	s := cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	both := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	kind := os.Getenv("TERM")
	s.Dumb = both && (kind == "dumb" || kind == "")
	s.Terminal = both && !s.Dumb
	return s
}

// home opens the folder of runs.
func (p *program) home() (*coordinator.Home, error) { return coordinator.OpenHome(p.dir) }
