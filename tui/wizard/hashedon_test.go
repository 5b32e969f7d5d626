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
	}
	return plan, err
}

func TestPreviewSaysWhichNodeComputedAHash(t *testing.T) {
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
}
