package smbcheck

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/cloudsoda/go-smb2"

	"cau/smbcheck/descriptor"
)

// ErrKept says that a new file could not be given the owner and the access list of the one in whose place it was to stand.
var ErrKept = errors.New("the file's permissions could not be kept")

// maxReplace bounds what Replace compares and writes: 16 MiB, far above any configuration file.
const maxReplace = 16 << 20

// Replace puts content in the place of a file below the root that says was, so that at no moment there is neither the one nor
// the other: under a temporary name beside it, flushed, read back, with the same owner and access list, then renamed. A file
// that says something else than was is ErrChanged and stays as it is, and so does one whose owner or access list a new one
// cannot be given (ErrKept). It is looked at again right before the rename; whoever writes into it in the moment between is
// overwritten, because SMB knows no rename on a condition. Its primary group, which lets nobody in, is the server's to choose.
func (c *Connection) Replace(ctx context.Context, path string, was, content []byte) error {
	op := fmt.Sprintf("write %q", clip(path))
	if err := cleanRelative(path); err != nil {
		return explain(op, err)
	}
	if max(len(was), len(content)) > maxReplace {
		return explain(op, fmt.Errorf("%w: more than %d bytes", ErrLimit, maxReplace))
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if _, err := solid(share, full, alive); err != nil {
			return err
		}
		if err := says(share, full, was, alive); err != nil {
			return err
		}
		raw, err := share.SecurityInfoRaw(full, whatIsAsked)
		if err != nil {
			return err
		}
		alive()
		temporary := full + "." + strings.ToLower(rand.Text()[:8]) + partial
		err = write(share, temporary, int64(len(content)), hexSum(content), bytes.NewReader(content), alive)
		if err == nil {
			err = keep(share, temporary, raw, alive)
		}
		if err == nil { // whoever the folder lets in could have written into it before it had its own list
			err = says(share, temporary, content, alive)
		}
		if err == nil {
			err = says(share, full, was, alive)
		}
		if err == nil {
			err = share.Rename(temporary, full)
		}
		if err != nil {
			_ = share.Remove(temporary) // that it cannot be removed says nothing new
		}
		return err
	})
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// says is ErrChanged where a file does not hold exactly content.
func says(share *smb2.Share, full string, content []byte, alive func()) error {
	sum, err := sumOf(share, full, int64(len(content)), alive)
	if err == nil && sum != hexSum(content) {
		err = ErrChanged
	}
	return err
}

// keep gives a file the owner and the access list in raw, unless it has them from its folder already.
func keep(share *smb2.Share, full string, raw []byte, alive func()) error {
	want, err := descriptor.Parse(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKept, err)
	}
	have, err := protection(share, full, alive)
	if err != nil || alike(want, have) {
		return err
	}
	set := *want
	set.Group, set.SACL = "", nil
	set.Control &^= descriptor.SACLPresent
	if set.Owner == have.Owner {
		set.Owner = ""
	}
	parts, err := settable(&set)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKept, err)
	}
	b, err := set.Encode()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKept, err)
	}
	if err := share.SetSecurityInfoRaw(full, parts, encoded(b)); err != nil {
		return fmt.Errorf("%w: %w", ErrKept, err)
	}
	alive()
	if have, err = protection(share, full, alive); err == nil && !alike(want, have) {
		err = fmt.Errorf("%w: the old file has %s, a new one gets %s", ErrKept, want.SDDL(), have.SDDL())
	}
	return err
}

func protection(share *smb2.Share, full string, alive func()) (*descriptor.Descriptor, error) {
	raw, err := share.SecurityInfoRaw(full, whatIsAsked)
	if err != nil {
		return nil, err
	}
	alive()
	d, err := descriptor.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return d, nil
}

// alike tells whether two descriptors have the same owner and let the same accounts do the same, wherever they have it from.
func alike(a, b *descriptor.Descriptor) bool {
	return a.Owner == b.Owner && a.Open() == b.Open() && a.Control&descriptor.DACLProtected == b.Control&descriptor.DACLProtected && entries(a) == entries(b)
}

func entries(d *descriptor.Descriptor) string {
	if d.Open() {
		return ""
	}
	var b strings.Builder
	for _, e := range d.DACL.Entries {
		e.Flags &^= descriptor.Inherited
		e.Mask = e.Mask.Expand()
		b.WriteString(e.SDDL())
	}
	return b.String()
}
