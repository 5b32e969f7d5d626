package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ErrFull says that the disk, a quota or the file size limit has no room for the record. Nothing of it is in the
// journal, and what was in it is whole.
var ErrFull = errors.New("no space left for the journal")

// ErrClosed says that the writer was closed.
var ErrClosed = errors.New("the journal is closed")

// Disk is the open file of a journal. Tests put one that fails, or that ends the writer's life, in its place.
type Disk interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Writer appends to a journal; there is one per file. It is safe for concurrent use.
type Writer struct {
	now func() time.Time

	mu   sync.Mutex
	file Disk
	n    int64
	prev link
	at   int64
	// dead is set when it is no longer known what is on disk: after a failed fsync a kernel may have dropped the
	// data and still let the next fsync succeed, so nothing more may be acknowledged.
	dead error
}

// Open opens the journal at path, or creates it with mode 0600, as its only writer: another one gets ErrLocked.
// It checks the whole chain, cuts off what a crash left of the last line, and refuses a damaged journal with a *BrokenError.
func Open(path string) (*Writer, error) { return OpenThrough(path, nil) }

// OpenThrough is Open with another disk in front of the file: everything that is read, written and flushed from here on
// goes through what disk makes of it, Close too. The lock is the file's own. A nil disk is none.
func OpenThrough(path string, disk func(Disk) Disk) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", full(err))
	}
	w, err := open(f, filepath.Dir(path), disk)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

func open(f *os.File, dir string, disk func(Disk) Disk) (*Writer, error) {
	if err := tryLock(f); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	if info.Size() == 0 {
		if err := syncDir(dir); err != nil {
			return nil, fmt.Errorf("create the journal: %w", err)
		}
	}
	if disk == nil {
		return recoverFrom(f, info.Size())
	}
	return recoverFrom(disk(f), info.Size())
}

// recoverFrom reads the chain to its end and cuts a torn tail. The lock is held.
func recoverFrom(f Disk, size int64) (*Writer, error) {
	r := newReader(f, 0)
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if r.at != size {
		if err := f.Truncate(r.at); err != nil {
			return nil, fmt.Errorf("cut the journal's torn tail: %w", err)
		}
		if err := f.Sync(); err != nil {
			return nil, fmt.Errorf("cut the journal's torn tail: %w", err)
		}
	}
	return &Writer{now: time.Now, file: f, n: r.n, prev: r.prev, at: r.at}, nil
}

// Append writes body, any JSON value of at most MaxBody bytes, as the next record and returns its number once it
// is on disk. A disk that is full while writing gives ErrFull, leaves the journal as it was, and a later Append may
// succeed. After any other I/O error, and after a failed flush, it is not known what is on disk: every later
// Append fails, and the journal must be opened anew.
func (w *Writer) Append(body []byte) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dead != nil {
		return 0, w.dead
	}
	line, sum, err := encode(w.n+1, w.prev, w.now(), body)
	if err != nil {
		return 0, err
	}
	if _, err := w.file.WriteAt(line, w.at); err != nil {
		return 0, w.undo(err)
	}
	if err := w.file.Sync(); err != nil {
		w.dead = fmt.Errorf("flush the journal: %w", full(err))
		return 0, w.dead
	}
	w.n, w.prev, w.at = w.n+1, sum, w.at+int64(len(line))
	return w.n, nil
}

// undo takes back a record that was written in part.
func (w *Writer) undo(cause error) error {
	err := fmt.Errorf("write the journal: %w", full(cause))
	if cut := w.file.Truncate(w.at); cut != nil || !errors.Is(err, ErrFull) {
		w.dead = errors.Join(err, cut)
		return w.dead
	}
	return err
}

// Close ends writing and gives the lock back. Closing twice is not an error.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.dead, ErrClosed) {
		return nil
	}
	w.dead = ErrClosed
	return w.file.Close()
}

// Full tells whether err is that of a full disk, of a quota or of a file's greatest size.
func Full(err error) bool { return errors.Is(err, ErrFull) || diskFull(err) }

// full adds ErrFull to the errors of a full disk.
func full(err error) error {
	if err != nil && diskFull(err) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
