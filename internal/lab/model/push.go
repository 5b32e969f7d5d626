package model

import (
	"strings"

	"cau/internal/winnode/agent"
)

// maxPushed bounds the files of one push folder.
const maxPushed = 4096

const errPathNotFound = 3

// openPush makes the folder that a run's files are pushed to, or finds it.
func (n *Node) openPush(a agent.PushArgs) (agent.Push, error) {
	if !validName(a.Run) {
		return agent.Push{}, errName()
	}
	if err := n.plantedPush(); err != nil {
		return agent.Push{}, err
	}
	n.pushes[a.Run] = true
	return n.push(a.Run), nil
}

// closePush removes the folder with all that is in it; that there is none is no failure.
func (n *Node) closePush(a agent.PushArgs) (agent.Push, error) {
	if !validName(a.Run) {
		return agent.Push{}, errName()
	}
	if err := n.plantedPush(); err != nil {
		return agent.Push{}, err
	}
	below := key(pushedPath(a.Run, ""))
	for k, f := range n.disk {
		if strings.HasPrefix(k, below) {
			n.free += f.size
			delete(n.disk, k)
		}
	}
	delete(n.pushes, a.Run)
	return n.push(a.Run), nil
}

func (n *Node) push(run string) agent.Push {
	return agent.Push{Folder: `cau-push\` + run, FreeBytes: n.free}
}

func pushedPath(run, name string) string { return pushRoot + `\` + run + `\` + name }

// FreeBytes is what is free on the node's system drive.
func (n *Node) FreeBytes() int64 {
	defer n.world.lock()()
	return n.free
}

// PushOpen tells whether the run has a push folder on the node.
func (n *Node) PushOpen(run string) bool {
	defer n.world.lock()()
	return n.pushes[run]
}

// Pushed is what lies in a run's push folder under a name, a path with backslashes; ok is false when nothing does.
func (n *Node) Pushed(run, name string) (size int64, sha256 string, ok bool) {
	defer n.world.lock()()
	f, ok := n.disk[key(pushedPath(run, name))]
	return f.size, f.sha256, ok
}

// PutPushed puts a file that somebody wrote into a run's push folder. The name is a path below it with
// backslashes; a stage job looks for names that are SHA-256 in lower-case hex. sha256 is of the whole content in hex, head is its beginning (4096 bytes are enough). It fails with
// *Win32Error: 3 when the folder is not open, 123 for a name that is none, 112 when the disk is full.
func (n *Node) PutPushed(run, name string, size int64, sha256 string, head []byte) error {
	defer n.world.lock()()
	if !validName(run) || !validRelative(name) || size < 0 {
		return win32(123, "The filename, directory name, or volume label syntax is incorrect.")
	}
	if !n.pushes[run] {
		return win32(errPathNotFound, "The system cannot find the path specified.")
	}
	path := pushedPath(run, name)
	old, replaces := n.disk[key(path)]
	files := 0
	for k := range n.disk {
		if strings.HasPrefix(k, key(pushedPath(run, ""))) {
			files++
		}
	}
	if size > n.free+old.size || !replaces && files >= maxPushed {
		return win32(errDiskFull, "There is not enough space on the disk.")
	}
	n.put(file{path: path, size: size, sha256: strings.ToLower(sha256), head: append([]byte{}, head[:min(len(head), maxHead)]...)})
	return nil
}
