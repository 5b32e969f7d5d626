package winnode

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// History is what is installed on a node, and what its update agent did, newest first.
type History struct {
	Installed []agent.Hotfix
	Entries   []HistoryEntry
}

// HistoryEntry is one entry of the update agent's history.
type HistoryEntry struct {
	// Time is by the node's clock, zero where it cannot be read.
	Time  time.Time
	Title string
	// Operation is 1 install, 2 uninstall; Result an OperationResultCode (2 succeeded, 3 with errors, 4 failed, 5 aborted).
	Operation, Result int
	HResult           fault.Code
}

// Hotfixes lists at most limit (1 to 500) of each: installed updates and the update agent's history.
func (n *Node) Hotfixes(ctx context.Context, limit int) (History, error) {
	const most = 500
	limit = min(max(limit, 1), most)
	var h agent.Hotfixes
	if _, err := n.link.call(ctx, agent.OpHotfixList, agent.HotfixListArgs{Max: limit}, &h); err != nil {
		return History{}, err
	}
	var out History
	for _, f := range h.Installed[:min(len(h.Installed), limit)] {
		out.Installed = append(out.Installed, agent.Hotfix{
			ID: agent.Printable(f.ID, 40), Description: agent.Printable(f.Description, maxName), InstalledOn: agent.Printable(f.InstalledOn, 40),
		})
	}
	for _, e := range h.History[:min(len(h.History), limit)] {
		at, _ := time.Parse(time.RFC3339Nano, e.UTC) // zero where it cannot be read
		out.Entries = append(out.Entries, HistoryEntry{
			Time: at, Title: agent.Printable(e.Title, maxMessage), Operation: e.Operation, Result: e.Result, HResult: fault.CodeOf(e.HResult),
		})
	}
	return out, nil
}

// Installed reads the build and the ids of what is installed: the newest 500 that Win32_QuickFixEngineering lists.
func (n *Node) Installed(ctx context.Context) (engine.InstalledView, error) {
	const most = 500
	view, err := n.Describe(ctx)
	if err != nil {
		return engine.InstalledView{}, err
	}
	h, err := n.Hotfixes(ctx, most)
	if err != nil {
		return engine.InstalledView{}, err
	}
	out := engine.InstalledView{Build: view.Build, Updates: make([]string, 0, len(h.Installed))}
	for _, f := range h.Installed {
		if f.ID != "" {
			out.Updates = append(out.Updates, f.ID)
		}
	}
	return out, nil
}

// EventRecord is one record of a Windows event log.
type EventRecord struct {
	// Time is by the node's clock, zero where it cannot be read.
	Time     time.Time
	Provider string
	ID       int
	// Level is 1 critical, 2 error, 3 warning, 4 information, 0 always.
	Level   int
	Message string
}

// EventLog reads the newest records of a log since a time (zero: from its beginning), at most limit (1 to 200).
func (n *Node) EventLog(ctx context.Context, log string, since time.Time, limit int) ([]EventRecord, error) {
	if log == "" || log != agent.Printable(log, maxName) {
		return nil, &fault.Error{Op: what(agent.OpEventLogTail), Node: n.Name(), Err: errors.New("the log's name is empty, too long or not printable")}
	}
	const most = 200
	args := agent.EventLogArgs{Log: log, Max: min(max(limit, 1), most)}
	if !since.IsZero() {
		args.Since = since.UTC().Format(time.RFC3339Nano)
	}
	var l agent.EventLog
	if _, err := n.link.call(ctx, agent.OpEventLogTail, args, &l); err != nil {
		return nil, err
	}
	out := make([]EventRecord, 0, min(len(l.Records), args.Max))
	for _, r := range l.Records[:min(len(l.Records), args.Max)] {
		at, _ := time.Parse(time.RFC3339Nano, r.UTC) // zero where it cannot be read
		out = append(out, EventRecord{
			Time: at, Provider: agent.Printable(r.Provider, maxName), ID: r.ID, Level: r.Level, Message: agent.Printable(r.Message, 4*maxMessage),
		})
	}
	return out, nil
}

// Quotas reads WinRM's limits and protections on the node.
func (n *Node) Quotas(ctx context.Context) (agent.Quotas, error) {
	var q agent.Quotas
	if _, err := n.link.call(ctx, agent.OpQuotasGet, struct{}{}, &q); err != nil {
		return q, err
	}
	q.Proxy = agent.Printable(q.Proxy, maxMessage)
	return q, nil
}

// ServiceState is a Windows service's state (ServiceControllerStatus).
type ServiceState int

// The states that callers branch on; there are pending ones between them.
const (
	ServiceStopped ServiceState = 1
	ServiceRunning ServiceState = 4
)

// StartService starts one of the services that updating needs, and says what state it is in then, which may be
// starting (2). A service that runs is left alone.
func (n *Node) StartService(ctx context.Context, name string) (ServiceState, error) {
	switch name {
	case "ClusSvc", "wuauserv", "BITS", "TrustedInstaller":
	default:
		return 0, &fault.Error{Op: what(agent.OpServiceStart), Node: n.Name(), Err: fmt.Errorf("%q is none of the services that are started from here", agent.Printable(name, 40))}
	}
	var s agent.ServiceState
	if _, err := n.link.call(ctx, agent.OpServiceStart, agent.ServiceStartArgs{Name: name}, &s); err != nil {
		return 0, err
	}
	if s.State < int(ServiceStopped) || s.State > 7 {
		return 0, missing(agent.OpServiceStart, n.Name(), "state of the service")
	}
	return ServiceState(s.State), nil
}
