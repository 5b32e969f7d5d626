package agent_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// named are the constants of the contract whose names begin with prefix, by the contract's own text: what is added there
// is expected here.
func named(t *testing.T, prefix string) []string {
	t.Helper()
	files, err := filepath.Glob("contract*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var out []string
	constant := regexp.MustCompile(`(?m)^\t` + prefix + `[A-Z]\w*\s+= "([a-z.-]+)"$`)
	for _, f := range files {
		for _, m := range constant.FindAllStringSubmatch(scriptText(t, f), -1) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

func TestTheBundleHoldsEveryOperationAndJobAndNoOther(t *testing.T) {
	text := string(agent.Bundle())
	for _, kind := range []struct{ prefix, folder, table, head string }{
		{"Op", "ops", "$CauOperations", "param($Arguments)\n"}, {"Job", "jobs", "$CauJobs", "param($Job, $Order)\n"},
	} {
		files, err := filepath.Glob(kind.folder + "/*.ps1")
		if err != nil {
			t.Fatal(err)
		}
		var scripts []string
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".ps1")
			scripts = append(scripts, name)
			if !strings.Contains(text, kind.table+"['"+name+"'] = {\n"+kind.head) {
				t.Errorf("%s %s is not in the bundle as it must be", kind.folder, name)
			}
		}
		slices.Sort(scripts)
		if want := named(t, kind.prefix); len(want) == 0 || !slices.Equal(scripts, want) {
			t.Errorf("%s: scripts %v, contract %v", kind.folder, scripts, want)
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
	// No other way to make a folder, and none to change what one grants, but for the folder of a share that an
	// administrator asks for: that one is made with its final descriptor in one call, too.
	share := scriptText(t, "prelude/share.ps1")
	if !strings.Contains(share, "[void][IO.Directory]::CreateDirectory($Path, $security)") {
		t.Error("the folder of a share is made in another way")
	}
	if strings.Count(share, "SetAccessControl(") != 1 || strings.Count(share, "::CreateDirectory(") != 1 {
		t.Error("more than one place changes the folder of a share")
	}
	rest := strings.Replace(text, strings.ReplaceAll(share, "\r\n", "\n"), "", 1)
	if m := regexp.MustCompile(`(?i)new-item|mkdir|set-acl|icacls|SetAccessControl|takeown`).FindString(rest); m != "" {
		t.Errorf("%q in the bundle", m)
	}
	if n := strings.Count(rest, "::CreateDirectory("); n != 1 {
		t.Errorf("%d calls of CreateDirectory", n)
	}
}
