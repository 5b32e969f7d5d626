package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
)

const (
	// probeLimit is how long one node may take to say whether it can read the root; a task may start minutes late.
	probeLimit = 6 * time.Minute
	// cleanLimit bounds the removal of a probe's folder when the question itself was given up.
	cleanLimit = time.Minute
)

// DeliveryProbe asks how files can come to nodes (R24).
type DeliveryProbe struct {
	// Run names the probe's folder on the nodes. It is the id of the plan that is being made, so that no two probes
	// meet in one folder.
	Run string
	// Delivery is what was asked for; pull and push skip the other.
	Delivery plugins.Delivery
	// Nodes are those that get files.
	Nodes []string
	Node  func(name string) Node
	// Root is the UNC path that the nodes read; File, if it is not empty, is a file of it whose first byte is read.
	Root, File        string
	RequireEncryption bool
	// AtOnce is how many nodes are asked at once; at least 1.
	AtOnce int
}

// DeliveryChoice is how files come to one node, and why so.
type DeliveryChoice struct {
	Delivery plugins.Delivery
	// Reason is one sentence for people.
	Reason string
}

// ProbeDelivery asks each node whether it can read the root as its computer account, and, where it cannot, whether
// its ADMIN$ share takes files. It changes nothing but a folder of its own on the nodes, and removes that. The checks
// are node.job and node.share-read of each node that was asked. It fails only when ctx ends.
func ProbeDelivery(ctx context.Context, p DeliveryProbe) (map[string]DeliveryChoice, []check.Result, error) {
	answers := make([]deliveryAnswer, len(p.Nodes))
	queue := make(chan int, len(p.Nodes))
	for i := range p.Nodes {
		queue <- i
	}
	close(queue)
	var workers sync.WaitGroup
	for range min(max(p.AtOnce, 1), len(p.Nodes)) {
		workers.Go(func() {
			for i := range queue {
				if ctx.Err() == nil {
					answers[i] = p.ask(ctx, p.Nodes[i])
				}
			}
		})
	}
	workers.Wait()
	choices := map[string]DeliveryChoice{}
	var results []check.Result
	for i, name := range p.Nodes {
		if answers[i].choice.Delivery != "" {
			choices[name] = answers[i].choice
		}
		results = append(results, answers[i].checks...)
	}
	return choices, results, ctx.Err()
}

type deliveryAnswer struct {
	// choice is empty where neither way works.
	choice DeliveryChoice
	checks []check.Result
}

func (p *DeliveryProbe) ask(ctx context.Context, name string) deliveryAnswer {
	node := p.Node(name)
	defer func() {
		done, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
		defer cancel()
		// What is left is removed with the run's traces, or by `cau node clean`.
		_ = node.Clean(done, p.Run)
	}()
	var a deliveryAnswer
	var pullErr error
	if p.Delivery != plugins.DeliveryPush {
		output, err := p.read(ctx, node)
		job := jobCheck(name, err)
		a.checks = append(a.checks, job)
		var c plugins.ShareConnection
		if pullErr = err; err == nil {
			c, pullErr = p.pull(name, output)
		}
		if pullErr == nil {
			a.choice = DeliveryChoice{plugins.DeliveryPull, fmt.Sprintf("%s reads the root itself over SMB %s, %s.", accountOf(name, c), c.Dialect, protection(c))}
			a.checks = append(a.checks, check.Result{ID: checkShareRead, Subject: name, Outcome: check.Pass, Evidence: a.choice.Reason})
			return a
		}
		if p.Delivery == plugins.DeliveryPull || job.Outcome == check.Fail { // what is pushed is installed by a job too
			a.checks = append(a.checks, check.Result{
				ID: checkShareRead, Subject: name, Outcome: check.Fail, Evidence: sentence(pullErr),
				Remedy: orElse(fault.Hint(pullErr), orElse(job.Remedy, "Let the node's computer account read the root, or choose delivery push.")),
			})
			return a
		}
	}
	c, pushErr := p.push(ctx, node)
	switch {
	case pushErr == nil && pullErr == nil:
		a.choice = DeliveryChoice{plugins.DeliveryPush, fmt.Sprintf("Files are pushed over SMB %s, %s, as was asked for.", c.Dialect, protection(c))}
		a.checks = append(a.checks, check.Result{ID: checkShareRead, Subject: name, Outcome: check.Pass, Evidence: a.choice.Reason})
	case pushErr == nil:
		a.choice = DeliveryChoice{plugins.DeliveryPush, fmt.Sprintf("Files are pushed over SMB %s, %s, because the node cannot read the root itself: %s", c.Dialect, protection(c), sentence(pullErr))}
		a.checks = append(a.checks, check.Result{ID: checkShareRead, Subject: name, Outcome: check.Warn, Evidence: a.choice.Reason, Remedy: "Let the node's computer account read the root, if it should."})
	default:
		a.checks = append(a.checks, check.Result{
			ID: checkShareRead, Subject: name, Outcome: check.Fail, Evidence: strings.TrimSpace(neither(pullErr) + "Files cannot be pushed to it: " + sentence(pushErr)),
			Remedy: orElse(fault.Hint(pullErr), orElse(fault.Hint(pushErr), "Let the node's computer account read the root, or open ADMIN$ to this host.")),
		})
	}
	return a
}

func neither(pullErr error) string {
	if pullErr == nil {
		return ""
	}
	return "The node cannot read the root: " + sentence(pullErr) + " "
}

// read asks the node to read the root as the staging job will (R13).
func (p *DeliveryProbe) read(ctx context.Context, node Node) (json.RawMessage, error) {
	input, err := json.Marshal(plugins.ShareProbeJob{Run: p.Run, Root: p.Root, RequireEncryption: p.RequireEncryption, File: p.File})
	if err != nil {
		return nil, fmt.Errorf("write the probe: %w", err)
	}
	return node.RunJob(ctx, plugins.Job{ID: jobID(p.Run, node.Name(), "share-probe", 1), Kind: plugins.JobShareProbe, Input: input, Limit: probeLimit}, nil)
}

// pull judges what the node saw.
func (p *DeliveryProbe) pull(node string, output json.RawMessage) (plugins.ShareConnection, error) {
	var done plugins.ShareProbeJobResult
	if err := json.Unmarshal(output, &done); err != nil {
		return plugins.ShareConnection{}, fmt.Errorf("read the probe's result: %w", err)
	}
	return done.Connection, p.safe("read "+p.Root, node, done.Connection)
}

// push opens the node's push folder and sends nothing.
func (p *DeliveryProbe) push(ctx context.Context, node Node) (plugins.ShareConnection, error) {
	pusher, ok := node.(plugins.Pusher)
	if !ok {
		return plugins.ShareConnection{}, errors.New("this node takes no pushed files")
	}
	c, err := pusher.Push(ctx, plugins.PushRequest{
		Run:  p.Run,
		Open: func(context.Context, string) (io.ReadCloser, error) { return nil, errors.New("a probe has no files") },
	}, func(plugins.Progress) {})
	if err != nil {
		return c, err
	}
	return c, p.safe("push to ADMIN$", node.Name(), c)
}

// safe refuses a connection on which files could be changed on their way, or read where that is forbidden.
func (p *DeliveryProbe) safe(op, node string, c plugins.ShareConnection) error {
	if c.Encrypted || (c.Signed && !p.RequireEncryption) {
		return nil
	}
	return &fault.Error{Op: op, Node: node, Err: fmt.Errorf("the connection is %s", protection(c)), Hint: "Require SMB signing or encryption on the server of that share."}
}

// jobCheck is what the probe says about SYSTEM jobs: one that ended, however, was started.
func jobCheck(name string, err error) check.Result {
	r := check.Result{ID: checkJob, Subject: name, Outcome: check.Pass, Evidence: "A job as SYSTEM was started and ended."}
	switch {
	case err == nil, errors.Is(err, plugins.ErrJobFailed):
	case errors.Is(err, plugins.ErrJobLost), errors.Is(err, plugins.ErrJobStillRunning), refusedThere(err):
		r.Outcome, r.Evidence = check.Fail, sentence(err)
		r.Remedy = orElse(fault.Hint(err), "Mend what the node says; its Task Scheduler must run and start tasks as SYSTEM.")
	default:
		return unverified(checkJob, name, err)
	}
	return r
}

// refusedThere tells whether the node itself said no, and not the way to it.
func refusedThere(err error) bool {
	var node interface{ RefusedByNode() bool }
	return errors.As(err, &node) && node.RefusedByNode()
}

func protection(c plugins.ShareConnection) string {
	switch {
	case c.Encrypted:
		return "encrypted"
	case c.Signed:
		return "signed"
	}
	return "neither signed nor encrypted"
}

func accountOf(node string, c plugins.ShareConnection) string { return orElse(c.Account, node) }

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
