package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
)

// ConfigReport is what a hotfix configuration file was found to be.
type ConfigReport struct {
	File  string `json:"file"`
	Valid bool   `json:"valid"`
	// Problems are why the file is refused, all that can be told apart.
	Problems []ConfigNote `json:"problems"`
	// Warnings are places that were read over, and rules that do more than they seem to.
	Warnings []ConfigNote `json:"warnings"`
	// Extensions and Folders count the rules; Rules are the rules as the reader understands them.
	Extensions int             `json:"extensions"`
	Folders    int             `json:"folders"`
	Rules      json.RawMessage `json:"rules"`
	// Shown are the rules for people, where they were asked for.
	Shown []ConfigRule `json:"-"`
}

// ConfigNote is a place in a configuration file: line and column count from 1, the column in characters.
type ConfigNote struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

// ConfigInitRequest asks for a configuration file in a hotfix root.
type ConfigInitRequest struct {
	// Root is a folder on this host or \\server\share\folder.
	Root string
	// Target says who signs in and where the file server listens, as for HotfixCheckRequest.
	Target Target
	// Config is the file's name in the root; empty means DefaultHotfixConfig.xml.
	Config string
	// From is a file whose content is written. Where it is empty and Target names a cluster or a lab, its nodes are asked for
	// Microsoft's own; else our default is written.
	From string
	// FromNode is the node whose file is taken; empty takes the one that all nodes have.
	FromNode string
}

// ConfigWritten is the configuration file that was written.
type ConfigWritten struct {
	Path   string `json:"path"`
	Bytes  int    `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Default: the content is our own default.
	Default bool `json:"default"`
	// Node is where the content was read, and Nodes are all that were asked; empty where none was.
	Node  string         `json:"node,omitempty"`
	Nodes []ConfigOnNode `json:"nodes,omitempty"`
}

// ConfigOnNode is what a node has of Microsoft's own configuration file.
type ConfigOnNode struct {
	Node string `json:"node"`
	// Found is false where there is none, and where the node could not be asked: Problem says why, and Advice what to do.
	Found   bool   `json:"found"`
	SHA256  string `json:"sha256,omitempty"`
	Bytes   int    `json:"bytes,omitempty"`
	Problem string `json:"problem,omitempty"`
	Advice  string `json:"advice,omitempty"`
}

func (p *program) hotfixConfig() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: p.texts.T(message.CLIConfigShort)}
	cmd.AddCommand(p.configValidate(), p.configInit(), p.configShow(), p.configSet(), p.configRemove())
	return cmd
}

func (p *program) configValidate() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "validate FILE", Short: p.texts.T(message.CLIConfigValidateShort), Long: p.texts.T(message.CLIConfigValidateLong),
		Example: p.texts.T(message.CLIConfigValidateExample), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIConfigOneFile)), Hint: p.texts.T(message.CLIConfigOneFileHint)})
			}
			report, err := p.services.ConfigValidate(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = p.json(report)
			} else {
				p.printConfig(report)
			}
			if err != nil {
				return err
			}
			if !report.Valid {
				return exitWith(ExitUsage)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// printConfig prints places as compilers do, so that editors jump to them.
func (p *program) printConfig(r ConfigReport) {
	name := message.Clean(r.File)
	for _, n := range r.Problems {
		p.line(fmt.Sprintf("%s:%d:%d: %s", name, n.Line, n.Column, message.Clean(n.Message)))
	}
	for _, n := range r.Warnings {
		p.line(fmt.Sprintf("%s:%d:%d: %s: %s", name, n.Line, n.Column, p.texts.T(message.CLIConfigWarning), message.Clean(n.Message)))
	}
	if r.Valid {
		p.line(p.texts.T(message.CLIConfigValid, name, r.Extensions, r.Folders))
	}
}

func (p *program) configInit() *cobra.Command {
	var req ConfigInitRequest
	var asJSON, show bool
	cmd := &cobra.Command{
		Use: "init ROOT", Short: p.texts.T(message.CLIConfigInitShort), Long: p.texts.T(message.CLIConfigInitLong),
		Example: p.texts.T(message.CLIConfigInitExample), Args: cobra.ArbitraryArgs,
	}
	f, t := cmd.Flags(), &req.Target
	p.whereFlags(cmd, t)
	p.signInFlags(cmd, t)
	p.shareFlags(cmd, t)
	f.Lookup("cluster").Usage = p.texts.T(message.CLIFlagConfigCluster)
	f.Lookup("lab").Usage = p.texts.T(message.CLIFlagConfigLab)
	f.Lookup("user").Usage = p.texts.T(message.CLIFlagListUser)
	f.StringVar(&req.Config, "config", "", p.texts.T(message.CLIFlagHotfixConfig))
	f.StringVar(&req.From, "from", "", p.texts.T(message.CLIFlagConfigFrom))
	f.StringVar(&req.FromNode, "from-node", "", p.texts.T(message.CLIFlagConfigFromNode))
	f.BoolVar(&show, "print", false, p.texts.T(message.CLIFlagConfigPrint))
	f.BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if show {
			return p.configPrint(cmd, args)
		}
		var err error
		if req.Root, err = p.oneRoot(cmd, Target{}, args); err != nil {
			return err
		}
		if err := p.checkInit(cmd, &req); err != nil {
			return err
		}
		written, err := p.services.ConfigInit(cmd.Context(), req, p.say)
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(written)
		}
		p.printWritten(written)
		return nil
	}
	return cmd
}

// checkInit refuses flags that would be taken and ignored, before anything is touched.
func (p *program) checkInit(cmd *cobra.Command, req *ConfigInitRequest) error {
	t := &req.Target
	if t.Cluster == "" && !t.Lab {
		if err := p.refuseFlags(cmd, append(clusterFlagNames(), "from-node"), message.CLIFlagNeedsCluster, message.CLIFlagNeedsClusterHint); err != nil {
			return err
		}
		if len(t.Nodes) > 0 {
			return Usage(&fault.Error{Op: "--node", Err: errors.New(p.texts.T(message.CLIAddressNeedsCluster)), Hint: p.texts.T(message.CLIFlagNeedsClusterHint)})
		}
		return p.checkRootFlags(cmd, req.Root, t)
	}
	if req.From != "" {
		return Usage(&fault.Error{Op: "--from", Err: errors.New(p.texts.T(message.CLIConfigTwoSources)), Hint: p.texts.T(message.CLIConfigTwoSourcesHint)})
	}
	if !OnShare(req.Root) {
		if err := p.refuseFlags(cmd, shareFlagNames(), message.CLIFlagNeedsShare, message.CLIFlagNeedsShareHint, req.Root); err != nil {
			return err
		}
	}
	return p.checkMeaning(*t)
}

// printWritten says what was written and where it came from.
func (p *program) printWritten(w ConfigWritten) {
	p.line(p.texts.T(message.CLIConfigWritten, message.Clean(w.Path), w.Bytes))
	p.line("  sha256 " + w.SHA256)
	if w.Node != "" {
		p.line("  " + p.texts.T(message.CLIConfigFromNode, message.Clean(w.Node)))
	}
	for _, n := range w.Nodes {
		name := message.Clean(n.Node)
		switch {
		case n.Problem != "":
			p.line("  ! " + p.texts.T(message.CLIConfigNodeUnasked, name, message.Line(n.Problem)))
			if n.Advice != "" {
				p.line("    " + message.Clean(n.Advice))
			}
		case !n.Found:
			p.line("  " + p.texts.T(message.CLIConfigNodeNone, name))
		case n.Node != w.Node:
			p.line("  " + p.texts.T(message.CLIConfigNodeSame, name))
		}
	}
	switch {
	case w.Default && len(w.Nodes) > 0:
		p.line("  " + p.texts.T(message.CLIConfigDefaultNone))
	case w.Default:
		p.line("  " + p.texts.T(message.CLIConfigDefaultHint))
	}
}

// configPrint writes our default file to standard output; beside it nothing else is asked for.
func (p *program) configPrint(cmd *cobra.Command, args []string) error {
	if len(args) > 0 || cmd.Flags().NFlag() > 1 {
		return Usage(&fault.Error{Op: cmd.CommandPath(), Err: errors.New(p.texts.T(message.CLIConfigPrintAlone))})
	}
	_, err := io.WriteString(p.streams.Out, p.services.DefaultConfig())
	if err != nil {
		return fmt.Errorf("print the file: %w", err)
	}
	return nil
}

// OnShare tells whether a root is on a file share; anything else is a folder on this host.
func OnShare(root string) bool { return strings.HasPrefix(root, `\\`) || strings.HasPrefix(root, "//") }

// rootFlagNames are the flags that mean something with a file server alone.
func rootFlagNames() []string {
	return []string{"user", "password-file", "password-fd", "auth", "ccache", "keytab", "realm", "kdc", "krb5-config", "spn", "smb-port", "allow-older-smb"}
}

// clusterFlagNames are the flags that mean something with a cluster alone.
func clusterFlagNames() []string {
	return []string{"smb-user", "smb-password-file", "ca-file", "pin", "cert-file", "key-file", "channel-binding"}
}

// shareFlagNames are the flags about a root's file server that mean nothing for a cluster's nodes.
func shareFlagNames() []string {
	return []string{"smb-port", "smb-user", "smb-password-file", "allow-older-smb"}
}

// refuseFlags refuses the first of the flags that was given.
func (p *program) refuseFlags(cmd *cobra.Command, names []string, why, hint message.Key, args ...any) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return Usage(&fault.Error{Op: "--" + name, Err: errors.New(p.texts.T(why, args...)), Hint: p.texts.T(hint)})
		}
	}
	return nil
}

// rootFlags adds the flags that say how a root on a file server is reached.
func (p *program) rootFlags(cmd *cobra.Command, t *Target, lab message.Key) {
	f := cmd.Flags()
	f.Var(&labFlag{t}, "lab", p.texts.T(lab))
	f.Lookup("lab").NoOptDefVal = "any"
	f.DurationVar(&t.LabLinger, "lab-linger", linger, p.texts.T(message.CLIFlagNewLabLinger))
	p.fileServerFlags(cmd, t)
}

// oneRoot is the root that is named; none means a lab's own.
func (p *program) oneRoot(cmd *cobra.Command, t Target, args []string) (string, error) {
	switch {
	case len(args) > 1:
		return "", Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLIOneRoot)), Hint: p.rootHint(cmd)})
	case len(args) == 0 && !t.Lab, len(args) == 1 && args[0] == "":
		return "", Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLINoRoot)), Hint: p.rootHint(cmd)})
	case len(args) == 0:
		return "", nil
	}
	return args[0], nil
}

// rootHint says how a root is named; only some commands have a lab's own.
func (p *program) rootHint(cmd *cobra.Command) string {
	hint := p.texts.T(message.CLIOneRootOrFolderHint, cmd.CommandPath())
	if cmd.Flags().Lookup("lab") != nil {
		hint += " " + p.texts.T(message.CLIOrLabHint)
	}
	return hint
}

// checkRootFlags refuses flags that would be taken and ignored, before anything is touched.
func (p *program) checkRootFlags(cmd *cobra.Command, root string, t *Target) error {
	if root == "" || OnShare(root) {
		return p.checkFileServer(t)
	}
	return p.refuseFlags(cmd, rootFlagNames(), message.CLIFlagNeedsShare, message.CLIFlagNeedsShareHint, root)
}
