package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/internal/notify"
)

// notifyCredential is the name of systemd's credential that holds the addresses.
const notifyCredential = "cau-notify"

// addressFile is where the addresses are: the file that was named, else systemd's credential; empty for nowhere (R04).
func addressFile(named string) string {
	if named != "" {
		return named
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, notifyCredential)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// readAddresses reads the addresses over which people are told. The file is for its owner alone, like a password's.
func readAddresses(path string) ([]string, error) {
	fail := func(err error, hint string) ([]string, error) {
		return nil, cli.Usage(&fault.Error{Op: "read the addresses in " + path, Err: err, Hint: hint})
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err, "Check the path given with --notify-file.")
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return fail(err, "")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fail(fmt.Errorf("it may be read by others (mode %04o)", info.Mode().Perm()), "Make it yours alone: chmod 600 "+path)
	}
	addresses, err := notify.Read(f)
	if err != nil {
		return fail(err, "One address in a line, as shoutrrr writes them: smtp://..., ntfy://..., generic+https://...")
	}
	return addresses, nil
}

// notifyOptions settles who is told before anything is touched, so that a mistake is found now and not at 3 a.m. Which
// words they want is plain text and stays in the plan.
func (p *program) notifyOptions(o engine.Options) (engine.Options, error) {
	path := addressFile(o.NotifyFile)
	if path == "" {
		if len(o.NotifyOn) > 0 {
			return o, cli.Usage(&fault.Error{Op: "--notify-on", Err: errors.New(p.texts.T(message.NotifyNobody)), Hint: p.texts.T(message.NotifyNobodyHint)})
		}
		return o, nil
	}
	if _, err := readAddresses(path); err != nil {
		return o, err
	}
	if o.NotifyFile != "" {
		// A run may be resumed from another folder.
		abs, err := filepath.Abs(o.NotifyFile)
		if err != nil {
			return o, fmt.Errorf("find %s: %w", o.NotifyFile, err)
		}
		o.NotifyFile = abs
	}
	if len(o.NotifyOn) == 0 {
		o.NotifyOn = []string{engine.NotifyAll}
	}
	return o, nil
}

// addressesFor are the addresses for a plan's coordinator. named is a file that is to be used instead of the plan's; only a
// mistake in that one is an error: a run is not kept from going on because nobody can be told, but it is said.
func (p *program) addressesFor(plan *engine.Plan, named string) ([]string, error) {
	if len(plan.Options.NotifyOn) == 0 && named == "" {
		return nil, nil
	}
	if named != "" {
		return readAddresses(named)
	}
	path := addressFile(plan.Options.NotifyFile)
	if path == "" {
		p.note(p.texts.T(message.NotifyGone, p.texts.T(message.NotifyNoFile)))
		return nil, nil
	}
	addresses, err := readAddresses(path)
	if err != nil {
		p.note(p.texts.T(message.NotifyGone, err.Error()))
		return nil, nil
	}
	return addresses, nil
}

// notices tells people about the plan's run; nil where there are no addresses.
func (p *program) notices(plan *engine.Plan, addresses []string) (*coordinator.Notices, error) {
	if len(addresses) == 0 {
		return nil, nil
	}
	sender, err := notify.Open(addresses)
	if err != nil {
		return nil, fmt.Errorf("prepare the notifications: %w", err)
	}
	host, _ := os.Hostname()
	if plan.Options.NotifyOn == nil { // addresses that were only given to a resume
		with := *plan
		with.Options.NotifyOn = []string{engine.NotifyAll}
		plan = &with
	}
	return &coordinator.Notices{
		Text: func(f engine.Fact) (string, string) { return noticeText(p.texts, plan, host, f) },
		Send: sender.Send,
	}, nil
}

// NotifyTest sends a test message.
func (p *program) NotifyTest(ctx context.Context, file string) ([]cli.Delivery, error) {
	path := addressFile(file)
	if path == "" {
		return nil, cli.Usage(&fault.Error{Op: "notify test", Err: errors.New(p.texts.T(message.NotifyNoFile)), Hint: p.texts.T(message.NotifyNoFileHint)})
	}
	addresses, err := readAddresses(path)
	if err != nil {
		return nil, err
	}
	sender, err := notify.Open(addresses)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname()
	title := p.texts.T(message.NoticeTest)
	var out []cli.Delivery
	errs := sender.Send(ctx, title, title+"\n"+p.texts.T(message.NoticeTestText, message.Clean(host)))
	for i, service := range sender.Services() {
		d := cli.Delivery{Service: service}
		var refused *notify.Error
		if errors.As(errs[i], &refused) {
			d.Refused = refused.Reason
		}
		out = append(out, d)
	}
	return out, ctx.Err()
}

// Notified is what is known of a run's notifications.
func (p *program) Notified(_ context.Context, run string) *cli.Notifications {
	home, err := p.home()
	if err != nil {
		return nil
	}
	n, was := home.Notified(run)
	if !was {
		return nil
	}
	out := &cli.Notifications{Sent: n.Sent, Failed: n.Failed}
	for _, f := range n.Failures {
		out.Failures = append(out.Failures, cli.NotifyFailure(f))
	}
	return out
}

// noticeText is what people are told of a fact; empty where they do not want to hear of it.
func noticeText(t message.Texts, plan *engine.Plan, host string, f engine.Fact) (title, text string) {
	word, title := noticeTitle(t, plan, f)
	if word == "" || !plan.Options.Notifies(word) {
		return "", ""
	}
	lines := []string{title}
	cause := f.Data.Cause
	if f.Data.Message != "" && word != engine.NotifyStarted {
		lines = append(lines, message.Clean(f.Data.Message))
	} else if cause != nil {
		lines = append(lines, message.Clean(cause.String()))
	}
	if cause != nil && cause.Hint != "" {
		lines = append(lines, t.T(message.NoticeToDo, message.Clean(cause.Hint)))
	}
	return title, strings.Join(append(lines, t.T(message.NoticeMore, plan.Run, message.Clean(host))), "\n")
}

// noticeTitle is the word that a fact goes by, and the message's first line. A simulated cluster is called one: nobody
// gets up for it.
func noticeTitle(t message.Texts, plan *engine.Plan, f engine.Fact) (word, title string) {
	cluster, node := message.Clean(plan.Cluster), message.Clean(f.Node)
	if plan.Lab != "" {
		cluster += " (" + t.T(message.Simulated) + ")"
	}
	switch f.Kind {
	case engine.FactRunStarted:
		return engine.NotifyStarted, t.T(message.NoticeStarted, plan.Run, cluster)
	case engine.FactRunContinued:
		return engine.NotifyStarted, t.T(message.NoticeContinued, plan.Run, cluster)
	case engine.FactRunHeld:
		return engine.NotifyHeld, t.T(message.NoticeHeld, plan.Run, cluster)
	case engine.FactRunWarned:
		return engine.NotifyWarned, t.T(message.NoticeWarned, plan.Run, cluster)
	case engine.FactRunTimeUp, engine.FactRunNoMoreNodes, engine.FactDiskFull:
		return engine.NotifyWarned, t.T(message.NoticeStops, plan.Run, cluster)
	case engine.FactFollowUpsAsked:
		return engine.NotifyHeld, t.T(message.NoticeAsks, plan.Run, cluster, node)
	case engine.FactCredentialLost:
		return engine.NotifyHeld, t.T(message.NoticeCredential, plan.Run, cluster)
	case engine.FactNodeEnded:
		switch f.Data.NodeStatus {
		case engine.NodeHeld:
			return engine.NotifyHeld, t.T(message.NoticeNodeHeld, node, plan.Run, cluster)
		case engine.NodeFailed, engine.NodePartiallyFailed:
			return engine.NotifyNodeFailed, t.T(message.NoticeNodeFailed, node, plan.Run, cluster)
		default:
		}
	case engine.FactRunEnded:
		return engine.NotifyFinished, t.T(message.NoticeFinished, plan.Run, cluster, t.T(message.Status(string(f.Data.RunStatus))))
	default:
	}
	return "", ""
}
