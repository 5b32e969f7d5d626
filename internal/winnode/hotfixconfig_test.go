package winnode_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

func configAnswer(text string) agent.CauHotfixConfig {
	sum := sha256.Sum256([]byte(text))
	return agent.CauHotfixConfig{Found: true, Path: `C:\a` + "\x1b" + `.xml`, Size: int64(len(text)), SHA256: hex.EncodeToString(sum[:]), Text: base64.StdEncoding.EncodeToString([]byte(text))}
}

func TestAHotfixConfigurationArrivesWholeOrNotAtAll(t *testing.T) {
	s, f := newSite(t, "N1")
	n := f.Node("N1")
	s.on(agent.OpCauHotfixConfig, give(configAnswer("<a/>")))
	if got, err := n.HotfixConfig(t.Context(), 4); err != nil || !got.Found || string(got.Content) != "<a/>" || got.Path != `C:\a .xml` {
		t.Errorf("%+v %v", got, err)
	}
	s.on(agent.OpCauHotfixConfig, give(agent.CauHotfixConfig{Path: "C:\\a"}))
	if got, err := n.HotfixConfig(t.Context(), 4); err != nil || got.Found || got.Content != nil {
		t.Errorf("%+v %v", got, err)
	}
	changed, short, measured := configAnswer("<a/>"), configAnswer("<a/>"), configAnswer("<a/>")
	changed.Text, short.Text = configAnswer("<b/>").Text, configAnswer("<a").Text
	measured.Size, measured.Text, measured.SHA256 = 5, "", ""
	for says, answer := range map[string]any{
		"no word whether there is a file": map[string]any{}, "another SHA-256": changed, "not the 4 bytes": short, "at most 4 are read": measured,
	} {
		s.on(agent.OpCauHotfixConfig, give(answer))
		if got, err := n.HotfixConfig(t.Context(), 4); err == nil || !strings.Contains(err.Error(), says) || got.Found {
			t.Errorf("%s: %+v %v", says, got, err)
		}
	}
}
