package cli

import (
	"strings"

	"cau/engine"
	"cau/internal/message"
)

// outageLines say which roles go down with the node, in capitals where it counts: somebody typed the cluster's name for
// that (R15).
func (p *program) outageLines(plan *engine.Plan, n engine.NodePlan) []string {
	var lines []string
	key := message.PlanOutageForced
	if plan.Options.ForcePauseNoDrain {
		key = message.PlanOutageNone
	}
	if len(n.Outage) > 0 {
		lines = append(lines, "! "+p.texts.T(key, message.Clean(strings.Join(n.Outage, ", "))))
	}
	if len(n.PendingRestart) > 0 {
		key := message.PlanPendingLeft
		if n.RestartOnly {
			key = message.PlanRestartOnly
		}
		lines = append(lines, "! "+p.texts.T(key, message.Clean(strings.Join(n.PendingRestart, ", "))))
	}
	if plan.Options.ForcePauseDrainAndReboot && len(n.Updates) > 0 {
		lines = append(lines, "! "+p.texts.T(message.PlanRestartAlways))
	}
	return lines
}

// takingLines say in which order nodes are taken, and how they restart.
func (p *program) takingLines(plan *engine.Plan) []string {
	var lines []string
	if plan.Options.InstallOrder == engine.InstallFirst {
		lines = append(lines, p.texts.T(message.PlanInstallFirst))
	}
	if o := plan.Options; o.RebootMode != "" {
		lines = append(lines, p.texts.T(message.PlanRebootMode, string(o.RebootMode), o.RebootTimeoutMinutes))
	}
	return lines
}

// compared says how the nodes differed at the end (R08).
func (p *program) compared(s engine.State) {
	if s.Compared == nil {
		return
	}
	for _, l := range s.Compared.Lines() {
		p.line("  " + message.Clean(l))
	}
}

// rolesDown says which roles did not come back after their node's pause.
func (p *program) rolesDown(s engine.State) {
	for _, n := range s.Nodes {
		if len(n.RolesDown) > 0 {
			p.line("  ! " + p.texts.T(message.StateRolesDown, message.Clean(n.Name), message.Clean(strings.Join(n.RolesDown, ", "))))
		}
	}
}
