package model

import (
	"bytes"
	"encoding/json"
	"time"

	"cau/internal/winnode/agent"
)

// job is one SYSTEM scheduled task with its files, or a script in the caller's own logon. It knows nothing of
// WinRM: only a restart or job.kill ends it early, and then its files stay and no result ever comes.
type job struct {
	node        *Node
	id, run     string
	kind, input string
	begin       func() error
	// here: it runs in the caller's logon; there is no task.
	here bool
	// claimed: its process started once; it never starts again.
	claimed bool
	beat    time.Time
	boot    int
	state   int
	process bool
	// child is what it started and waits for; it may outlive the job's own process.
	child     *child
	cancelled bool
	events    []byte
	seq       int
	result    string
	last      int64
	end       func()
	over      chan struct{}
}

// Task states (Task Scheduler) and results of tasks.
const (
	taskQueued  = 2
	taskReady   = 3
	taskRunning = 4

	resultRunning    = 0x41301
	resultNotRun     = 0x41303
	resultTerminated = 0x41306
	resultQueued     = 0x41325
	// resultShutdown is DBG_TERMINATE_PROCESS, which processes get that a shutdown ends.
	resultShutdown = 0x40010004
)

const (
	taskStart = 2 * time.Second
	heartbeat = 5 * time.Second
	// maxEvents is how many bytes of events one poll answers.
	maxEvents = 64 << 10
	// maxJobs bounds the jobs a node keeps.
	maxJobs = 4096

	errRequestRefused = 4320 // ERROR_REQUEST_REFUSED, the Win32 error in 0x800710E0
)

// plan decodes a job's input and says how the job begins.
func (n *Node) plan(j *job) error {
	switch j.kind {
	case agent.JobStage:
		return plannedAs(j, n.stage)
	case agent.JobInstaller:
		return plannedAs(j, n.install)
	case agent.JobShareProbe:
		return plannedAs(j, n.probe)
	case agent.JobShareHash:
		return plannedAs(j, n.hash)
	case agent.JobScript:
		return plannedAs(j, n.script)
	case agent.JobFileRead:
		return plannedAs(j, n.readFile)
	case agent.JobFileWrite:
		return plannedAs(j, n.writeFile)
	case agent.JobUpdatesScan:
		return plannedAs(j, n.scanUpdates)
	case agent.JobUpdatesDownload:
		return plannedAs(j, n.downloadUpdates)
	case agent.JobUpdatesInstall:
		return plannedAs(j, n.installUpdates)
	case agent.JobCauScan:
		return plannedAs(j, n.cauScan)
	case agent.JobUpdatesRestart:
		return plannedAs(j, n.askRestart)
	}
	return &refusal{"missing", "there is no such kind of job"}
}

func plannedAs[I any](j *job, do func(*job, I) error) error {
	var in I
	if err := decode([]byte(j.input), &in); err != nil {
		return err
	}
	j.begin = func() error { return do(j, in) }
	return nil
}

// startJob registers and starts a task. The same id is the same job: starting it again attaches, and starts it
// only if it never began.
func (n *Node) startJob(a agent.JobStartArgs) (agent.JobStart, error) {
	j, existed, err := n.job(a, false)
	if err != nil {
		return agent.JobStart{}, err
	}
	if existed && (j.claimed || j.state == taskQueued) {
		return agent.JobStart{Existed: true, TaskState: j.state}, nil
	}
	if n.refusesTask() {
		j.state, j.last = taskReady, resultNotRun
		return agent.JobStart{}, win32(errRequestRefused, "The operator or administrator has refused the request.")
	}
	j.state, j.last, j.boot = taskQueued, resultQueued, n.boots
	n.during(taskStart, j.started)
	return agent.JobStart{TaskState: j.state}, nil
}

// job finds the job of an id, or registers it.
func (n *Node) job(a agent.JobStartArgs, here bool) (j *job, existed bool, err error) {
	if !validName(a.ID) || !validName(a.Run) {
		return nil, false, errName()
	}
	if err := n.plantedJob(a.Run, a.ID); err != nil {
		return nil, false, err
	}
	if j, ok := n.jobs[a.Run+`\`+a.ID]; ok {
		if j.kind != a.Kind || j.input != a.Input || j.here != here {
			return nil, true, &refusal{"refused", "a job of this id exists and is another one"}
		}
		return j, true, nil
	}
	if len(n.jobs) >= maxJobs {
		return nil, false, &refusal{"refused", "too many jobs; clean the node"}
	}
	j = &job{node: n, id: a.ID, run: a.Run, kind: a.Kind, input: a.Input, boot: n.boots, here: here, over: make(chan struct{})}
	if err := n.plan(j); err != nil {
		return nil, false, err
	}
	n.jobs[a.Run+`\`+a.ID] = j
	return j, false, nil
}

// plantedJob refuses a job whose folders or task folder are not ours.
func (n *Node) plantedJob(run, id string) error {
	return firstOf(n.planted(`jobs\`+run+`\`+id), n.plantedTasks())
}

// started is the moment at which the job's process begins.
func (j *job) started() {
	if j.claimed {
		return
	}
	j.claimed, j.process, j.last = true, true, resultRunning
	if !j.here {
		j.state = taskRunning
	}
	j.event("started", j.kind, 0, 0)
	var err error
	if j.cancelled {
		err = errCancelled()
	} else {
		err = j.begin()
	}
	if err != nil {
		j.finish(nil, err)
	}
}

// alive tells whether the job, or what it started, still runs.
func (j *job) alive() bool { return j.process || j.child != nil }

// works tells whether the job must be left alone: it runs, or its task is about to.
func (j *job) works() bool { return j.alive() || j.state == taskQueued || j.state == taskRunning }

// event appends a line to the job's event file.
func (j *job) event(kind, message string, done, total int64) {
	j.seq++
	line, err := json.Marshal(agent.JobEvent{
		Seq: j.seq, UTC: stamp(j.node.now()), Kind: kind, Message: message, Done: done, Total: total,
	})
	if err == nil {
		j.events = append(append(j.events, line...), '\n')
	}
}

// finish writes the result and ends the process. A job that was ended stays without a result.
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
	j.stop(0)
}

// stop ends the process as it is.
func (j *job) stop(last int64) {
	if j.end != nil {
		j.end()
		j.end = nil
	}
	if j.process {
		j.beat = j.node.now().Truncate(heartbeat)
		j.last = last
		close(j.over)
	}
	if !j.claimed && j.state == taskQueued {
		j.last = resultNotRun
	}
	j.process = false
	if !j.here {
		j.state = taskReady
	}
}

// pollJob reads what is new of a job's files.
func (n *Node) pollJob(a agent.JobPollArgs) (agent.JobPoll, error) {
	if !validName(a.ID) || !validName(a.Run) {
		return agent.JobPoll{}, errName()
	}
	if err := n.planted(`jobs\` + a.Run + `\` + a.ID); err != nil {
		return agent.JobPoll{}, err
	}
	j, ok := n.jobs[a.Run+`\`+a.ID]
	if !ok {
		return agent.JobPoll{NextOffset: a.Offset, Events: []string{}}, nil
	}
	if err := n.plantedTasks(); err != nil {
		return agent.JobPoll{}, err
	}
	if a.Offset < 0 || a.Offset > int64(len(j.events)) {
		return agent.JobPoll{}, &refusal{"refused", "the offset is beyond the job's events"}
	}
	p := agent.JobPoll{
		Exists: true, TaskState: j.state, ProcessAlive: j.alive(), HeartbeatUTC: j.heartbeat(), NextOffset: a.Offset,
		Events: []string{}, Result: j.result,
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

func (j *job) heartbeat() string {
	switch {
	case j.process:
		return stamp(j.node.now().Truncate(heartbeat))
	case !j.beat.IsZero():
		return stamp(j.beat)
	}
	return ""
}
