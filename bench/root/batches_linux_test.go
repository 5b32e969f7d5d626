package root

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

// A question for each file would cost three messages a file, and a walk over a real network a minute instead of seconds.
func TestAWalkAsksForManyDescriptorsWithOneMessage(t *testing.T) {
	s := sambatest.Start(t, sambatest.NTACLs(), sambatest.Global("server signing = mandatory"))
	local, many := t.TempDir(), 500
	for i := range many {
		if err := os.WriteFile(filepath.Join(local, fmt.Sprintf("KB%07d.msu", i)), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, s, "acl", local)
	c, err := connect(t.Context(), s, at("acl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	before := frames(c)
	tree, err := c.Walk(t.Context(), smbcheck.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Entries) != many {
		t.Fatalf("%d entries", len(tree.Entries))
	}
	for _, e := range tree.Entries {
		if e.Security == nil {
			t.Errorf("%s: %v", e.Path, e.Unread)
		}
	}
	if sent := frames(c) - before; sent > many/10 {
		t.Errorf("%d messages for %d files", sent, many)
	}
}
