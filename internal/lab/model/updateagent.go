package model

import (
	"fmt"
	"slices"
	"time"

	"cau/internal/winnode/agent"
)

// updateAgent is what Windows Update's agent on a node has done; ids are in lower case.
type updateAgent struct {
	downloaded map[string]bool
	// waiting are those that are installed but for a restart.
	waiting map[string]bool
	// failures counts how often one failed, downloads and installations apart.
	failures map[string]int
	history  []agent.HistoryEntry
	// lastScan is when automatic updates last searched by themselves.
	lastScan time.Time
}

func newUpdateAgent(lastScan time.Time) updateAgent {
	return updateAgent{lastScan: lastScan, downloaded: map[string]bool{}, waiting: map[string]bool{}, failures: map[string]int{}}
}

// OperationResultCode.
const (
	resultNotStarted = 0
	resultSucceeded  = 2
	resultFailed     = 4
)

// How long the agent works.
const (
	searchTime    = 6 * time.Second
	updateTime    = 30 * time.Second
	downloadSpeed = 50 << 20 // bytes a second
)

// scanUpdates is the job that asks the agent what there is.
func (n *Node) scanUpdates(j *job, in agent.UpdatesQuery) error {
	if in.Criteria == "" || len(in.Criteria) > maxCriteria {
		return &refusal{"refused", "the criteria of the search are empty or too long"}
	}
	if err := firstOf(checkService(in), j.networkLogon()); err != nil {
		return err
	}
	j.event("searching", in.Criteria, 0, 0)
	n.later(j, searchTime, func() {
		list, err := n.search(in)
		if err != nil {
			j.finish(nil, err)
			return
		}
		out := agent.UpdatesScanOutput{
			ResultCode: resultSucceeded, Updates: []agent.FoundUpdate{}, Warnings: []agent.UpdateWarning{},
		}
		if in.ServerSelection <= 1 {
			_, _, out.Server = n.updatePolicy()
		}
		out.Source = serviceName(in, out.Server)
		if !n.updates.lastScan.IsZero() {
			out.LastScan = n.updates.lastScan.UTC().Format(time.RFC3339Nano)
		}
		for _, u := range list {
			out.Updates = append(out.Updates, n.found(u))
		}
		j.event("found", fmt.Sprintf("result code %d", out.ResultCode), int64(len(out.Updates)), int64(len(out.Updates)))
		j.finish(out, nil)
	})
	return nil
}

// later goes on with a job, unless something ended it.
func (n *Node) later(j *job, d time.Duration, act func()) {
	n.during(d, func() {
		if j.process {
			act()
		}
	})
}

// askRestart is Microsoft.Update.SystemInfo.RebootRequired.
func (n *Node) askRestart(j *job, _ struct{}) error {
	if err := j.networkLogon(); err != nil {
		return err
	}
	j.finish(agent.RestartRequired{Required: n.pending.WURebootRequired}, nil)
	return nil
}

// work goes through updates, one call of the agent for each.
type work struct {
	job   *job
	in    agent.UpdatesWorkInput
	known []*Update
	out   agent.UpdatesWorkOutput
	// there tells whether an update is done already; one works on it and says the result later.
	there func(u *Update) bool
	one   func(u *Update, done func(agent.UpdateResult))
	verb  string
}

func (n *Node) downloadUpdates(j *job, in agent.UpdatesWorkInput) error {
	there := func(u *Update) bool { return n.updates.downloaded[key(u.ID)] }
	return n.workThrough(&work{job: j, in: in, there: there, one: n.download(j), verb: "downloading"})
}

func (n *Node) installUpdates(j *job, in agent.UpdatesWorkInput) error {
	return n.workThrough(&work{job: j, in: in, there: n.hasUpdate, one: n.installOne(j), verb: "installing"})
}

// workThrough looks for the updates by their ids first: what the agent does not offer cannot be worked on.
func (n *Node) workThrough(w *work) error {
	if len(w.in.Updates) > maxStageFiles {
		return &refusal{"refused", "too many updates for one job"}
	}
	for _, u := range w.in.Updates {
		if !guidShape.MatchString(key(u.ID)) || u.Revision < 0 {
			return &refusal{"refused", "an update of the order has no id or revision"}
		}
	}
	if err := firstOf(checkService(w.in.UpdatesQuery), w.job.networkLogon()); err != nil {
		return err
	}
	w.job.event("searching", fmt.Sprintf("for %d updates", len(w.in.Updates)), 0, int64(len(w.in.Updates)))
	n.later(w.job, searchTime, func() {
		w.known = n.offered(w.in.UpdatesQuery)
		w.out.Results = []agent.UpdateResult{}
		n.next(w)
	})
	return nil
}

// next works on the update after those that have results.
func (n *Node) next(w *work) {
	total := int64(len(w.in.Updates))
	for len(w.out.Results) < len(w.in.Updates) {
		id := w.in.Updates[len(w.out.Results)]
		name := fmt.Sprintf("%s %d", key(id.ID), id.Revision)
		u := n.world.update(id)
		add := func(kind, message string, r agent.UpdateResult) {
			r.UpdateID = id
			w.out.Results = append(w.out.Results, r)
			w.job.event(kind, message, int64(len(w.out.Results)), total)
		}
		switch {
		case w.job.cancelled:
			add("cancelled", "before "+name, agent.UpdateResult{ResultCode: resultNotStarted})
		case u == nil || !slices.Contains(w.known, u):
			add("missing", name, agent.UpdateResult{Missing: true})
		case w.there(u):
			add("present", u.Title, agent.UpdateResult{AlreadyDone: true, ResultCode: resultSucceeded})
		case u.Eula:
			add("skipped", u.Title, agent.UpdateResult{HResult: wuEulasDeclined})
		case u.AsksUser:
			add("skipped", u.Title, agent.UpdateResult{HResult: wuNoInteractiveUser})
		default:
			w.job.event(w.verb, u.Title, int64(len(w.out.Results)), total)
			w.one(u, func(r agent.UpdateResult) {
				if !w.job.process {
					return
				}
				add("ended", fmt.Sprintf("%s result %d hresult %d restart %t", name, r.ResultCode, r.HResult, r.RestartRequired), r)
				n.next(w)
			})
			return
		}
	}
	w.out.RestartRequired = n.pending.WURebootRequired
	w.job.finish(w.out, nil)
}

// update finds an update exactly (R08).
func (w *World) update(id agent.UpdateID) *Update {
	for i := range w.catalogue {
		if u := &w.catalogue[i]; is(u.ID, id.ID) && u.Revision == id.Revision {
			return u
		}
	}
	return nil
}

func failure(code int64) agent.UpdateResult {
	return agent.UpdateResult{ResultCode: resultFailed, HResult: code}
}

// fails tells whether this attempt fails, and counts it.
func (n *Node) fails(u *Update, code HResult, what string) bool {
	if code == 0 || len(u.FailsOn) > 0 && !names(u.FailsOn, n.name) {
		return false
	}
	id := what + key(u.ID)
	if u.FailsTimes > 0 && n.updates.failures[id] >= u.FailsTimes {
		return false
	}
	n.updates.failures[id]++
	return true
}

func (n *Node) download(j *job) func(*Update, func(agent.UpdateResult)) {
	return func(u *Update, done func(agent.UpdateResult)) {
		id := key(u.ID)
		n.later(j, time.Second+time.Duration(u.Bytes)*time.Second/downloadSpeed, func() {
			switch {
			case n.fails(u, u.DownloadFails, "download "):
				done(failure(int64(u.DownloadFails)))
			case n.free < u.Bytes:
				done(failure(0x80070070))
			default:
				n.updates.downloaded[id] = true
				n.free -= u.Bytes
				done(agent.UpdateResult{ResultCode: resultSucceeded})
			}
		})
	}
}

func (n *Node) installOne(j *job) func(*Update, func(agent.UpdateResult)) {
	return func(u *Update, done func(agent.UpdateResult)) {
		switch {
		case n.phase != running:
			done(failure(wuShutdownInProgress))
			return
		case !n.updates.downloaded[key(u.ID)]:
			done(failure(wuNotDownloaded))
			return
		case u.Exclusive && n.pending.WURebootRequired:
			done(failure(wuInstallNotAllowed))
			return
		}
		entry := &Install{Run: j.run, Job: j.id, Update: u.ID, File: u.Title, Start: n.world.now, Agent: true, windows: true}
		n.begins(entry)
		if entry.Overlap {
			n.agentEnds(entry, wuInstallNotAllowed)
			done(failure(wuInstallNotAllowed))
			return
		}
		takes := updateTime
		if u.Seconds > 0 {
			takes = seconds(u.Seconds)
		}
		// The agent goes on with an installation whatever becomes of the job.
		n.during(takes, func() {
			if n.fails(u, u.Fails, "install ") {
				n.agentEnds(entry, int64(u.Fails))
				done(failure(int64(u.Fails)))
				return
			}
			entry.Installed = true
			n.agentEnds(entry, 0)
			done(agent.UpdateResult{ResultCode: resultSucceeded, RestartRequired: n.agentInstalled(u)})
		})
	}
}

// agentEnds is the end of one installation by the agent.
func (n *Node) agentEnds(entry *Install, code int64) {
	n.over(entry, code)
	const provider = "Microsoft-Windows-WindowsUpdateClient"
	if entry.Installed {
		n.addHistory(entry.File, resultSucceeded, 0)
		n.note(logSystem, provider, 19, levelInformation, "Installation Successful: Windows successfully installed the following update: "+entry.File)
		return
	}
	n.addHistory(entry.File, resultFailed, code)
	n.note(logSystem, provider, 20, levelError, fmt.Sprintf("Installation Failure: Windows failed to install the following update with error 0x%08X: %s.", uint32(code), entry.File))
}

// agentInstalled keeps what a successful installation leaves, and tells whether it needs a restart.
func (n *Node) agentInstalled(u *Update) (restart bool) {
	n.installed[key(u.ID)] = true
	if !u.Driver {
		n.addHotfix(u.KBs, "Update")
	}
	if u.Reboot != 1 && (u.Reboot != 2 || !u.Restarts) {
		return false
	}
	n.updates.waiting[key(u.ID)] = true
	n.pending.WURebootRequired = true
	n.pending.CBSRebootPending = true
	return true
}

// restarted completes what waited for a restart; what rolls back is offered again.
func (n *Node) agentRestarted() {
	for i := range n.world.catalogue {
		u := &n.world.catalogue[i]
		if !n.updates.waiting[key(u.ID)] {
			continue
		}
		delete(n.updates.waiting, key(u.ID))
		if u.RollsBack {
			delete(n.installed, key(u.ID))
			n.addHistory(u.Title, resultFailed, 0x800F0922)
			for _, kb := range u.KBs {
				n.hotfixes = slices.DeleteFunc(n.hotfixes, func(h agent.Hotfix) bool { return h.ID == kbName(kb) })
			}
		}
	}
}
