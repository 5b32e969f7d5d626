package agent_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cau/internal/winnode/agent"
)

func TestTheBundleIsOneAsciiTextNamedByItsHash(t *testing.T) {
	b := agent.Bundle()
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != agent.BundleSHA256() {
		t.Error("BundleSHA256 is not the hash of Bundle")
	}
	for i, c := range b {
		if c != '\n' && (c < ' ' || c > '~') {
			t.Fatalf("byte %d is %#x: the bundle crosses code pages and must be printable ASCII with LF", i, c)
		}
	}
	if !bytes.HasSuffix(b, []byte("\n")) || bytes.HasSuffix(b, []byte("\n\n")) {
		t.Error("the loader joins lines and adds one LF; the bundle must end with exactly one")
	}
	b[0] = 'X'
	if agent.Bundle()[0] == 'X' {
		t.Error("a caller can change the bundle")
	}
}

func TestTheBundleHoldsEveryOperationAndJob(t *testing.T) {
	text := string(agent.Bundle())
	for _, op := range []string{
		agent.OpHello, agent.OpBootInfo, agent.OpPendingGet, agent.OpClusterGet, agent.OpClusterOffline, agent.OpCauRuns,
		agent.OpStorageGet, agent.OpStorageMaintenance, agent.OpNodePause, agent.OpNodeResume, agent.OpNodeRestart,
		agent.OpNodeRestartAbort, agent.OpNodeClean, agent.OpJobStart, agent.OpJobPoll,
	} {
		if !strings.Contains(text, "$CauOperations['"+op+"'] = {\nparam($Arguments)\n") {
			t.Errorf("operation %s is missing", op)
		}
	}
	for _, job := range []string{agent.JobStage, agent.JobInstaller} {
		if !strings.Contains(text, "$CauJobs['"+job+"'] = {\nparam($Job, $Order)\n") {
			t.Errorf("job %s is missing", job)
		}
	}
	if n := strings.Count(text, "\n'@\n"); n != 1 {
		t.Errorf("%d here-string ends; the loader's text must end where it is meant to", n)
	}
}

// The scripts as they lie here, not only the bundle: each must be fit to be read and changed by itself.
func TestEveryScriptIsPlainAndNamesItsCmdletsInFull(t *testing.T) {
	alias := regexp.MustCompile(`\|\s*[%?]\s*\{|\|\s*[%?]\s|\s[%?]\s*\{|(?i)\b(iex|invoke-expression|add-type)\b`)
	crossHop := regexp.MustCompile(`(?i)\s-(cluster|computername|credential)\b`)
	n := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".ps1" {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.IndexFunc(line, func(r rune) bool { return r != '\r' && (r < ' ' || r > '~') }) >= 0 {
				t.Errorf("%s:%d: not printable ASCII", path, i+1)
			}
			if alias.MatchString(line) {
				t.Errorf("%s:%d: an alias or a command that EDR rules look for: %s", path, i+1, line)
			}
			if crossHop.MatchString(line) {
				t.Errorf("%s:%d: a second hop, which a network logon cannot make: %s", path, i+1, line)
			}
			if strings.HasPrefix(strings.TrimSpace(line), "'@") {
				t.Errorf("%s:%d: ends a here-string", path, i+1)
			}
		}
		return nil
	})
	if err != nil || n < 20 {
		t.Fatalf("%d scripts, %v", n, err)
	}
}

func TestR18_NoScriptKillsAnything(t *testing.T) {
	// One operation may, and it is for somebody who typed that it shall.
	kill, err := os.ReadFile("ops/job.kill.ps1")
	if err != nil || bytes.Count(agent.Bundle(), kill) != 1 {
		t.Fatalf("job.kill is not in the bundle as it lies here (%v)", err)
	}
	rest := bytes.Replace(agent.Bundle(), kill, nil, 1)
	if m := regexp.MustCompile(`(?i)stop-process|taskkill|\.kill\(|\.terminate|stop-computer|restart-computer|\.stop\(`).Find(rest); m != nil {
		t.Errorf("%q in the bundle", m)
	}
}

func TestR17_FoldersAreMadeWithTheirFinalDescriptor(t *testing.T) {
	text := string(agent.Bundle())
	for _, want := range []string{
		"$CauSddl = 'O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)'",
		"[IO.Directory]::CreateDirectory($folder, $security)",
		"$CauTaskSddl = 'O:BAG:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)'",
		"$root.CreateFolder($name, $CauTaskSddl)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	// No other way to make a folder, and none to change what one grants.
	if m := regexp.MustCompile(`(?i)new-item|mkdir|set-acl|icacls|SetAccessControl|takeown`).FindString(text); m != "" {
		t.Errorf("%q in the bundle", m)
	}
	if n := strings.Count(text, "::CreateDirectory("); n != 1 {
		t.Errorf("%d calls of CreateDirectory", n)
	}
}
