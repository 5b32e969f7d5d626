package smbcheck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cloudsoda/go-smb2"
)

// Reading in pieces of one MiB, four of them under way, is what fills a connection; more gains
// little (measured) and only costs memory.
const (
	pieceSize = 1 << 20
	piecesOut = 4
)

// maxHash bounds what HashFile and CopyFile read: 1 TiB, far beyond any update.
const maxHash = 1 << 40

// ReadFile reads a file, given relative to the root, that has at most most bytes. A larger file is ErrLimit; one that changed
// meanwhile is ErrChanged, and so is one that differs from what a walk listed, where listed is not nil.
func (c *Connection) ReadFile(ctx context.Context, path string, most int64, listed *Entry) ([]byte, error) {
	var content []byte
	err := c.withFile(ctx, "read", path, listed, func(f *smb2.File, before *smb2.FileStat, alive func()) error {
		if before.EndOfFile > most {
			return fmt.Errorf("%w: %d bytes, at most %d", ErrLimit, before.EndOfFile, most)
		}
		// The reader is bounded too: the size was only the server's word.
		var b bytes.Buffer
		from := &lively{f, alive}
		if _, err := io.CopyBuffer(&b, io.LimitReader(from, most+1), make([]byte, 64<<10)); err != nil {
			return err
		}
		if int64(b.Len()) != before.EndOfFile {
			return ErrChanged
		}
		content = b.Bytes()
		return nil
	})
	return content, err
}

// HashFile computes the SHA-256 of a file given relative to the root, and its size in bytes. A file whose size or time of
// change differs before and after is ErrChanged, and so is one that differs from what a walk listed, in its permissions too,
// where listed is not nil.
func (c *Connection) HashFile(ctx context.Context, path string, listed *Entry) (sum [sha256.Size]byte, size int64, err error) {
	err = c.withFile(ctx, "hash", path, listed, func(f *smb2.File, before *smb2.FileStat, alive func()) error {
		if before.EndOfFile > maxHash {
			return fmt.Errorf("%w: %d bytes", ErrLimit, before.EndOfFile)
		}
		h := sha256.New()
		if err := pump(f, before.EndOfFile, alive, func(b []byte) error { _, err := h.Write(b); return err }); err != nil {
			return err
		}
		size = before.EndOfFile
		h.Sum(sum[:0])
		return nil
	})
	if err != nil {
		return [sha256.Size]byte{}, 0, err
	}
	return sum, size, nil
}

// CopyFile writes the content of a file given relative to the root to to, from its start, with a few MiB of it in memory
// at a time. No more is written than the file had when it was opened. A file whose size or time of change differs before
// and after is ErrChanged; what was written of it by then is worth nothing. An error of to ends the copy and is in the
// error's chain; the connection goes on. However long to takes, it is not the server that is silent; when ctx ends, the copy
// ends with the write that is under way.
func (c *Connection) CopyFile(ctx context.Context, path string, to io.Writer) error {
	return c.withFile(ctx, "copy", path, nil, func(f *smb2.File, before *smb2.FileStat, alive func()) error {
		if before.EndOfFile > maxHash {
			return fmt.Errorf("%w: %d bytes", ErrLimit, before.EndOfFile)
		}
		return pump(f, before.EndOfFile, alive, func(b []byte) error {
			return c.patiently(alive, func() error {
				switch n, err := to.Write(b); {
				case err != nil:
					return fmt.Errorf("%w: %w", errTaker, err)
				case n != len(b):
					return fmt.Errorf("%w: %w", errTaker, io.ErrShortWrite)
				}
				return nil
			})
		})
	})
}

// errTaker says that whoever takes what is read did not.
var errTaker = errors.New("what was read could not be passed on")

// patiently does what waits for somebody else than the server, and so is no silence of the server's.
func (c *Connection) patiently(alive func(), work func() error) error {
	over := make(chan struct{})
	var beat sync.WaitGroup
	beat.Go(func() {
		again := time.NewTicker(max(c.timeout/4, time.Millisecond))
		defer again.Stop()
		for {
			select {
			case <-again.C:
				alive()
			case <-over:
				return
			}
		}
	})
	defer beat.Wait()
	defer close(over)
	return work()
}

// withFile opens a file below the root, without following links, lets read have it, and checks that
// the path still leads to the same file in the same state afterwards. It opens the path again for
// that: a server may show an open handle the times that it had when it was opened (Samba does).
func (c *Connection) withFile(ctx context.Context, verb, path string, listed *Entry, read func(f *smb2.File, before *smb2.FileStat, alive func()) error) error {
	op := fmt.Sprintf("%s %q", verb, clip(path))
	if err := cleanRelative(path); err != nil {
		return explain(op, err)
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if _, err := solid(share, full, alive); err != nil {
			return err
		}
		var before, after *smb2.FileStat
		err := opened(share, full, func(f *smb2.File, s *smb2.FileStat) error {
			before = s
			alive()
			if listed != nil {
				if err := listed.still(s); err != nil {
					return err
				}
				if err := listed.stillProtected(f); err != nil {
					return err
				}
			}
			return read(f, s, alive)
		})
		if err != nil {
			return err
		}
		err = opened(share, full, func(_ *smb2.File, s *smb2.FileStat) error {
			after = s
			return nil
		})
		switch {
		case err != nil && statusOf(err) == statusNameNotFound:
			return ErrChanged
		case err != nil:
			return err
		case after.EndOfFile != before.EndOfFile, !after.LastWriteTime.Equal(before.LastWriteTime), after.FileId != before.FileId:
			return ErrChanged
		}
		return nil
	})
}

// opened opens a file, asks what it is, and closes it after use.
func opened(share *smb2.Share, full string, use func(*smb2.File, *smb2.FileStat) error) error {
	f, err := openExactly(share, full)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	s, ok := info.(*smb2.FileStat)
	switch {
	case !ok || s.EndOfFile < 0:
		return ErrProtocol
	case s.IsDir():
		return ErrNotFile
	case s.FileAttributes&attributeReparse != 0:
		return ErrReparse
	}
	return use(f, s)
}

// lively reports every answer of a reader as a sign of life.
type lively struct {
	r     io.Reader
	alive func()
}

func (l *lively) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if n > 0 {
		l.alive()
	}
	return n, err
}

// piece is one read under way.
type piece struct {
	b    []byte
	err  error
	done chan struct{}
}

// pump reads exactly size bytes in order, several pieces at a time, and checks that the end of the
// file is there. An error of take ends it.
func pump(r io.ReaderAt, size int64, alive func(), take func([]byte) error) error {
	var readers sync.WaitGroup
	defer readers.Wait()
	var spare [][]byte
	var under []*piece
	for off := int64(0); off < size || len(under) > 0; {
		for len(under) < piecesOut && off < size {
			var b []byte
			if n := len(spare); n > 0 {
				b, spare = spare[n-1], spare[:n-1]
			} else {
				b = make([]byte, min(pieceSize, size))
			}
			p := &piece{b: b[:min(pieceSize, size-off)], done: make(chan struct{})}
			at := off
			readers.Go(func() {
				defer close(p.done)
				p.err = guard(func() error { return fill(r, p.b, at) })
			})
			under, off = append(under, p), off+int64(len(p.b))
		}
		p := under[0]
		under = under[1:]
		<-p.done
		if p.err != nil {
			return p.err
		}
		alive()
		if err := take(p.b); err != nil {
			return err
		}
		spare = append(spare, p.b)
	}
	if n, err := r.ReadAt(make([]byte, 1), size); n != 0 || !errors.Is(err, io.EOF) {
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return ErrChanged
	}
	return nil
}

// fill reads all of b; a file that ends before has become shorter.
func fill(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return ErrChanged
	default:
		return err
	}
}

// InspectFile lets inspect read parts of a file given relative to the root, in any order, while inspect runs. An error of
// inspect is returned as it is, and the connection goes on. ErrChanged is as for HashFile: then what inspect read is worth
// nothing.
func (c *Connection) InspectFile(ctx context.Context, path string, listed *Entry, inspect func(file io.ReaderAt, size int64) error) error {
	var inside error
	err := c.withFile(ctx, "read", path, listed, func(f *smb2.File, before *smb2.FileStat, alive func()) error {
		part := &livelyAt{f: f, alive: alive}
		inside = inspect(part, before.EndOfFile)
		return part.err
	})
	if err != nil {
		return err
	}
	return inside
}

// livelyAt reports every answer as a sign of life, and keeps the first error of the share.
type livelyAt struct {
	f     io.ReaderAt
	alive func()
	err   error
}

func (l *livelyAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := l.f.ReadAt(p, off)
	l.alive()
	if n < len(p) && err == nil { // the library returns what there is
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) && l.err == nil {
		l.err = err
	}
	return n, err
}
