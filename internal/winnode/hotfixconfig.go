package winnode

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"cau/internal/fault"
	"cau/internal/winnode/agent"
)

// HotfixConfig is Microsoft's own hotfix configuration file on one node.
type HotfixConfig struct {
	// Found is false where there is none: the Failover Clustering Tools are not installed.
	Found bool
	// Path is where it lies on the node.
	Path    string
	Content []byte
}

// HotfixConfig reads the DefaultHotfixConfig.xml that comes with CAU's PowerShell module, of at most most bytes (1 to 4 MiB); a
// larger one is an error. It changes nothing. What arrives is checked by the SHA-256 that the node computed.
func (n *Node) HotfixConfig(ctx context.Context, most int) (HotfixConfig, error) {
	var a struct {
		Found  *bool  `json:"found"`
		Path   string `json:"path"`
		Size   int64  `json:"size"`
		SHA256 string `json:"sha256"`
		Text   string `json:"text"`
	}
	if _, err := n.link.call(ctx, agent.OpCauHotfixConfig, agent.CauHotfixConfigArgs{Max: most}, &a); err != nil {
		return HotfixConfig{}, err
	}
	if a.Found == nil {
		return HotfixConfig{}, missing(agent.OpCauHotfixConfig, n.Name(), "word whether there is a file")
	}
	out := HotfixConfig{Found: *a.Found, Path: agent.Printable(a.Path, maxMessage)}
	if !out.Found {
		return out, nil
	}
	bad := func(format string, args ...any) (HotfixConfig, error) {
		return HotfixConfig{}, &fault.Error{Op: what(agent.OpCauHotfixConfig), Node: n.Name(), Err: fmt.Errorf(format, args...)}
	}
	if a.Size < 0 || a.Size > int64(most) {
		return bad("%s has %d bytes; at most %d are read", out.Path, a.Size, most)
	}
	content, err := base64.StdEncoding.DecodeString(a.Text)
	if err != nil || int64(len(content)) != a.Size {
		return bad("what arrived of %s is not the %d bytes that were announced", out.Path, a.Size)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != a.SHA256 {
		return bad("what arrived of %s has another SHA-256 than the node says", out.Path)
	}
	out.Content = content
	return out, nil
}
