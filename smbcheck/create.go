package smbcheck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrExists says that there is a file of that name already; it was not touched.
var ErrExists = errors.New("there is a file of this name already")

// Create writes a file below the root that is not there yet: made by an act that fails where there is one, flushed, read
// back and compared. A file of that name is ErrExists and stays as it is. What could not be finished is removed.
func (c *Connection) Create(ctx context.Context, path string, content []byte) error {
	op := fmt.Sprintf("create %q", clip(path))
	if err := cleanRelative(path); err != nil {
		return explain(op, err)
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if c.loc.Root != "" {
			if _, err := solid(share, c.loc.Root, alive); err != nil {
				return err
			}
		}
		f, err := share.OpenFile(full, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
		switch {
		case err != nil && (os.IsExist(err) || statusOf(err) == statusNameCollision):
			return ErrExists
		case err != nil:
			return err
		case f.Name() != full:
			_ = f.Close()
			return ErrReparse
		}
		_, err = io.Copy(f, bytes.NewReader(content))
		alive()
		if err == nil {
			err = f.Sync()
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err == nil {
			sum := sha256.Sum256(content)
			var have string
			if have, err = sumOf(share, full, int64(len(content)), alive); err == nil && have != hex.EncodeToString(sum[:]) {
				err = fmt.Errorf("%w: read back, it differs from what was written", ErrChanged)
			}
		}
		if err != nil {
			_ = share.Remove(full) // that it cannot be removed says nothing new
		}
		return err
	})
}
