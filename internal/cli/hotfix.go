package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// HotfixCheckRequest asks whether a hotfix root is safe to install from.
type HotfixCheckRequest struct {
	// Root is \\server\share\folder; empty means the lab's own.
	Root string
	// Target says who signs in and where the file server listens; of a cluster it names at most a lab.
	Target Target
	// Nodes are the cluster's nodes, for their folders; none takes folders for nodes by their names alone.
	Nodes []string
	// Config is the configuration file's name.
	Config string
	// RequireEncryption and DisableACLChecks are the plug-in's RequireSMBEncryption and DisableAclChecks.
	RequireEncryption, DisableACLChecks bool
}

// HotfixReport is what a root was found to be.
type HotfixReport struct {
	Root string `json:"root"`
	// Checks are all checks of a root; one that could not be made is there too, as one that cannot be verified.
	Checks []check.Result `json:"checks"`
	// Ignored is what lies in the root and would not be installed.
	Ignored []plugins.Ignored `json:"ignored,omitempty"`
	// Connection is what was proven about the connection, and what crossed it; empty where there was none.
	Connection *HotfixFacts `json:"connection,omitempty"`
	// Server is what the file server answers to anybody, before a sign-in; nothing in it is proven.
	Server *HotfixFacts `json:"server,omitempty"`
	// Simulated: a lab's file server was asked.
	Simulated bool `json:"simulated,omitempty"`
}

// HotfixFacts are facts about a connection or a server, in a line for people and all of them as JSON.
type HotfixFacts struct {
	Text string
	Raw  json.RawMessage
}

// MarshalJSON writes all facts.
func (f HotfixFacts) MarshalJSON() ([]byte, error) { return f.Raw, nil }

// safe tells whether nothing failed and nothing is unverified.
func (r HotfixReport) safe() bool {
	return !slices.ContainsFunc(r.Checks, func(c check.Result) bool { return c.Outcome != check.Pass && c.Outcome != check.Warn })
}

func (p *program) hotfix() *cobra.Command {
	cmd := &cobra.Command{Use: "hotfix", Short: p.texts.T(message.CLIHotfixShort)}
	cmd.AddCommand(p.hotfixCheck(), p.hotfixList(), p.hotfixConfig())
	return cmd
}

func (p *program) hotfixCheck() *cobra.Command {
	var req HotfixCheckRequest
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check ROOT", Short: p.texts.T(message.CLIHotfixCheckShort), Long: p.texts.T(message.CLIHotfixCheckLong),
		Example: p.texts.T(message.CLIHotfixCheckExample), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.checkHotfixRequest(&req, args); err != nil {
				return err
			}
			report, err := p.services.HotfixCheck(cmd.Context(), req, p.say)
			if err != nil {
				return err
			}
			if asJSON {
				err = p.json(report)
			} else {
				p.printHotfix(report)
			}
			if err != nil {
				return err
			}
			if !report.safe() {
				return exitWith(ExitRefused)
			}
			return nil
		},
	}
	f := cmd.Flags()
	t := &req.Target
	p.rootFlags(cmd, t, message.CLIFlagHotfixLab)
	f.StringArrayVar(&req.Nodes, "node", nil, p.texts.T(message.CLIFlagHotfixNode))
	f.StringVar(&req.Config, "config", "", p.texts.T(message.CLIFlagHotfixConfig))
	f.BoolVar(&req.RequireEncryption, "require-encryption", false, p.texts.T(message.CLIFlagRequireEncryption))
	f.BoolVar(&req.DisableACLChecks, "disable-acl-checks", false, p.texts.T(message.CLIFlagDisableACLChecks))
	f.BoolVar(&asJSON, "json", false, p.texts.T(message.CLIFlagJSON))
	return cmd
}

// fileServerFlags adds the flags that say who signs in on a file server, and where it listens.
func (p *program) fileServerFlags(cmd *cobra.Command, t *Target) {
	f := cmd.Flags()
	t.PasswordFD = -1
	f.StringVar(&t.User, "user", "", p.texts.T(message.CLIFlagFileUser))
	f.StringVar(&t.PasswordFile, "password-file", "", p.texts.T(message.CLIFlagPasswordFile))
	f.IntVar(&t.PasswordFD, "password-fd", -1, p.texts.T(message.CLIFlagPasswordFD))
	f.Lookup("password-fd").DefValue = ""
	f.StringVar(&t.SignIn.Method, "auth", AuthAuto, p.texts.T(message.CLIFlagFileAuth))
	p.kerberosFlags(cmd, &t.SignIn, p.texts.T(message.CLIFlagFileSPN))
	f.IntVar(&t.SMBPort, "smb-port", 0, p.texts.T(message.CLIFlagSMBPort))
	f.BoolVar(&t.OlderSMB, "allow-older-smb", false, p.texts.T(message.CLIFlagOlderSMB))
}

// checkHotfixRequest refuses what would be taken and ignored, and roots that are none, before anything is touched.
func (p *program) checkHotfixRequest(req *HotfixCheckRequest, args []string) error {
	t := req.Target
	switch {
	case len(args) > 1:
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLIOneRoot)), Hint: p.texts.T(message.CLIOneRootHint)})
	case len(args) == 1:
		req.Root = args[0]
	case !t.Lab:
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLINoRoot)), Hint: p.texts.T(message.CLIOneRootHint)})
	}
	if len(args) == 1 && args[0] == "" {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLINoRoot)), Hint: p.texts.T(message.CLIOneRootHint)})
	}
	for _, n := range req.Nodes {
		if n == "" || strings.ContainsAny(n, `=\/:*?"<>| `) {
			return Usage(fmt.Errorf("--node: %q %s", n, p.texts.T(message.CLINoNodeName)))
		}
	}
	return p.checkFileServer(&req.Target)
}

// checkFileServer refuses ways to sign in on a file server that contradict each other, and flags that would mean nothing.
func (p *program) checkFileServer(t *Target) error {
	if m := t.SignIn.Method; m != AuthAuto && m != AuthKerberos && m != AuthNTLM {
		return Usage(&fault.Error{Op: "--auth", Err: fmt.Errorf("%s %q", p.texts.T(message.CLIUnknownAuth), m), Hint: strings.Join([]string{AuthAuto, AuthKerberos, AuthNTLM}, ", ")})
	}
	for _, c := range []struct {
		useless bool
		why     message.Key
	}{
		{!t.Lab && t.LabLinger != linger, message.CLILingerNeedsLabFlag},
		{t.PasswordFile != "" && t.PasswordFD >= 0, message.CLITwoPasswords},
		{t.User == "" && (t.PasswordFile != "" || t.PasswordFD >= 0), message.CLIPasswordNeedsUser},
		{!t.Lab && t.User == "" && t.SignIn.Method == AuthNTLM, message.CLINTLMNeedsUser},
	} {
		if c.useless {
			return Usage(errors.New(p.texts.T(c.why)))
		}
	}
	if err := checkPort(t.SMBPort); err != nil {
		return err
	}
	if t.Lab && t.SignIn.kerberosOnly() {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpRoot), Err: errors.New(p.texts.T(message.CLILabRootIsItself)), Hint: p.texts.T(message.CLILabIsItselfHint)})
	}
	return p.checkSignIn(*t, t.Lab)
}

func (p *program) printHotfix(r HotfixReport) {
	head := message.Clean(r.Root)
	if r.Simulated {
		head += " (" + p.texts.T(message.Simulated) + ")"
	}
	p.line(head)
	if r.Server != nil {
		p.line("  " + message.Clean(r.Server.Text))
	}
	if r.Connection != nil {
		p.line("  " + message.Clean(r.Connection.Text))
	}
	p.printChecks(r.Checks)
	p.printIgnored(r.Ignored)
	p.line("")
	if r.safe() {
		p.line(p.texts.T(message.CLIHotfixSafe))
	} else {
		p.line(p.texts.T(message.CLIHotfixNotSafe))
	}
}
