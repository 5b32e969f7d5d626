package e2e_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cau/internal/sambatest"
)

// answers runs the program line by line and gives it these answers.
func (w *world) answers(list []string, args ...string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, append([]string{"--accessible"}, args...)...)
	cmd.Stdin = strings.NewReader(strings.Join(list, "\n") + "\n")
	out, _ := cmd.CombinedOutput() // it ends where the answers do
	return string(out)
}

func TestTheWizardWritesTheMissingConfigurationFileOnARealShare(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab()
	s := sambatest.Start(t)
	line := []string{"--lab=" + info.ID, "--smb-port", strconv.Itoa(s.Port), "--smb-user", sambatest.Admin, "--smb-password-file", write(t, sambatest.Password+"\n")}
	toChecks := []string{"1", "", "Microsoft.HotfixPlugin", "", "", `\\127.0.0.1\enc`, "", "", "", ""}
	file := filepath.Join(s.Dir("enc"), "DefaultHotfixConfig.xml")

	out := w.answers(append(toChecks, "no", ":q"), line...)
	if !strings.Contains(out, "Write DefaultHotfixConfig.xml into the hotfix root now (yes, no) [no]:") {
		t.Fatalf("it does not offer to write the file:\n%s", out)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it was written unasked: %v", err)
	}
	out = w.answers(append(toChecks, "yes", "", "", "", "", "", "", "", "", ":q"), line...)
	for _, want := range []string{"Asking 4 nodes for the configuration file that comes with CAU.", `\\127.0.0.1\enc\DefaultHotfixConfig.xml was written: the file that comes with CAU, as on NODE1.`, "pass  Configuration file is there"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if text := mustRead(t, file); !strings.Contains(string(text), "Made up by the lab") {
		t.Errorf("%s", text)
	}
}
