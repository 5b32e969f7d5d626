package model

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"

	"cau/internal/winnode/agent"
)

// hotfixConfigFile stands for the file that comes with CAU's PowerShell module. It is made up: the real one is not public.
//
//go:embed hotfixconfig.xml
var hotfixConfigFile []byte

// HotfixConfig is what Node has in the place of the file that comes with CAU's PowerShell module. None takes it away.
type HotfixConfig struct {
	Node string `json:"node"`
	None bool   `json:"none,omitempty"`
	Text string `json:"text,omitempty"`
}

// hotfixConfig reads the file: with the module it is there, unless a scenario says otherwise.
func (n *Node) hotfixConfig(a agent.CauHotfixConfigArgs) (agent.CauHotfixConfig, error) {
	content := hotfixConfigFile
	if !n.cauPlugins().Available {
		content = nil
	}
	for _, c := range n.world.scenario.HotfixConfigs {
		switch {
		case !is(c.Node, n.name):
		case c.None:
			content = nil
		default:
			content = []byte(c.Text)
		}
	}
	out := agent.CauHotfixConfig{Path: `C:\Windows\System32\WindowsPowerShell\v1.0\Modules\ClusterAwareUpdating\DefaultHotfixConfig.xml`}
	if content == nil {
		return out, nil
	}
	out.Found, out.Size = true, int64(len(content))
	if out.Size <= int64(min(max(a.Max, 1), 4<<20)) {
		sum := sha256.Sum256(content)
		out.SHA256, out.Text = hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(content)
	}
	return out, nil
}
