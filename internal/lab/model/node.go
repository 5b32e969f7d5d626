package model

import (
	"context"
	"strconv"
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
	member        bool
	paused        bool
	drain         int
	drainEpoch    int
	drained       []*group
	dynamicWeight int
	maintenance   bool

	pending   agent.Pending
	agentHash string
	disk      map[string]file
	free      int64
	jobs      map[string]*job
	installed map[string]bool
	busy      int
	installs  []*Install
}

// file is what the model keeps of a file on a node's disk.
type file struct {
	path   string
	size   int64
	sha256 string
	// head is the beginning of the content, enough for an update file's header.
	head []byte
}

const freeBytes = 60 << 30

func newNode(w *World, name string) *Node {
	n := &Node{
		world: w, name: name, disk: map[string]file{}, free: freeBytes, jobs: map[string]*job{}, installed: map[string]bool{},
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

// Name is the node's NetBIOS name.
func (n *Node) Name() string { return n.name }

func (n *Node) account() string { return Domain + `\` + n.name + "$" }

// bootIdentity is LastBootUpTime as FILETIME: 100 ns since 1601, in text.
func (n *Node) bootIdentity() string {
	const unixEpoch = 116444736000000000
	return strconv.FormatInt(n.bootTime.UnixNano()/100+unixEpoch, 10)
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
		Admin: true, FreeBytes: n.free, Namespaces: []string{"mscluster", "storage", "clusterupdate"}, MaxEnvelopeKB: 500, MaxShells: 30,
	}
}

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
