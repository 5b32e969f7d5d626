package winnode

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// maxFacts bounds lists of what nodes name: roles, programs, properties.
const maxFacts = 1000

// missing says that a node left out what its answer is about; nothing is assumed in its place.
func missing(op, node, field string) error {
	return &fault.Error{Op: what(op), Node: node, Err: &transportError{fmt.Errorf("the answer has no %s", field)}}
}

// texts are what a node gave, printable and bounded.
func texts(list []string, limit int) []string {
	out := make([]string, 0, min(len(list), maxFacts))
	for _, s := range list[:min(len(list), maxFacts)] {
		out = append(out, agent.Printable(s, limit))
	}
	return out
}

// Backups names the cluster shared volumes that are being backed up, are in maintenance or out of reach, and the
// backup programs of every node that is not down: a program is seen only on the node that it runs on. A node that
// cannot be asked is an error unless something was found anyway, because what runs there is not known (R14).
//
// Redirected I/O (FaultState 1) is no maintenance: volumes with ReFS are redirected all the time.
func (f *Fleet) Backups(ctx context.Context, _ string) ([]string, error) {
	var mu sync.Mutex
	found := map[string]bool{}
	err := f.eachNode(ctx, f.notDown(), func(ctx context.Context, l *link) error {
		var b struct {
			SharedVolumes []struct {
				Name        string `json:"name"`
				BackupState *int   `json:"backup_state"`
				FaultState  *int   `json:"fault_state"`
			} `json:"shared_volumes"`
			Programs []string `json:"programs"`
		}
		if _, err := l.call(ctx, agent.OpBackupGet, struct{}{}, &b); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for _, v := range b.SharedVolumes[:min(len(b.SharedVolumes), maxFacts)] {
			if v.BackupState == nil || v.FaultState == nil {
				return missing(agent.OpBackupGet, l.name, "state of a cluster shared volume")
			}
			if text := volumeAtWork(*v.BackupState, *v.FaultState); text != "" {
				found[agent.Printable(v.Name, maxName)+" "+text] = true
			}
		}
		for _, p := range texts(b.Programs, maxName) {
			found[p+" runs on "+l.name] = true
		}
		return nil
	})
	if len(found) == 0 && err != nil {
		return nil, err
	}
	out := make([]string, 0, len(found))
	for s := range found {
		out = append(out, s)
	}
	slices.Sort(out)
	return out, nil
}

// volumeAtWork says what keeps a cluster shared volume busy, from BackupState and the bits of FaultState
// (MSCluster_ClusterSharedVolume); empty when nothing does.
func volumeAtWork(backup, faults int) string {
	const noAccess, maintenance = 2, 4
	switch {
	case backup < 0 || faults < 0:
		return "does not say what state it is in"
	case backup != 0:
		return "is being backed up"
	case faults&maintenance != 0:
		return "is in maintenance"
	case faults&noAccess != 0:
		return "cannot be accessed"
	}
	return ""
}

// Updaters reads what else could install updates or restart on this node (R12).
func (n *Node) Updaters(ctx context.Context) (engine.UpdatersView, error) {
	var u struct {
		AutomaticUpdates *int                `json:"automatic_updates"`
		NoAutoUpdate     *bool               `json:"no_auto_update"`
		Server           string              `json:"server"`
		ConfigMgr        *bool               `json:"config_mgr"`
		ConfigMgrRunning bool                `json:"config_mgr_running"`
		Servicing        *bool               `json:"servicing"`
		SelfUpdating     []agent.CauSchedule `json:"self_updating"`
		UTCOffsetMinutes *int                `json:"utc_offset_minutes"`
	}
	if _, err := n.link.call(ctx, agent.OpUpdatersGet, struct{}{}, &u); err != nil {
		return engine.UpdatersView{}, err
	}
	for field, there := range map[string]bool{
		"setting of Automatic Updates": u.AutomaticUpdates != nil && u.NoAutoUpdate != nil,
		"word about ConfigMgr":         u.ConfigMgr != nil,
		"word about servicing":         u.Servicing != nil,
		"local time":                   u.UTCOffsetMinutes != nil,
	} {
		if !there {
			return engine.UpdatersView{}, missing(agent.OpUpdatersGet, n.Name(), field)
		}
	}
	v := engine.UpdatersView{
		Server: agent.Printable(u.Server, maxName), ConfigMgr: *u.ConfigMgr && u.ConfigMgrRunning, Servicing: *u.Servicing,
	}
	v.Automatic, v.Setting = automaticUpdates(*u.AutomaticUpdates, *u.NoAutoUpdate)
	for _, s := range u.SelfUpdating[:min(len(u.SelfUpdating), maxFacts)] {
		v.SelfUpdating = append(v.SelfUpdating, selfUpdating(s))
		v.Schedules = append(v.Schedules, schedule(s, *u.UTCOffsetMinutes))
	}
	return v, nil
}

// automaticUpdates says what Windows Update's own schedule does: AUOptions and NoAutoUpdate of the policy
// "Configure Automatic Updates". What is not set, or has a number that we do not know, may install.
func automaticUpdates(option int, off bool) (automatic bool, setting string) {
	if off {
		return false, "turned off by policy"
	}
	switch option {
	case 0:
		return true, "not set; Windows decides by itself"
	case 1:
		return false, "turned off"
	case 2:
		return false, "notifies before it downloads"
	case 3:
		return false, "downloads and does not install"
	case 4:
		return true, "installs on schedule"
	case 5:
		return true, "the local administrator's choice"
	case 7: // Windows Server 2016 and later
		return false, "downloads and notifies before it installs and restarts"
	}
	return true, fmt.Sprintf("unknown setting %d", option)
}

// selfUpdating is one of CAU's own roles with what is known of its schedule.
func selfUpdating(s agent.CauSchedule) string {
	text := agent.Printable(s.Name, maxName)
	switch signed(s.State) {
	case roleOnline:
	case roleOffline:
		text += " (offline)"
	default:
		text += fmt.Sprintf(" (state %d)", signed(s.State))
	}
	separator := ": "
	for _, p := range s.Properties[:min(len(s.Properties), 40)] {
		if p = agent.Printable(p, maxName); p != "" {
			text, separator = text+separator+p, ", "
		}
	}
	return agent.Printable(text, maxMessage)
}

// schedule is the same role's schedule, as far as it can be read.
func schedule(s agent.CauSchedule, offset int) engine.SelfUpdate {
	const furthest = 18 * 60
	zone := time.FixedZone("", 60*max(-furthest, min(offset, furthest)))
	return engine.ReadSelfUpdate(agent.Printable(s.Name, maxName), signed(s.State) == roleOffline, s.Properties[:min(len(s.Properties), 100)], zone)
}

// States of a clustered role (CLUSTER_GROUP_STATE, clusapi.h).
const (
	roleOnline  = 0
	roleOffline = 1
)

// BitLocker reads whether the system drive's protection could keep the node from coming back. Known is false where
// the node does not know the protection's state, or what opens the drive. Without the feature nothing can ask.
func (n *Node) BitLocker(ctx context.Context) (engine.BitLockerView, error) {
	var b struct {
		Available    *bool `json:"available"`
		Protection   *int  `json:"protection"`
		Protectors   []int `json:"protectors"`
		SuspendCount *int  `json:"suspend_count"`
	}
	if _, err := n.link.call(ctx, agent.OpBitLockerGet, struct{}{}, &b); err != nil {
		return engine.BitLockerView{}, err
	}
	if b.Available == nil {
		return engine.BitLockerView{}, missing(agent.OpBitLockerGet, n.Name(), "word about BitLocker")
	}
	if !*b.Available {
		return engine.BitLockerView{Known: true}, nil
	}
	if b.Protection == nil {
		return engine.BitLockerView{}, missing(agent.OpBitLockerGet, n.Name(), "protection status")
	}
	return bitLockerView(*b.Protection, b.Protectors, b.SuspendCount), nil
}

// bitLockerView judges Win32_EncryptableVolume's ProtectionStatus, its protectors and its SuspendCount. Suspended
// protection has a clear key on the drive and reads as off; it comes back after suspend restarts. A start is silent
// only with a TPM protector of its own; anything else waits for somebody.
func bitLockerView(protection int, protectors []int, suspend *int) engine.BitLockerView {
	const off, on = 0, 1
	v := engine.BitLockerView{Protected: protection == on}
	v.Known = protection == off || (v.Protected && len(protectors) > 0)
	if suspend != nil {
		v.Suspended = max(*suspend, 0)
	}
	silent, asks := false, false
	for _, p := range protectors {
		switch p {
		case protectorTPM:
			silent = true
		case protectorTPMAndPIN, protectorTPMAndKey, protectorTPMPINAndKey, protectorPassphrase:
			asks = true
		}
	}
	v.AsksAtStart = v.Known && v.Protected && v.Suspended == 0 && (asks || !silent)
	return v
}

// KeyProtectorType of Win32_EncryptableVolume.GetKeyProtectorType.
const (
	protectorTPM          = 1
	protectorTPMAndPIN    = 4
	protectorTPMAndKey    = 5
	protectorTPMPINAndKey = 6
	protectorPassphrase   = 8
)
