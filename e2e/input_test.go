package e2e_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write puts a file that only its owner may read.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBadInputGetsOneClearMessageTheRightCodeAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := silent.Addr().String()
	_ = silent.Close()
	password := write(t, "wrong\n")
	for _, c := range []struct {
		line []string
		code int
		want []string
	}{
		{[]string{"apply", "--yes"}, 2, []string{"no cluster is named", "--cluster", "--lab"}},
		{[]string{"preview", "--lab", "--cluster", "fc1"}, 2, []string{"both --cluster and --lab"}},
		{[]string{"apply", "--lab", "--yes", "--plugin", "Contoso.Plugin"}, 2, []string{`"Contoso.Plugin"`, hotfixPlugin}},
		{[]string{"apply", "--lab", "--yes", "--arg", "HotfixRootFolderPath"}, 2, []string{"not of the form Name=Value"}},
		{[]string{"apply", "--lab", "--yes", "--arg", `HotfixRootFolderPath=\\s\h\r`}, 2, []string{"HotfixRootFolderPath", "not an argument of this plug-in", "--plugin Microsoft.HotfixPlugin"}},
		{[]string{"apply", "--lab", "--yes", "--arg", "Colour=red"}, 2, []string{"Colour", "not an argument"}},
		{[]string{"apply", "--lab", "--yes", "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\r`, "--arg", "HotfixInstallerTimeoutMinutes=soon"}, 2, []string{"whole minutes"}},
		{[]string{"apply", "--lab", "--yes", "--accept", "*"}, 2, []string{`there is no check "*"`}},
		{[]string{"apply", "--lab"}, 2, []string{"--yes"}},
		{[]string{"apply", "--lab", "--yes", "--reboot-timeout-minutes", "0"}, 2, []string{"RebootTimeoutMinutes"}},
		{[]string{"apply", "--lab", "--yes", "--script-as", "caller"}, 2, []string{"--script-as", "--pre-update-script"}},
		{[]string{"doctor", "--lab", "--auth", "telnet"}, 2, []string{"telnet", "kerberos"}},
		{[]string{"doctor", "--lab", "--realm", "X"}, 2, []string{"mean nothing with --lab"}},
		{[]string{"doctor", "--lab", "--no-job", "--root", `\\s\r`}, 2, []string{"--no-job"}},
		{[]string{"doctor", "--cluster", dead, "--user", "x", "--auth", "basic"}, 2, []string{"https://"}},
		{[]string{"doctor", "--cluster", dead, "--user", "x", "--channel-binding", "off"}, 2, []string{"--channel-binding", "https://"}},
		{[]string{"apply", "--nonsense"}, 2, []string{"nonsense"}},
		{[]string{"aply"}, 2, []string{"aply", "cau --help"}},
		{[]string{"lab", "upp"}, 2, []string{"upp", "cau lab --help"}},
		{[]string{"help", "aply"}, 2, []string{"aply"}},
		{[]string{"--cluster", ""}, 2, []string{"--cluster", "nothing was touched"}},
		{[]string{"stop", ""}, 2, []string{"one run is named", "cau runs"}},
		{[]string{"lab", "down", ""}, 2, []string{"cau lab list"}},
		{[]string{"preview", "--lab", "--node", "NODE1=host"}, 2, []string{"--node", "--lab"}},
		{[]string{"preview", "--cluster", dead, "--user", "x", "--node", "NODE1=http://", "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\h\r`}, 2, []string{"--node NODE1"}},
		{[]string{"preview", "--cluster", dead, "--user", "x", "--pin", strings.Repeat("ab", 32), "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\h\r`}, 2, []string{"--pin", "https://"}},
		{[]string{"status", "ffff"}, 2, []string{"no such run", "cau runs"}},
		{[]string{"attach"}, 2, []string{"no such run"}},
		{[]string{"pause"}, 2, []string{"one run is named", "cau runs"}},
		{[]string{"lab", "up", "--scenario", "apocalypse"}, 2, []string{"apocalypse"}},
		{[]string{"lab", "up", "--nodes", "1"}, 2, []string{"2 to 64"}},
		{[]string{"lab", "up", "--share", "nonsense"}, 2, []string{"share"}},
		{[]string{"lab", "down"}, 1, []string{"gone"}},
		{[]string{}, 2, []string{"no terminal", "cau apply"}},
		{[]string{"preview", "--cluster", dead, "--user", `LAB\admin`, "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\h\r`, "--password-file", password}, 1, []string{dead}},
		{[]string{"preview", "--cluster", dead, "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\h\r`}, 2, []string{"--user"}},
		{[]string{"preview", "--cluster", dead, "--user", "x", "--password-file", "/nowhere", "--plugin", hotfixPlugin, "--arg", `HotfixRootFolderPath=\\s\h\r`}, 1, []string{"/nowhere", "--password-file"}},
	} {
		r := w.cau(c.line...)
		if r.code != c.code {
			t.Errorf("cau %q: exit %d, want %d\n%s%s", c.line, r.code, c.code, r.out, r.errOut)
		}
		for _, want := range c.want {
			if !strings.Contains(r.errOut, want) {
				t.Errorf("cau %q does not say %q: %s", c.line, want, r.errOut)
			}
		}
		if strings.Contains(r.errOut, "panic") || strings.Contains(r.errOut, "goroutine ") {
			t.Errorf("cau %q: %s", c.line, r.errOut)
		}
	}
	if runs, _ := os.ReadDir(filepath.Join(w.home, "runs")); len(runs) > 0 {
		t.Errorf("bad input left %d runs", len(runs))
	}
}

func TestBadRootsAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab()
	run := func(root string, more ...string) result {
		return w.cau(args([]string{"apply", "--lab=" + info.ID, "--yes", "--plugin", hotfixPlugin, "--arg", "HotfixRootFolderPath=" + root}, more)...)
	}
	for _, c := range []struct {
		name string
		r    result
		code int
		want string
	}{
		{"missing root", run(info.Root + "2"), 3, "root.reach"},
		{"missing share", run(`\\FS1\Nothing\Root`, "--smb-port", port(t, info.Shares[0].Address)), 3, "root.reach"},
		{"no configuration", run(info.Root + `\CAUHotfix_All`), 3, "config.present"},
		{"a path on the nodes", run(`C:\Root`), 2, "path on the nodes"},
		{"a folder of this host", run("file:/tmp"), 2, "folder on this host"},
		{"not a path", run("nonsense"), 2, "HotfixRootFolderPath"},
		{"wrong password for the share", run(info.Root, "--smb-user", `LAB\admin`, "--smb-password-file", write(t, "wrong\n")), 3, "root.reach"},
	} {
		if c.r.code != c.code || !strings.Contains(c.r.out+c.r.errOut, c.want) {
			t.Errorf("%s: exit %d, want %d with %q\n%s%s", c.name, c.r.code, c.code, c.want, c.r.out, c.r.errOut)
		}
	}
	for _, n := range w.inspect(info).State.Nodes {
		if len(n.Installs) > 0 {
			t.Errorf("%s installed something", n.Name)
		}
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestR02_AWrongPasswordIsTriedOnceOnOneNode(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab()
	line := []string{"preview", "--cluster", info.Nodes[0].Address, "--user", info.User, "--password-file", write(t, "wrong\n"), "--plugin", hotfixPlugin, "--arg", "HotfixRootFolderPath=" + info.Root}
	for _, n := range info.Nodes {
		line = append(line, "--node", n.Name+"="+n.Address)
	}
	r := w.want(1, line...)
	if !strings.Contains(r.errOut, "password") {
		t.Errorf("it says %s", r.errOut)
	}
	if got := w.inspect(info).FailedLogons; got != 1 {
		t.Errorf("%d failed logons", got)
	}
}

func TestR01_ALabIsReachedByAddressLikeAnyCluster(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	info := w.lab()
	password := write(t, info.Password+"\n")
	line := []string{"--cluster", info.Nodes[1].Address, "--user", info.User, "--password-file", password}
	for _, n := range info.Nodes {
		line = append(line, "--node", n.Name+"="+n.Address)
	}
	r := w.want(0, append([]string{"doctor", "--json"}, line...)...)
	for _, n := range info.Nodes {
		if !strings.Contains(r.out, n.Address) || !strings.Contains(r.out, "sealed") {
			t.Errorf("doctor does not speak of %s: %s", n.Name, r.out)
		}
	}
	wrong := w.want(2, append([]string{"doctor", "NODE9"}, line...)...)
	if !strings.Contains(wrong.errOut, "NODE9 is not a node of LAB-FC1") || wrong.out != "" {
		t.Errorf("of a node that is not there: %s%s", wrong.out, wrong.errOut)
	}
	if !strings.Contains(r.errOut, "Connecting to "+info.Nodes[1].Address+" as "+info.User) {
		t.Errorf("it did not say what it connects to: %s", r.errOut)
	}
	for name, heard := range w.inspect(info).WinRM {
		if heard.Readable > 0 {
			t.Errorf("%s got %d readable bodies", name, heard.Readable)
		}
	}
	if strings.Contains(fmt.Sprint(r), info.Password) {
		t.Error("the password was printed")
	}
}

func TestR04_NoSecretIsInAnyFileOfARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	info := w.lab()
	told := make(chan string, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told <- string(body)
	}))
	defer hook.Close()
	const token = "T0ken-that-nobody-may-see"
	addresses := filepath.Join(w.home, "addresses")
	if err := os.WriteFile(addresses, []byte("generic+"+hook.URL+"/"+token+"\ngeneric+http://127.0.0.1:1/"+token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	started := w.want(0, apply(info, "--detach", "--notify-file", addresses)...)
	run := w.status().Run
	w.until("work", func() bool { return w.status().Facts > 5 })
	if first := <-told; !strings.Contains(first, run) || !strings.Contains(first, "(simulated) has started") {
		t.Errorf("people were told %q", first)
	}
	w.until("the one that nobody hears is remarked on", func() bool {
		return strings.Contains(w.want(0, "status", run).out, "generic: the connection was refused")
	})
	if all := fmt.Sprint(started, w.want(0, "status", run), w.want(0, "status", run, "--json")); strings.Contains(all, token) {
		t.Errorf("an address was printed: %s", all)
	}
	files, err := filepath.Glob(filepath.Join(w.home, "runs", run, "*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && (strings.Contains(string(text), info.Password) || strings.Contains(string(text), token)) {
			t.Errorf("%s holds a secret", f)
		}
	}
	w.want(0, "stop", run)
	w.until("the stop", func() bool { return w.status().Status.Ended() })
}
