package coordinator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"cau/engine"
	"cau/plugins"
)

// Bounds of the control protocol: one JSON line each way per connection.
const (
	maxControlLine  = 4096
	maxControlWord  = 256
	maxControllers  = 16
	controlPatience = 10 * time.Second
)

// controlRequest is an engine.Control without the one who asks.
type controlRequest struct {
	Verb    engine.Verb     `json:"verb"`
	Node    string          `json:"node,omitempty"`
	Update  string          `json:"update,omitempty"`
	Outcome plugins.Outcome `json:"outcome,omitempty"`
	Install bool            `json:"install,omitempty"`
	Typed   string          `json:"typed,omitempty"`
}

func requestOf(c engine.Control) controlRequest {
	return controlRequest{c.Verb, c.Node, c.Update, c.Outcome, c.Install, c.Typed}
}

func (q controlRequest) control(who string) engine.Control {
	return engine.Control{Verb: q.Verb, By: who, Node: q.Node, Update: q.Update, Outcome: q.Outcome, Install: q.Install, Typed: q.Typed}
}

type controlAnswer struct {
	OK    bool       `json:"ok,omitempty"`
	Error string     `json:"error,omitempty"`
	Kind  reportKind `json:"kind,omitempty"`
	// Advice is what can be done instead, of kindRefused.
	Advice string `json:"advice,omitempty"`
}

func answerOf(err error) controlAnswer {
	if err == nil {
		return controlAnswer{OK: true}
	}
	a := controlAnswer{Error: err.Error()}
	var refused *engine.RefusedError
	switch {
	case errors.Is(err, ErrEnded):
		a.Kind = kindEnded
	case errors.Is(err, ErrNotAlive):
		a.Kind = kindNotAlive
	case errors.As(err, &refused):
		a.Kind, a.Error, a.Advice = kindRefused, refused.Why, refused.Advice
	}
	return a
}

// answerControls answers the control socket until it is closed, and returns when the last answer is given.
func answerControls(ctx context.Context, l net.Listener, d *desk) {
	var open sync.WaitGroup
	defer open.Wait()
	room := make(chan struct{}, maxControllers)
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors, or a peer that is gone again: the run must stay controllable.
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		room <- struct{}{}
		open.Go(func() {
			defer func() { <-room }()
			answerOne(ctx, c, d)
		})
	}
}

func answerOne(ctx context.Context, c net.Conn, d *desk) {
	defer func() { _ = c.Close() }()
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	// A coordinator that ends does not wait for a peer that says nothing; one that waits for its answer still gets it.
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Now()) })
	defer stop()
	data, err := json.Marshal(answerOf(serveControl(ctx, whole, c, d)))
	if err != nil {
		return
	}
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write(append(data, '\n')) // whoever asked and went away needs no answer
}

// serveControl answers one request within ctx; a sign-in is proven on a node meanwhile and has its own time within whole.
func serveControl(ctx, whole context.Context, c net.Conn, d *desk) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return errors.New("not a local socket")
	}
	uid, who, err := peer(u)
	if err != nil {
		return err
	}
	if !mayControl(uid) {
		return fmt.Errorf("%s may not control this run", who)
	}
	in := bufio.NewReader(c)
	req, err := readRequest(in)
	if err != nil {
		return err
	}
	if req.Verb == engine.VerbCredential {
		if err := takeSignIn(whole, in, d); err != nil {
			return err
		}
		again, cancel := context.WithTimeout(whole, controlPatience)
		defer cancel()
		return d.ask(again, req.control(who))
	}
	return d.ask(ctx, req.control(who))
}

// readRequest reads one request. It is the verb and what it is about, and nothing else: who asks is not the client's to
// say (R06). Whether it can be obeyed is the engine's to judge.
func readRequest(r *bufio.Reader) (controlRequest, error) {
	line, err := r.ReadSlice('\n') // a bufio.Reader holds maxControlLine bytes
	if err != nil {
		return controlRequest{}, fmt.Errorf("read the request: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	var req controlRequest
	if err := dec.Decode(&req); err != nil {
		return controlRequest{}, fmt.Errorf("read the request: %w", err)
	}
	for _, s := range []string{string(req.Verb), req.Node, req.Update, string(req.Outcome), req.Typed} {
		if len(s) > maxControlWord || strings.ContainsFunc(s, unicode.IsControl) {
			return controlRequest{}, errors.New("a name in the request is too long or not printable")
		}
	}
	if !slices.Contains(verbs(), req.Verb) {
		return controlRequest{}, fmt.Errorf("%q is not a verb", req.Verb)
	}
	return req, nil
}

func verbs() []engine.Verb {
	return []engine.Verb{
		engine.VerbPause, engine.VerbResume, engine.VerbStop, engine.VerbStopNow, engine.VerbHold, engine.VerbRelease, engine.VerbSkip,
		engine.VerbRetry, engine.VerbTake, engine.VerbGiveBack, engine.VerbMark, engine.VerbFollowUps, engine.VerbCredential,
	}
}

// Control asks a live run for something and returns once that is in its journal. ErrEnded: nothing more is done in
// the run. ErrNotAlive: its coordinator is gone, and the run waits to be resumed. *engine.RefusedError: it cannot be
// obeyed, and nothing was recorded. Who asks is what the socket says, not what asked holds.
func (h *Home) Control(ctx context.Context, run string, asked engine.Control) error {
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	return h.control(ctx, run, asked, nil)
}

// control asks, and says what follows the request where there is more.
func (h *Home) control(ctx context.Context, run string, asked engine.Control, more func(io.Writer) error) error {
	c, err := h.dial(ctx, run)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Now()) })()
	data, err := json.Marshal(requestOf(asked))
	if err != nil {
		return err
	}
	if _, err := c.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("ask run %s: %w", run, err)
	}
	if more != nil {
		if err := more(c); err != nil {
			return err
		}
	}
	line, err := bufio.NewReader(io.LimitReader(c, 1<<16)).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("ask run %s: no answer: %w", run, err)
	}
	var a controlAnswer
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("ask run %s: %w", run, err)
	}
	switch {
	case a.OK:
		return nil
	case a.Kind == kindEnded:
		return fmt.Errorf("run %s: %w", run, ErrEnded)
	case a.Kind == kindNotAlive:
		return fmt.Errorf("run %s: %w", run, ErrNotAlive)
	case a.Kind == kindRefused:
		return &engine.RefusedError{Verb: asked.Verb, Why: oneLine(a.Error), Advice: oneLine(a.Advice)}
	}
	return fmt.Errorf("run %s answers: %s", run, oneLine(a.Error))
}

// dial connects to a live run. A coordinator that has the lock opens its socket in a moment, or has just closed it.
func (h *Home) dial(ctx context.Context, run string) (net.Conn, error) {
	for {
		_, state, alive, err := h.Load(run)
		switch {
		case err != nil:
			return nil, err
		case state.Status.Ended():
			return nil, fmt.Errorf("run %s: %w", run, ErrEnded)
		case !alive:
			return nil, fmt.Errorf("run %s: %w", run, ErrNotAlive)
		}
		path, err := h.socketPath(run)
		if err == nil {
			var d net.Dialer
			var c net.Conn
			if c, err = d.DialContext(ctx, "unix", path); err == nil {
				return c, nil
			}
		}
		if errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("run %s belongs to another user: %w", run, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("ask run %s: %w", run, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
