package engine

import (
	"context"
	"fmt"
	"strings"

	"cau/internal/check"
)

// DrainMode is what becomes of a node's roles when it is paused.
type DrainMode string

// The drain modes, as MSCluster_Node.Pause and Suspend-ClusterNode have them. DrainNone and DrainForced take roles down
// and are used only by an option that names the outage (R15).
const (
	// DrainNone: the node is only paused. What runs there stays, and goes down with the node's restart.
	DrainNone DrainMode = "none"
	// DrainRoles: roles move away; where one does not, the drain fails.
	DrainRoles DrainMode = "roles"
	// DrainForced: roles move away; one that cannot is stopped and moved as failed.
	DrainForced DrainMode = "forced"
)

// drainMode is how the options have nodes paused.
func (o Options) drainMode() DrainMode {
	switch {
	case o.ForcePauseNoDrain:
		return DrainNone
	case o.ForcePauseAndDrain, o.ForcePauseDrainAndReboot:
		return DrainForced
	}
	return DrainRoles
}

// OutageProblem is why an outage may not be: it needs an option that asks for one, and the cluster's name, typed (R15).
// BuildPlan asks it too.
func (o Options) OutageProblem(cluster string) []OptionError {
	switch {
	case !o.forced() && o.Outage != "":
		return []OptionError{{"Outage", fmt.Sprintf("is %q, and no option takes roles down", o.Outage)}}
	case o.forced() && (cluster == "" || !strings.EqualFold(o.Outage, cluster)):
		what := "stops roles that cannot be moved"
		if o.ForcePauseNoDrain {
			what = "lets roles go down with their node"
		}
		return []OptionError{{"Outage", fmt.Sprintf("is %q; %s %s: type the cluster's name, %s, to say that this is meant", o.Outage, o.forcedName(), what, cluster)}}
	}
	return nil
}

// forcedName is the option that names the outage.
func (o Options) forcedName() string {
	switch {
	case o.ForcePauseNoDrain:
		return "ForcePauseNoDrain"
	case o.ForcePauseAndDrain:
		return "ForcePauseAndDrain"
	}
	return "ForcePauseDrainAndReboot"
}

// forcedMode is the mode as facts hold it: nothing where the node is drained as usual.
func forcedMode(m DrainMode) DrainMode {
	if m == DrainRoles {
		return ""
	}
	return m
}

// pauseData is what the intent to pause says: how, and which roles go down with the node as they are spread now. That
// they cannot be read delays nothing: the plan that was confirmed names them too.
func (r *run) pauseData(ctx context.Context, node string, checks []check.Result) FactData {
	mode := r.Plan.Options.drainMode()
	data := FactData{Checks: notPlain(checks), Drain: forcedMode(mode)}
	if mode != DrainRoles {
		v, err := r.Cluster.Describe(ctx, node)
		if err == nil {
			data.Roles = v.rolesDown(node, mode)
		}
	}
	return data
}

// rolesDown are the roles that go down with a node in this mode, as they are spread now: those on it that stay there, or
// those that a forced drain stops if they do not move.
func (v *ClusterView) rolesDown(node string, mode DrainMode) []string {
	if mode == DrainRoles {
		return nil
	}
	var out []string
	for _, g := range v.Groups {
		if strings.EqualFold(g.Owner, node) && g.State != groupOffline && g.State != groupFailed {
			out = append(out, g.Name)
		}
	}
	return out
}

// notOnline describes those of the roles that do not run now.
func (v *ClusterView) notOnline(roles []string) []string {
	var out []string
	for _, name := range roles {
		found := false
		for _, g := range v.Groups {
			if !strings.EqualFold(g.Name, name) {
				continue
			}
			found = true
			switch g.State {
			case groupOnline, groupPending:
			case groupOffline:
				out = append(out, g.Name+" is offline")
			case groupFailed:
				out = append(out, g.Name+" has failed")
			default:
				out = append(out, g.Name+" runs in part")
			}
		}
		if !found {
			out = append(out, name+" is not there any more")
		}
	}
	return out
}
