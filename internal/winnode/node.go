package winnode

import (
	"context"
	"strings"
	"sync"
	"time"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// Node is one node. It implements engine.Node. Safe for concurrent use.
type Node struct {
	fleet *Fleet
	link  *link

	mu   sync.Mutex
	last *boot // as it was seen last
}

var _ engine.Node = (*Node)(nil)

// Name is the node's cluster name.
func (n *Node) Name() string { return n.link.name }

// Describe reads what the node says about itself.
func (n *Node) Describe(ctx context.Context) (engine.NodeView, error) {
	var h agent.Hello
	r, err := n.link.call(ctx, agent.OpHello, struct{}{}, &h)
	if err != nil {
		return engine.NodeView{}, err
	}
	asked := n.fleet.cfg.Clock.Now()
	at, err := time.Parse(time.RFC3339Nano, r.UTC)
	if err != nil {
		return engine.NodeView{}, &fault.Error{Op: what(agent.OpHello), Node: n.Name(), Err: &transportError{err}}
	}
	v := engine.NodeView{
		Computer: agent.Printable(h.Computer, maxName), Domain: agent.Printable(h.Domain, maxName), Build: agent.Printable(h.Build, maxName),
		PowerShell: agent.Printable(h.PowerShell, maxName), LanguageMode: agent.Printable(h.LanguageMode, maxName), Admin: h.Admin,
		FreeBytes: h.FreeBytes, Time: at, Asked: asked, MaxEnvelopeKB: h.MaxEnvelopeKB, MaxShells: h.MaxShells,
		Fqdn: fqdn(h.Fqdn), Token: agent.Printable(h.Token, 20),
	}
	for _, s := range h.Namespaces {
		v.Namespaces = append(v.Namespaces, agent.Printable(s, maxName))
	}
	return v, nil
}

// fqdn is a DNS name as a node gave it; empty when it is none, because it may end in a header or a certificate's check.
func fqdn(name string) string {
	if !plainHost(name) || strings.ContainsAny(name, ":_") {
		return ""
	}
	return name
}

// Boot reads the boot identity and whether the node is ready. The identity stays the same while the node's clock is
// set, as long as its uptime proves that it did not restart (R21).
func (n *Node) Boot(ctx context.Context) (engine.BootView, error) {
	b, err := n.boot(ctx)
	if err != nil {
		return engine.BootView{}, err
	}
	const working = 2
	return engine.BootView{
		Identity: b.identity, Uptime: b.uptime,
		ServicingBusy: b.CBSServicing == working || b.TiWorker, LogonReady: b.AutoLogonChecked, ClusterService: b.ClusterService,
	}, nil
}

// PendingRestart reads the signals of a pending restart. A pending renaming of files is only a remark:
// anti-virus programs and printers leave one behind all the time. So is pending.xml, which says nothing that
// component servicing's own signal does not, and a new computer name, which is not an update's doing.
func (n *Node) PendingRestart(ctx context.Context) (engine.PendingView, error) {
	var p agent.Pending
	if _, err := n.link.call(ctx, agent.OpPendingGet, struct{}{}, &p); err != nil {
		return engine.PendingView{}, err
	}
	var v engine.PendingView
	for _, s := range []struct {
		set  bool
		text string
	}{
		{p.CBSRebootPending, "component servicing asks for a restart"},
		{p.CBSPackagesPending, "component servicing has packages pending"},
		{p.WURebootRequired, "Windows Update asks for a restart"},
		{p.UpdateExeVolatile, "an update package asks for a restart"},
	} {
		if s.set {
			v.Reasons = append(v.Reasons, s.text)
		}
	}
	for _, s := range []struct {
		set  bool
		text string
	}{
		{p.PendingXML, "servicing operations are left in pending.xml"},
		{p.PendingFileRename, "files are to be renamed at the next start"},
		{p.ComputerNamePending, "the computer is to get a new name at the next start"},
	} {
		if s.set {
			v.Remarks = append(v.Remarks, s.text)
		}
	}
	return v, nil
}

// Reconnect drops the connection; the next call makes a new one.
func (n *Node) Reconnect() { n.link.reset() }

// Clean removes what a run left on the node; an empty run removes every trace. The node refuses while a job
// still works there.
func (n *Node) Clean(ctx context.Context, run string) error {
	var c agent.Clean
	_, err := n.link.call(ctx, agent.OpNodeClean, agent.CleanArgs{Run: run}, &c)
	if err == nil && run == "" {
		n.link.forgetBundle()
	}
	return err
}
