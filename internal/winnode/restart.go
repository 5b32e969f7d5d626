package winnode

import (
	"context"
	"errors"
	"strings"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

const (
	// restartDelay lets the answer out before the node goes down.
	restartDelay = 5
	maxComment   = 200
)

// Results of shutdown.exe (winerror.h).
const (
	shutdownInProgress = 1115
	noShutdown         = 1116
	shutdownScheduled  = 1190
)

// Restart asks the node to restart, unless its boot identity, as Boot gives it, is no longer expect. A node that is
// going down already is fine (1115). When somebody else's restart is scheduled (1190), that one is taken back and ours
// asked for, once (R21). A clock that is set between the look and the request is looked at once more: the node takes
// it for a restart.
func (n *Node) Restart(ctx context.Context, expect, comment string) error {
	for tries := 0; ; tries++ {
		b, err := n.boot(ctx)
		if err != nil {
			return err
		}
		if !sameBoot(b.identity, expect) {
			return nil
		}
		asked, err := n.restart(ctx, b.BootFileTime, comment)
		if asked || err != nil || tries > 0 {
			return err
		}
	}
}

// restart asks for it; asked is false when the node says that it has restarted already.
func (n *Node) restart(ctx context.Context, boot, comment string) (asked bool, err error) {
	args := agent.RestartArgs{DelaySeconds: restartDelay, Comment: plainComment(comment), ExpectBoot: boot}
	for aborted := false; ; aborted = true {
		var r struct {
			Code             *int64 `json:"code"`
			AlreadyRestarted bool   `json:"already_restarted"`
		}
		if _, err := n.link.call(ctx, agent.OpNodeRestart, args, &r); err != nil {
			return false, err
		}
		switch {
		case r.AlreadyRestarted:
			return false, nil
		case r.Code == nil:
			return false, missing(agent.OpNodeRestart, n.Name(), "result of shutdown.exe")
		case *r.Code == 0, *r.Code == shutdownInProgress:
			return true, nil
		case *r.Code != shutdownScheduled || aborted:
			return false, &fault.Error{Op: what(agent.OpNodeRestart), Node: n.Name(), Code: fault.CodeOf(*r.Code), Err: errors.New("shutdown.exe refused")}
		}
		if err := n.abortRestart(ctx); err != nil {
			return false, err
		}
	}
}

// abortRestart takes back a restart that somebody else has scheduled. One that is gone meanwhile is fine.
func (n *Node) abortRestart(ctx context.Context) error {
	var a struct {
		Code *int64 `json:"code"`
	}
	if _, err := n.link.call(ctx, agent.OpNodeRestartAbort, struct{}{}, &a); err != nil {
		return err
	}
	if a.Code == nil {
		return missing(agent.OpNodeRestartAbort, n.Name(), "result of shutdown.exe")
	}
	if *a.Code != 0 && *a.Code != noShutdown {
		return &fault.Error{
			Op: what(agent.OpNodeRestart), Node: n.Name(), Code: fault.CodeOf(*a.Code),
			Err: errors.New("another restart is scheduled and cannot be taken back"),
		}
	}
	return nil
}

// plainComment keeps what may stand in shutdown.exe's comment without being quoted (R33).
func plainComment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" .,:;()_-", r) {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), maxComment)]
}
