package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// Reader reads records in order and checks the chain from the first one on. It takes no lock and may read while
// the writer writes. It is for one goroutine.
type Reader struct {
	src  io.ReaderAt
	file io.Closer
	from int64
	// n and prev are of the last record that was read; at is the offset behind its line.
	n    int64
	prev link
	at   int64
	// buf holds bytes of the file from offset at on; only whole lines in it are trusted.
	buf []byte
	err error
}

// OpenReader opens the journal at path for reading from record from on; 1 or less is the beginning. The records
// before it are read too, because the chain starts at the first. A missing file gives os.ErrNotExist.
func OpenReader(path string, from int64) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	r := newReader(f, from)
	r.file = f
	return r, nil
}

func newReader(src io.ReaderAt, from int64) *Reader { return &Reader{src: src, from: from} }

// Close closes the file.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// Next returns the next record, or io.EOF when there is no further whole line at the moment; later calls look
// again. A damaged record gives a *BrokenError, and every later call the same.
func (r *Reader) Next() (Record, error) {
	for {
		rec, err := r.step()
		if err != nil || rec.N >= r.from {
			return rec, err
		}
	}
}

func (r *Reader) step() (Record, error) {
	if r.err != nil {
		return Record{}, r.err
	}
	rec, sum, size, err := r.attempt()
	if isDamage(err) {
		// The lock holder may just have replaced a torn tail, and what was read can be a mixture of both.
		// Damage is still there when the line is read again.
		r.buf = nil
		rec, sum, size, err = r.attempt()
	}
	switch {
	case isDamage(err):
		r.err = &BrokenError{Record: r.n + 1, Offset: r.at, Why: err.Error()}
		return Record{}, r.err
	case err != nil:
		return Record{}, err
	}
	r.n, r.prev, r.at = rec.N, sum, r.at+int64(size)
	r.buf = append(r.buf[:0], r.buf[size:]...)
	return rec, nil
}

func (r *Reader) attempt() (rec Record, sum link, size int, err error) {
	line, err := r.line()
	if err != nil {
		return Record{}, sum, 0, err
	}
	rec, sum, err = decode(line, r.n+1, r.prev)
	return rec, sum, len(line) + 1, err
}

// isDamage keeps damage apart from the end and from trouble with the disk.
func isDamage(err error) bool {
	var disk *readError
	return err != nil && !errors.Is(err, io.EOF) && !errors.As(err, &disk)
}

// line returns the bytes of the next line without its newline. Bytes of an incomplete line are forgotten, since
// the lock holder may cut them and write others in their place.
func (r *Reader) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.buf, '\n'); i >= 0 {
			return r.buf[:i], nil
		}
		if len(r.buf) > maxLine {
			return nil, fmt.Errorf("its line is longer than %d bytes", maxLine)
		}
		have := len(r.buf)
		want := max(4096, 2*have)
		r.buf = append(r.buf, make([]byte, want-have)...)
		n, err := r.src.ReadAt(r.buf[have:], r.at+int64(have))
		r.buf = r.buf[:have+n]
		if err != nil && !errors.Is(err, io.EOF) {
			r.buf = r.buf[:0]
			return nil, &readError{err}
		}
		if n == 0 {
			rest := r.buf
			r.buf = nil
			if !torn(rest) {
				return nil, errors.New("its line does not end where it should")
			}
			return nil, io.EOF
		}
	}
}

// readError keeps trouble with the disk apart from damage.
type readError struct{ err error }

func (e *readError) Error() string { return "read the journal: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }
