package lines

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/tui/backend"
	"cau/tui/wizard"
)

// Config is what a session needs.
type Config struct {
	In       io.Reader
	Out      io.Writer
	Services backend.Services
	Texts    message.Texts
}

// errQuit ends the session; errBack leaves a prompt for the page before.
var (
	errQuit = errors.New("quit")
	errBack = errors.New("back")
)

// session is one conversation.
type session struct {
	Config
	input chan string
}

// Run talks until the user quits, input ends, or ctx does. It never stops a run.
//
// The goroutine that reads input outlives Run when input blocks: a read from a terminal cannot be cancelled.
// It touches nothing but its own channel and ends with the next line, the end of input, or the process.
func Run(ctx context.Context, cfg Config) error {
	s := &session{Config: cfg, input: make(chan string)}
	go func() {
		defer close(s.input)
		for in := bufio.NewScanner(cfg.In); in.Scan(); {
			select {
			case s.input <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	err := s.main(ctx)
	if errors.Is(err, errQuit) || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (s *session) main(ctx context.Context) error {
	s.print(s.Texts.T(message.LinesHelp))
	for {
		overview, err := s.Services.Overview(ctx)
		if err != nil {
			return err
		}
		s.overview(overview)
		choice, err := s.menu(ctx, message.LinesChoose, s.Texts.T(message.ActionApply), s.Texts.T(message.ActionPreview), s.Texts.T(message.ActionRuns), s.Texts.T(message.ActionQuit))
		if err != nil {
			if errors.Is(err, errBack) {
				return errQuit
			}
			return err
		}
		switch choice {
		case 1, 2:
			err = s.wizard(ctx, wizard.New(s.Services, s.Texts, overview), choice == 2)
		case 3:
			err = s.runs(ctx)
		default:
			return errQuit
		}
		if err != nil && !errors.Is(err, errBack) {
			if errors.Is(err, errQuit) || errors.Is(err, io.EOF) || ctx.Err() != nil {
				return err
			}
			s.fault(err)
		}
	}
}

func (s *session) overview(o backend.Overview) {
	name := message.Clean(o.Cluster)
	if o.Simulated {
		name += " (" + s.Texts.T(message.Simulated) + ")"
	}
	s.print(name)
	s.print(s.Texts.T(message.WizardReached, message.Clean(o.Reached)))
	for _, n := range o.Nodes {
		last := ""
		if n.LastStatus != "" {
			last = s.Texts.T(message.LinesLastRun, s.Texts.T(message.Status(string(n.LastStatus))), n.LastTime.Local().Format("2006-01-02 15:04"))
		}
		s.print(s.Texts.T(message.LinesNode, message.Clean(n.Name), n.State.String(), n.Roles) + last)
	}
	if o.LostRun != "" {
		s.print(s.Texts.T(message.ScreenLostRun, o.LostRun) + " " + s.Texts.T(message.ScreenResumeRun, o.LostRun))
	}
	if o.ActiveRun != "" {
		s.print(s.Texts.T(message.WizardActiveRun, o.ActiveRun))
	}
}

func (s *session) runs(ctx context.Context) error {
	runs, err := s.Services.Runs(ctx)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		s.print(s.Texts.T(message.CLINoRuns))
		return nil
	}
	var entries []string
	for _, r := range runs {
		entries = append(entries, fmt.Sprintf("%s  %s  %s  %s", r.Run, message.Clean(r.Cluster), s.Texts.T(message.Status(string(r.Status))), r.Started.Local().Format("2006-01-02 15:04")))
	}
	choice, err := s.menu(ctx, message.LinesChooseRun, entries...)
	if err != nil {
		return err
	}
	return s.watch(ctx, runs[choice-1].Run)
}

// menu lists entries and asks for a number.
func (s *session) menu(ctx context.Context, prompt message.Key, entries ...string) (int, error) {
	for {
		for i, e := range entries {
			s.print(fmt.Sprintf("  %d. %s", i+1, e))
		}
		answer, err := s.ask(ctx, s.Texts.T(prompt))
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(strings.TrimSpace(answer)); err == nil && n >= 1 && n <= len(entries) {
			return n, nil
		}
		s.print(s.Texts.T(message.LinesNotANumber, len(entries)))
	}
}

// ask prompts for one line. ":b" is errBack, ":q" errQuit, the end of input io.EOF.
func (s *session) ask(ctx context.Context, prompt string) (string, error) {
	_, _ = io.WriteString(s.Out, prompt+" ")
	select {
	case line, ok := <-s.input:
		if !ok {
			return "", io.EOF
		}
		switch strings.TrimSpace(line) {
		case ":b":
			return "", errBack
		case ":q":
			return "", errQuit
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (s *session) print(line string) { _, _ = io.WriteString(s.Out, line+"\n") }

// fault prints what went wrong and what to do.
func (s *session) fault(err error) {
	s.print(s.Texts.T(message.LinesError, message.Line(err.Error())))
	if hint := fault.Hint(err); hint != "" {
		s.print("  " + message.Clean(hint))
	}
}
