package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"cau/internal/check"
)

// ownGatePatience is how long the administrator's own gate may stay closed, or without an answer, before the run is held.
const ownGatePatience = 2 * time.Hour

// Gatekeeper asks the administrator's own gate.
type Gatekeeper interface {
	// Ask returns within about a minute. An error means that nobody knows whether it is open.
	Ask(ctx context.Context, q GateQuestion) (GateAnswer, error)
}

// GateQuestion asks whether a node may be taken.
type GateQuestion struct {
	Gate   OwnGate
	Status int
	// Run, Cluster and Node say who asks about what.
	Run, Cluster, Node string
}

// GateAnswer is what the gate said. Said is one line, which came from outside.
type GateAnswer struct {
	Open bool
	Said string
}

// OwnGate is Options.Gate, read: a command with its arguments, or a URL.
type OwnGate struct {
	Command []string
	URL     string
}

// ParseGate reads a gate: an http or https URL, or a command that is started without a shell. Its words are separated by
// spaces; quotes, ' or ", keep spaces in a word, and nothing else is special. The program is an absolute path, or a name that
// is looked for in PATH: the run has no folder of its own.
func ParseGate(text string) (OwnGate, error) {
	if lower := strings.ToLower(text); strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") {
		u, err := url.Parse(text)
		switch {
		case err != nil:
			return OwnGate{}, errors.New("is no URL that can be read")
		case u.User != nil:
			return OwnGate{}, errors.New("holds a user or a password; plans and command lines are shown")
		case u.Hostname() == "":
			return OwnGate{}, errors.New("names no host")
		}
		return OwnGate{URL: u.String()}, nil
	}
	words, err := splitWords(text)
	switch {
	case err != nil:
		return OwnGate{}, err
	case len(words) == 0 || words[0] == "":
		return OwnGate{}, errors.New("names no command")
	case strings.Contains(words[0], "://"):
		return OwnGate{}, errors.New("is neither an http or https URL nor a command")
	case strings.ContainsAny(words[0], `/\`) && !filepath.IsAbs(words[0]):
		return OwnGate{}, errors.New("names its program by a relative path; the run has no folder of its own")
	}
	return OwnGate{Command: words}, nil
}

func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, c := range text {
		switch {
		case invisible(c):
			return nil, errors.New("holds a control character")
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inWord = c, true
		case quote == 0 && c == ' ':
			if inWord {
				words = append(words, word.String())
				word.Reset()
			}
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if quote != 0 {
		return nil, errors.New("has a quote without its end")
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

// ownGate asks the administrator's gate about the node; nil where there is none. No answer does not open it.
func (r *run) ownGate(ctx context.Context, node string) *check.Result {
	o := r.Plan.Options
	if o.Gate == "" {
		return nil
	}
	c := &check.Result{
		ID: checkGate, Outcome: check.CannotVerify, Subject: node,
		Remedy: fmt.Sprintf("The gate is asked again every %s; see why it does not open, or stop the run.", gatePoll),
	}
	var answer GateAnswer
	gate, err := ParseGate(o.Gate)
	if err == nil && r.Gate == nil {
		err = errors.New("nobody here can ask it")
	}
	if err == nil {
		answer, err = r.Gate.Ask(ctx, GateQuestion{Gate: gate, Status: o.GateStatus, Run: r.Plan.Run, Cluster: r.Plan.Cluster, Node: node})
	}
	said := plainLine(answer.Said)
	switch {
	case err != nil:
		c.Evidence = "The gate did not answer: " + plainLine(sentence(err))
	case answer.Open:
		c.Outcome, c.Remedy, c.Evidence = check.Pass, "", "The gate is open: "+said
	default:
		c.Outcome, c.Evidence = check.Fail, "The gate is closed: "+said
	}
	return c
}

// gateKnown is what is known of the gate before a run. It is not asked then: its answer is about a node at its moment.
func gateKnown(o Options) []check.Result {
	gate, err := ParseGate(o.Gate)
	if o.Gate == "" || err != nil {
		return nil // what cannot be read is the planner's to refuse
	}
	c := check.Result{ID: checkGate, Outcome: check.Pass, Evidence: "Before each node the command is run on this host, and opens with exit code 0: " + o.Gate}
	if gate.URL != "" {
		c.Evidence = fmt.Sprintf("Before each node the address is asked, and opens with status %d: %s", o.GateStatus, gate.URL)
		if u, err := url.Parse(gate.URL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
			c.Outcome, c.Remedy = check.Warn, "Use https, so that only the server itself can answer."
		}
	}
	return []check.Result{c}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
