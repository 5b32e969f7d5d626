package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cau/internal/cli"
	"cau/internal/coordinator"
	"cau/internal/fault"
	"cau/internal/message"
)

// Credential gives the coordinator of a live run another sign-in, over its control socket and nothing else (R04).
func (p *program) Credential(ctx context.Context, run string, target cli.Target) error {
	home, err := p.home()
	if err != nil {
		return err
	}
	plan, err := home.Plan(run)
	if err != nil {
		return err
	}
	if alive, err := home.Alive(run); err == nil && !alive {
		return &fault.Error{Op: "credential of run " + run, Err: coordinator.ErrNotAlive, Hint: "Go on with cau resume " + run + ": it takes the same options."}
	}
	if plan.Lab != "" && target.User != "" {
		return cli.Usage(errors.New(p.texts.T(message.CLILabSignsIn)))
	}
	if plan.Lab != "" {
		target.Lab, target.LabID, target.Cluster = true, plan.Lab, ""
	} else if target.Cluster == "" {
		target.Cluster = plan.Address
	}
	s, err := p.signIn(ctx, target)
	if err != nil {
		return err
	}
	sec := s.secrets
	sec.Share, sec.Notify = nil, nil // the run keeps what it has
	data, err := json.Marshal(sec)   //nolint:gosec // it goes over the run's socket and nowhere else (R04)
	if err != nil {
		return fmt.Errorf("hand over the sign-in: %w", err)
	}
	defer clear(data)
	err = home.SignInAs(ctx, run, data)
	switch {
	case errors.Is(err, coordinator.ErrEnded):
		return &fault.Error{Op: "credential of run " + run, Err: err, Hint: "It signs in nowhere any more; see cau status " + run + "."}
	case errors.Is(err, coordinator.ErrNotAlive):
		return &fault.Error{Op: "credential of run " + run, Err: err, Hint: "Go on with cau resume " + run + ": it takes the same options."}
	}
	return err
}
