package model

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"cau/internal/winnode/agent"
)

// How long a restart takes, in model time: services stop, the machine is away, then it gets ready step by
// step. WinRM answers from returnTime on.
const (
	stopTime     = 4 * time.Second
	awayTime     = 45 * time.Second
	logonTime    = 10 * time.Second
	serviceTime  = 12 * time.Second
	joinTime     = 20 * time.Second
	servicedTime = 25 * time.Second
	// secondRestart is how long a node is there before it restarts once more by itself.
	secondRestart = 40 * time.Second
	// answerTime is real: the answer to the request must get away before the machine goes, however fast the
	// model's time is.
	answerTime = 100 * time.Millisecond
)

// Exit codes of shutdown.exe (winerror.h).
const (
	errShutdownInProgress  = 1115
	errNoShutdown          = 1116
	errShutdownIsScheduled = 1190
)

var commentShape = regexp.MustCompile(`^[A-Za-z0-9 .,:;()_-]{0,200}$`)

// restart is shutdown.exe /r /t delay, unless the boot is no longer the expected one.
func (n *Node) restart(a agent.RestartArgs) (agent.Restart, error) {
	if !commentShape.MatchString(a.Comment) || a.DelaySeconds < 2 || a.DelaySeconds > 600 {
		return agent.Restart{}, &refusal{"refused", "the comment or the delay of the restart is out of bounds"}
	}
	switch {
	case !n.sameBoot(a.ExpectBoot):
		return agent.Restart{AlreadyRestarted: true}, nil
	case n.working() != nil:
		return agent.Restart{}, &refusal{"refused", "job " + n.working().id + " still works"}
	case n.phase != running:
		return agent.Restart{Code: errShutdownInProgress}, nil
	case !n.restartAt.IsZero():
		return agent.Restart{Code: errShutdownIsScheduled}, nil
	}
	n.restartIn(n.world.atLeast(time.Duration(a.DelaySeconds)*time.Second, answerTime))
	return agent.Restart{}, nil
}

// restartIn schedules a restart, whoever asked for it.
func (n *Node) restartIn(delay time.Duration) {
	at := n.world.now.Add(delay)
	n.restartAt = at
	n.during(delay, func() {
		if n.restartAt.Equal(at) {
			n.shutDown()
		}
	})
}

// working is a job that works, nil when there is none.
func (n *Node) working() *job {
	for _, j := range n.jobs {
		if j.alive() {
			return j
		}
	}
	return nil
}

// sameBoot compares boot identities, which move a little when the clock is set.
func (n *Node) sameBoot(expect string) bool {
	want, err := strconv.ParseInt(expect, 10, 64)
	if err != nil {
		return false
	}
	have, err := strconv.ParseInt(n.bootIdentity(), 10, 64)
	const twoSeconds = 2e7
	return err == nil && have-want <= twoSeconds && want-have <= twoSeconds
}

// abortRestart is shutdown.exe /a.
func (n *Node) abortRestart() agent.RestartAbort {
	if n.phase != running || n.restartAt.IsZero() {
		return agent.RestartAbort{Code: errNoShutdown}
	}
	n.restartAt = time.Time{}
	return agent.RestartAbort{}
}

// shutDown stops the services; the cluster loses the node gracefully.
func (n *Node) shutDown() {
	if n.phase != running {
		return
	}
	n.phase = shuttingDown
	n.note(logSystem, "User32", 1074, levelInformation, "The computer is about to restart.")
	n.clusterService = false
	n.world.leave(n)
	n.during(stopTime, n.powerOff)
}

// powerOff is the moment at which everything that runs on the machine is gone.
func (n *Node) powerOff() {
	n.phase = off
	n.restartAt = time.Time{}
	n.bootEnd()
	n.logonReady, n.servicing = false, false
	clear(n.atWork)
	for _, j := range n.jobs {
		j.child = nil
		j.stop(resultShutdown)
	}
	n.residentsGoDown()
	n.world.storageLost(n)
	n.world.power(n.name, false)
	if names(n.world.scenario.NeverReturns, n.name) || n.waitsForPIN() {
		return
	}
	away := awayTime
	for _, l := range n.world.scenario.ReturnsLate {
		if is(l.Node, n.name) {
			away += minutes(l.Minutes)
		}
	}
	n.world.after(away, n.powerOn)
}

func (n *Node) powerOn() {
	n.phase = running
	n.boots++
	n.bootTime = n.world.now
	n.bootLife, n.bootEnd = context.WithCancel(n.world.life)
	if n.pending.CBSRebootPending {
		n.servicing = true
		n.during(servicedTime, func() { n.servicing = false })
	}
	n.pending = agent.Pending{}
	n.agentRestarted()
	n.jumps()
	n.note(logSystem, "Microsoft-Windows-Kernel-General", 12, levelInformation, "The operating system started.")
	n.note(logSystem, "EventLog", 6005, levelInformation, "The Event log service was started.")
	n.world.power(n.name, true)
	n.world.storageBack(n)
	n.during(logonTime, func() { n.logonReady = true })
	n.during(serviceTime, func() { n.clusterService = true })
	n.during(joinTime, func() { n.world.join(n) })
	if n.again = !n.again && names(n.world.scenario.RestartsTwice, n.name); n.again {
		n.during(secondRestart, n.shutDown)
	}
}
