package winnode

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// clockSlack is how far a boot time may move without being another boot's: Windows computes it from its clock, which
// time synchronisation nudges. No machine stops and starts within it. It is also how exact uptimes are.
const clockSlack = 2 * time.Second

// boot is one look at a node's boot.
type boot struct {
	agent.BootInfo
	// identity is what this boot is called here, whatever its boot time reads meanwhile.
	identity string
	uptime   time.Duration
	// asked and answered are when the look was asked for and came back, by the run's clock.
	asked, answered time.Time
}

// boot looks at the node's boot and tells whether it is the one that was seen last.
func (n *Node) boot(ctx context.Context) (boot, error) {
	b := boot{asked: n.fleet.cfg.Clock.Now()}
	var info struct {
		agent.BootInfo
		UptimeSeconds *float64 `json:"uptime_seconds"`
	}
	if _, err := n.link.call(ctx, agent.OpBootInfo, struct{}{}, &info); err != nil {
		return b, err
	}
	b.answered = n.fleet.cfg.Clock.Now()
	bad := func(err error) (boot, error) {
		return b, &fault.Error{Op: what(agent.OpBootInfo), Node: n.Name(), Err: &transportError{err}}
	}
	if _, err := strconv.ParseUint(info.BootFileTime, 10, 63); err != nil {
		return bad(fmt.Errorf("boot time %q", agent.Printable(info.BootFileTime, 40)))
	}
	const longest = 100 * 365 * 24 * 3600
	if u := info.UptimeSeconds; u == nil || math.IsNaN(*u) || *u < 0 || *u > longest {
		return bad(fmt.Errorf("the boot time is %s, and the uptime is none", info.BootFileTime))
	}
	b.BootInfo = info.BootInfo
	b.UptimeSeconds = *info.UptimeSeconds
	b.uptime = time.Duration(b.UptimeSeconds * float64(time.Second))
	n.mu.Lock()
	defer n.mu.Unlock()
	b.identity = b.BootFileTime
	if last := n.last; last != nil && (sameBoot(last.BootFileTime, b.BootFileTime) || b.continues(last)) {
		b.identity = last.identity
	}
	n.last = &b
	return b, nil
}

// continues tells whether b is the same boot as an earlier look although its boot time has moved: somebody set the
// node's clock. Its uptime, which no clock moves, grew by just the time between the looks, and is longer than that
// time, so that there was no room for a restart. Looks that took long, and a host of ours that slept or whose clock
// was set, make the answer no; a boot time that moved counts then.
func (b *boot) continues(last *boot) bool {
	least := apart(last.answered, b.asked)
	most := apart(last.asked, b.answered)
	slack := clockSlack + most/1000
	grew := b.uptime - last.uptime
	return b.uptime > most && grew >= least-slack && grew <= most+slack
}

// apart is the time between two looks: the longer one of what the monotonic and the wall clock say, because the first
// stands still while a host sleeps.
func apart(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
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
