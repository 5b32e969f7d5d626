package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// HotfixListRequest asks what a hotfix root holds, for whom and by which rule.
type HotfixListRequest struct {
	// Root is a folder on this host or \\server\share\folder; empty means the lab's own.
	Root string
	// Target names at most one of a cluster and a lab, whose nodes are then asked for, and who signs in.
	Target Target
	// Nodes are the nodes to show. Without a cluster or a lab they are all that is known of the cluster.
	Nodes []string
	// Config is the configuration file's name; empty means DefaultHotfixConfig.xml.
	Config string
	// RequireEncryption reads no file over a connection that is not known to be encrypted.
	RequireEncryption bool
}

// HotfixList is what a hotfix root holds.
type HotfixList struct {
	Root    string       `json:"root"`
	Cluster string       `json:"cluster,omitempty"`
	Config  plugins.File `json:"config"`
	// Warnings are about the configuration file, by place.
	Warnings []ConfigNote `json:"warnings"`
	Nodes    []HotfixNode `json:"nodes"`
	// Guessed: the nodes are not known, and folders were taken for nodes' by their names.
	Guessed bool `json:"guessed,omitempty"`
	// Ignored is what CAU passes over in silence.
	Ignored []plugins.Ignored `json:"ignored"`
	// Changed are files that changed while the root was read.
	Changed   []string `json:"changed,omitempty"`
	Simulated bool     `json:"simulated,omitempty"`
}

// HotfixNode is what would be installed on one node, in order. The name "*" stands for every node without a folder of its own.
type HotfixNode struct {
	Name    string           `json:"name"`
	Updates []plugins.Update `json:"updates"`
}

func (p *program) hotfixList() *cobra.Command {
	var req HotfixListRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list ROOT", Short: p.texts.T(message.CLIHotfixListShort), Long: p.texts.T(message.CLIHotfixListLong),
		Example: p.texts.T(message.CLIHotfixListExample), Args: cobra.ArbitraryArgs,
	}
	f, t := cmd.Flags(), &req.Target
	f.Var(&clusterFlag{t, p.texts.T(message.CLIEmptyCluster)}, "cluster", p.texts.T(message.CLIFlagListCluster))
	f.Var(&labFlag{t}, "lab", p.texts.T(message.CLIFlagListLab))
	f.Lookup("lab").NoOptDefVal = "any"
	f.DurationVar(&t.LabLinger, "lab-linger", linger, p.texts.T(message.CLIFlagNewLabLinger))
	var nodes []string
	f.StringArrayVar(&nodes, "node", nil, p.texts.T(message.CLIFlagListNode))
	p.signInFlags(cmd, t)
	p.shareFlags(cmd, t)
	f.Lookup("user").Usage = p.texts.T(message.CLIFlagListUser)
	f.StringVar(&req.Config, "config", "", p.texts.T(message.CLIFlagHotfixConfig))
	f.BoolVar(&req.RequireEncryption, "require-encryption", false, p.texts.T(message.CLIFlagRequireEncryption))
	f.BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var err error
		if req.Root, err = p.oneRoot(cmd, req.Target, args); err != nil {
			return err
		}
		if err := p.listNodes(&req, nodes); err != nil {
			return err
		}
		if err := p.checkList(cmd, &req); err != nil {
			return err
		}
		list, err := p.services.HotfixList(cmd.Context(), req, p.say)
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(list)
		}
		p.printHotfixList(list)
		return nil
	}
	return cmd
}

// listNodes tells names from addresses: NODE2 is shown, NODE2=ADDRESS says where one of a cluster's listens.
func (p *program) listNodes(req *HotfixListRequest, given []string) error {
	for _, n := range given {
		if strings.Contains(n, "=") {
			if err := (&nodesFlag{&req.Target}).Set(n); err != nil {
				return Usage(fmt.Errorf("--node: %w", err))
			}
			continue
		}
		if n == "" || strings.ContainsAny(n, `\/:*?"<>| `) {
			return Usage(fmt.Errorf("--node: %q %s", n, p.texts.T(message.CLINoNodeName)))
		}
		req.Nodes = append(req.Nodes, n)
	}
	return nil
}

// checkList refuses flags that would be taken and ignored, before anything is touched.
func (p *program) checkList(cmd *cobra.Command, req *HotfixListRequest) error {
	t, local := &req.Target, req.Root != "" && !OnShare(req.Root)
	if local {
		if err := p.refuseFlags(cmd, append(shareFlagNames(), "require-encryption"), message.CLIFlagNeedsShare, message.CLIFlagNeedsShareHint, req.Root); err != nil {
			return err
		}
	}
	if t.Cluster != "" {
		return p.checkMeaning(*t)
	}
	if err := p.refuseFlags(cmd, clusterFlagNames(), message.CLIFlagNeedsCluster, message.CLIFlagNeedsClusterHint); err != nil {
		return err
	}
	if len(t.Nodes) > 0 {
		return Usage(&fault.Error{Op: "--node", Err: errors.New(p.texts.T(message.CLIAddressNeedsCluster)), Hint: p.texts.T(message.CLIFlagNeedsClusterHint)})
	}
	if local {
		if !t.Lab && t.LabLinger != linger {
			return Usage(errors.New(p.texts.T(message.CLILingerNeedsLabFlag)))
		}
		return p.refuseFlags(cmd, rootFlagNames(), message.CLIFlagNeedsShare, message.CLIFlagNeedsShareHint, req.Root)
	}
	return p.checkFileServer(t)
}

func (p *program) printHotfixList(l HotfixList) {
	head := message.Clean(l.Root)
	if l.Cluster != "" {
		head += "   " + message.Clean(l.Cluster)
	}
	if l.Simulated {
		head += " (" + p.texts.T(message.Simulated) + ")"
	}
	p.line(head)
	p.line("  " + message.Clean(l.Config.Path) + "  sha256 " + l.Config.SHA256)
	for _, w := range l.Warnings {
		p.line(fmt.Sprintf("  ! %s:%d:%d: %s", message.Clean(l.Config.Path), w.Line, w.Column, message.Clean(w.Message)))
	}
	if l.Guessed {
		p.line("  ! " + p.texts.T(message.CLIListGuessed))
	}
	for _, c := range l.Changed {
		p.line("  ! " + p.texts.T(message.CLIListChanged, message.Clean(c)))
	}
	for _, n := range l.Nodes {
		name := message.Clean(n.Name)
		if n.Name == "*" {
			name = p.texts.T(message.CLIListEveryNode)
		}
		p.line("")
		p.line(p.texts.T(message.CLIListNode, name, len(n.Updates)))
		for _, u := range n.Updates {
			p.printUpdate("  ", u, "")
		}
	}
	p.printIgnored(l.Ignored)
}

// printUpdate says exactly what would be installed (R08): a file by its hash and command line, anything else by its identity; of names
// its plug-in where there are several.
func (p *program) printUpdate(indent string, u plugins.Update, of string) {
	name := u.Name
	if len(u.Files) > 0 {
		name = u.Files[0].Path
	}
	head := fmt.Sprintf("%s%s  [%s]", indent, message.Clean(name), message.Clean(u.Rule))
	if u.MayRestart {
		head += "  " + p.texts.T(message.CLIPlanMayRestart)
	}
	if of != "" {
		head += "  " + message.Clean(of)
	}
	p.line(head)
	if about := p.about(u.About); about != "" {
		p.line(indent + "  " + about)
	}
	if u.ListedAs != "" {
		p.line(indent + "  " + p.texts.T(message.CLIListedAs, message.Clean(u.ListedAs)))
	}
	if u.Command.Program != "" {
		p.line(indent + "  " + message.Clean(u.Command.String()))
	}
	if len(u.Files) > 0 {
		where := ""
		if on := u.Files[0].HashedOn; on != "" {
			where = "  " + p.texts.T(message.CLIHashedOn, message.Clean(on))
		}
		p.line(indent + "  sha256 " + u.Files[0].SHA256 + "  " + strconv.FormatInt(u.Files[0].Size, 10) + " bytes" + where)
	}
	if u.Identity != "" {
		p.line(indent + "  " + message.Clean(u.Identity))
	}
	for _, w := range u.Warnings {
		p.line(indent + "  ! " + message.Clean(w))
	}
}

// about is what an update says of itself, and where it says so.
func (p *program) about(a *plugins.About) string {
	if a == nil {
		return ""
	}
	text := a.Text()
	if text != "" {
		text = p.texts.T(message.CLIAbout, message.Clean(text), message.Clean(a.Source))
	}
	if a.Problem != "" {
		text = strings.TrimSpace(text + " ! " + message.Clean(a.Problem))
	}
	return text
}
