package fileserver

import (
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
	"testing/fstest"
	"time"
)

// Shelf is a Writable in memory with a few folders; only below "push" may
// something be made.
type Shelf struct {
	mu    sync.Mutex
	files map[string]*volume
	room  int64
	// InUse counts the files that are open, Syncs the flushes.
	InUse, Syncs int
	// CloseErr is what the next close of a file says.
	CloseErr error
}

// NewShelf makes one with room for so many bytes.
func NewShelf(room int64) *Shelf { return &Shelf{files: map[string]*volume{}, room: room} }

// volume is one file.
type volume struct {
	shelf *Shelf
	data  []byte
}

func (s *Shelf) tree() fstest.MapFS {
	m := fstest.MapFS{"push/keep": {Data: nil, Mode: fs.ModeDir | 0o755}, "closed": {Mode: fs.ModeDir | 0o755}}
	for name, v := range s.files {
		m[name] = &fstest.MapFile{Data: v.data, Mode: 0o644, ModTime: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	}
	return m
}

// Content is what a file holds; ok is false when there is none.
func (s *Shelf) Content(name string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.files[name]
	if !ok {
		return "", false
	}
	return string(v.data), true
}

// Names are all files.
func (s *Shelf) Names() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.files {
		names = append(names, name)
	}
	return strings.Join(names, " ")
}

// Open opens.
func (s *Shelf) Open(name string) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	s.InUse++
	return v, nil
}

// Create makes.
func (s *Shelf) Create(name string) (File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if path.Dir(name) != "push" {
		return nil, fs.ErrPermission
	}
	if s.files[name] != nil {
		return nil, fs.ErrExist
	}
	s.files[name] = &volume{shelf: s}
	s.InUse++
	return s.files[name], nil
}

// Stat looks.
func (s *Shelf) Stat(name string) (fs.FileInfo, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fs.Stat(s.tree(), name)
}

// ReadDir lists.
func (s *Shelf) ReadDir(name string) ([]fs.DirEntry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fs.ReadDir(s.tree(), name)
}

// Rename renames.
func (s *Shelf) Rename(from, to string, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case path.Dir(to) != "push":
		return fs.ErrPermission
	case s.files[from] == nil:
		return fs.ErrNotExist
	case s.files[to] != nil && !replace:
		return fs.ErrExist
	}
	s.files[to] = s.files[from]
	delete(s.files, from)
	return nil
}

// Remove removes.
func (s *Shelf) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files[name] == nil {
		return fs.ErrNotExist
	}
	delete(s.files, name)
	return nil
}

func (s *Shelf) used() (n int64) {
	for _, v := range s.files {
		n += int64(len(v.data))
	}
	return n
}

// Space is what there is.
func (s *Shelf) Space() (total, free int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room, s.room - s.used()
}

// ReadAt reads.
func (v *volume) ReadAt(b []byte, at int64) (int, error) {
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	if at >= int64(len(v.data)) {
		return 0, io.EOF
	}
	n := copy(b, v.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes.
func (v *volume) WriteAt(b []byte, at int64) (int, error) {
	if end := at + int64(len(b)); end > v.size() {
		if err := v.Truncate(end); err != nil {
			return 0, err
		}
	}
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	return copy(v.data[at:], b), nil
}

func (v *volume) size() int64 {
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	return int64(len(v.data))
}

// Truncate resizes.
func (v *volume) Truncate(size int64) error {
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	have := int64(len(v.data))
	if size > have && size-have > v.shelf.room-v.shelf.used() {
		return ErrDiskFull
	}
	if size <= have {
		v.data = v.data[:size:size]
		return nil
	}
	v.data = append(v.data, make([]byte, size-have)...)
	return nil
}

// Sync counts.
func (v *volume) Sync() error {
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	v.shelf.Syncs++
	return nil
}

// Close counts.
func (v *volume) Close() error {
	v.shelf.mu.Lock()
	defer v.shelf.mu.Unlock()
	v.shelf.InUse--
	err := v.shelf.CloseErr
	v.shelf.CloseErr = nil
	return err
}
