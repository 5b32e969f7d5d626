package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"cau/internal/winnode/agent"
)

// refusal is an operation's failure that has no Windows number.
type refusal struct{ kind, text string }

func (e *refusal) Error() string { return e.text }

// coded is a refusal that names a Windows number too.
type coded struct {
	kind, text string
	code       int64
}

func (e *coded) Error() string { return e.text }

// hresult is a failure that has only an HRESULT, as 32 bits without sign.
type hresult struct {
	code int64
	text string
}

func (e *hresult) Error() string { return e.text }

// HasAgent tells whether the bundle that hash names was uploaded to the node.
func (n *Node) HasAgent(hash string) bool {
	defer n.world.lock()()
	return n.agentHash == hash && n.planted("agent") == nil
}

// PutAgent keeps the bundle that hash names on the node, and reports whether it was there already.
func (n *Node) PutAgent(hash string) agent.Response {
	defer n.world.lock()()
	if err := n.planted("agent"); err != nil {
		return n.respond(nil, err)
	}
	existed := n.agentHash == hash
	n.agentHash = hash
	return n.respond(agent.Installed{Path: agentFolder + hash + ".txt", Existed: existed}, nil)
}

// Operate performs one operation on the node, which must be up. The caller is signed in over the network. It
// returns at once but for job.run-here, which ends with its job.
func (n *Node) Operate(req agent.Request) agent.Response {
	unlock := n.world.lock()
	data, err := n.operate(req)
	if here, ok := data.(*job); ok && err == nil {
		life := n.bootLife
		unlock()
		select {
		case <-here.over:
		case <-life.Done():
		}
		unlock = n.world.lock()
		data = agent.JobStart{}
	}
	defer unlock()
	return n.respond(data, err)
}

func (n *Node) respond(data any, err error) agent.Response {
	r := agent.Response{V: agent.Version, OK: err == nil, Host: n.name, UTC: stamp(n.now())}
	if err == nil {
		r.Data, err = json.Marshal(data)
	}
	if err != nil {
		r.OK, r.Data, r.Err = false, nil, opError(err)
	}
	return r
}

// stamp is a time as the scripts write it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// opError says an error as the scripts do: an HRESULT that wraps a Win32 error is that error.
func opError(err error) *agent.OpError {
	if h := (*hresult)(nil); errors.As(err, &h) {
		if h.code&0xFFFF0000 == 0x80070000 {
			return &agent.OpError{Kind: "win32", Message: err.Error(), Code: h.code & 0xFFFF}
		}
		return &agent.OpError{Kind: "hresult", Message: err.Error(), Code: h.code}
	}
	if c := (*coded)(nil); errors.As(err, &c) {
		return &agent.OpError{Kind: c.kind, Message: err.Error(), Code: c.code}
	}
	if w := (*Win32Error)(nil); errors.As(err, &w) {
		return &agent.OpError{Kind: "win32", Message: err.Error(), Code: w.Code}
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		return &agent.OpError{Kind: r.kind, Message: err.Error()}
	}
	return &agent.OpError{Kind: "script", Message: err.Error()}
}

// decode reads an operation's arguments; a field that the operation does not have is an error.
func decode(args json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(args))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &refusal{"script", "arguments: " + err.Error()}
	}
	return nil
}

// operation is how one operation is performed.
type operation struct {
	do func(args json.RawMessage) (any, error)
	// member: only a node that takes part in the cluster answers.
	member bool
}

// with decodes arguments and performs an operation on them.
func with[A, D any](do func(A) (D, error)) func(json.RawMessage) (any, error) {
	return func(args json.RawMessage) (any, error) {
		var a A
		if err := decode(args, &a); err != nil {
			return nil, err
		}
		return do(a)
	}
}

// done is the answer of an operation that has none.
type done struct{}

// act is an operation that answers nothing.
func act[A any](do func(A) error) func(json.RawMessage) (any, error) {
	return with(func(a A) (done, error) { return done{}, do(a) })
}

// tell is an operation that only answers.
func tell[D any](do func() D) func(json.RawMessage) (any, error) {
	return func(json.RawMessage) (any, error) { return do(), nil }
}

// asks is an operation that needs no arguments and may fail.
func asks[D any](do func() (D, error)) func(json.RawMessage) (any, error) {
	return func(json.RawMessage) (any, error) { return do() }
}

func (n *Node) operate(req agent.Request) (any, error) {
	o, ok := n.operations()[req.Op]
	if !ok {
		return nil, &refusal{"missing", "there is no such operation"}
	}
	if agent.Fenced(req.Op) {
		if err := n.fence(req.Op, req.Epoch); err != nil {
			return nil, err
		}
	}
	if o.member {
		if err := n.world.serves(n); err != nil {
			return nil, err
		}
	}
	return o.do(req.Args)
}

// operations are all that a node can be asked for.
func (n *Node) operations() map[string]operation {
	w := n.world
	return map[string]operation{
		agent.OpHello:              {do: tell(n.hello)},
		agent.OpBootInfo:           {do: tell(n.bootInfo)},
		agent.OpPendingGet:         {do: tell(func() agent.Pending { return n.pending })},
		agent.OpUpdatersGet:        {do: asks(n.updaters)},
		agent.OpBackupGet:          {do: asks(n.backups)},
		agent.OpBitLockerGet:       {do: tell(n.bitLocker)},
		agent.OpNodeRoles:          {do: tell(n.roles), member: true},
		agent.OpNodeResidents:      {do: tell(n.residents), member: true},
		agent.OpQuotasGet:          {do: tell(n.quotas)},
		agent.OpHotfixList:         {do: with(n.listHotfixes)},
		agent.OpEventLogTail:       {do: with(n.tailLog)},
		agent.OpServiceStart:       {do: with(n.startService)},
		agent.OpNodeRestart:        {do: with(n.restart)},
		agent.OpNodeRestartAbort:   {do: tell(n.abortRestart)},
		agent.OpNodeClean:          {do: with(n.clean)},
		agent.OpShareDescribe:      {do: with(n.describeShare)},
		agent.OpShareApply:         {do: with(n.applyShare)},
		agent.OpFirewallRule:       {do: with(n.firewallRule)},
		agent.OpJobStart:           {do: with(n.startJob)},
		agent.OpJobRunHere:         {do: with(n.runHere)},
		agent.OpJobPoll:            {do: with(n.pollJob)},
		agent.OpJobList:            {do: with(n.listJobs)},
		agent.OpJobCancel:          {do: with(n.cancelJob)},
		agent.OpJobKill:            {do: with(n.killJob)},
		agent.OpJobDelete:          {do: with(n.deleteJob)},
		agent.OpPushOpen:           {do: with(n.openPush)},
		agent.OpPushClose:          {do: with(n.closePush)},
		agent.OpCheckpointPut:      {do: with(n.putCheckpoint)},
		agent.OpCheckpointGet:      {do: with(n.getCheckpoint)},
		agent.OpCheckpointDrop:     {do: with(n.dropCheckpoint)},
		agent.OpCauRuns:            {do: tell(n.cauRuns)},
		agent.OpCauPlugins:         {do: tell(n.cauPlugins)},
		agent.OpCauHotfixConfig:    {do: with(n.hotfixConfig)},
		agent.OpCauLockTake:        {do: provided(n, act(w.takeCauLock)), member: true},
		agent.OpCauLockRenew:       {do: provided(n, act(w.renewCauLock)), member: true},
		agent.OpCauLockDrop:        {do: provided(n, act(w.dropCauLock)), member: true},
		agent.OpLeaseTake:          {do: with(n.takeLease), member: true},
		agent.OpLeaseRenew:         {do: with(n.renewLease), member: true},
		agent.OpLeaseRead:          {do: tell(n.readLease), member: true},
		agent.OpLeaseDrop:          {do: with(n.dropLease), member: true},
		agent.OpClusterGet:         {do: tell(w.view), member: true},
		agent.OpClusterOffline:     {do: with(w.offlineCheck), member: true},
		agent.OpNodePause:          {do: act(w.pauseAsked), member: true},
		agent.OpNodeResume:         {do: act(w.resume), member: true},
		agent.OpGroupMove:          {do: act(w.moveGroup), member: true},
		agent.OpStorageGet:         {do: tell(w.storageView), member: true},
		agent.OpStorageMaintenance: {do: act(w.setMaintenance), member: true},
	}
}

func (w *World) offlineCheck(a agent.NodeArgs) (agent.OfflineCheck, error) {
	m, err := w.member(a.Node)
	if err != nil {
		return agent.OfflineCheck{}, err
	}
	return agent.OfflineCheck{LosesQuorum: w.losesQuorum(m)}, nil
}
