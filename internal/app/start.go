package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/message"
)

// Start starts the run in its own process.
func (p *program) Start(ctx context.Context, req cli.Request, plan *engine.Plan) (cli.Started, error) {
	s, err := p.signIn(ctx, req.Target)
	if err != nil {
		return cli.Started{}, err
	}
	started, err := p.start(ctx, plan, s)
	s.disconnect() // from here on the run speaks to the nodes; a viewer reads the journal
	return started, err
}

func (p *program) start(ctx context.Context, plan *engine.Plan, s *session) (cli.Started, error) {
	in, err := p.startInput(plan, s)
	if err != nil {
		return cli.Started{}, err
	}
	in.Plan = plan
	started, err := coordinator.Start(ctx, in)
	return startedAs(plan.Cluster, started, err)
}

// Continue starts a coordinator again for a run whose own is gone (R26).
func (p *program) Continue(ctx context.Context, run string, target cli.Target) (cli.Started, error) {
	home, err := p.home()
	if err != nil {
		return cli.Started{}, err
	}
	plan, err := home.Plan(run)
	if err != nil {
		return cli.Started{}, err
	}
	if plan.Lab != "" && target.User != "" {
		return cli.Started{}, cli.Usage(errors.New(p.texts.T(message.CLILabSignsIn)))
	}
	if plan.Lab != "" {
		target.Lab, target.LabID, target.Cluster = true, plan.Lab, ""
	} else if target.Cluster == "" {
		target.Cluster = plan.Address
	}
	if pushes(plan) {
		target = readingAs(plan, target)
	}
	s, err := p.signIn(ctx, target)
	if plan.Lab != "" && errors.Is(err, lab.ErrGone) {
		return cli.Started{}, &fault.Error{Op: "resume run " + run, Err: err, Hint: "The simulated cluster ended with its lab; this run cannot go on. Start a new one with cau apply --lab."}
	}
	if err != nil {
		return cli.Started{}, err
	}
	in, err := p.startInput(plan, s)
	if err != nil {
		return cli.Started{}, err
	}
	started, err := coordinator.Resume(ctx, run, in)
	return startedAs(plan.Cluster, started, err)
}

// readingAs fills in how and as whom the plan's maker read the hotfix root: a run that pushes goes on reading it.
func readingAs(plan *engine.Plan, target cli.Target) cli.Target {
	for i := 0; i+1 < len(plan.Reach); i += 2 {
		switch value := plan.Reach[i+1]; plan.Reach[i] {
		case "--smb-port":
			if port, err := strconv.Atoi(value); err == nil {
				target.SMBPort = port
			}
		case "--allow-older-smb":
			target.OlderSMB = true
		case "--smb-user":
			target.SMBUser = value
		case "--smb-password-file":
			target.SMBPasswordFile = value
		}
	}
	return target
}

func (p *program) startInput(plan *engine.Plan, s *session) (coordinator.StartInput, error) {
	home, err := p.home()
	if err != nil {
		return coordinator.StartInput{}, err
	}
	executable, err := coordinator.Executable(p.cache)
	if err != nil {
		return coordinator.StartInput{}, err
	}
	sec := s.secrets
	if pushes(plan) {
		if err := s.shareKnown(); err != nil {
			return coordinator.StartInput{}, err
		}
		sec.Share = s.handOver()
	}
	if sec.Notify, err = p.addressesFor(plan, s.target.NotifyFile); err != nil {
		return coordinator.StartInput{}, err
	}
	data, err := json.Marshal(sec) //nolint:gosec // it goes into the coordinator's pipe and nowhere else (R04)
	if err != nil {
		return coordinator.StartInput{}, fmt.Errorf("hand over the sign-in: %w", err)
	}
	return coordinator.StartInput{
		Home: home, Program: executable, Args: []string{"coordinate", plan.Run}, Secrets: data,
		Env: append(os.Environ(), "CAU_HOME="+p.dir),
	}, nil
}

func startedAs(cluster string, started coordinator.Started, err error) (cli.Started, error) {
	var busy *coordinator.ClusterBusyError
	if errors.As(err, &busy) {
		return cli.Started{}, cli.Refused(&fault.Error{Op: "start a run on " + cluster, Err: err, Hint: busyHint(busy)})
	}
	if errors.Is(err, coordinator.ErrNoRoom) || errors.Is(err, coordinator.ErrTakenOver) {
		return cli.Started{}, cli.Refused(err)
	}
	return cli.Started{Run: started.Run, Where: started.Where}, err
}

func busyHint(busy *coordinator.ClusterBusyError) string {
	if busy.Run == "" {
		return "Wait for its end, or look at it with cau attach."
	}
	return "Wait for its end, or look at it with cau attach " + busy.Run + "."
}

// Coordinate is the inside of the run's own process.
func (p *program) Coordinate(ctx context.Context, run string) error {
	child, err := coordinator.Enter()
	if err != nil {
		return cli.Usage(err)
	}
	if err := p.coordinate(ctx, child, run); err != nil {
		child.Fail(err)
		return err
	}
	return nil
}

func (p *program) coordinate(ctx context.Context, child *coordinator.Child, run string) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	plan, err := home.Plan(run)
	if err != nil {
		return err
	}
	var sec secrets
	err = json.Unmarshal(child.Secrets(), &sec)
	child.Forget()
	if err != nil {
		return fmt.Errorf("take over the sign-in: %w", err)
	}
	var clock engine.Clock = realClock{}
	var simulated *lab.Info
	var held *lab.Hold
	if plan.Lab != "" {
		info, err := lab.Load(p.labDir(plan.Lab))
		if err != nil {
			return err
		}
		simulated = &info
		if held, err = lab.Attach(ctx, info); err != nil {
			return err
		}
		// A simulated cluster that is gone never comes back: there is nobody to wait for.
		var watching sync.WaitGroup
		alive, cancel := context.WithCancelCause(ctx)
		watching.Go(func() {
			select {
			case <-held.Lost():
				cancel(fmt.Errorf("lab %s: %w", plan.Lab, lab.ErrGone))
			case <-alive.Done():
			}
		})
		defer func() {
			cancel(nil)
			watching.Wait()
			_ = held.Close()
		}()
		ctx, clock = alive, held
	}
	access, err := openRunAccess(plan, sec, simulated, held)
	if err != nil {
		return err
	}
	defer access.close()
	plugin, further, err := p.runPlugins(plan, access)
	if err != nil {
		return err
	}
	fleet, err := access.fleet(clock)
	if err != nil {
		return err
	}
	defer fleet.Close()
	told, err := p.notices(plan, sec.Notify)
	if err != nil {
		return err
	}
	_, err = coordinator.Serve(ctx, coordinator.ServeInput{
		Notices: told, Home: home, Run: run, Plugin: plugin, Further: further, Cluster: fleet, Lease: fleet, Checkpoints: checkpoints{fleet},
		Credential: access, SignIn: access.replaceIn(fleet), Clock: clock, Gate: gatekeeper{}, Child: child,
		Nodes: func(name string) engine.Node { return fleet.Node(name) },
	})
	if err != nil && context.Cause(ctx) != nil {
		return fmt.Errorf("%w: %s", context.Cause(ctx), err.Error()) // it was not an interrupt
	}
	return err
}
