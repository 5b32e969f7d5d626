package external

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// turn is what a plug-in may do in one request.
type turn struct {
	request request
	// node is whose turn it is, nil where the request has no node; may is what lets it ask for a script.
	node plugins.Node
	may  Capability
	// granted are the capabilities that were confirmed.
	granted []Capability
	// run and job name the node's jobs; limit bounds the wait for one, 0 means no limit.
	run, job string
	limit    time.Duration
	report   func(plugins.Progress)
	// update is the id that progress is about, or empty.
	update string
	// most bounds the request as a whole, 0 means only each turn.
	most time.Duration
	// forced is told whether the plug-in had to be ended; nil tells nobody.
	forced *bool
	// raw is sent instead of request, to see how the plug-in takes it.
	raw []byte
	// list takes a message that may come any number of times before the last; nil means that none may.
	list func(m any) error
}

// talk starts the plug-in at path, makes the request and returns the message that answers it, which is of one of the kinds
// in last. What came to nothing on a node by itself (a job that goes on, that is lost, a node that does not answer) is the
// error whatever the plug-in says.
func talk[T any](ctx context.Context, path string, limits Limits, t turn) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	p, err := start(path, limits)
	if err != nil {
		return none, err
	}
	unwatch := p.watch(ctx)
	c := conversation{process: p, turn: t}
	last, err := c.hold(ctx)
	if errors.Is(err, ErrProtocol) {
		p.end(err)
	}
	ended := p.finish()
	if t.forced != nil {
		*t.forced = p.forced
	}
	unwatch()
	switch {
	case ctx.Err() != nil:
		return none, ctx.Err()
	case c.unknown != nil:
		return none, c.unknown
	case errors.Is(err, errDied):
		err = p.died()
	case err == nil:
		err = ended
	}
	if err != nil {
		return none, err
	}
	if m, ok := last.(T); ok {
		return m, nil
	}
	if m, ok := last.(*errorMessage); ok {
		return none, &saidError{plainLine(m.Reason), plainLine(m.Hint)}
	}
	return none, fmt.Errorf("%w: its last message is not the one that answers %s", ErrProtocol, t.request.Request)
}

// errDied says that the plug-in ended too early; how is known once it was waited for.
var errDied = errors.New("it ended")

// saidError is a failure in the plug-in's own words.
type saidError struct{ reason, hint string }

func (e *saidError) Error() string { return orText(e.reason, "it failed and gave no reason") }

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

type conversation struct {
	*process
	turn
	// unknown is the first thing on the node whose end is not known.
	unknown error
	asked   map[string]bool
}

// hold talks until the message that ends the request.
func (c *conversation) hold(ctx context.Context) (any, error) {
	c.within(orElse(c.most, c.limits.turn()), errHangs)
	err := c.begin()
	for err == nil {
		var m any
		if m, err = c.said.next(); err != nil {
			break
		}
		switch m := m.(type) {
		case *progressMessage:
			c.progress(m)
		case *askMessage:
			c.within(0, nil)
			err = c.ask(ctx, m)
		case *updateMessage, *ignoredMessage:
			if c.list == nil {
				return nil, fmt.Errorf("%w: %s has no lists", ErrProtocol, c.request.Request)
			}
			err = c.list(m)
		default:
			return m, nil
		}
		if c.most == 0 {
			c.within(c.limits.turn(), errHangs)
		}
	}
	if why := c.reason(); why != nil {
		return nil, why
	}
	if errors.Is(err, ErrProtocol) {
		return nil, err
	}
	return nil, errDied
}

func (c *conversation) begin() error {
	if c.raw == nil {
		return c.send(c.request)
	}
	_, err := c.in.Write(c.raw)
	return err
}

func (c *conversation) progress(m *progressMessage) {
	percent := -1
	if m.Percent != nil && *m.Percent >= 0 && *m.Percent <= 100 {
		percent = *m.Percent
	}
	if c.report != nil {
		c.report(plugins.Progress{Update: c.update, Message: plainLine(m.Message), Percent: percent})
	}
}

// ask does on the node what the plug-in asks for, if it may, and answers. What it may not is the end of the conversation.
func (c *conversation) ask(ctx context.Context, m *askMessage) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: ask: %s", ErrProtocol, fmt.Sprintf(format, args...))
	}
	switch {
	case c.node == nil:
		return refuse("%s has no node", c.request.Request)
	case m.Do != "script":
		return refuse("there is nothing called %q to do", cut(m.Do, 40))
	case !slices.Contains(c.granted, c.may):
		return refuse("it did not declare the capability %s", c.may)
	case m.Node != "" && !strings.EqualFold(m.Node, c.node.Name()):
		return refuse("it is the turn of %s and not of %s", c.node.Name(), cut(m.Node, 40))
	case !idShape.MatchString(m.Job):
		return refuse("the job's name %q is not of [a-z0-9-], 1 to 40 characters", cut(m.Job, 40))
	case c.asked[m.Job]:
		return refuse("the job's name %s comes twice", m.Job)
	case m.Script == "" || len(m.Script) > MaxScript:
		return refuse("a script has 1 to %d bytes, this one has %d", MaxScript, len(m.Script))
	case m.Minutes < 0 || m.Minutes > 24*60:
		return refuse("%d is no number of minutes from 0 to 1440", m.Minutes)
	}
	if c.asked == nil {
		c.asked = map[string]bool{}
	}
	c.asked[m.Job] = true
	return c.send(c.script(ctx, m))
}

// script runs the script as a job whose name is the same when the request is made again, so that it is found and not begun
// twice (R19, R26).
func (c *conversation) script(ctx context.Context, m *askMessage) answer {
	said := answer{Cau: Protocol, Answer: m.Job}
	if err := errors.Join(ctx.Err(), c.unknown); err != nil {
		said.Error = plainLine(err.Error())
		return said
	}
	sum := sha256.Sum256([]byte(m.Script))
	name := sha256.Sum256([]byte(c.job + "\x00" + m.Job))
	input, err := json.Marshal(plugins.ScriptJob{Run: c.run, Name: c.request.Request + " " + m.Job, SHA256: hex.EncodeToString(sum[:]), Phase: plugins.PhasePre, Text: []byte(m.Script)})
	if err != nil {
		said.Error = plainLine(err.Error())
		return said
	}
	limit := c.limit
	if asked := time.Duration(m.Minutes) * time.Minute; asked > 0 && (limit == 0 || asked < limit) {
		limit = asked
	}
	var output strings.Builder
	job := plugins.Job{ID: c.run + "-x-" + hex.EncodeToString(name[:12]), Kind: plugins.JobScript, Input: input, Limit: limit}
	done, err := c.node.RunJob(ctx, job, func(e plugins.JobEvent) {
		switch {
		case e.Kind != "output":
		case output.Len()+len(e.Message) >= maxOutput:
			said.Truncated = true
		default:
			output.WriteString(e.Message + "\n")
		}
	})
	said.Output = output.String()
	var result plugins.ScriptJobResult
	if err == nil {
		if err = json.Unmarshal(done, &result); err != nil {
			err = fmt.Errorf("%w that can be read: %w", plugins.ErrJobLost, err)
		}
	}
	if err != nil {
		if !errors.Is(err, plugins.ErrJobFailed) {
			c.unknown = err
		}
		said.Error = plainLine(err.Error())
		return said
	}
	said.OK, said.ExitCode, said.Truncated = true, result.ExitCode, said.Truncated || result.Truncated
	return said
}

// failure says which plug-in failed at what, and what can be done.
func failure(plugin, op, node string, err error) error {
	hint := fault.Hint(err)
	var said *saidError
	switch {
	case errors.As(err, &said):
		hint = said.hint
	case errors.Is(err, ErrProtocol):
		hint = "Tell whoever made the plug-in; cau plugin test shows what is wrong with it."
	}
	return &fault.Error{Op: op + " by the plug-in " + plugin, Node: node, Err: err, Hint: hint}
}
