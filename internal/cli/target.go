package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// linger is how long a lab that starts by itself lives after its last viewer and run.
const linger = 10 * time.Minute

// whereFlags adds the flags that say which cluster.
func (p *program) whereFlags(cmd *cobra.Command, t *Target) {
	f := cmd.Flags()
	f.Var(&clusterFlag{t, p.texts.T(message.CLIEmptyCluster)}, "cluster", p.texts.T(message.CLIFlagCluster))
	f.Var(&labFlag{t}, "lab", p.texts.T(message.CLIFlagLab))
	f.Lookup("lab").NoOptDefVal = "any"
	f.DurationVar(&t.LabLinger, "lab-linger", linger, p.texts.T(message.CLIFlagNewLabLinger))
	f.Var(&nodesFlag{t}, "node", p.texts.T(message.CLIFlagNode))
}

// shareFlags adds the flags that say how and as whom the hotfix root is read, for commands that read it.
func (p *program) shareFlags(cmd *cobra.Command, t *Target) {
	f := cmd.Flags()
	f.IntVar(&t.SMBPort, "smb-port", 0, p.texts.T(message.CLIFlagSMBPort))
	f.StringVar(&t.SMBUser, "smb-user", "", p.texts.T(message.CLIFlagSMBUser))
	f.StringVar(&t.SMBPasswordFile, "smb-password-file", "", p.texts.T(message.CLIFlagSMBPasswordFile))
	f.BoolVar(&t.OlderSMB, "allow-older-smb", false, p.texts.T(message.CLIFlagOlderSMB))
}

// checkTarget refuses a command that names no cluster, or two (R01), and flags that would mean nothing.
func (p *program) checkTarget(t Target) error {
	if t.Cluster == "" && !t.Lab {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpTarget), Err: errors.New(p.texts.T(message.CLINoCluster)), Hint: p.texts.T(message.CLINoClusterHint)})
	}
	return p.checkMeaning(t)
}

// checkMeaning refuses two clusters, and flags that would be taken and ignored. No cluster at all means the lab here.
func (p *program) checkMeaning(t Target) error {
	if t.Cluster != "" && t.Lab {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpTarget), Err: errors.New(p.texts.T(message.CLITwoClusters)), Hint: p.texts.T(message.CLINoClusterHint)})
	}
	lab := t.Cluster == ""
	if lab && (len(t.Nodes) > 0 || t.Pin != "" || t.CAFile != "") {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpTarget), Err: errors.New(p.texts.T(message.CLILabIsItself)), Hint: p.texts.T(message.CLILabIsItselfHint)})
	}
	for _, c := range []struct {
		useless bool
		why     message.Key
	}{
		{!lab && t.LabLinger != linger, message.CLILingerNeedsLab},
		{t.PasswordFile != "" && t.PasswordFD >= 0, message.CLITwoPasswords},
		{t.User == "" && (t.PasswordFile != "" || t.PasswordFD >= 0), message.CLIPasswordNeedsUser},
		{t.SMBUser == "" && t.SMBPasswordFile != "", message.CLISMBPasswordNeedsUser},
		{lab && t.User != "" && t.SMBUser != "", message.CLITwoShareAccounts},
	} {
		if c.useless {
			return Usage(errors.New(p.texts.T(c.why)))
		}
	}
	if err := checkPort(t.SMBPort); err != nil {
		return err
	}
	return p.checkSignIn(t, lab)
}

func checkPort(port int) error {
	if port < 0 || port > 65535 {
		return Usage(fmt.Errorf("--smb-port: %d is not a port", port))
	}
	return nil
}

// clusterFlag is --cluster ADDRESS. An empty one is a script's unset variable; taken for none, the main window would
// open another cluster than the one that was meant (R01).
type clusterFlag struct {
	t     *Target
	empty string
}

func (c *clusterFlag) String() string { return "" }
func (c *clusterFlag) Type() string   { return "address" }
func (c *clusterFlag) Set(s string) error {
	if s == "" {
		return errors.New(c.empty)
	}
	c.t.Cluster = s
	return nil
}

// labFlag is --lab or --lab=ID.
type labFlag struct{ t *Target }

func (l *labFlag) String() string { return "" }
func (l *labFlag) Type() string   { return "id" }
func (l *labFlag) Set(s string) error {
	l.t.Lab = true
	if s != "any" {
		l.t.LabID = s
	}
	return nil
}

// nodesFlag is --node NAME=ADDRESS, repeatable.
type nodesFlag struct{ t *Target }

func (n *nodesFlag) String() string { return "" }
func (n *nodesFlag) Type() string   { return "NAME=ADDRESS" }
func (n *nodesFlag) Set(s string) error {
	name, address, ok := strings.Cut(s, "=")
	if !ok || name == "" || address == "" {
		return fmt.Errorf("%q is not NAME=ADDRESS", s)
	}
	if n.t.Nodes == nil {
		n.t.Nodes = map[string]string{}
	}
	n.t.Nodes[name] = address
	return nil
}

// requestFlags adds the flags of a preview or a run; build turns them into a Request.
func (p *program) requestFlags(cmd *cobra.Command) (build func() (Request, error)) {
	req := Request{Options: engine.DefaultOptions()}
	p.whereFlags(cmd, &req.Target)
	p.signInFlags(cmd, &req.Target)
	p.shareFlags(cmd, &req.Target)
	f := cmd.Flags()
	asked := p.pluginFlags(cmd)
	f.StringArrayVar(&req.Accepted, "accept", nil, p.texts.T(message.CLIFlagAccept))
	checkOptions := p.optionFlags(cmd, &req.Options)
	return func() (Request, error) {
		if err := p.checkTarget(req.Target); err != nil {
			return req, err
		}
		if err := checkOptions(); err != nil {
			return req, err
		}
		return req, p.fillPlugins(cmd.Context(), &req, asked)
	}
}

// fillPlugins checks the plug-ins, their arguments and the accepted ids, before anything is touched.
func (p *program) fillPlugins(ctx context.Context, req *Request, c *pluginFlags) error {
	asked, err := p.requests(ctx, c, req.Target.Lab)
	if err != nil {
		return err
	}
	req.Plugin, req.Arguments, req.Further = asked[0].Plugin, asked[0].Arguments, asked[1:]
	for _, id := range req.Accepted {
		if _, ok := check.Lookup(id); !ok {
			return Usage(&fault.Error{Op: "--accept", Err: fmt.Errorf("%s %q", p.texts.T(message.CLIUnknownCheck), id), Hint: p.texts.T(message.CLIUnknownCheckHint)})
		}
	}
	return nil
}

// argumentFault turns a problem with an argument into a fault with its hint.
func argumentFault(err error) error {
	var a plugins.ArgumentError
	if errors.As(err, &a) {
		return &fault.Error{Op: "--arg", Err: a, Hint: a.Hint}
	}
	return err
}
