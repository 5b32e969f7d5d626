package e2e_test

import (
	"crypto/sha256"
	"encoding/hex"
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
	w := quickly(t)
	path := sample(t, "plugin-sh/message.sh")
	w.want(0, "plugin", "test", path)
	if r := w.want(2, "plugin", "register", path); !strings.Contains(r.errOut, "--yes") {
		t.Errorf("registered without a word: %s", r.errOut)
	}
	r := w.want(0, "plugin", "register", path, "--yes")
	for _, want := range []string{path, "sha256 ", "owner ", "-rwxr-xr-x", "write:stage, read:install, script:install", "decision of trust"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the registration does not show %q: %s", want, r.out)
		}
	}
	info := w.lab("--nodes", "2")
	r = w.want(2, "preview", "--lab="+info.ID, "--plugin", "example.message", "--arg", "Message=a!b")
	if !strings.Contains(r.errOut, "Message: holds something other than letters") || strings.Contains(r.errOut, "Connecting") {
		t.Errorf("a bad argument: %s", r.errOut)
	}
	if r = w.want(2, "plugin", "args", "Example.Message", "Message=a!b"); !strings.Contains(r.errOut, "holds something other than letters") {
		t.Errorf("%s", r.errOut)
	}
	r = w.want(0, "apply", "--lab="+info.ID, "--plugin", "example.message", "--arg", "Message=hello there", "--yes")
	if strings.Contains(r.out, "Invoke-CauRun") {
		t.Errorf("Microsoft's CAU is said to have the plug-in:\n%s", r.out)
	}
	for _, want := range []string{path + ", SHA-256 ", "may: write:stage, read:install, script:install", "message hello there"} {
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

// flasher is a plug-in that brings a program to each node in two parts and runs it there.
const flasher = `#!/bin/sh
say() { printf '%s\n' "$1"; read -r a || exit 1; case $a in *'"ok":true'*) ;; *) echo '{"type":"error","reason":"the node refused"}'; exit 0;; esac; }
read -r line
case $line in
*'"request":"describe"'*) echo '{"type":"describe","protocol":1,"name":"Test.Flasher","version":"1","description":"Flashes.","capabilities":["write:stage","program:install","script:install"]}' ;;
*'"request":"validate"'*) echo '{"type":"validated","problems":[]}' ;;
*'"request":"scan"'*) echo '{"type":"update","id":"fw","name":"Firmware","identity":"fw 1","limit_minutes":600,"may_restart":true}'; echo '{"type":"done"}' ;;
*'"request":"stage"'*)
	say '{"type":"ask","job":"one","do":"write","path":"fw.exe","data":"Y2F1LWxhYi11cGRhdGUK"}'
	say '{"type":"ask","job":"two","do":"write","path":"fw.exe","offset":15,"data":"ZXhpdD0zMDEwCg=="}'
	echo '{"type":"done"}' ;;
*'"request":"install"'*)
	say '{"type":"ask","job":"flash","do":"program","files":[{"path":"fw.exe","size":25,"sha256":"SUM"}],"parameters":"/quiet"}'
	say '{"type":"ask","job":"say","do":"script","script":"Write-Output \"$env:CAU_PHASE of $env:CAU_RUN on $env:CAU_NODE in $env:CAU_CLUSTER\""}'
	case $a in *"install of "*" in LAB-FC1"*) ;; *) echo '{"type":"error","reason":"the script saw something else"}'; exit 0;; esac
	echo '{"type":"result","outcome":"installed","exit_code":3010,"restart_required":true}' ;;
*) echo '{"type":"error","reason":"no"}' ;;
esac
`

func TestAnExternalPluginBringsAProgramToTheNodesAndRunsItThere(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	sum := sha256.Sum256([]byte("cau-lab-update\nexit=3010\n"))
	path := filepath.Join(t.TempDir(), "flasher.sh")
	if err := os.WriteFile(path, []byte(strings.Replace(flasher, "SUM", hex.EncodeToString(sum[:]), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	w.want(0, "plugin", "register", path, "--yes")
	info := w.lab("--nodes", "2")
	w.want(0, "apply", "--lab="+info.ID, "--plugin", "test.flasher", "--yes", "--reboot-timeout-minutes", "1440", "--drain-timeout-minutes", "1440")
	for _, n := range w.inspect(info).State.Nodes {
		if n.Boots != 2 || len(n.Installs) != 1 || n.Installs[0].File != "fw.exe" || n.Installs[0].Parameters != "/quiet" || !n.Installs[0].Installed || len(n.Staged) != 0 {
			t.Errorf("%s: %d boots, %+v, left %v", n.Name, n.Boots, n.Installs, n.Staged)
		}
	}
}
