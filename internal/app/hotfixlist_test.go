package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/hotfixcfg"
	"cau/internal/cli"
	"cau/internal/fault"
)

func TestAFolderIsListedForTheNodesThatAreNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	msi, err := os.ReadFile("../../hotfixcfg/content/testdata/agent.msi")
	if err := errors.Join(err, os.MkdirAll(filepath.Join(dir, "CAUHotfix_All"), 0o755), os.WriteFile(filepath.Join(dir, "CAUHotfix_All", "a.msi"), msi, 0o600),
		os.WriteFile(filepath.Join(dir, hotfixcfg.DefaultFileName), hotfixcfg.DefaultXML(), 0o600)); err != nil {
		t.Fatal(err)
	}
	p := &program{}
	silent := func(string) {}
	l, err := p.HotfixList(t.Context(), cli.HotfixListRequest{Root: dir, Nodes: []string{"NODE2"}}, silent)
	if err != nil || len(l.Nodes) != 1 || l.Nodes[0].Name != "NODE2" || len(l.Nodes[0].Updates) != 1 || l.Nodes[0].Updates[0].About.KB != "KB5099001" || l.Guessed || l.Simulated {
		t.Errorf("%v %+v", err, l)
	}
	if l, err = p.HotfixList(t.Context(), cli.HotfixListRequest{Root: dir}, silent); err != nil || len(l.Nodes) != 1 || l.Nodes[0].Name != "*" || !l.Guessed {
		t.Errorf("%v %+v", err, l)
	}
	_, err = p.HotfixList(t.Context(), cli.HotfixListRequest{Root: dir, Config: `..\x.xml`}, silent)
	if !cli.IsUsage(err) || !strings.Contains(err.Error(), "plain file name") {
		t.Errorf("%v", err)
	}
	_, err = p.HotfixList(t.Context(), cli.HotfixListRequest{Root: dir, Config: "other.xml"}, silent)
	if err == nil || cli.IsUsage(err) || !strings.Contains(fault.Hint(err), "config init") {
		t.Errorf("%v", err)
	}
}

func TestTheNodesToShowAreTheClustersOwn(t *testing.T) {
	t.Parallel()
	known := []string{"NODE1", "NODE2"}
	if got, err := shownNodes(known, []string{"node2"}, "FC1"); err != nil || len(got) != 1 || got[0] != "NODE2" {
		t.Errorf("%v %v", got, err)
	}
	if _, err := shownNodes(known, []string{"NODE9"}, "FC1"); !cli.IsUsage(err) || !strings.Contains(fault.Hint(err), "NODE1, NODE2") {
		t.Errorf("%v", err)
	}
	if got, err := shownNodes(nil, []string{"ANY"}, ""); err != nil || got[0] != "ANY" {
		t.Errorf("%v %v", got, err)
	}
}
