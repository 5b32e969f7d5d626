//go:build linux

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/plugins/external"
)

func TestR31_ARunDoesNotBeginWithAnotherExecutableThanThePlans(t *testing.T) {
	// A folder above must not be open to others, as a temporary one is only while it is sticky.
	path := filepath.Join(t.TempDir(), "plug-in")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := external.Look(path)
	if err != nil {
		t.Fatal(err)
	}
	k := known{says: &external.Plugin{Registration: external.Registration{File: f}}}
	pinned := func(path, sha string) engine.PluginPlan {
		return engine.PluginPlan{Name: "Test", Pinned: []plugins.File{{Path: path, SHA256: sha}}}
	}
	if err := unchanged(k, pinned(f.Path, f.SHA256)); err != nil {
		t.Errorf("the one that was confirmed: %v", err)
	}
	for name, pp := range map[string]engine.PluginPlan{
		"another hash": pinned(f.Path, "00"), "another path": pinned(f.Path+"2", f.SHA256), "nothing pinned": {Name: "Test"},
	} {
		if unchanged(k, pp) == nil {
			t.Errorf("%s: it begins", name)
		}
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexit\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if unchanged(k, pinned(f.Path, f.SHA256)) == nil {
		t.Error("the file changed since, and it begins")
	}
}

func TestR31_EveryCapabilityIsSaidInWords(t *testing.T) {
	for _, c := range external.Capabilities() {
		act, in, _ := strings.Cut(string(c), ":")
		for _, key := range []message.Key{message.PluginAct(act), message.PluginIn(in)} {
			if words := (message.Texts{}).T(key); strings.HasPrefix(words, "[") {
				t.Errorf("%s: there is no text %s", c, words)
			}
		}
	}
}
