package lines

import (
	"context"
	"io"
	"strings"

	"cau/engine"
	"cau/internal/message"
	"cau/tui/backend"
)

// watch prints a run's news until it ends. A line typed meanwhile is a request; leaving never stops the run.
func (s *session) watch(ctx context.Context, run string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	news, err := s.Services.Watch(ctx, run)
	if err != nil {
		return err
	}
	s.print(s.Texts.T(message.LinesWatchHelp))
	input := s.input
	var last backend.Snapshot
	var estimate estimates
	typing := false // the next line is the cluster's name
	for {
		select {
		case snap, open := <-news:
			if !open {
				s.ended(last)
				return ctx.Err()
			}
			if snap.Err != nil {
				return snap.Err
			}
			for _, l := range snap.Lines {
				s.print(l.Time.Local().Format("15:04:05") + " " + strings.TrimSpace(message.Clean(l.Node)+" "+message.Clean(l.Text)))
			}
			s.heldFor(last.State.Status, &snap.State)
			if line := estimate.news(s.Texts, snap); line != "" {
				s.print(line)
			}
			last = snap
		case line, open := <-input:
			if !open {
				input = nil // the run is still shown to its end
				continue
			}
			line = strings.TrimSpace(line)
			if typing {
				typing = false
				s.stopNow(ctx, run, line)
				continue
			}
			if typing = strings.EqualFold(strings.Join(strings.Fields(line), " "), "stop now"); typing {
				s.print(s.Texts.T(message.CLIStopNowAsk, message.Clean(last.State.Cluster)))
				continue
			}
			leave, err := s.request(ctx, run, line)
			if err != nil || leave {
				return err
			}
		}
	}
}

// heldFor prints, once, what to do about a run that is held; the line before said why.
func (s *session) heldFor(before engine.RunStatus, st *engine.State) {
	if st.Status == engine.RunHeld && before != engine.RunHeld && st.Cause != nil && st.Cause.Hint != "" {
		s.print("  " + message.Clean(st.Cause.Hint))
	}
}

// request carries out a line typed during a run; it tells whether to leave.
func (s *session) request(ctx context.Context, run, line string) (leave bool, err error) {
	switch strings.ToLower(line) {
	case "":
		return false, nil
	case "p", "pause", "r", "resume", "s", "stop":
		verb := map[byte]engine.Verb{'p': engine.VerbPause, 'r': engine.VerbResume, 's': engine.VerbStop}[strings.ToLower(line)[0]]
		s.control(ctx, run, engine.Control{Verb: verb})
		return false, nil
	case "d", "detach", ":b":
		s.print(s.Texts.T(message.CLIDetached, run))
		return true, nil
	case ":q":
		s.print(s.Texts.T(message.CLIDetached, run))
		return true, io.EOF
	}
	if asked, ok := aboutNode(line); ok {
		s.control(ctx, run, asked)
		return false, nil
	}
	s.print(s.Texts.T(message.LinesWatchHelp))
	return false, nil
}

// ended prints how a run ended, node by node, with the causes.
func (s *session) ended(last backend.Snapshot) {
	st := last.State
	if !st.Status.Ended() {
		s.print(s.Texts.T(message.CLICoordinatorGone, st.Run))
		return
	}
	s.print(s.Texts.T(message.CLIStateHead, st.Run, message.Clean(st.Cluster), s.Texts.T(message.Status(string(st.Status)))))
	for _, n := range st.Nodes {
		s.print("  " + message.Clean(n.Name) + "  " + s.Texts.T(message.Status(string(n.Status))))
		for _, u := range n.Updates {
			s.print("    " + message.Clean(u.Name) + "  " + string(u.Outcome))
		}
		if n.Cause != nil {
			s.print("    " + s.Texts.T(message.LinesError, message.Clean(n.Cause.String())))
			if n.Cause.Hint != "" {
				s.print("    " + message.Clean(n.Cause.Hint))
			}
		}
	}
	if st.Cause != nil {
		s.print(s.Texts.T(message.LinesError, message.Clean(st.Cause.String())))
	}
}
