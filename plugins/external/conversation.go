package external

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cau/internal/fault"
	"cau/plugins"
)

// turn is what a plug-in may do in one request.
type turn struct {
	request request
	// node is whose turn it is, nil where the request has no node.
	node plugins.Node
	// granted are the capabilities that were confirmed.
	granted []Capability
	// run and job name the node's jobs; limit bounds the wait for one, 0 means no limit.
	run, job string
	limit    time.Duration
	report   func(plugins.Progress)
	// update is the id that progress is about, and folder the update's own on the node; both may be empty.
	update, folder string
	// signature is what is asked of a program's file; seen is what the last program's end told, nil tells nobody.
	signature plugins.SignaturePolicy
	seen      *plugins.InstallerJobResult
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
