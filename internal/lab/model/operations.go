package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// refusal is an operation's failure that has no Windows number.
type refusal struct{ kind, text string }

func (e *refusal) Error() string { return e.text }

// HasAgent tells whether the bundle that hash names was uploaded to the node.
func (n *Node) HasAgent(hash string) bool {
	defer n.world.lock()()
	return n.agentHash == hash
}

// PutAgent keeps the bundle that hash names on the node, and reports whether it was there already.
func (n *Node) PutAgent(hash string) agent.Response {
	defer n.world.lock()()
	existed := n.agentHash == hash
	n.agentHash = hash
	return n.respond(agent.Installed{Path: agentFolder + hash + ".txt", Existed: existed}, nil)
}

// Operate performs one operation on the node, which must be up.
func (n *Node) Operate(req agent.Request) agent.Response {
	defer n.world.lock()()
	return n.respond(n.operate(req))
}

func (n *Node) respond(data any, err error) agent.Response {
	r := agent.Response{V: agent.Version, OK: err == nil, Host: n.name, UTC: stamp(n.world.now)}
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

func opError(err error) *agent.OpError {
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

// with decodes arguments and performs an operation on them.
func with[A, D any](args json.RawMessage, do func(A) (D, error)) (any, error) {
	var a A
	if err := decode(args, &a); err != nil {
		return nil, err
	}
	return do(a)
}

// done is the answer of an operation that has none.
type done struct{}

func act[A any](do func(A) error) func(A) (done, error) {
	return func(a A) (done, error) { return done{}, do(a) }
}

func (n *Node) operate(req agent.Request) (any, error) {
	switch req.Op {
	case agent.OpHello:
		return n.hello(), nil
	case agent.OpBootInfo:
		return n.bootInfo(), nil
	case agent.OpPendingGet:
		return n.pending, nil
	case agent.OpNodeRestart:
		return with(req.Args, n.restart)
	case agent.OpNodeRestartAbort:
		return n.abortRestart(), nil
	case agent.OpNodeClean:
		return with(req.Args, n.clean)
	case agent.OpJobStart:
		return with(req.Args, n.startJob)
	case agent.OpJobPoll:
		return with(req.Args, n.pollJob)
	case agent.OpCauRuns:
		return n.world.cauRuns(), nil
	}
	return n.world.operate(n, req)
}

// operate performs an operation that the cluster answers, on n as one of its members.
func (w *World) operate(n *Node, req agent.Request) (any, error) {
	member := []string{
		agent.OpClusterGet, agent.OpClusterOffline, agent.OpNodePause, agent.OpNodeResume,
		agent.OpStorageGet, agent.OpStorageMaintenance,
	}
	if !slices.Contains(member, req.Op) {
		return nil, &refusal{"missing", "there is no such operation"}
	}
	if err := w.serves(n); err != nil {
		return nil, err
	}
	switch req.Op {
	case agent.OpClusterGet:
		return w.view(), nil
	case agent.OpClusterOffline:
		return with(req.Args, func(a agent.NodeArgs) (agent.OfflineCheck, error) {
			m, err := w.member(a.Node)
			if err != nil {
				return agent.OfflineCheck{}, err
			}
			return agent.OfflineCheck{LosesQuorum: w.losesQuorum(m)}, nil
		})
	case agent.OpNodePause:
		return with(req.Args, act(w.pause))
	case agent.OpNodeResume:
		return with(req.Args, act(w.resume))
	case agent.OpStorageGet:
		return w.storageView(), nil
	default:
		return with(req.Args, act(w.setMaintenance))
	}
}

func (w *World) cauRuns() agent.CauRuns {
	runs := agent.CauRuns{Available: true, Runs: []string{}, Nodes: []string{}}
	if w.cluster.foreignRun != "" {
		runs.Runs = append(runs.Runs, w.cluster.foreignRun)
	}
	return runs
}

// clean removes what a run left on the node, or every trace; nothing while one of its jobs works.
func (n *Node) clean(a agent.CleanArgs) (agent.Clean, error) {
	out := agent.Clean{Removed: []string{}}
	if a.Run != "" && !validName(a.Run) {
		return out, errName()
	}
	for _, j := range n.jobs {
		if (a.Run == "" || j.run == a.Run) && j.process {
			return out, &refusal{"refused", "job " + j.id + " still works"}
		}
	}
	gone := map[string]bool{}
	for name, j := range n.jobs {
		if a.Run == "" || j.run == a.Run {
			gone[taskFolder+j.run+"."+j.id] = true
			gone[jobsFolder+j.run] = true
			delete(n.jobs, name)
		}
	}
	for name, f := range n.disk {
		if run := runOf(f.path); a.Run == "" || run == a.Run {
			gone[runFolder(run)] = true
			n.free += f.size
			delete(n.disk, name)
		}
	}
	if a.Run == "" && n.agentHash != "" {
		gone[agentFolder+n.agentHash+".txt"] = true
		n.agentHash = ""
	}
	for folder := range gone {
		out.Removed = append(out.Removed, folder)
	}
	slices.Sort(out.Removed)
	return out, nil
}

// The node's folders (R17).
const (
	workFolder  = `C:\Program Files\cau`
	runsFolder  = workFolder + `\runs\`
	jobsFolder  = workFolder + `\jobs\`
	agentFolder = workFolder + `\agent\`
	taskFolder  = `\cau\`
)

func runFolder(run string) string { return runsFolder + run }

// runOf is the run that a path of our working folder belongs to.
func runOf(path string) string {
	run, _, _ := strings.Cut(strings.TrimPrefix(path, runsFolder), `\`)
	return run
}
