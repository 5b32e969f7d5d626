package winnode

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

const (
	// restartDelay lets the answer out before the node goes down.
	restartDelay = 5
	// clockSlack is how far a boot time may move without being another boot's: Windows computes it from its
	// clock, which time synchronisation nudges. No machine stops and starts within it.
	clockSlack = 2 * time.Second
	maxComment = 200
)

// Results of shutdown.exe (winerror.h).
const (
	shutdownInProgress = 1115
	noShutdown         = 1116
	shutdownScheduled  = 1190
)

// Restart asks the node to restart, unless its boot identity is no longer expect. A node that is going down
// already is fine (1115). When somebody else's restart is scheduled (1190), that one is taken back and ours
// asked for, once (R21).
func (n *Node) Restart(ctx context.Context, expect, comment string) error {
	b, err := n.boot(ctx)
	if err != nil {
		return err
	}
	if !sameBoot(b.BootFileTime, expect) {
		return nil
	}
	args := agent.RestartArgs{DelaySeconds: restartDelay, Comment: plainComment(comment), ExpectBoot: b.BootFileTime}
	for aborted := false; ; aborted = true {
		var r agent.Restart
		if _, err := n.link.call(ctx, agent.OpNodeRestart, args, &r); err != nil {
			return err
		}
		switch {
		case r.AlreadyRestarted, r.Code == 0, r.Code == shutdownInProgress:
			return nil
		case r.Code != shutdownScheduled || aborted:
			return &fault.Error{Op: what(agent.OpNodeRestart), Node: n.Name(), Code: fault.CodeOf(r.Code), Err: errors.New("shutdown.exe refused")}
		}
		var a agent.RestartAbort
		if _, err := n.link.call(ctx, agent.OpNodeRestartAbort, struct{}{}, &a); err != nil {
			return err
		}
		if a.Code != 0 && a.Code != noShutdown {
			return &fault.Error{
				Op: what(agent.OpNodeRestart), Node: n.Name(), Code: fault.CodeOf(a.Code),
				Err: errors.New("another restart is scheduled and cannot be taken back"),
			}
		}
	}
}

func (n *Node) boot(ctx context.Context) (agent.BootInfo, error) {
	var b agent.BootInfo
	if _, err := n.link.call(ctx, agent.OpBootInfo, struct{}{}, &b); err != nil {
		return b, err
	}
	if _, err := strconv.ParseUint(b.BootFileTime, 10, 63); err != nil || b.UptimeSeconds < 0 {
		return b, &fault.Error{
			Op: what(agent.OpBootInfo), Node: n.Name(),
			Err: &transportError{fmt.Errorf("boot time %q, uptime %f", agent.Printable(b.BootFileTime, 40), b.UptimeSeconds)},
		}
	}
	return b, nil
}

// sameBoot compares boot times as FILETIME (100 ns).
func sameBoot(a, b string) bool {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if errX != nil || errY != nil {
		return a == b
	}
	return max(x-y, y-x) <= int64(clockSlack/100)
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
