package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
)

// Streams are the program's ends. Terminal tells whether input and output are a terminal that can do more
// than print; Dumb whether it is one that cannot.
type Streams struct {
	In       io.Reader
	Out      io.Writer
	Err      io.Writer
	Terminal bool
	Dumb     bool
}

// program is what every command shares.
type program struct {
	services Services
	streams  Streams
	texts    message.Texts
}

// Run executes the command line args (without the program's name) and returns the exit code.
func Run(ctx context.Context, services Services, streams Streams, version string, args []string) int {
	out := &output{to: streams.Out}
	streams.Out = out
	p := &program{services: services, streams: streams}
	root, started := p.root()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	failed := p.execute(ctx, root, version, args)
	if failed == nil {
		failed = p.unprinted(out.err)
	}
	if failed != nil {
		var e *exitError
		if !*started && !errors.As(failed, &e) {
			failed = p.misspelt(root, args, failed)
		}
		p.report(failed)
	}
	return exitCode(failed)
}

// output remembers the first error of writing the answer.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.to.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err //nolint:wrapcheck // it is the writer's own
}

// unprinted is the failure of a command whose answer did not arrive, on a full disk for one. A reader that went away
// has read what it wanted.
func (p *program) unprinted(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return &fault.Error{Op: p.texts.T(message.CLIOutput), Err: err}
}

// misspelt is a mistake in the command line with the help that would have prevented it.
func (p *program) misspelt(root *cobra.Command, args []string, err error) error {
	if fault.Hint(err) != "" {
		return Usage(err)
	}
	at, _, found := root.Find(args)
	if found != nil {
		at = root
	}
	return Usage(&fault.Error{Op: p.texts.T(message.CLIOpCommand), Err: err, Hint: p.texts.T(message.CLIHelpHint, at.CommandPath())})
}

// execute runs the command line. Help and version go through fang, which asks the terminal for its background
// first; nothing else does, because a terminal that is silent, or that somebody is typing a password into, must
// not be asked anything.
func (p *program) execute(ctx context.Context, root *cobra.Command, version string, args []string) error {
	if err := p.unknown(root, args); err != nil {
		return err
	}
	cmd, _, err := root.Find(args)
	wantsHelp := slices.ContainsFunc(args, func(a string) bool {
		return slices.Contains([]string{"-h", "--help", "-v", "--version", "help", "man"}, a)
	})
	if wantsHelp || err == nil && !cmd.Runnable() {
		return fang.Execute(ctx, root, fang.WithVersion(version), fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
	}
	root.SilenceUsage, root.SilenceErrors = true, true
	return root.ExecuteContext(ctx)
}

// unknown refuses a word where one of a command's commands, or a command to be helped with, is expected: cobra would
// show help and call it a success. Words after cau itself are cobra's: it knows commands that are not in the tree yet.
func (p *program) unknown(root *cobra.Command, args []string) error {
	help := len(args) > 0 && args[0] == "help"
	if help {
		args = args[1:]
	}
	cmd, rest, err := root.Find(args)
	if err != nil || !cmd.HasSubCommands() || len(rest) == 0 || strings.HasPrefix(rest[0], "-") || cmd == root && !help || rest[0] == "completion" {
		return nil //nolint:nilerr // cobra says it again
	}
	return fmt.Errorf("%s %q", p.texts.T(message.CLIUnknownCommand), cmd.CommandPath()+" "+rest[0])
}

// root builds the commands. started becomes true when a command's own code runs; an error before that is
// a mistake in the command line.
func (p *program) root() (*cobra.Command, *bool) {
	started := false
	var accessible bool
	var target Target
	root := &cobra.Command{
		Use:               "cau",
		Short:             p.texts.T(message.CLIShort),
		Long:              p.texts.T(message.CLILong),
		Args:              cobra.NoArgs,
		PersistentPreRun:  func(*cobra.Command, []string) { started = true },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !p.streams.Terminal && !accessible {
				if p.streams.Dumb {
					return Usage(&fault.Error{Op: p.texts.T(message.CLIOpOpen), Err: errors.New(p.texts.T(message.CLIDumb)), Hint: p.texts.T(message.CLIDumbHint)})
				}
				return Usage(&fault.Error{Op: p.texts.T(message.CLIOpOpen), Err: errors.New(p.texts.T(message.CLINoTerminal)), Hint: p.texts.T(message.CLINoTerminalHint)})
			}
			if err := p.checkMeaning(target); err != nil {
				return err
			}
			return p.services.Interactive(cmd.Context(), target, accessible)
		},
	}
	root.Flags().BoolVar(&accessible, "accessible", false, p.texts.T(message.CLIFlagAccessible))
	p.whereFlags(root, &target)
	p.signInFlags(root, &target)
	p.shareFlags(root, &target)
	root.AddCommand(p.apply(), p.preview(), p.runs(), p.status(), p.attach(), p.control("pause"), p.resume(), p.stop(), p.takeover(), p.credential(),
		p.nodeControl(engine.VerbHold), p.nodeControl(engine.VerbRelease), p.nodeControl(engine.VerbSkip), p.nodeControl(engine.VerbRetry),
		p.nodeControl(engine.VerbTake), p.nodeControl(engine.VerbGiveBack), p.mark(), p.followUps(),
		p.doctor(), p.hotfix(), p.plugin(), p.notify(), p.job(), p.node(), p.lab(), p.coordinate())
	return root, &started
}

// report prints an error: what, then what to do.
func (p *program) report(err error) {
	switch {
	case err.Error() == "":
		return
	case errors.Is(err, context.Canceled):
		p.say(p.texts.T(message.CLIInterrupted))
		return
	}
	p.say("cau: " + message.Line(err.Error()))
	if hint := fault.Hint(err); hint != "" {
		p.say("  " + message.Clean(hint))
	}
}

// say prints a line to standard error.
func (p *program) say(line string) { _, _ = io.WriteString(p.streams.Err, line+"\n") }

// line prints a line to standard output.
func (p *program) line(line string) { _, _ = io.WriteString(p.streams.Out, line+"\n") }
