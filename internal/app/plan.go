package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/plugins"
)

// Arguments of the hotfix plug-in, by CAU's names.
const (
	argRoot       = "HotfixRootFolderPath"
	argConfigName = "HotfixConfigFileName"
	argEncryption = "RequireSMBEncryption"
)

// scripts reads the scripts that the options name; what they hold is pinned in the plan (R09).
func scripts(o engine.Options) (pre, post []byte, err error) {
	if pre, err = script("--pre-update-script", o.PreUpdateScript); err != nil {
		return nil, nil, err
	}
	post, err = script("--post-update-script", o.PostUpdateScript)
	return pre, post, err
}

func script(flag, path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err == nil {
		defer func() { _ = f.Close() }()
		var text []byte
		text, err = io.ReadAll(io.LimitReader(f, engine.MaxScriptBytes+1))
		if err == nil && len(text) == 0 {
			err = errors.New("it is empty")
		}
		if err == nil {
			return text, nil // one that is too long is the planner's to refuse
		}
	}
	return nil, cli.Usage(&fault.Error{Op: "read the script " + path, Err: err, Hint: "Check the path given with " + flag + "; the file is read on this host and travels with the plan."})
}

// delivery asks the nodes that get files how those can come to them, before the plan is made (R24).
func (s *session) delivery(ctx context.Context, run string, args plugins.Arguments, scan plugins.Scan, o engine.Options, note func(string)) (map[string]engine.DeliveryChoice, []check.Result, error) {
	probe := engine.DeliveryProbe{
		Run: run, Delivery: o.Delivery, Node: s.node, Root: args[argRoot], AtOnce: o.StageNodesAtOnce,
		RequireEncryption: strings.EqualFold(args[argEncryption], "true"),
	}
	for _, m := range s.view.Nodes {
		updates := scan.Updates[m.Name]
		if len(updates) == 0 {
			continue
		}
		probe.Nodes = append(probe.Nodes, m.Name)
		if probe.File == "" && len(updates[0].Files) > 0 {
			probe.File = updates[0].Files[0].Path
		}
	}
	if len(probe.Nodes) == 0 {
		return nil, nil, nil
	}
	note(fmt.Sprintf("Asking %d nodes how the files can come to them.", len(probe.Nodes)))
	return engine.ProbeDelivery(ctx, probe)
}

// mostTime is how long a run may take when every limit is used: an upper bound, not an estimate.
func mostTime(scan plugins.Scan, o engine.Options) time.Duration {
	var most time.Duration
	for _, updates := range scan.Updates {
		if len(updates) > 0 {
			most += engine.NodeLimit(o, updates)
		}
	}
	return most
}

// pushes tells whether files are pushed to any node, so that this host needs the share's account while the run lives.
func pushes(plan *engine.Plan) bool {
	return slices.ContainsFunc(plan.Nodes, func(n engine.NodePlan) bool { return n.Delivery == plugins.DeliveryPush })
}
