package wizard_test

import (
	"context"
	"strings"
	"testing"

	"cau/engine"
	"cau/tui/backend"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

// hashedThere is a program whose plan has one hash that a node computed.
type hashedThere struct{ *tuitest.Services }

func (h hashedThere) Preview(ctx context.Context, req backend.Request, note func(string)) (*engine.Plan, error) {
	plan, err := h.Services.Preview(ctx, req, note)
	if err == nil {
		plan.Nodes[0].Updates[0].Files[0].HashedOn = "NODE3"
		plan.Nodes[0].Updates[1].ListedAs = "KB5031234"
	}
	return plan, err
}

func TestPreviewSaysWhichNodeComputedAHashAndWhatItsNodeHasAlready(t *testing.T) {
	w := start(t, hashedThere{&tuitest.Services{}})
	var hashes []string
	for _, l := range goTo(t, w, wizard.Preview).Lines {
		if strings.HasPrefix(l.Text, "sha256 ") {
			hashes = append(hashes, l.Text)
		}
	}
	if len(hashes) < 2 || !strings.HasSuffix(hashes[0], "bytes  computed on NODE3") || !strings.HasSuffix(hashes[1], "bytes") {
		t.Errorf("%q", hashes)
	}
	listed := 0
	for _, l := range w.Page().Lines {
		if strings.HasPrefix(l.Text, "already installed: the node lists KB5031234") {
			listed++
		}
	}
	if listed != 1 {
		t.Errorf("%d updates are said to be installed", listed)
	}
}
