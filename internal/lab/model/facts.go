package model

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

const maxHotfixes = 500

// Updaters is what else could install or restart on a node; an empty Node means all.
type Updaters struct {
	Node             string `json:"node,omitempty"`
	AutomaticUpdates int    `json:"automatic_updates,omitempty"`
	NoAutoUpdate     bool   `json:"no_auto_update,omitempty"`
	Server           string `json:"server,omitempty"`
	ConfigMgr        bool   `json:"config_mgr,omitempty"`
	ConfigMgrRunning bool   `json:"config_mgr_running,omitempty"`
}

// SelfUpdating is CAU's own clustered role.
type SelfUpdating struct {
	Name string `json:"name"`
	// Properties are the schedule as name=value.
	Properties []string `json:"properties,omitempty"`
	// DueMinutes makes it start an Updating Run, Run, so long after the beginning, once.
	DueMinutes float64 `json:"due_minutes,omitempty"`
	Run        string  `json:"run,omitempty"`
}

// Backup is a backup of a cluster shared volume that runs on a node for a while: from the beginning, or from the moment
// when WhenPaused is paused.
type Backup struct {
	Node       string  `json:"node"`
	Volume     string  `json:"volume"`
	Minutes    float64 `json:"minutes"`
	WhenPaused string  `json:"when_paused,omitempty"`

	began time.Time // zero until it has
}

// BitLocker protects a node's system drive. With a protector that asks for a PIN (4, 6) the node waits for
// somebody at its console after a restart.
type BitLocker struct {
	Node         string `json:"node"`
	Protectors   []int  `json:"protectors"`
	SuspendCount int    `json:"suspend_count,omitempty"`
}

// updaters reads what else could act on the node. A node without a scenario of its own has Automatic Updates
// turned off by policy.
func (n *Node) updaters() (agent.Updaters, error) {
	if err := n.world.serves(n); n.clusterService && err != nil {
		return agent.Updaters{}, err
	}
	out := agent.Updaters{Servicing: n.servicing || n.windowsInstalls(), SelfUpdating: []agent.CauSchedule{}}
	out.AutomaticUpdates, out.NoAutoUpdate, out.Server = n.updatePolicy()
	for _, u := range n.world.scenario.Updaters {
		if u.Node == "" || is(u.Node, n.name) {
			out.ConfigMgr, out.ConfigMgrRunning = u.ConfigMgr, u.ConfigMgrRunning
		}
	}
	if s := n.world.scenario.SelfUpdating; s != nil && n.clusterService {
		state := groupOffline
		if g := n.world.group(s.Name); g != nil {
			state = g.state
		}
		out.SelfUpdating = append(out.SelfUpdating, agent.CauSchedule{Name: s.Name, State: state, Properties: s.properties(n.world.began)})
	}
	return out, nil
}

// properties are the role's own, and its start in UTC, which is the nodes' local time.
func (s *SelfUpdating) properties(began time.Time) []string {
	out := append([]string{}, s.Properties...)
	if s.DueMinutes > 0 {
		out = append(out, "StartDate="+began.Add(minutes(s.DueMinutes)).UTC().Format("01/02/2006 15:04:05"), "RunOnce=True")
	}
	return out
}

// updatePolicy is the policy of Automatic Updates with its WSUS server.
func (n *Node) updatePolicy() (options int, off bool, server string) {
	off = true
	for _, u := range n.world.scenario.Updaters {
		if u.Node == "" || is(u.Node, n.name) {
			options, off, server = u.AutomaticUpdates, u.NoAutoUpdate, u.Server
		}
	}
	return options, off, server
}

// windowsInstalls tells whether one of Windows' own installers is at work; other programs nobody can tell apart.
func (n *Node) windowsInstalls() bool {
	for entry := range n.atWork {
		if entry.windows {
			return true
		}
	}
	return false
}

func (n *Node) backups() (agent.Backups, error) {
	w := n.world
	if err := w.serves(n); n.clusterService && err != nil {
		return agent.Backups{}, err
	}
	out := agent.Backups{SharedVolumes: []agent.VolumeState{}, Programs: []string{}}
	for _, b := range w.scenario.Backups {
		if b.began.IsZero() || w.now.Sub(b.began) >= minutes(b.Minutes) {
			continue
		}
		if is(b.Node, n.name) {
			out.Programs = append(out.Programs, "wbengine")
		}
		if b.Volume != "" {
			out.SharedVolumes = append(out.SharedVolumes, agent.VolumeState{Name: b.Volume, BackupState: 1})
		}
	}
	return out, nil
}

func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

func (n *Node) bitLocker() agent.BitLocker {
	for _, b := range n.world.scenario.BitLocker {
		if is(b.Node, n.name) {
			return agent.BitLocker{Available: true, Protection: 1, Protectors: slices.Clone(b.Protectors), SuspendCount: b.SuspendCount}
		}
	}
	return agent.BitLocker{Protection: 2, Protectors: []int{}, SuspendCount: -1}
}

// waitsForPIN tells whether somebody must type at the console before the node starts.
func (n *Node) waitsForPIN() bool {
	b := n.bitLocker()
	return b.Available && b.SuspendCount == 0 && (slices.Contains(b.Protectors, 4) || slices.Contains(b.Protectors, 6))
}

func (n *Node) listHotfixes(a agent.HotfixListArgs) (agent.Hotfixes, error) {
	limit := min(max(a.Max, 1), maxHotfixes)
	return agent.Hotfixes{Installed: newestFirst(n.hotfixes, limit), History: newestFirst(n.updates.history, limit)}, nil
}

// newestFirst gives the last entries of a list, the last one first; never nil.
func newestFirst[E any](list []E, limit int) []E {
	out := append([]E{}, list[max(0, len(list)-limit):]...)
	slices.Reverse(out)
	return out
}

// addHotfix is what Win32_QuickFixEngineering and the update agent's history keep of an installation by the
// servicing stack.
func (n *Node) addHotfix(kbs []string, description string) {
	for _, kb := range kbs {
		n.hotfixes = append(n.hotfixes, agent.Hotfix{ID: kbName(kb), Description: description, InstalledOn: n.now().UTC().Format("1/2/2006")})
	}
}

func (n *Node) addHistory(title string, result int, hresult int64) {
	n.updates.history = append(n.updates.history, agent.HistoryEntry{
		UTC: stamp(n.now()), Title: title, Operation: 1, Result: result, HResult: hresult,
	})
}

// kbName is KB and the number.
func kbName(kb string) string { return "KB" + strings.TrimPrefix(strings.ToUpper(kb), "KB") }

// packageKB is the number under which Windows lists a package. Every .msu has one; where the lab's file is not named after
// one it is made up from the update's id, so that the same update is the same number on every node.
func packageKB(id string) string {
	if isKB(id) {
		return id
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key(id))) // never fails
	return fmt.Sprintf("KB9%06d", h.Sum32()%1_000_000)
}

func isKB(id string) bool {
	digits, ok := strings.CutPrefix(key(id), "kb")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// quotas are what the lab's own WinRM service obeys.
func (n *Node) quotas() agent.Quotas {
	return agent.Quotas{
		MaxEnvelopeKB: maxEnvelopeKB, MaxTimeoutMS: 60000, MaxShellsPerUser: maxShells, MaxProcessesPerShell: 25, MaxMemoryPerShellMB: 1024,
		ShellIdleTimeoutMS: 7200000, MaxConnections: 300, MaxOperationsPerUser: 1500,
	}
}
