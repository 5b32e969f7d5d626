package tui

import (
	"context"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/relay"
)

// stallGrace is how long a terminal that no longer takes output may keep a program that has to end.
const stallGrace = 3 * time.Second

// Config is what the screens need.
type Config struct {
	Services backend.Services
	Texts    message.Texts
	// In and Out are the terminal; whoever calls has checked that they are one.
	In  io.Reader
	Out io.Writer
	// Env is the environment that tells what the terminal can do (TERM, NO_COLOR, SSH_TTY); nil is the process's own.
	Env []string
	// OpenRun opens the view of this run directly; leaving the view leaves the program.
	OpenRun string
	// ASCII draws with ASCII characters only.
	ASCII bool
	// Now is the wall clock, its location the one that times are shown in; nil is the system's.
	Now func() time.Time
}

// Run shows the screens until the user leaves, ctx ends, or the process gets SIGINT, SIGTERM or SIGHUP. It
// restores the terminal. It never stops a run (R29). Its error says that the terminal could not be used.
//
// When the terminal takes no more output, nothing of this process can restore it in order: a process that has
// to end is then ended with status 1 after a few seconds, with the terminal's modes restored.
func Run(ctx context.Context, cfg Config) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	p := newProgram(ctx, cfg)
	ended := make(chan struct{})
	var guard sync.WaitGroup
	restore := restorer(cfg.In)
	guard.Go(func() { watchdog(ctx, ended, stallGrace, func() { restore(); os.Exit(1) }) })
	err := p.run(ctx)
	close(ended)
	guard.Wait()
	if err == nil && ctx.Err() == nil {
		p.farewell(cfg.Out)
	}
	// From here on a second ctrl+c ends the process even when a task does not let go.
	stop()
	p.app.work.close()
	return err
}

// program is the app with what runs it.
type program struct {
	app *app
	tea *tea.Program
}

func newProgram(ctx context.Context, cfg Config, opts ...tea.ProgramOption) *program {
	a := newApp(cfg, newWork(ctx), relay.New())
	if cfg.OpenRun != "" {
		a.stack = []screen{newWatch(a, cfg.OpenRun, "")}
	} else {
		a.stack = []screen{newHome(a)}
	}
	all := []tea.ProgramOption{tea.WithoutSignalHandler(), tea.WithInput(cfg.In), tea.WithOutput(cfg.Out)}
	if cfg.Env != nil {
		all = append(all, tea.WithEnvironment(cfg.Env))
	}
	return &program{app: a, tea: tea.NewProgram(a, append(all, opts...)...)}
}

// run shows the screens until the program ends; the end of ctx is no error.
func (p *program) run(ctx context.Context) error {
	relaying, stop := context.WithCancel(ctx)
	var carrier sync.WaitGroup
	carrier.Go(func() { p.app.relay.Run(relaying, func(b relay.Batch) { p.tea.Send(b) }) })
	ended := make(chan struct{})
	// Not tea.WithContext: a killed program closes its input while it is still being read.
	carrier.Go(func() {
		select {
		case <-ctx.Done():
			p.tea.Quit()
		case <-ended:
		}
	})
	_, err := p.tea.Run()
	close(ended)
	stop()
	carrier.Wait()
	return err
}

// farewell says how to come back to a run that was left going on.
func (p *program) farewell(out io.Writer) {
	for _, s := range p.app.stack {
		if w, ok := s.(*watch); ok && w.board.Running() {
			_, _ = io.WriteString(out, p.app.texts.T(message.CLIDetached, w.run)+"\n")
		}
	}
}

// watchdog calls last when the program has not ended within grace after ctx did.
func watchdog(ctx context.Context, ended <-chan struct{}, grace time.Duration, last func()) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	select {
	case <-ended:
	case <-time.After(grace):
		last()
	}
}

// restorer remembers the modes of the terminal behind in.
func restorer(in io.Reader) func() {
	f, ok := in.(term.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return func() {}
	}
	state, err := term.GetState(f.Fd())
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(f.Fd(), state) }
}
