package coordinator

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"cau/engine"
)

// smallDiskVariable makes the test below its own inside, in a mount namespace of its own.
const smallDiskVariable = "CAU_TEST_SMALL_DISK"

func TestR25_ARealDiskThatFillsUpStopsTheRunInOrder(t *testing.T) {
	if dir := os.Getenv(smallDiskVariable); dir != "" {
		insideSmallDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestR25_ARealDiskThatFillsUpStopsTheRunInOrder$", "-test.v")
	cmd.Env = append(os.Environ(), smallDiskVariable+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSPC) {
		t.Skipf("no user namespaces here: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "PASS") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func insideSmallDisk(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Fatal(err)
	}
	h, err := OpenHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, plan := &world{dir: t.TempDir()}, testPlan("00000001", "TESTCLUSTER")
	stop := inProcess(t, h, w, plan)
	untilInstalling(t, h, plan.Run)
	fill(t, filepath.Join(dir, "somebody else's"))
	other := testPlan("00000002", "OTHER")
	var little *NoRoomError
	if _, err := Start(t.Context(), StartInput{Home: h, Plan: other}); !errors.As(err, &little) || little.Free != 0 || little.Need != reserveSize+workingRoom {
		t.Errorf("a start on a full disk: %v", err)
	}
	w.release(t)
	until(t, "the run ends", func() bool { return state(t, h, plan.Run).Status.Ended() })
	s, err := stop()
	said, marshaling := json.Marshal(s.Cause)
	if err != nil || marshaling != nil || s.Status != engine.RunCanceled || s.Nodes[0].Status != engine.NodeSucceeded || s.Nodes[1].Status != engine.NodeCanceled ||
		!strings.Contains(string(said), "is full") {
		t.Fatalf("%s, %s, %s, %s, %v", s.Status, s.Nodes[0].Status, s.Nodes[1].Status, said, err)
	}
	if w.paused("N1") {
		t.Error("N1 is left paused")
	}
}

// fill writes until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
