package model

import (
	"time"

	"cau/internal/winnode/agent"
)

// How long storage takes to notice that a node is back, and to repair.
const (
	repairDelay = 10 * time.Second
	repairTime  = 10 * time.Minute
)

// Numbers of root/Microsoft/Windows/Storage.
const (
	healthy       = 0
	warning       = 1
	operationalOK = 2
	degradedSpace = 3
	inService     = 11
	inMaintenance = 27
	jobRunning    = 4
	jobCompleted  = 7
)

// storage is the state of Storage Spaces Direct. stale nodes have copies that are not up to date.
type storage struct {
	disks  []string
	stale  map[*Node]bool
	repair *repair
	done   int
}

type repair struct{ began time.Time }

func (w *World) formStorage() {
	w.cluster.storage = storage{stale: map[*Node]bool{}}
	if w.scenario.S2D {
		w.cluster.storage.disks = []string{"Volume1", "Volume2"}
	}
}

func (n *Node) storageAway() bool { return n.phase == off || n.maintenance }

func (w *World) degraded() bool {
	if !w.scenario.S2D {
		return false
	}
	for _, n := range w.nodes {
		if n.storageAway() {
			return true
		}
	}
	return len(w.cluster.storage.stale) > 0
}

// storageLost notes that n's disks miss what is written from now on.
func (w *World) storageLost(n *Node) {
	if w.scenario.S2D {
		w.cluster.storage.stale[n] = true
	}
}

// storageBack begins the repair of n's copies, once its disks take part again.
func (w *World) storageBack(n *Node) {
	if !w.scenario.S2D || n.storageAway() || !w.cluster.storage.stale[n] {
		return
	}
	w.after(repairDelay, func() {
		if n.storageAway() || !w.cluster.storage.stale[n] || w.cluster.storage.repair != nil {
			return
		}
		r := &repair{began: w.now}
		w.cluster.storage.repair = r
		w.after(repairTime, func() {
			w.cluster.storage.repair = nil
			w.cluster.storage.done++
			for _, m := range w.nodes {
				if !m.storageAway() {
					delete(w.cluster.storage.stale, m)
				}
			}
		})
	})
}

func (w *World) storageView() agent.Storage {
	v := agent.Storage{VirtualDisks: []agent.VirtualDisk{}, Jobs: []agent.StorageJob{}, FaultDomains: []agent.FaultDomain{}}
	if !w.scenario.S2D {
		return v
	}
	s := &w.cluster.storage
	for _, name := range s.disks {
		d := agent.VirtualDisk{Name: name, Health: healthy, Operational: []int{operationalOK}}
		if w.degraded() {
			d.Health, d.Operational = warning, []int{degradedSpace}
			if s.repair != nil {
				d.Operational = []int{inService}
			}
		}
		v.VirtualDisks = append(v.VirtualDisks, d)
	}
	if s.done > 0 {
		v.Jobs = append(v.Jobs, agent.StorageJob{Name: "Repair", State: jobCompleted, Percent: 100})
	}
	if s.repair != nil {
		percent := int(100 * w.now.Sub(s.repair.began) / repairTime)
		v.Jobs = append(v.Jobs, agent.StorageJob{Name: "Repair", State: jobRunning, Percent: min(percent, 99)})
	}
	for _, n := range w.nodes {
		operational := []int{operationalOK}
		if n.maintenance {
			operational = []int{inMaintenance}
		}
		v.FaultDomains = append(v.FaultDomains, agent.FaultDomain{Name: n.name, Operational: operational})
	}
	return v
}

// setMaintenance enters or leaves storage maintenance mode of a node's disks. It refuses to take copies
// away while another node's are missing.
func (w *World) setMaintenance(a agent.StorageMaintenanceArgs) error {
	n, err := w.member(a.Node)
	if err != nil {
		return err
	}
	switch {
	case !w.scenario.S2D:
		return &refusal{"missing", "The cluster has no Storage Spaces Direct."}
	case n.maintenance == a.Enable:
		return nil
	case a.Enable && w.degraded():
		return &refusal{"refused", "A virtual disk is not healthy; its last copies would be taken away."}
	}
	n.maintenance = a.Enable
	if a.Enable {
		w.storageLost(n)
	} else {
		w.storageBack(n)
	}
	return nil
}
