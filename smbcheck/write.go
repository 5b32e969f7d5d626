package smbcheck

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/cloudsoda/go-smb2"
)

// ErrSource says that what was to be written could not be read, or is not what was announced.
var ErrSource = errors.New("the file to write is not what was announced")

// partial ends the name of a file that is being written. Whoever finds one may remove it.
const partial = ".cau-partial"

// Upload writes a file below the root so that it is there as a whole or not at all: under a temporary name, flushed,
// read back and compared, then renamed; a file of that name is replaced. content must have exactly size bytes with the
// SHA-256 sum (lower-case hex), or nothing is left behind and the error is ErrSource. A file that is there with the
// same content is left alone. The folder must exist.
func (c *Connection) Upload(ctx context.Context, path string, size int64, sum string, content io.Reader) error {
	op := fmt.Sprintf("write %q", clip(path))
	if err := cleanRelative(path); err != nil {
		return explain(op, err)
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if folder := full[:max(strings.LastIndexByte(full, '\\'), 0)]; folder != "" {
			if _, err := solid(share, folder, alive); err != nil {
				return err
			}
		}
		switch have, err := sumOf(share, full, size, alive); {
		case err == nil && have == sum:
			return nil
		case err != nil && !errors.Is(err, ErrChanged) && statusOf(err) != statusNameNotFound:
			return err
		}
		temporary := full + "." + strings.ToLower(rand.Text()[:8]) + partial
		err := write(share, temporary, size, sum, content, alive)
		if err == nil { // in one step, so that at no moment there is neither the old file nor the new one
			err = share.Rename(temporary, full)
		}
		if err != nil {
			_ = share.Remove(temporary) // that it cannot be removed says nothing new
		}
		return err
	})
}

// write makes the file and proves that what lies there is what was meant.
func write(share *smb2.Share, name string, size int64, sum string, content io.Reader, alive func()) (err error) {
	f, err := share.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if f.Name() != name {
		_ = f.Close()
		return ErrReparse
	}
	h := sha256.New()
	written, err := copyPieces(f, io.TeeReader(io.LimitReader(content, size+1), h), alive)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	switch {
	case err != nil:
		return err
	case written != size:
		return fmt.Errorf("%w: it has not %d bytes", ErrSource, size)
	case hex.EncodeToString(h.Sum(nil)) != sum:
		return fmt.Errorf("%w: its SHA-256 differs", ErrSource)
	}
	alive()
	back, err := sumOf(share, name, size, alive)
	if err == nil && back != sum {
		err = fmt.Errorf("%w: read back, it differs from what was written", ErrChanged)
	}
	return err
}

// copyPieces copies in pieces; an error of the source is told apart from one of the share.
func copyPieces(to *smb2.File, from io.Reader, alive func()) (written int64, err error) {
	buffer := make([]byte, pieceSize)
	for {
		n, readErr := io.ReadFull(from, buffer)
		alive()
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return written, err
			}
			written += int64(n)
			alive()
		}
		switch {
		case readErr == nil:
		case errors.Is(readErr, io.EOF), errors.Is(readErr, io.ErrUnexpectedEOF):
			return written, nil
		default:
			return written, fmt.Errorf("%w: %w", ErrSource, readErr)
		}
	}
}

// sumOf is the SHA-256 of a file that has size bytes; one of another size is ErrChanged.
func sumOf(share *smb2.Share, full string, size int64, alive func()) (sum string, err error) {
	err = opened(share, full, func(f *smb2.File, s *smb2.FileStat) error {
		if s.EndOfFile != size {
			return ErrChanged
		}
		h := sha256.New()
		if err := pump(f, size, alive, func(b []byte) error { _, err := h.Write(b); return err }); err != nil {
			return err
		}
		sum = hex.EncodeToString(h.Sum(nil))
		return nil
	})
	return sum, err
}
