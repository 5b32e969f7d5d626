package lab_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudsoda/go-smb2"

	"cau/internal/lab"
	"cau/internal/winnode/agent"
)

// admin connects to a node's ADMIN$ as somebody.
func admin(t *testing.T, at lab.Node, user, password string) (*smb2.Share, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.SMB)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	domain, name, ok := strings.Cut(user, `\`)
	if !ok {
		domain, name = at.Name, user
	}
	s, err := (&smb2.Dialer{
		Negotiator: smb2.Negotiator{RequireMessageSigning: true},
		Initiator:  &smb2.NTLMInitiator{User: name, Password: password, Domain: domain},
	}).DialConn(t.Context(), conn, at.FQDN)
	if err != nil {
		return nil, err
	}
	return s.WithContext(t.Context()).Mount("ADMIN$")
}

func mount(t *testing.T, info lab.Info, node int) *smb2.Share {
	t.Helper()
	m, err := admin(t, info.Nodes[node], info.User, info.Password)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// push writes as our own client does: under another name, flushed, read back, renamed.
func push(m *smb2.Share, folder, name string, content []byte) error {
	temporary := folder + `\` + name + ".cau-partial"
	f, err := m.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if back, err := m.ReadFile(temporary); err != nil || !bytes.Equal(back, content) {
		return errors.Join(errors.New("read back, it differs"), err)
	}
	return m.Rename(temporary, folder+`\`+name)
}

func hexSum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// status is the NTSTATUS of a refusal.
func status(err error) uint32 {
	if refused := (*smb2.ResponseError)(nil); errors.As(err, &refused) {
		return refused.Code
	}
	return 0
}

func TestR24_WhatIsPushedToANodesAdminShareIsStagedAndInstalled(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Speed: 1000, Linger: -1})
	n := connect(t, info, "NODE2")
	n.upload()
	m := mount(t, info, 1)
	content := sample(t, info, `Root\CAUHotfix_All\Update1.msu`)
	f := planned("u1", `CAUHotfix_All\Update1.msu`, content)

	folder := `cau-push\run1`
	const pathNotFound = 0xC000003A
	if err := push(m, folder, f.SHA256, content); status(err) != pathNotFound && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the folder is open: %v", err)
	}
	if list, err := m.ReadDir(""); err != nil || len(list) != 0 {
		t.Errorf("ADMIN$ before: %v %v", list, err)
	}
	p := ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	if p.Folder != folder {
		t.Errorf("%+v", p)
	}
	if err := push(m, folder, f.SHA256, content); err != nil {
		t.Fatal(err)
	}
	if list, err := m.ReadDir(folder); err != nil || len(list) != 1 || list[0].Name() != f.SHA256 || list[0].Size() != f.Size {
		t.Errorf("in the folder: %v %v", list, err)
	}
	if err := push(mount(t, info, 0), folder, f.SHA256, content); err == nil {
		t.Error("another node takes it too")
	}
	if after := ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"}); after.FreeBytes != p.FreeBytes-f.Size {
		t.Errorf("free: %d, then %d", p.FreeBytes, after.FreeBytes)
	}
	if s, err := m.Statfs(""); err != nil || int64(s.BlockSize()*s.AvailableBlockCount()) != (p.FreeBytes-f.Size)/4096*4096 {
		t.Errorf("free as the share says: %+v %v", s, err)
	}
	r := n.job(agent.JobStage, "stage", agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{f}})
	if !r.OK {
		t.Fatalf("stage: %+v", r.Err)
	}
	ask[agent.Push](n, agent.OpPushClose, agent.PushArgs{Run: "run1"})
	if _, err := m.Stat(folder + `\` + f.SHA256); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after the folder was closed: %v", err)
	}
	r = n.job(agent.JobInstaller, "install", agent.InstallerInput{
		Run: "run1", Update: "u1", Target: f.Target, Files: []agent.StageFile{f},
		Program: `%SystemRoot%\System32\wusa.exe`, Parameters: `"%CAU_UPDATE%\Update1.msu" /quiet /norestart`,
	})
	var installed agent.InstallerOutput
	if err := json.Unmarshal(r.Data, &installed); err != nil || installed.ExitCode != 3010 {
		t.Errorf("what was pushed is not what the installer needs: %v %+v", err, r)
	}
	// A folder that is opened again is empty.
	ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	if list, err := m.ReadDir(folder); err != nil || len(list) != 0 {
		t.Errorf("opened again: %v %v", list, err)
	}
}

func TestR24_AFileThatWasChangedAfterThePushIsNotStaged(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Speed: 1000, Linger: -1})
	n := connect(t, info, "NODE1")
	n.upload()
	ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	m := mount(t, info, 0)
	for name, spoil := range map[string]func(path string) error{
		"other":   func(path string) error { return m.WriteFile(path, []byte("CONTENT"), 0o600) },
		"shorter": func(path string) error { return m.Truncate(path, 3) },
		"removed": m.Remove,
		"moved":   func(path string) error { return m.Rename(path, `cau-push\run1\elsewhere`) },
		"replaced": func(path string) error {
			return push(m, `cau-push\run1`, path[len(`cau-push\run1\`):], []byte("other"))
		},
	} {
		content := []byte("content " + name)
		f := planned("u-"+name, name+".exe", content)
		path := `cau-push\run1\` + f.SHA256
		in := agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{f}}
		if err := push(m, `cau-push\run1`, f.SHA256, content); err != nil {
			t.Fatal(err)
		}
		if err := spoil(path); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r := n.job(agent.JobStage, "stage-"+name, in); r.OK {
			t.Errorf("%s: staged", name)
		}
		if err := push(m, `cau-push\run1`, f.SHA256, content); err != nil {
			t.Fatal(err)
		}
		if r := n.job(agent.JobStage, "again-"+name, in); !r.OK {
			t.Errorf("%s, then pushed again: %+v", name, r.Err)
		}
	}
}

func TestR24_TheAdminShareIsForAdministratorsAndForPushFolders(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 2, Linger: -1, ClosedAdminShare: []string{"node2"}})
	n := connect(t, info, "NODE1")
	n.upload()
	ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	for _, a := range info.Accounts {
		m, err := admin(t, info.Nodes[0], a.User, a.Password)
		switch a.Kind {
		case lab.AdministratorAccount, lab.LocalAdministratorAccount:
			if err != nil {
				t.Errorf("%s: %v", a.Kind, err)
			} else if _, err := m.Stat("CAU-Push"); err != nil {
				t.Errorf("%s: %v", a.Kind, err)
			}
		case lab.NoAdministratorAccount:
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", a.Kind, err)
			}
		default:
			if err == nil {
				t.Errorf("%s signs in", a.Kind)
			}
		}
	}
	if _, err := admin(t, info.Nodes[0], info.User, "wrong"); err == nil {
		t.Error("with a wrong password")
	}
	if _, err := admin(t, info.Nodes[1], info.User, info.Password); err == nil || info.Nodes[1].SMB == "" {
		t.Errorf("the closed firewall of %+v lets through", info.Nodes[1])
	}
	m := mount(t, info, 0)
	for name, path := range map[string]string{
		"the root": "x", "a folder of Windows": `System32\x`, "beside the runs": `cau-push\x`,
		"another run": `cau-push\run2\x`, "deeper": `cau-push\run1\x\y`, "a device": `cau-push\run1\con`, "a stream": `cau-push\run1\x:y`,
		"a dot at the end": `cau-push\run1\x.`,
	} {
		if err := m.WriteFile(path, []byte("x"), 0o600); err == nil {
			t.Errorf("%s is written", name)
		}
	}
	for name, try := range map[string]func() error{
		"a folder":               func() error { return m.Mkdir(`cau-push\run1\dir`, 0o700) },
		"a folder for a run":     func() error { return m.Mkdir(`cau-push\run2`, 0o700) },
		"the run's folder":       func() error { return m.Remove(`cau-push\run1`) },
		"the folder of all runs": func() error { return m.Rename(`cau-push`, `other`) },
	} {
		if err := try(); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := m.ReadDir(`cau-push\run1`); err != nil || len(list) != 0 {
		t.Errorf("left: %v %v", list, err)
	}
}

func TestAClosedAdminShareOfNobodyIsRefused(t *testing.T) {
	t.Parallel()
	err := lab.Serve(t.Context(), lab.Config{Dir: t.TempDir(), ID: "x", Nodes: 1, Linger: -1, ClosedAdminShare: []string{"NODE2"}})
	if err == nil || !strings.Contains(err.Error(), "NODE2") {
		t.Errorf("%v", err)
	}
}

func TestARestartCutsTheAdminShareAndKeepsItsFiles(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Speed: 1000, Linger: -1})
	n := connect(t, info, "NODE1")
	n.upload()
	ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	m := mount(t, info, 0)
	content := []byte("content")
	f := planned("u1", "a.exe", content)
	if err := push(m, `cau-push\run1`, f.SHA256, content); err != nil {
		t.Fatal(err)
	}
	open, err := m.OpenFile(`cau-push\run1\half`, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	before := ask[agent.BootInfo](n, agent.OpBootInfo, nil)
	ask[agent.Restart](n, agent.OpNodeRestart, agent.RestartArgs{DelaySeconds: 2, ExpectBoot: before.BootFileTime})
	for {
		if _, err := m.Stat("cau-push"); err != nil {
			break
		}
	}
	if _, err := open.Write([]byte("more")); err == nil {
		t.Error("the old connection still writes")
	}
	for again, err := admin(t, info.Nodes[0], info.User, info.Password); ; again, err = admin(t, info.Nodes[0], info.User, info.Password) {
		if err == nil {
			m = again
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got, err := m.ReadFile(`cau-push\run1\` + f.SHA256); err != nil || string(got) != "content" {
		t.Errorf("after the restart: %q %v", got, err)
	}
	if got, err := m.ReadFile(`cau-push\run1\half`); err != nil || string(got) != "half" {
		t.Errorf("what was half written: %q %v", got, err)
	}
	for !slices.ContainsFunc(info.Nodes, func(l lab.Node) bool {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}) {
		time.Sleep(5 * time.Millisecond)
	}
	again := connect(t, info, "NODE1")
	if r := again.job(agent.JobStage, "stage", agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{f}}); !r.OK {
		t.Errorf("%+v", r.Err)
	}
}

// smbclient runs Samba's client on a node's ADMIN$. Where it is not installed the test is skipped, but never in CI.
func smbclient(t *testing.T, at lab.Node, user, commands string) (string, error) {
	t.Helper()
	program, err := exec.LookPath("smbclient")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("smbclient is not installed")
		}
		t.Skip("smbclient is not installed")
	}
	host, port, err := net.SplitHostPort(at.SMB)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "smb.conf")
	if err := os.WriteFile(conf, []byte("[global]\nworkgroup = LAB\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-s", conf, "-p", port, "-U", user, "-c", commands, "//"+host+"/ADMIN$")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestSambaClientPushesToTheAdminShare(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Speed: 1000, Linger: -1})
	n := connect(t, info, "NODE1")
	n.upload()
	content := make([]byte, 3<<20+5)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content)
	f := planned("u1", "a.exe", content)
	source, back := filepath.Join(t.TempDir(), "source"), filepath.Join(t.TempDir(), "back")
	if err := os.WriteFile(source, content, 0o600); err != nil {
		t.Fatal(err)
	}
	user := info.User + "%" + info.Password
	out, _ := smbclient(t, info.Nodes[0], user, `put `+source+` cau-push\run1\x`)
	if !strings.Contains(out, "NT_STATUS_OBJECT_PATH_NOT_FOUND") {
		t.Errorf("before the folder is open:\n%s", out)
	}
	ask[agent.Push](n, agent.OpPushOpen, agent.PushArgs{Run: "run1"})
	out, err := smbclient(t, info.Nodes[0], user, `cd cau-push\run1; put `+source+` other; put `+source+` x; rename x `+f.SHA256+`; get `+f.SHA256+` `+back+`; del other; ls`)
	if err != nil || strings.Contains(out, "NT_STATUS") || strings.Contains(out, "other  ") || !strings.Contains(out, f.SHA256) {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := os.ReadFile(back); err != nil || hexSum(got) != f.SHA256 {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if r := n.job(agent.JobStage, "stage", agent.StageInput{Run: "run1", Pushed: true, Files: []agent.StageFile{f}}); !r.OK {
		t.Errorf("stage: %+v", r.Err)
	}
	for commands, want := range map[string]string{
		`put ` + source + ` x`:           "NT_STATUS_ACCESS_DENIED",
		`put ` + source + ` cau-push\x`:  "NT_STATUS_ACCESS_DENIED",
		`mkdir cau-push\run2`:            "NT_STATUS_ACCESS_DENIED",
		`rmdir cau-push\run1`:            "NT_STATUS_ACCESS_DENIED",
		`put ` + source + ` System32\x`:  "NT_STATUS_OBJECT_PATH_NOT_FOUND",
		`rename cau-push\run1 cau-push2`: "NT_STATUS_ACCESS_DENIED",
	} {
		if out, _ := smbclient(t, info.Nodes[0], user, commands); !strings.Contains(out, want) {
			t.Errorf("%s: want %s in\n%s", commands, want, out)
		}
	}
	for _, a := range info.Accounts {
		if a.Kind != lab.NoAdministratorAccount {
			continue
		}
		if out, _ := smbclient(t, info.Nodes[0], a.User+"%"+a.Password, "ls"); !strings.Contains(out, "tree connect failed: NT_STATUS_ACCESS_DENIED") {
			t.Errorf("no administrator:\n%s", out)
		}
	}
}
