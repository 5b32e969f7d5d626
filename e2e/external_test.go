package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cau/engine"
)

// sample copies a sample plug-in to where nobody else may write.
func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExternalPluginTakesPartInARunAndIsNotStartedOnceItChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := sample(t, "plugin-sh/message.sh")
	w.want(0, "plugin", "test", path)
	if r := w.want(2, "plugin", "register", path); !strings.Contains(r.errOut, "--yes") {
		t.Errorf("registered without a word: %s", r.errOut)
	}
	r := w.want(0, "plugin", "register", path, "--yes")
	for _, want := range []string{path, "sha256 ", "owner ", "-rwxr-xr-x", "script:stage, script:install", "decision of trust"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the registration does not show %q: %s", want, r.out)
		}
	}
	info := w.lab("--nodes", "2")
	r = w.want(0, "apply", "--lab="+info.ID, "--plugin", "example.message", "--arg", "Message=hello there", "--yes")
	for _, want := range []string{path + ", SHA-256 ", "may: script:stage, script:install", "message hello there"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the confirmation does not show %q:\n%s", want, r.out)
		}
	}
	var runs []struct {
		State engine.RunStatus `json:"state"`
	}
	if err := json.Unmarshal([]byte(w.want(0, "runs", "--json").out), &runs); err != nil || len(runs) != 1 || runs[0].State != engine.RunSucceeded {
		t.Errorf("%v %v\n%s", runs, err, r.out)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\ntouch "+path+".ran\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := w.cau("preview", "--lab="+info.ID, "--plugin", "Example.Message"); r.code == 0 || !strings.Contains(r.errOut, "it was changed since it was registered: its SHA-256") || !strings.Contains(r.errOut, "cau plugin register") {
		t.Errorf("%d %s", r.code, r.errOut)
	}
	if _, err := os.Stat(path + ".ran"); err == nil {
		t.Error("a changed plug-in was started")
	}
	if r := w.want(2, "plugin", "unregister", "microsoft.hotfixplugin"); !strings.Contains(r.errOut, "built in") {
		t.Errorf("%s", r.errOut)
	}
	w.want(0, "plugin", "unregister", "Example.Message")
	w.want(2, "preview", "--lab="+info.ID, "--plugin", "Example.Message")
}
