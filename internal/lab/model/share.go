package model

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"cau/internal/winnode/agent"
)

// NodeShare is a file share that a node itself serves, as its server describes it. A node has none unless a
// scenario or share.apply makes one: no bytes are served.
type NodeShare struct {
	Node        string `json:"node"`
	Name        string `json:"name"`
	Path        string `json:"path"`
	ShareSDDL   string `json:"share_sddl,omitempty"`
	FolderSDDL  string `json:"folder_sddl,omitempty"`
	EncryptData bool   `json:"encrypt_data,omitempty"`
}

// defaultFolderSDDL is what a folder inherits from its drive.
const (
	defaultFolderSDDL = "O:BAG:DUD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;CIID;LC;;;BU)(A;CIID;DC;;;BU)"
	maxSDDL           = 64 << 10
	maxNodeShares     = 64
)

var (
	sddlShape      = regexp.MustCompile(`^(O:[A-Za-z0-9-]+)?(G:[A-Za-z0-9-]+)?D:[A-Z]*(\([A-Za-z0-9;,:"@|&! ._()-]*\))+$`)
	driveShape     = regexp.MustCompile(`^[A-Za-z]:\\`)
	shareNameShape = regexp.MustCompile(`^[^\\/:*?"<>|\[\]+=;,\x00-\x1f]{1,80}$`)
)

// fileServer is what a node knows of its own shares. Only the shares and the server's signing change.
type fileServer struct {
	shares         map[string]*NodeShare
	requireSigning bool
	// rules are the firewall's, by name; the value tells whether the rule is enabled.
	rules map[string]bool
}

// The rules of "File Server Remote Management" and of plain file serving, as a new server has them.
func newFileServer() fileServer {
	return fileServer{shares: map[string]*NodeShare{}, rules: map[string]bool{
		"FileServer-ServerManager-SMB-TCP-In": false, "FileServer-ServerManager-DCOM-TCP-In": false,
		"FileServer-ServerManager-Winmgmt-TCP-In": false, "FPS-SMB-In-TCP": false,
	}}
}

// remoteChecks are the rules that let a share be checked from outside.
func remoteChecks() []string {
	return []string{
		"FileServer-ServerManager-SMB-TCP-In", "FileServer-ServerManager-DCOM-TCP-In", "FileServer-ServerManager-Winmgmt-TCP-In",
		"FPS-SMB-In-TCP",
	}
}

func (n *Node) describeShare(a agent.ShareDescribeArgs) (agent.ShareFacts, error) {
	if !shareNameShape.MatchString(a.Share) {
		return agent.ShareFacts{}, &refusal{"refused", "this is no share's name"}
	}
	f := agent.ShareFacts{RequireSigning: n.files.requireSigning, RejectUnencrypted: true, Firewall: []agent.FirewallRule{}}
	for _, name := range remoteChecks() {
		f.Firewall = append(f.Firewall, n.rule(name))
	}
	if s, ok := n.files.shares[key(a.Share)]; ok {
		f.Exists, f.Path, f.ShareSDDL, f.FolderSDDL, f.EncryptData = true, s.Path, s.ShareSDDL, s.FolderSDDL, s.EncryptData
	}
	return f, nil
}

// applyShare makes a share, or changes one, and says what it changed.
func (n *Node) applyShare(a agent.ShareApplyArgs) (agent.ShareFacts, error) {
	var none agent.ShareFacts
	if err := checkShare(a); err != nil {
		return none, err
	}
	changed := []string{}
	path := strings.TrimSuffix(a.Path, `\`)
	s, exists := n.files.shares[key(a.Share)]
	switch {
	case exists && path != "" && !is(path, s.Path):
		return none, &refusal{"refused", "the share leads to another folder: " + s.Path}
	case exists:
		path = s.Path
	case len(n.files.shares) >= maxNodeShares:
		return none, &refusal{"refused", "too many shares"}
	}
	if !exists || a.FolderSDDL != "" {
		if err := checkSharePath(path); err != nil {
			return none, err
		}
	}
	switch {
	case !exists && a.ShareSDDL == "":
		return none, &refusal{"refused", "a descriptor without entries would let everybody in or lock everybody out"}
	case !exists:
		if a.FolderSDDL != "" {
			changed = append(changed, "the folder was made")
		}
		s = &NodeShare{
			Node: n.name, Name: a.Share, Path: path, ShareSDDL: a.ShareSDDL, FolderSDDL: cmp.Or(a.FolderSDDL, defaultFolderSDDL),
			EncryptData: a.EncryptData != nil && *a.EncryptData,
		}
		n.files.shares[key(a.Share)] = s
		changed = append(changed, "the share was made")
	case a.FolderSDDL != "" && a.FolderSDDL != s.FolderSDDL:
		s.FolderSDDL = a.FolderSDDL
		changed = append(changed, "the permissions of the folder")
	}
	if a.ShareSDDL != "" && a.ShareSDDL != s.ShareSDDL {
		s.ShareSDDL = a.ShareSDDL
		changed = append(changed, "the permissions of the share")
	}
	if a.EncryptData != nil && *a.EncryptData != s.EncryptData {
		s.EncryptData = *a.EncryptData
		changed = append(changed, "encryption of the share")
	}
	if a.RequireSigning != nil && *a.RequireSigning != n.files.requireSigning {
		n.files.requireSigning = *a.RequireSigning
		changed = append(changed, "signing on the whole server, for new connections")
	}
	f, err := n.describeShare(agent.ShareDescribeArgs{Share: a.Share})
	f.Changed = changed
	return f, err
}

func checkShare(a agent.ShareApplyArgs) error {
	if !shareNameShape.MatchString(a.Share) {
		return &refusal{"refused", "this is no share's name"}
	}
	for _, s := range []string{a.ShareSDDL, a.FolderSDDL} {
		if s != "" && (len(s) > maxSDDL || !sddlShape.MatchString(s)) {
			return &refusal{"refused", "the descriptor is not SDDL"}
		}
	}
	return nil
}

// checkSharePath admits a folder on a local drive that Windows itself does not live in.
func checkSharePath(path string) error {
	if !driveShape.MatchString(path) || !validRelative(path[3:]) {
		return &refusal{"refused", "the folder of a share is a full path on a local drive"}
	}
	for _, system := range []string{`C:\Windows`, `C:\Program Files`, `C:\Program Files (x86)`, `C:\ProgramData`, `C:\Users`} {
		if strings.HasPrefix(key(path)+`\`, key(system)+`\`) {
			return &refusal{"refused", "permissions below " + system + " are not changed"}
		}
	}
	return nil
}

var ruleShape = regexp.MustCompile(`^[A-Za-z0-9_.{} ()-]{1,200}$`)

// firewallRule tells of a rule, and sets it if it is asked to.
func (n *Node) firewallRule(a agent.FirewallRuleArgs) (agent.FirewallRule, error) {
	if !ruleShape.MatchString(a.Name) {
		return agent.FirewallRule{}, &refusal{"refused", "this is no firewall rule's name"}
	}
	r := n.rule(a.Name)
	if a.Enable != nil && r.Exists {
		n.files.rules[r.Name] = *a.Enable
		r.Enabled = *a.Enable
	}
	return r, nil
}

func (n *Node) rule(name string) agent.FirewallRule {
	for _, known := range sortedKeys(n.files.rules) {
		if is(known, name) {
			return agent.FirewallRule{Name: known, Exists: true, Before: n.files.rules[known], Enabled: n.files.rules[known]}
		}
	}
	return agent.FirewallRule{Name: name}
}

// sortedKeys are a map's keys in their order.
func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
