package model

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Scenario is what goes wrong in a lab, as data. The zero value is a healthy cluster. Lists of nodes hold
// their names; names of nodes and files are compared without case.
type Scenario struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// S2D gives the cluster Storage Spaces Direct.
	S2D bool `json:"s2d,omitempty"`
	// StaticQuorum turns dynamic quorum off; NoWitness leaves the cluster without a witness.
	StaticQuorum bool `json:"static_quorum,omitempty"`
	NoWitness    bool `json:"no_witness,omitempty"`

	// Sites are the sites of a stretched cluster; a node that none names is in none.
	Sites []Site `json:"sites,omitempty"`

	// ForeignRun is the id of an Updating Run that somebody else has on the cluster; one of ForeignRuns appears
	// when a node gets paused.
	ForeignRun  string        `json:"foreign_run,omitempty"`
	ForeignRuns []ForeignRuns `json:"foreign_run_when_paused,omitempty"`
	// AdminPauses are nodes that an administrator pauses.
	AdminPauses []AdminPause `json:"admin_pauses,omitempty"`
	// Updaters, SelfUpdating, Backups and BitLocker are what else there is on the nodes.
	Updaters     []Updaters    `json:"updaters,omitempty"`
	SelfUpdating *SelfUpdating `json:"self_updating,omitempty"`
	Backups      []Backup      `json:"backups,omitempty"`
	BitLocker    []BitLocker   `json:"bitlocker,omitempty"`
	// CauPlugins are what Microsoft's own CAU has registered on nodes.
	CauPlugins []CauPlugins `json:"cau_plugins,omitempty"`
	// CauProviders are what is special about CAU's provider on nodes.
	CauProviders []CauProvider `json:"cau_providers,omitempty"`
	// HotfixConfigs are hotfix configuration files that nodes have in the place of CAU's own.
	HotfixConfigs []HotfixConfig `json:"hotfix_configs,omitempty"`
	// NodeShares are shares that nodes themselves serve, as their servers describe them.
	NodeShares []NodeShare `json:"node_shares,omitempty"`

	// StuckOn names nodes whose first role does not move away. SlowDrains are nodes whose roles take long.
	// MigrationBlocked names nodes whose virtual machines cannot be moved: a drain fails.
	StuckOn          []string    `json:"stuck_on,omitempty"`
	SlowDrains       []SlowDrain `json:"slow_drains,omitempty"`
	MigrationBlocked []string    `json:"migration_blocked,omitempty"`

	// Owners are roles that not every node may own, Apart those that are kept on different nodes, Locked those that
	// something holds where they are. Residents are what nodes carry beside their roles.
	Owners    []Owners    `json:"owners,omitempty"`
	Apart     []Apart     `json:"apart,omitempty"`
	Locked    []Locked    `json:"locked,omitempty"`
	Residents []Residents `json:"residents,omitempty"`

	// PendingRestart names nodes that wait for a restart from the beginning. NeverReturns names those that do not
	// come back from one, RestartsTwice those that restart once more by themselves, ReturnsLate those that are away
	// for longer.
	PendingRestart []string     `json:"pending_restart,omitempty"`
	NeverReturns   []string     `json:"never_returns,omitempty"`
	RestartsTwice  []string     `json:"restarts_twice,omitempty"`
	ReturnsLate    []LateReturn `json:"returns_late,omitempty"`
	ClockJumps     []ClockJump  `json:"clock_jumps,omitempty"`

	// Exits are installers that end with another code than their file says; Installers go another way.
	Exits      []Exit      `json:"exits,omitempty"`
	Installers []Installer `json:"installers,omitempty"`
	// Updates take the place of the lab's update catalogue.
	Updates []Update `json:"updates,omitempty"`

	// DiskFree is what is free on nodes' system drives, TasksRefused where scheduled tasks are not started.
	DiskFree     []DiskFree    `json:"disk_free,omitempty"`
	TasksRefused []RefusedTask `json:"tasks_refused,omitempty"`
	Planted      []Planted     `json:"planted,omitempty"`
	// ShareGone makes shares disappear for nodes; of FilesChanged the nodes read other bytes than others do.
	ShareGone    []ShareGone   `json:"share_gone,omitempty"`
	FilesChanged []FileChanged `json:"files_changed,omitempty"`

	// FileServer is what is special about the lab's own file server; nil means nothing.
	FileServer *FileServer `json:"file_server,omitempty"`

	// The lab's listeners and accounts do these: faults of WinRM, an administrator's account that is locked, and
	// the seconds after which Kerberos tickets expire (0: as usual).
	WinRM         []WinRMFault `json:"winrm,omitempty"`
	LockedAccount bool         `json:"locked_account,omitempty"`
	TicketSeconds int          `json:"ticket_seconds,omitempty"`
}

// Site is a fault domain of the highest kind, with the names of its nodes.
type Site struct {
	Name  string   `json:"name"`
	Nodes []string `json:"nodes"`
}

// Exit makes the installation of a file, by its name, end with Code on Node; an empty Node means all.
type Exit struct {
	Node string `json:"node,omitempty"`
	File string `json:"file"`
	Code int64  `json:"code"`
}

// ForeignRuns makes an Updating Run of somebody else appear when Node gets paused.
type ForeignRuns struct {
	Node string `json:"node"`
	Run  string `json:"run"`
}

// AdminPause is an administrator who pauses and drains Node, AfterSeconds after WhenPaused was paused by somebody,
// or after the beginning when WhenPaused is empty.
type AdminPause struct {
	Node         string  `json:"node"`
	WhenPaused   string  `json:"when_paused,omitempty"`
	AfterSeconds float64 `json:"after_seconds,omitempty"`
}

// SlowDrain makes each move of a role away from Node take Seconds.
type SlowDrain struct {
	Node    string  `json:"node"`
	Seconds float64 `json:"seconds"`
}

// LateReturn keeps Node away for Minutes more in a restart.
type LateReturn struct {
	Node    string  `json:"node"`
	Minutes float64 `json:"minutes"`
}

// ClockJump sets Node's clock by Minutes, AfterSeconds after the beginning, or after its first restart.
type ClockJump struct {
	Node         string  `json:"node"`
	Minutes      float64 `json:"minutes"`
	AfterRestart bool    `json:"after_restart,omitempty"`
	AfterSeconds float64 `json:"after_seconds,omitempty"`
}

// DiskFree leaves Node with Bytes free on its system drive.
type DiskFree struct {
	Node  string `json:"node"`
	Bytes int64  `json:"bytes"`
}

// RefusedTask makes Node refuse to start tasks, Times times; 0 means always.
type RefusedTask struct {
	Node  string `json:"node"`
	Times int    `json:"times,omitempty"`
}

// ShareGone makes every share disappear for Node (empty: each node) after it has opened AfterFiles files.
type ShareGone struct {
	Node       string `json:"node,omitempty"`
	AfterFiles int    `json:"after_files,omitempty"`
}

// FileChanged lets Node (empty: each node) read other bytes of a file, by its name.
type FileChanged struct {
	Node string `json:"node,omitempty"`
	File string `json:"file"`
}

// WinRMFault is a fault of Node's WinRM listener, in the words of the lab's listener, from the start or after the
// node's first restart.
type WinRMFault struct {
	Node string `json:"node"`
	// On is the message that it strikes: Create, Command, Send, Receive, Signal, Delete, Identify, Logon or any.
	On string `json:"on"`
	// Skip is how many of them pass first; Times is how many are struck: 0 means one, a negative number all.
	Skip  int `json:"skip,omitempty"`
	Times int `json:"times,omitempty"`
	// Kind is what happens: reset, hang, 401, 503, empty, cut-body, service-restart and what else the listener knows.
	Kind string `json:"kind"`
	// Late strikes after the message was acted upon.
	Late bool `json:"late,omitempty"`
	// Trigger is start or after-restart; empty means start.
	Trigger string `json:"trigger,omitempty"`
}

//go:embed scenarios/*.json
var scenarioFiles embed.FS

// Scenarios are all scenarios that come with the lab, by name.
func Scenarios() ([]Scenario, error) {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		return nil, fmt.Errorf("scenarios: %w", err)
	}
	out := make([]Scenario, 0, len(entries))
	for _, e := range entries {
		text, err := scenarioFiles.ReadFile(path.Join("scenarios", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("scenarios: %w", err)
		}
		s, err := ParseScenario(text)
		if err != nil {
			return nil, fmt.Errorf("scenario file %s: %w", e.Name(), err)
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// ParseScenario reads one scenario; a field or a word that it does not know is an error.
func ParseScenario(text []byte) (Scenario, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var s Scenario
	if err := d.Decode(&s); err != nil {
		return Scenario{}, err
	}
	if s.Name == "" || s.Description == "" {
		return Scenario{}, errors.New("a scenario needs a name and a description")
	}
	return s, s.check()
}

// check looks at what a type cannot say.
func (s *Scenario) check() error {
	for _, f := range s.WinRM {
		switch {
		case f.Node == "" || f.Kind == "" || f.Skip < 0:
			return errors.New("winrm: a node and a kind are needed; skip is not negative")
		case !slices.Contains([]string{"Create", "Command", "Send", "Receive", "Signal", "Delete", "Identify", "Logon", "any"}, f.On):
			return fmt.Errorf("winrm: on %q is no message", f.On)
		case !slices.Contains([]string{"", "start", "after-restart"}, f.Trigger):
			return fmt.Errorf("winrm: trigger %q is neither start nor after-restart", f.Trigger)
		}
	}
	for _, i := range s.Installers {
		name := strings.ToLower(i.File)
		if i.Needs != "" && !strings.HasSuffix(name, ".msu") && !strings.HasSuffix(name, ".msp") || i.Restarted && i.Needs == "" {
			return fmt.Errorf("installers: %s: only an .msu or an .msp needs another file, and restarted says when", i.File)
		}
	}
	for _, p := range s.CauProviders {
		if !slices.Contains([]string{providerAbsent, providerIgnores, providerOptional}, p.Kind) {
			return fmt.Errorf("cau_providers: kind %q is none", p.Kind)
		}
	}
	for _, p := range s.Planted {
		if !slices.Contains([]string{"reparse", "owner", "permissions"}, p.Kind) || p.Path == "tasks" && p.Kind == "reparse" {
			return fmt.Errorf("planted: kind %q is no fault of this folder", p.Kind)
		}
	}
	for _, j := range s.ClockJumps {
		if j.AfterRestart && j.AfterSeconds != 0 {
			return errors.New("clock_jumps: after_restart and after_seconds exclude each other")
		}
	}
	if s.TicketSeconds < 0 {
		return errors.New("ticket_seconds is negative")
	}
	if err := s.FileServer.check(); err != nil {
		return err
	}
	return checkCatalogue(s.Updates)
}

// FindScenario gives the scenario of that name; an empty name means "default".
func FindScenario(name string) (Scenario, error) {
	if name == "" {
		name = "default"
	}
	all, err := Scenarios()
	if err != nil {
		return Scenario{}, err
	}
	names := make([]string, 0, len(all))
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("there is no scenario %q; there are: %s", name, strings.Join(names, ", "))
}

func names(list []string, node string) bool {
	for _, n := range list {
		if is(n, node) {
			return true
		}
	}
	return false
}
