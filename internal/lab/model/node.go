package model

import (
	"context"
	"strconv"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// phase is how far a machine is between two starts.
type phase int

const (
	running phase = iota
	shuttingDown
	off
)

// Node is one machine of the cluster.
type Node struct {
	world *World
	name  string

	phase phase
	// boots counts starts; what was made for another boot must not act on this one.
	boots    int
	bootTime time.Time
	bootLife context.Context //nolint:containedctx // lasts from one start to the next
	bootEnd  context.CancelFunc
	// restartAt is when a restart that was asked for begins; zero when there is none.
	restartAt time.Time

	logonReady     bool
	servicing      bool
	clusterService bool

	// member: the node takes part in the cluster. paused survives a restart, as on Windows.
	member     bool
	paused     bool
	drain      int
	drainEpoch int
	drained    []*group
	// tried are roles that the drain could not move.
	tried         []*group
	dynamicWeight int
	maintenance   bool

	pending   agent.Pending
	agentHash string
	disk      map[string]file
	free      int64
	jobs      map[string]*job
	installed map[string]bool
	// atWork are the installers that run.
	atWork   map[*Install]bool
	installs []*Install
	updates  updateAgent
	hotfixes []agent.Hotfix
	log      []record
	files    fileServer
	pushes   map[string]bool
	lastPID  int

	checkpoints map[string]checkpoint
	// knownEpoch is the highest epoch of the lease that the node has seen; it survives restarts.
	knownEpoch int64
	// ahead is how much the node's own clock differs from the world's.
	ahead time.Duration
	// opened counts the files that it opened on shares.
	opened int
	// again: the next start is the second of a restart that the scenario makes two of.
	again bool
	// tasksRefused counts the starts of tasks that the scenario refused.
	tasksRefused int
}

// file is what the model keeps of a file on a node's disk.
type file struct {
	path   string
	size   int64
	sha256 string
	// head is the beginning of the content, enough for an update file's header.
	head []byte
	// content is all of it where a job wrote it here; of what was copied nothing but the head is kept.
	content []byte
}

const freeBytes = 60 << 30

func newNode(w *World, name string) *Node {
	n := &Node{
		world: w, name: name, disk: map[string]file{}, free: freeBytes, jobs: map[string]*job{}, installed: map[string]bool{},
		updates: newUpdateAgent(w.now.Add(-20 * time.Hour)), files: newFileServer(), pushes: map[string]bool{},
		checkpoints: map[string]checkpoint{}, atWork: map[*Install]bool{}, lastPID: 4000,
		// A machine that has been up for a while: long enough to be stable.
		boots: 1, bootTime: w.now.Add(-26 * time.Hour), logonReady: true, clusterService: true, member: true,
	}
	n.bootLife, n.bootEnd = context.WithCancel(w.life)
	if names(w.scenario.PendingRestart, name) {
		n.pending.CBSRebootPending = true
		n.pending.WURebootRequired = true
	}
	return n
}

// now is the time by the node's own clock.
func (n *Node) now() time.Time { return n.world.now.Add(n.ahead) }

// Name is the node's NetBIOS name.
func (n *Node) Name() string { return n.name }

func (n *Node) account() string { return Domain + `\` + n.name + "$" }

// bootIdentity is LastBootUpTime as FILETIME: 100 ns since 1601, in text.
func (n *Node) bootIdentity() string {
	const unixEpoch = 116444736000000000
	// Windows takes the uptime from its clock: the identity moves when the clock is set.
	return strconv.FormatInt(n.bootTime.Add(n.ahead).UnixNano()/100+unixEpoch, 10)
}

// during makes act happen only while the node is in the boot it was made in.
func (n *Node) during(d time.Duration, act func()) {
	boot := n.boots
	n.world.after(d, func() {
		if n.boots == boot && n.phase != off {
			act()
		}
	})
}

func (n *Node) hello() agent.Hello {
	return agent.Hello{
		Computer: n.name, Domain: DNSDomain, Build: "10.0.20348.2700", PowerShell: "5.1.20348.2700", LanguageMode: "FullLanguage",
		Admin: true, FreeBytes: n.free, Namespaces: n.namespaces(),
		MaxEnvelopeKB: maxEnvelopeKB, MaxShells: maxShells, Fqdn: strings.ToLower(n.name) + "." + DNSDomain, Token: "network",
	}
}

// What the lab's WinRM service obeys.
const (
	maxEnvelopeKB = 500
	maxShells     = 30
)

func (n *Node) bootInfo() agent.BootInfo {
	cbs := 0
	switch {
	case n.servicing:
		cbs = 2
	case n.pending.CBSRebootPending:
		cbs = 1
	}
	return agent.BootInfo{
		BootFileTime: n.bootIdentity(), UptimeSeconds: n.world.now.Sub(n.bootTime).Seconds(), AutoLogonChecked: n.logonReady,
		CBSServicing: cbs, TiWorker: n.servicing, ClusterService: n.clusterService,
	}
}
