package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/model"
)

// pushRoot is the folder of ADMIN$ that holds a folder for each run.
const pushRoot = "cau-push"

// Sizes of a node's system volume.
const (
	volumeBytes = 64 << 30
	// maxPushedFile is the largest file that somebody may push to a node of the lab, in bytes.
	maxPushedFile = 8 << 30
)

// pushFolders are a node's push folders as the model keeps them.
type pushFolders interface {
	PushOpen(run string) bool
	FreeBytes() int64
	Pushed(run, name string) (size int64, sha256 string, ok bool)
	PutPushed(run, name string, size int64, sha256 string, head []byte) error
}

// pushedFiles is what ADMIN$ shows and takes: nothing but cau-push\<run> while push.open's folder is there, with the
// files in it. The model knows of a file from its creation on, and its size, hash and beginning with each close of
// somebody who wrote; the content stays here, for whoever reads it back. It implements fileserver.Writable.
//
// The model's world has a lock of its own, which is taken while mu is held and never the other way round.
type pushedFiles struct {
	node  pushFolders
	open  func() []string // runs whose push folder is open
	now   func() time.Time
	space *pushSpace

	mu   sync.Mutex
	runs map[string]map[string]*pushedFile
	// ahead is by how many bytes the files here are larger than the model knows, so that the disk is full for those
	// who write when it is.
	ahead int64
}

var _ fileserver.Writable = (*pushedFiles)(nil)

// pushedFile is one file. All of it belongs to the lock of its pushedFiles.
type pushedFile struct {
	run, name string
	content   content
	users     int
	modified  time.Time
	// changed: the content is another than what the model was told last. known is the size that it counts.
	changed bool
	told    told
	known   int64
	// gone: nobody finds it any more; it ends with its last user.
	gone bool
}

// told is what the model was told of a file's content.
type told struct {
	size int64
	sum  string
	head []byte
}

func newPushedFiles(node pushFolders, open func() []string, now func() time.Time, space *pushSpace) *pushedFiles {
	p := &pushedFiles{node: node, open: open, now: now, space: space, runs: map[string]map[string]*pushedFile{}}
	space.add(p)
	return p
}

// sweep forgets the files of push folders that were closed.
func (p *pushedFiles) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for run := range p.runs {
		p.folder(run)
	}
}

// close forgets everything.
func (p *pushedFiles) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for run := range p.runs {
		p.drop(run)
	}
}

// folder tells whether a run's push folder is there: push.open made it and push.close did not remove it yet.
func (p *pushedFiles) folder(run string) bool {
	if !p.node.PushOpen(run) {
		p.drop(run)
		return false
	}
	return true
}

// there tells whether a file is there. When its folder was closed and opened again meanwhile, it is not.
func (p *pushedFiles) there(f *pushedFile) bool {
	if _, _, ok := p.node.Pushed(f.run, f.name); !ok {
		p.end(f)
	}
	return !f.gone
}

func (p *pushedFiles) drop(run string) {
	for _, f := range p.runs[run] {
		p.end(f)
	}
	delete(p.runs, run)
}

// end takes a file away from its folder, of which the model knows nothing any more.
func (p *pushedFiles) end(f *pushedFile) {
	delete(p.runs[f.run], f.name)
	f.gone = true
	p.ahead += f.known
	f.known = 0
	p.release(f)
}

// release gives back what a file takes that nobody finds or uses any more.
func (p *pushedFiles) release(f *pushedFile) {
	if f.users > 0 {
		return
	}
	f.content.rest()
	if f.gone {
		p.ahead -= f.content.size()
		f.content.drop()
	}
}

// split takes a path apart. depth is how many names it has; 4 stands for more.
func split(path string) (run, name string, depth int) {
	if path == "." {
		return "", "", 0
	}
	parts := strings.Split(path, "/")
	if parts[0] != pushRoot {
		return "", "", 4
	}
	if len(parts) > 1 {
		run = parts[1]
	}
	if len(parts) > 2 {
		name = parts[2]
	}
	return run, name, min(len(parts), 4)
}

// find looks a file up.
func (p *pushedFiles) find(path string) (*pushedFile, error) {
	run, name, depth := split(path)
	if depth != 3 || !p.folder(run) {
		return nil, fs.ErrNotExist
	}
	f := p.runs[run][name]
	if f == nil || !p.there(f) {
		return nil, fs.ErrNotExist
	}
	return f, nil
}

// Stat implements fileserver.Writable.
func (p *pushedFiles) Stat(path string) (fs.FileInfo, error) {
	run, _, depth := split(path)
	name := path[strings.LastIndexByte(path, '/')+1:]
	p.mu.Lock()
	defer p.mu.Unlock()
	switch depth {
	case 0:
		return entry{name: ".", folder: true}, nil
	case 1:
		if len(p.open()) > 0 {
			return entry{name: name, folder: true}, nil
		}
	case 2:
		if p.node.PushOpen(run) {
			return entry{name: name, folder: true}, nil
		}
	case 3:
		f, err := p.find(path)
		if err != nil {
			return nil, err
		}
		return f.entry(), nil
	}
	return nil, fs.ErrNotExist
}

// ReadDir implements fileserver.Writable.
func (p *pushedFiles) ReadDir(path string) ([]fs.DirEntry, error) {
	run, _, depth := split(path)
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []fs.DirEntry
	switch depth {
	case 0:
		if len(p.open()) > 0 {
			list = append(list, fs.FileInfoToDirEntry(entry{name: pushRoot, folder: true}))
		}
		return list, nil
	case 1:
		for _, run := range p.open() {
			list = append(list, fs.FileInfoToDirEntry(entry{name: run, folder: true}))
		}
		return list, nil
	case 2:
		if !p.folder(run) {
			return nil, fs.ErrNotExist
		}
		for _, f := range p.runs[run] {
			if p.there(f) {
				list = append(list, fs.FileInfoToDirEntry(f.entry()))
			}
		}
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
		return list, nil
	}
	return nil, fs.ErrNotExist
}

// Create implements fileserver.Writable.
func (p *pushedFiles) Create(path string) (fileserver.File, error) {
	p.space.sweep()
	run, name, depth := split(path)
	if depth != 3 {
		return nil, fs.ErrPermission
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch f, _ := p.find(path); {
	case f != nil:
		return nil, fs.ErrExist
	case !p.folder(run):
		return nil, fs.ErrNotExist
	}
	f := &pushedFile{run: run, name: name, content: content{space: p.space}, modified: p.now()}
	if err := p.arrive(f); err != nil {
		return nil, err
	}
	p.enter(f)
	f.users++
	return &pushedHandle{p: p, f: f}, nil
}

// Open implements fileserver.Writable.
func (p *pushedFiles) Open(path string) (fileserver.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.find(path)
	if err != nil {
		return nil, err
	}
	f.users++
	return &pushedHandle{p: p, f: f}, nil
}

// Rename implements fileserver.Writable.
func (p *pushedFiles) Rename(from, to string, replace bool) error {
	run, name, depth := split(to)
	if depth != 3 {
		return fs.ErrPermission
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.find(from)
	if err != nil {
		return err
	}
	if !p.folder(run) {
		return fs.ErrNotExist
	}
	old, _ := p.find(to)
	if old != nil && !replace {
		return fs.ErrExist
	}
	was := *f
	if err := p.vanish(f); err != nil {
		return err
	}
	f.run, f.name = run, name
	if err := p.put(f); err != nil {
		f.run, f.name = was.run, was.name
		return errors.Join(err, p.put(f)) // as it was
	}
	if old != nil {
		p.end(old) // the model counts f in its place
	}
	delete(p.runs[was.run], was.name)
	p.enter(f)
	return nil
}

// enter puts a file into its folder.
func (p *pushedFiles) enter(f *pushedFile) {
	if p.runs[f.run] == nil {
		p.runs[f.run] = map[string]*pushedFile{}
	}
	p.runs[f.run][f.name] = f
}

// Remove implements fileserver.Writable.
func (p *pushedFiles) Remove(path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := p.find(path)
	if err != nil {
		return err
	}
	if err := p.vanish(f); err != nil {
		return err
	}
	p.end(f)
	return nil
}

// Space implements fileserver.Writable.
func (p *pushedFiles) Space() (total, free int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	free = max(p.node.FreeBytes()-p.ahead, 0)
	return max(volumeBytes, free), free
}

// arrive tells the model what a file holds now.
func (p *pushedFiles) arrive(f *pushedFile) error {
	now, err := f.content.digest()
	if err != nil {
		return err
	}
	before := f.told
	f.told = now
	if err := p.put(f); err != nil {
		f.told = before
		return err
	}
	f.changed = false
	return nil
}

// put gives the model a file under its name, with the content that it was told last.
func (p *pushedFiles) put(f *pushedFile) error {
	if err := p.node.PutPushed(f.run, f.name, f.told.size, f.told.sum, f.told.head); err != nil {
		return reason(err)
	}
	p.ahead += f.known - f.told.size
	f.known = f.told.size
	return nil
}

// vanish makes the model count a file no more. The model has no way to remove one pushed file: an empty one stays
// under the name until the folder is closed, which no stage job takes for the file of a plan.
func (p *pushedFiles) vanish(f *pushedFile) error {
	sum := sha256.Sum256(nil)
	if err := p.node.PutPushed(f.run, f.name, 0, hex.EncodeToString(sum[:]), nil); err != nil {
		return reason(err)
	}
	p.ahead += f.known
	f.known = 0
	return nil
}

// reason is an error of the model as the file server knows it.
func reason(err error) error {
	const pathNotFound, diskFull, invalidName = 3, 112, 123 // winerror.h
	w := (*model.Win32Error)(nil)
	if !errors.As(err, &w) {
		return err
	}
	switch w.Code {
	case pathNotFound:
		return fs.ErrNotExist
	case diskFull:
		return fileserver.ErrDiskFull
	case invalidName:
		return fs.ErrInvalid
	}
	return err
}

// entry is a folder or file as others see it.
type entry struct {
	name     string
	folder   bool
	size     int64
	modified time.Time
}

func (f *pushedFile) entry() entry {
	return entry{name: f.name, size: f.content.size(), modified: f.modified}
}

// Name implements fs.FileInfo, and so do the others.
func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return e.size }
func (e entry) IsDir() bool        { return e.folder }
func (e entry) ModTime() time.Time { return e.modified }
func (e entry) Sys() any           { return nil }

// Mode tells folders from files.
func (e entry) Mode() fs.FileMode {
	if e.folder {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
