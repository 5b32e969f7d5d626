package model

import (
	"bytes"
	"encoding/json"
	"time"

	"cau/internal/winnode/agent"
)

// job is one SYSTEM scheduled task with its files. It knows nothing of WinRM: only a restart ends it early,
// and then its files stay and no result ever comes.
type job struct {
	node        *Node
	id, run     string
	kind, input string
	beat        time.Time
	boot        int
	state       int
	process     bool
	events      []byte
	seq         int
	result      string
	end         func()
}

// Task states (Task Scheduler).
const (
	taskQueued  = 2
	taskReady   = 3
	taskRunning = 4
)

const (
	taskStart = 2 * time.Second
	heartbeat = 5 * time.Second
	// maxEvents is how many bytes of events one poll answers.
	maxEvents = 64 << 10
	// maxJobs bounds the jobs a node keeps.
	maxJobs = 4096
)

// startJob registers and starts a task. The same id is the same job: starting it again attaches.
func (n *Node) startJob(a agent.JobStartArgs) (agent.JobStart, error) {
	if !validName(a.ID) || !validName(a.Run) {
		return agent.JobStart{}, errName()
	}
	if j, ok := n.jobs[a.Run+`\`+a.ID]; ok {
		if j.kind != a.Kind || j.input != a.Input {
			return agent.JobStart{}, &refusal{"refused", "a job of this id exists and is another one"}
		}
		return agent.JobStart{Existed: true, TaskState: j.state}, nil
	}
	if len(n.jobs) >= maxJobs {
		return agent.JobStart{}, &refusal{"refused", "too many jobs; clean the node"}
	}
	j := &job{node: n, id: a.ID, run: a.Run, kind: a.Kind, input: a.Input, boot: n.boots, state: taskQueued}
	var begin func() error
	switch a.Kind {
	case agent.JobStage:
		var in agent.StageInput
		if err := decode([]byte(a.Input), &in); err != nil {
			return agent.JobStart{}, err
		}
		begin = func() error { return n.stage(j, in) }
	case agent.JobInstaller:
		var in agent.InstallerInput
		if err := decode([]byte(a.Input), &in); err != nil {
			return agent.JobStart{}, err
		}
		begin = func() error { return n.install(j, in) }
	default:
		return agent.JobStart{}, &refusal{"missing", "there is no such kind of job"}
	}
	n.jobs[a.Run+`\`+a.ID] = j
	n.during(taskStart, func() {
		j.state, j.process = taskRunning, true
		j.event("started", a.Kind, 0, 0)
		if err := begin(); err != nil {
			j.finish(nil, err)
		}
	})
	return agent.JobStart{TaskState: j.state}, nil
}

// event appends a line to the job's event file.
func (j *job) event(kind, message string, done, total int64) {
	j.seq++
	line, err := json.Marshal(agent.JobEvent{
		Seq: j.seq, UTC: stamp(j.node.world.now), Kind: kind, Message: message, Done: done, Total: total,
	})
	if err == nil {
		j.events = append(append(j.events, line...), '\n')
	}
}

// finish writes the result and ends the process. A job that a restart ended stays without a result.
func (j *job) finish(data any, err error) {
	if !j.process {
		return
	}
	r := agent.JobResult{OK: err == nil}
	if err == nil {
		r.Data, err = json.Marshal(data)
	}
	if err != nil {
		r = agent.JobResult{Err: opError(err)}
	}
	if text, err := json.Marshal(r); err == nil {
		j.result = string(text)
	}
	j.stop()
}

// stop ends the process as it is.
func (j *job) stop() {
	if j.end != nil {
		j.end()
		j.end = nil
	}
	if j.process {
		j.beat = j.node.world.now.Truncate(heartbeat)
	}
	j.process = false
	j.state = taskReady
}

// pollJob reads what is new of a job's files.
func (n *Node) pollJob(a agent.JobPollArgs) (agent.JobPoll, error) {
	if !validName(a.ID) || !validName(a.Run) {
		return agent.JobPoll{}, errName()
	}
	j, ok := n.jobs[a.Run+`\`+a.ID]
	if !ok {
		return agent.JobPoll{Events: []string{}}, nil
	}
	if a.Offset < 0 || a.Offset > int64(len(j.events)) {
		return agent.JobPoll{}, &refusal{"refused", "the offset is beyond the job's events"}
	}
	p := agent.JobPoll{
		Exists: true, TaskState: j.state, ProcessAlive: j.process, NextOffset: a.Offset, Events: []string{}, Result: j.result,
	}
	switch {
	case j.process:
		p.HeartbeatUTC = stamp(n.world.now.Truncate(heartbeat))
	case !j.beat.IsZero():
		p.HeartbeatUTC = stamp(j.beat)
	}
	rest := j.events[a.Offset:]
	for {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found || p.NextOffset-a.Offset+int64(len(line)) > maxEvents && len(p.Events) > 0 {
			return p, nil
		}
		p.Events = append(p.Events, string(line))
		p.NextOffset += int64(len(line)) + 1
		rest = after
	}
}
