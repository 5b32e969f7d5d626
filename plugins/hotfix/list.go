package hotfix

import (
	"context"
	"errors"
	"strings"

	"cau/hotfixcfg"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/plugins"
	"cau/smbcheck"
)

// Listing is what lies in a hotfix root, for whom and by which rule. Whether the root may be trusted is Look's to say.
type Listing struct {
	// Config is the configuration file.
	Config plugins.File
	// Warnings and Remarks are what its reader says beside the rules.
	Warnings []hotfixcfg.Error
	// Nodes are in the order in which they were given. Where none were, the first has no name and stands for every node
	// without a folder of its own; the others are folders whose names could be nodes'.
	Nodes   []NodeUpdates
	Guessed bool
	Ignored []plugins.Ignored
	// Changed are files that changed while the root was read.
	Changed []string
}

// NodeUpdates are what would be installed on one node, in order.
type NodeUpdates struct {
	Name    string
	Updates []plugins.Update
}

// List reads a root as Scan does, without its checks of connection and permissions, from a file server or from a folder of
// this host. What keeps a run from knowing what there is to install is an error here.
func (p *Plugin) List(ctx context.Context, files Files, nodes []string, args plugins.Arguments) (Listing, error) {
	v := &visit{madeUp: p.MadeUp, args: args, nodes: nodes, guessed: len(nodes) == 0, files: files}
	tree, err := files.Walk(ctx, smbcheck.Limits{})
	if err != nil {
		return Listing{}, err
	}
	v.walked(tree)
	if v.root, _ = files.(Root); v.root != nil && args.Bool(argEncryption) && !v.smb(ctx) { // R13
		return Listing{}, &fault.Error{Op: "read " + args[argRoot], Err: errors.New("no file was read: the connection is not known to be encrypted"), Hint: "Require SMB encryption on the file server; cau hotfix check --require-encryption says what is missing."}
	}
	v.checks = nil
	cfg, ok := v.read(ctx)
	s := newScan(v)
	if ok && v.sort(cfg) {
		if v.guessed {
			v.nodes = append([]string{""}, v.nodes...)
		}
		s.updates(ctx)
	}
	if ctx.Err() != nil {
		return Listing{}, ctx.Err()
	}
	l := Listing{Guessed: v.guessed, Ignored: v.ignored}
	for _, r := range v.checks {
		switch r.Outcome {
		case check.Fail:
			return Listing{}, failedCheck(r)
		case check.CannotVerify:
			l.Changed = append(l.Changed, r.Subject)
		case check.Pass, check.Warn:
		}
	}
	l.Config = v.pinned[0]
	l.Warnings = append(append(l.Warnings, cfg.Warnings...), cfg.Remarks...)
	for _, name := range v.nodes {
		l.Nodes = append(l.Nodes, NodeUpdates{name, s.result.Updates[name]})
	}
	return l, nil
}

// failedCheck is a check's refusal as an error.
func failedCheck(r check.Result) error {
	op := "read the hotfix root"
	if r.Subject != "" {
		op = "read " + r.Subject
	}
	return &fault.Error{Op: op, Err: errors.New(strings.TrimSuffix(r.Evidence, ".")), Hint: r.Remedy}
}
