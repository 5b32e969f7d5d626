package app

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"cau/plugins"
	"cau/plugins/windowsupdate"
)

func TestARelativeHomeIsTheSameFolderForEveryProcess(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("CAU_HOME", filepath.Join("some", "home"))
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := homeDir(); got != filepath.Join(dir, "some", "home") && got != filepath.Join(resolved, "some", "home") {
		t.Errorf("the home is %s", got)
	}
}

func TestAnInterruptWhileALabStartsIsAnInterruptAndNoFailure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := awaitLab(ctx, t.TempDir(), make(chan error)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestTheDefaultPluginIsShownFirstAndIsWindowsUpdate(t *testing.T) {
	if first := builtins()[0].says; first.Name() != plugins.Default || first.Name() != windowsupdate.Name {
		t.Errorf("the first is %s, the default %s", first.Name(), plugins.Default)
	}
}
