package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"cau/internal/lab/fileserver"
)

// Bounds of what pushed files take of the lab's own memory, in bytes. What is more is in files in the lab's folder.
const (
	maxFileInMemory = 64 << 20
	maxInMemory     = 256 << 20
)

// headBytes is how much of a file's beginning the model gets.
const headBytes = 4096

// pushSpace is where the nodes' pushed files lie.
type pushSpace struct {
	// dir is the folder of those that are not in memory; it is made when the first is. fileInMemory and inMemory are
	// the bounds, 0 for those above.
	dir                    string
	fileInMemory, inMemory int64

	mu   sync.Mutex
	used int64
	all  []*pushedFiles
}

func (s *pushSpace) add(p *pushedFiles) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, p)
}

// sweep forgets on every node what was closed there.
func (s *pushSpace) sweep() {
	s.mu.Lock()
	all := s.all
	s.mu.Unlock()
	for _, p := range all {
		p.sweep()
	}
}

// take reserves memory, or gives it back.
func (s *pushSpace) take(more int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound := int64(maxInMemory)
	if s.inMemory > 0 {
		bound = s.inMemory
	}
	if more > 0 && s.used+more > bound {
		return false
	}
	s.used += more
	return true
}

func (s *pushSpace) perFile() int64 {
	if s.fileInMemory > 0 {
		return s.fileInMemory
	}
	return maxFileInMemory
}

// clear removes what an earlier lab in this folder left, or this one.
func (s *pushSpace) clear() error {
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("lab: pushed files: %w", err)
	}
	return nil
}

// content is what a file holds: in memory as long as that is little, then in a file. Its zero value with a space is
// empty.
type content struct {
	space  *pushSpace
	memory []byte

	path   string // "" while it is in memory
	file   *os.File
	length int64
}

func (c *content) size() int64 {
	if c.path != "" {
		return c.length
	}
	return int64(len(c.memory))
}

// resize changes the size; what is new is zero.
func (c *content) resize(size int64) error {
	if c.path == "" && !c.reserve(size) {
		if err := c.spill(); err != nil {
			return err
		}
	}
	if c.path == "" {
		have := len(c.memory)
		c.memory = c.memory[:size]
		if int(size) > have {
			clear(c.memory[have:])
		}
		return nil
	}
	f, err := c.open()
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return diskError(err)
	}
	c.length = size
	return nil
}

// reserve makes room in memory; false says that there is none.
func (c *content) reserve(size int64) bool {
	have := int64(cap(c.memory))
	if size <= have {
		return true
	}
	most := c.space.perFile()
	if size > most {
		return false
	}
	want := min(max(size, 2*have), most)
	if !c.space.take(want - have) {
		if want = size; !c.space.take(want - have) {
			return false
		}
	}
	grown := make([]byte, len(c.memory), want)
	copy(grown, c.memory)
	c.memory = grown
	return true
}

// spill moves the content from memory into a file.
func (c *content) spill() (err error) {
	if err := os.MkdirAll(c.space.dir, 0o700); err != nil {
		return diskError(err)
	}
	f, err := os.CreateTemp(c.space.dir, "pushed-*")
	if err != nil {
		return diskError(err)
	}
	if _, err := f.Write(c.memory); err != nil {
		return errors.Join(diskError(err), f.Close(), os.Remove(f.Name()))
	}
	c.path, c.file, c.length = f.Name(), f, int64(len(c.memory))
	c.space.take(-int64(cap(c.memory)))
	c.memory = nil
	return nil
}

func (c *content) open() (*os.File, error) {
	if c.file != nil {
		return c.file, nil
	}
	f, err := os.OpenFile(c.path, os.O_RDWR, 0)
	if err != nil {
		return nil, diskError(err)
	}
	c.file = f
	return f, nil
}

// rest lets go of the file until the content is used again.
func (c *content) rest() {
	if c.file != nil {
		_ = c.file.Close() // nothing of a lab has to survive a crash
		c.file = nil
	}
}

// drop ends the content.
func (c *content) drop() {
	c.rest()
	if c.path != "" {
		_ = os.Remove(c.path) // the lab's end removes the folder
		c.path, c.length = "", 0
	}
	c.space.take(-int64(cap(c.memory)))
	c.memory = nil
}

// ReadAt implements io.ReaderAt.
func (c *content) ReadAt(b []byte, at int64) (int, error) {
	if c.path != "" {
		f, err := c.open()
		if err != nil {
			return 0, err
		}
		n, err := f.ReadAt(b, at)
		if err != nil && !errors.Is(err, io.EOF) {
			err = diskError(err)
		}
		return n, err
	}
	if at >= int64(len(c.memory)) {
		return 0, io.EOF
	}
	n := copy(b, c.memory[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt.
func (c *content) WriteAt(b []byte, at int64) (int, error) {
	if end := at + int64(len(b)); end > c.size() {
		if err := c.resize(end); err != nil {
			return 0, err
		}
	}
	if c.path == "" {
		return copy(c.memory[at:], b), nil
	}
	f, err := c.open()
	if err != nil {
		return 0, err
	}
	n, err := f.WriteAt(b, at)
	return n, diskError(err)
}

// digest is what the model is told.
func (c *content) digest() (told, error) {
	size := c.size()
	head := make([]byte, min(size, headBytes))
	if _, err := c.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return told{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(c, 0, size)); err != nil {
		return told{}, err
	}
	return told{size: size, sum: hex.EncodeToString(h.Sum(nil)), head: head}, nil
}

// diskError is a failure of the lab's own disk. That it is full is told as that; the path is nobody's business.
func diskError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fileserver.ErrDiskFull
	}
	return fmt.Errorf("lab: pushed files: %w", err)
}
