package engine

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cau/internal/check"
)

// Checks of what others do on the nodes meanwhile (R12, R14), and of what would keep a node from coming back.

const (
	// leastEnvelopeKB is the size of message that we declare and need; Windows' own default is 500.
	leastEnvelopeKB = 150
	// leastShells lets a run, a preview and doctor each hold a shell at the same time; Windows' default is 30.
	leastShells = 3
)

func quotas(name string, v NodeView) check.Result {
	r := check.Result{ID: checkQuotas, Subject: name, Outcome: check.Pass, Evidence: fmt.Sprintf("WinRM takes messages of %d KB and %d shells of one user.", v.MaxEnvelopeKB, v.MaxShells)}
	switch {
	case v.MaxEnvelopeKB <= 0 || v.MaxShells <= 0:
		r.Outcome, r.Evidence, r.Remedy = check.CannotVerify, "The node did not say what WinRM's quotas are.", "Look at winrm get winrm/config there, or accept the check by its id."
	case v.MaxEnvelopeKB < leastEnvelopeKB:
		r.Outcome, r.Remedy = check.Fail, fmt.Sprintf("Set MaxEnvelopeSizekb to %d or more.", leastEnvelopeKB)
	case v.MaxShells < leastShells:
		r.Outcome, r.Remedy = check.Warn, fmt.Sprintf("Set MaxShellsPerUser to %d or more: each cau that looks at the node holds one shell.", leastShells)
	}
	return r
}

// updatersAtRest is the check before a run: what runs by itself is remarked on. Servicing that is under way is waited
// for before the node's drain (installsNothing).
func updatersAtRest(name string, a Answer[UpdatersView]) check.Result {
	if err := a.problem(); err != nil {
		return unverified(checkUpdaters, name, err)
	}
	v := a.Value
	var seen, remedies []string
	if v.Automatic {
		seen = append(seen, "Windows Update may install by itself: "+orElse(v.Setting, "its setting is not known"))
		remedies = append(remedies, "Turn automatic installation off by policy: it can restart a node in the middle of the run.")
	}
	if v.ConfigMgr {
		seen = append(seen, "a Configuration Manager client runs")
		remedies = append(remedies, "Keep its maintenance windows off the run.")
	}
	if v.Servicing {
		seen = append(seen, "something is being installed right now, and the run waits for it before it drains the node")
	}
	if len(seen) == 0 {
		return check.Result{ID: checkUpdaters, Subject: name, Outcome: check.Pass, Evidence: "Windows Update: " + orElse(v.Setting, "does not install by itself") + "; no Configuration Manager client runs; nothing is being installed."}
	}
	return check.Result{ID: checkUpdaters, Subject: name, Outcome: check.Warn, Evidence: capital(strings.Join(seen, "; ")) + ".", Remedy: orElse(strings.Join(remedies, " "), "Let it end.")}
}

// installsNothing is the gate before a node: it is not drained while somebody else installs there (R12).
func installsNothing(name string, a Answer[UpdatersView]) check.Result {
	r := updatersAtRest(name, a)
	if a.problem() == nil && a.Value.Servicing {
		r.Outcome, r.Evidence, r.Remedy = check.Fail, "Something that is not this run is being installed on "+name+".", "Let it end."
	}
	return r
}

// selfUpdating looks for CAU's own roles. Every node that answers knows all roles of the cluster.
func selfUpdating(o Observation, now time.Time) check.Result {
	if err := o.Cluster.problem(); err != nil {
		return unverified(checkSelfUpdating, "", err)
	}
	err, known := errNotAsked, false
	var roles []string
	var schedules []SelfUpdate
	for _, m := range o.Cluster.Value.Nodes {
		a := o.Nodes[m.Name].Updaters
		if e := a.problem(); e != nil {
			if !known {
				err = e
			}
			continue
		}
		known = true
		roles = append(roles, a.Value.SelfUpdating...)
		schedules = append(schedules, a.Value.Schedules...)
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	due := dueBefore(schedules, now, now.Add(o.Most))
	switch {
	case due != "" && o.Most > 0:
		return check.Result{ID: checkSelfUpdating, Outcome: check.Warn, Evidence: due + ", and this run may take until " + now.Add(o.Most).UTC().Format("2006-01-02 15:04 UTC") + ": " + strings.Join(roles, "; ") + ".", Remedy: "Disable-CauClusterRole before the run, and Enable-CauClusterRole afterwards; else no node is begun that may not be done by then."}
	case len(roles) > 0:
		return check.Result{ID: checkSelfUpdating, Outcome: check.Warn, Evidence: "The cluster updates itself: " + strings.Join(roles, "; ") + ".", Remedy: "Let no run of its schedule fall into this one: Disable-CauClusterRole, and Enable-CauClusterRole afterwards."}
	case !known:
		return unverified(checkSelfUpdating, "", err)
	}
	return check.Result{ID: checkSelfUpdating, Outcome: check.Pass, Evidence: "The cluster has no self-updating role of CAU."}
}

func noBackup(o Observation) check.Result {
	if err := o.Backups.problem(); err != nil {
		return unverified(checkBackup, "", err)
	}
	if len(o.Backups.Value) == 0 {
		return check.Result{ID: checkBackup, Outcome: check.Pass, Evidence: "No backup runs and no shared volume is in maintenance."}
	}
	return check.Result{ID: checkBackup, Outcome: check.Fail, Evidence: "Backup or maintenance: " + strings.Join(o.Backups.Value, "; ") + ".", Remedy: "Let it end."}
}

// startsAlone tells whether the node comes back from a restart with nobody at its console.
func startsAlone(name string, a Answer[BitLockerView]) check.Result {
	if err := a.problem(); err != nil {
		return unverified(checkBitLocker, name, err)
	}
	r := check.Result{ID: checkBitLocker, Subject: name, Outcome: check.Pass, Evidence: "The system drive is not protected by BitLocker."}
	switch v := a.Value; {
	case v.AsksAtStart:
		r.Outcome, r.Evidence = check.Fail, "BitLocker asks for a PIN, a password or a key when the node starts: it would not come back from a restart."
		r.Remedy = "Suspend the protection for the restarts (Suspend-BitLocker -MountPoint C: -RebootCount 3), or add a protector that asks for nothing."
	case !v.Known:
		r.Outcome, r.Evidence, r.Remedy = check.Warn, "The node cannot say how BitLocker protects its system drive.", "See that it starts without anybody at its console."
	case v.Suspended > 0:
		r.Evidence = fmt.Sprintf("BitLocker is suspended for %s.", plural(v.Suspended, "restart", "restarts"))
	case v.Protected:
		r.Evidence = "BitLocker protects the system drive and asks for nothing when the node starts."
	}
	return r
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
