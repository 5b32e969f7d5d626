//go:build unix

package external_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/internal/fault"
	"cau/plugins"
	"cau/plugins/external"
)

func TestR31_AChangedPluginIsNotStarted(t *testing.T) {
	good := `echo '{"type":"result","outcome":"installed"}'`
	for name, change := range map[string]func(path string) error{
		"its content":           func(path string) error { return os.WriteFile(path, []byte("#!/bin/sh\ntouch \"$0.ran\"\n"), 0o755) },
		"its permissions":       func(path string) error { return os.Chmod(path, 0o700) },
		"others may write it":   func(path string) error { return os.Chmod(path, 0o777) },
		"others may replace it": func(path string) error { return os.Chmod(filepath.Dir(path), 0o777) },
		"gone":                  os.Remove,
	} {
		p := plugin(t, good)
		if _, err := install(t.Context(), p, &node{}); err != nil {
			t.Fatal(err)
		}
		if err := change(p.Registration.File.Path); err != nil {
			t.Fatal(err)
		}
		_, err := install(t.Context(), p, &node{})
		if err == nil || fault.Hint(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, fault.Hint(err))
		}
		if _, ran := os.Stat(p.Registration.File.Path + ".ran"); ran == nil {
			t.Errorf("%s: it was started", name)
		}
	}
}

func TestR31_APlanRunsOnlyWithTheExecutableItWasMadeWith(t *testing.T) {
	p := plugin(t, `echo '{"type":"result","outcome":"installed"}'`)
	u := update(p)
	u.Payload = json.RawMessage(`{"plugin_sha256":"00","data":""}`)
	_, err := p.Install(t.Context(), &node{}, plugins.InstallRequest{Run: "0a0b0c0d", JobID: "j", Update: u}, func(plugins.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "the plan was made with the executable of SHA-256 00") {
		t.Errorf("%v", err)
	}
}

func TestR31_WhatAPluginDeclaresIsChecked(t *testing.T) {
	for change, want := range map[string]string{
		`"protocol":2`:                             "speaks version 2",
		`"name":"Microsoft.HotfixPlugin"`:          "is reserved",
		`"name":"microsoft.Other"`:                 "is reserved",
		`"name":"plain"`:                           "Maker.Plugin",
		`"name":"A.../../b"`:                       "Maker.Plugin",
		`"version":""`:                             "the version",
		`"description":"a\u001bb"`:                 "control character",
		`"capabilities":["everything"]`:            `no capability "everything"`,
		`"options":[{"name":"A","kind":"secret"}]`: "gets no secrets",
		`"options":[{"name":"A","kind":"text"},{"name":"a","kind":"text"}]`:       "comes twice",
		`"options":[{"name":"A","kind":"minutes","min":1,"max":2,"default":"5"}]`: "a default that",
	} {
		key, _, _ := strings.Cut(change, ":")
		text := declared
		from := strings.Index(text, key+":")
		to := from + strings.IndexAny(text[from:], ",}")
		if strings.Contains(key, "capabilities") || strings.Contains(key, "options") {
			to = from + strings.Index(text[from:], "]") + 1
		}
		text = text[:from] + change + text[to:]
		_, err := external.Inspect(t.Context(), write(t, "#!/bin/sh\ncat <<'E'\n"+text+"\nE\n"), quick)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", change, err, want)
		}
	}
}

func TestR31_OnlyWhatNobodyElseCanReplaceIsRegistered(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"a file that others may write":   func(path string) error { return os.Chmod(path, 0o722) },
		"a folder that others may write": func(path string) error { return os.Chmod(filepath.Dir(path), 0o772) },
		"a file that nobody may run":     func(path string) error { return os.Chmod(path, 0o600) },
	} {
		path := write(t, "#!/bin/sh\necho '"+declared+"'\n")
		if _, err := external.Look(path); err != nil {
			t.Fatal(err)
		}
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		if _, err := external.Inspect(t.Context(), path, quick); !errors.Is(err, external.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := external.Look(t.TempDir()); err == nil {
		t.Error("a folder was taken for an executable")
	}
}

func TestTheRegistryKeepsWhatWasTrustedAndForgetsOnlyThat(t *testing.T) {
	registry := external.Registry{Dir: filepath.Join(t.TempDir(), "plugins")}
	if all, err := registry.List(); err != nil || len(all) != 0 {
		t.Fatalf("%v %v", all, err)
	}
	p := plugin(t, "")
	if err := registry.Add(p.Registration); err != nil {
		t.Fatal(err)
	}
	got, err := registry.Find("test.PLUGIN")
	if err != nil || got.File != p.Registration.File || fmt.Sprint(got.Declared) != fmt.Sprint(p.Registration.Declared) {
		t.Errorf("%+v %v", got, err)
	}
	for _, builtIn := range []string{"Microsoft.HotfixPlugin", "microsoft.windowsupdateplugin"} {
		if _, err := registry.Remove(builtIn); err == nil || !strings.Contains(err.Error(), "built in") {
			t.Errorf("%s: %v", builtIn, err)
		}
	}
	if _, err := registry.Remove("Test.Plugin"); err != nil {
		t.Error(err)
	}
	if _, err := registry.Find("Test.Plugin"); !errors.Is(err, external.ErrNotRegistered) {
		t.Error(err)
	}
	if _, err := os.Stat(p.Registration.File.Path); err != nil {
		t.Error("the executable is gone, too")
	}
	if err := os.WriteFile(filepath.Join(registry.Dir, "x.y.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.List(); err == nil || !strings.Contains(err.Error(), "x.y.json") {
		t.Errorf("a registration that cannot be read: %v", err)
	}
}
