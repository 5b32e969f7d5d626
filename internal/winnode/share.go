package winnode

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// maxSDDL bounds a security descriptor in characters; Windows' own limit for one is 64 KiB in binary.
const maxSDDL = 1 << 17

// ShareDescribe reads how a share of this computer is set up. The computer is a file server, which is reached like a
// node and need not be one.
func (n *Node) ShareDescribe(ctx context.Context, share string) (agent.ShareFacts, error) {
	return n.share(ctx, agent.OpShareDescribe, share, agent.ShareDescribeArgs{Share: share})
}

// ShareApply makes a share and its folder as wanted, changes nothing that is so already, and says what it changed.
func (n *Node) ShareApply(ctx context.Context, want agent.ShareApplyArgs) (agent.ShareFacts, error) {
	for _, s := range []string{want.Path, want.ShareSDDL, want.FolderSDDL} {
		if strings.IndexFunc(s, unicode.IsControl) >= 0 || len(s) > maxSDDL {
			return agent.ShareFacts{}, &fault.Error{Op: what(agent.OpShareApply), Node: n.Name(), Err: errors.New("a path or descriptor is too long or not printable")}
		}
	}
	return n.share(ctx, agent.OpShareApply, want.Share, want)
}

func (n *Node) share(ctx context.Context, op, share string, args any) (agent.ShareFacts, error) {
	if share == "" || len(share) > 80 || strings.IndexFunc(share, badInShareName) >= 0 {
		return agent.ShareFacts{}, &fault.Error{Op: what(op), Node: n.Name(), Err: errors.New("this is no name of a share")}
	}
	var f agent.ShareFacts
	if _, err := n.link.call(ctx, op, args, &f); err != nil {
		return agent.ShareFacts{}, err
	}
	f.Path = agent.Printable(f.Path, maxMessage)
	f.ShareSDDL, f.FolderSDDL = agent.Printable(f.ShareSDDL, maxSDDL), agent.Printable(f.FolderSDDL, maxSDDL)
	f.Changed = texts(f.Changed, maxMessage)
	f.Firewall = f.Firewall[:min(len(f.Firewall), maxFacts)]
	for i := range f.Firewall {
		f.Firewall[i].Name = agent.Printable(f.Firewall[i].Name, maxName)
	}
	return f, nil
}

// badInShareName finds what no share's name has (New-SmbShare, MS-SRVS).
func badInShareName(r rune) bool {
	return unicode.IsControl(r) || strings.ContainsRune(`"\/[]:|<>+=;,*?`, r)
}

// FirewallRule reads a rule of Windows' firewall by its name, not its displayed one, and sets it if enable is not nil.
func (n *Node) FirewallRule(ctx context.Context, name string, enable *bool) (agent.FirewallRule, error) {
	if name == "" || name != agent.Printable(name, maxName) || strings.ContainsAny(name, `"'*?[]`) {
		return agent.FirewallRule{}, &fault.Error{Op: what(agent.OpFirewallRule), Node: n.Name(), Err: errors.New("this is no name of a firewall rule")}
	}
	var r agent.FirewallRule
	if _, err := n.link.call(ctx, agent.OpFirewallRule, agent.FirewallRuleArgs{Name: name, Enable: enable}, &r); err != nil {
		return r, err
	}
	r.Name = agent.Printable(r.Name, maxName)
	return r, nil
}
