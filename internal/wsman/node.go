package wsman

import (
	"context"
	"errors"
	"sync"
)

// Node runs commands on one Windows machine: one connection, one shell, one command at a time. The shell
// outlives the connection. Safe for concurrent use; the zero value is not usable.
type Node struct {
	cfg   Config
	err   error // of the configuration
	shell shell

	lock    chan struct{} // guards shellID and the conn; held behind a Run's back while it is tidied up
	shellID string
	started int // commands in this shell

	alive   context.Context //nolint:containedctx // the life of the Node itself, which ends with Close
	end     context.CancelCauseFunc
	tidying sync.WaitGroup
}

// NewNode makes a Node without touching the network. A configuration that must not be used is reported by Run.
func NewNode(cfg Config) *Node {
	n := &Node{lock: make(chan struct{}, 1)}
	n.cfg, n.err = cfg.withDefaults()
	n.alive, n.end = context.WithCancelCause(context.Background())
	n.shell = shell{conn: newConn(n.cfg), hold: n.cfg.OperationTimeout}
	if n.err == nil {
		n.shell.msgs = messages{url: n.cfg.url()}
	}
	return n
}

// Negotiated is what the last logon agreed on; ok is false before the first.
func (n *Node) Negotiated() (facts Negotiated, ok bool) { return n.shell.conn.negotiated() }

// Stats counts requests, connections and logons so far.
func (n *Node) Stats() Stats { return n.shell.conn.stats() }

// Run runs command through cmd.exe on the node and waits for its end. command is at most 8111 UTF-16 units without
// control characters. stdin, if not nil, is piped to it whole before the first output is read, so the command must
// read it to its end before it writes much. A non-zero exit code is no error.
//
// The command is never started twice by one Run. When ctx ends, Run returns at once, and the command is ended
// behind its back. Errors are *ConnError, *AuthError, *HTTPError or *Fault.
func (n *Node) Run(ctx context.Context, command string, stdin []byte) (Result, error) {
	if n.err != nil {
		return Result{}, &ConnError{opConnect, NotSent, n.err}
	}
	if err := checkLine(command); err != nil {
		return Result{}, &ConnError{opCommand, NotSent, err}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stop := context.AfterFunc(n.alive, func() { cancel(ErrClosed) })
	defer stop()
	if err := n.take(ctx); err != nil {
		return Result{}, &ConnError{opCommand, NotSent, err}
	}
	commandID, err := n.start(ctx, command, stdin != nil)
	if err != nil {
		if n.shellID != "" && mayRun(err) {
			n.tidy("") // under an id that we never learnt
		} else {
			n.free()
		}
		return Result{}, err
	}
	var r Result
	if stdin != nil {
		err = n.shell.feed(ctx, n.shellID, commandID, stdin)
	}
	if err == nil {
		err = n.shell.collect(ctx, n.shellID, commandID, &r)
	}
	if gone(err) {
		n.shellID = ""
		n.free()
		return r, err
	}
	n.tidy(commandID)
	return r, err
}

// take waits for the turn of the caller.
func (n *Node) take(ctx context.Context) error {
	select {
	case n.lock <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for _, c := range []context.Context{ctx, n.alive} { // either may have ended while the turn was free
		if c.Err() != nil {
			n.free()
			return context.Cause(c)
		}
	}
	return nil
}

func (n *Node) free() { <-n.lock }

// commandsPerShell bounds how many commands a shell gets. Ended ones count towards MaxConcurrentOperationsPerUser
// (1500 by default) for as long as their shell lives, and the output of one too many can never be read.
const commandsPerShell = 100

// start starts command in the shell, opening one first if there is none or the node has forgotten it.
func (n *Node) start(ctx context.Context, command string, piped bool) (string, error) {
	if n.shellID != "" && n.started >= commandsPerShell {
		err := n.shell.remove(ctx, n.shellID) // what cannot be removed ends by the node's idle time-out
		if err != nil && ctx.Err() != nil {
			return "", err // and what was not removed for want of time is left to Close
		}
		n.shellID = ""
	}
	for fresh := false; ; {
		if n.shellID == "" {
			id, err := n.shell.create(ctx)
			if err != nil {
				return "", err
			}
			n.shellID, n.started, fresh = id, 0, true
		}
		n.started++
		id, err := n.shell.start(ctx, n.shellID, command, piped)
		if spent(err) && !fresh {
			// What cannot be removed ends by the node's idle time-out.
			if err := n.shell.remove(ctx, n.shellID); err != nil && ctx.Err() != nil {
				return "", err
			}
		} else if !gone(err) {
			return id, err
		}
		n.shellID = ""
		if fresh {
			return "", err
		}
	}
}

// mayRun reports whether a command may have started although its Command message failed with err.
func mayRun(err error) bool {
	var connection *ConnError
	var web *HTTPError
	var auth *AuthError
	var refusal *Fault
	switch {
	case errors.As(err, &connection):
		return connection.Op == opCommand && connection.Stage != NotSent
	case errors.As(err, &web):
		return web.Op == opCommand && web.Status != 401
	case errors.As(err, &auth):
		return auth.Reason == NotSealed || auth.Reason == Tampered
	case errors.As(err, &refusal):
		return refusal.Code == CodeTimedOut
	default:
		return false
	}
}

// spent reports whether the commands that ended in a shell have used up the user's quota of operations.
func spent(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Code == CodeTooManyOperations
}

// gone reports whether the node said that it does not know the shell: then nothing was started in it.
func gone(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Code == CodeShellGone
}

// tidy hands the turn over to a goroutine that confirms or ends a command, and gives it back when that is done. If
// the command cannot be ended by its id the shell goes with it. Close waits for it.
func (n *Node) tidy(commandID string) {
	n.tidying.Go(func() {
		defer n.free()
		ctx, cancel := context.WithTimeout(context.Background(), n.cfg.TidyTimeout)
		defer cancel()
		if commandID != "" {
			err := n.shell.signal(ctx, n.shellID, commandID)
			if err == nil {
				return
			}
			if gone(err) {
				n.shellID = ""
				return
			}
		}
		_ = n.shell.remove(ctx, n.shellID) // what cannot be removed ends by the node's idle time-out
		n.shellID = ""
	})
}

// Close ends a running command and the shell, and then the connection. It takes at most twice Config.TidyTimeout,
// whatever ctx says: a shell left behind would live on for hours. Its error says that the shell may be left behind.
func (n *Node) Close(ctx context.Context) error {
	n.end(ErrClosed)
	n.lock <- struct{}{}
	defer n.free()
	n.tidying.Wait() // it gives the turn back before it ends; nobody starts another one now
	defer n.shell.conn.drop()
	if n.shellID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.cfg.TidyTimeout)
	defer cancel()
	err := n.shell.remove(ctx, n.shellID)
	n.shellID = ""
	if gone(err) {
		return nil
	}
	return err
}
