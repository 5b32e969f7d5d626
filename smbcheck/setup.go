package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/cloudsoda/go-smb2"

	"cau/smbcheck/descriptor"
)

// CreateFolder makes a folder below the root, in a folder that exists. One that is there already is left as it is; a file or a
// link of that name is an error (ErrNotFolder, ErrReparse).
func (c *Connection) CreateFolder(ctx context.Context, path string) error {
	op := fmt.Sprintf("make the folder %q", clip(path))
	if err := cleanRelative(path); err != nil {
		return explain(op, err)
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if _, err := solid(share, full[:max(strings.LastIndexByte(full, '\\'), 0)], alive); err != nil {
			return err
		}
		made := share.Mkdir(full, 0o755)
		at, err := solid(share, full, alive)
		switch {
		case made != nil && !errors.Is(made, os.ErrExist):
			return made
		case err != nil:
			return err
		case !at.IsDir():
			return ErrNotFolder
		}
		return nil
	})
}

// SetDescriptor gives a file or folder below the root, or with "" the root itself, an owner, a group and an access list: those
// of the three that d has. What it then reads back must be the same, or the error is ErrChanged. A server does not hand a
// folder's new permissions down to what is already in it (Windows' own programs do that one by one), so a folder gets its own
// before anything is made in it. Generic rights are refused in entries that apply to the folder itself: a server splits them,
// and nothing could be compared.
func (c *Connection) SetDescriptor(ctx context.Context, path string, d *descriptor.Descriptor) error {
	op := fmt.Sprintf("set the permissions of %q", clip(path))
	if path != "" {
		if err := cleanRelative(path); err != nil {
			return explain(op, err)
		}
	}
	parts, err := settable(d)
	if err != nil {
		return explain(op, err)
	}
	raw, err := d.Encode()
	if err != nil {
		return explain(op, err)
	}
	return c.call(ctx, op, func(ctx context.Context, alive func()) error {
		share, full := c.share.WithContext(ctx), join(c.loc.Root, path)
		if _, err := solid(share, full, alive); err != nil {
			return err
		}
		if err := share.SetSecurityInfoRaw(full, parts, encoded(raw)); err != nil {
			return err
		}
		alive()
		back, err := share.SecurityInfoRaw(full, whatIsAsked)
		if err != nil {
			return err
		}
		have, err := descriptor.Parse(back)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrProtocol, err)
		}
		return asSet(d, have)
	})
}

// encoded is a descriptor in the form that the library sends.
type encoded []byte

// Size is in bytes.
func (e encoded) Size() int { return len(e) }

// Encode writes it.
func (e encoded) Encode(b []byte) { copy(b, e) }

// settable tells which parts of a descriptor are to be set.
func settable(d *descriptor.Descriptor) (smb2.SecurityInformationRequestFlags, error) {
	var parts smb2.SecurityInformationRequestFlags
	if d.Owner != "" {
		parts |= smb2.OwnerSecurityInformation
	}
	if d.Group != "" {
		parts |= smb2.GroupSecurityInformation
	}
	if d.Control&descriptor.DACLPresent != 0 {
		if d.DACL == nil {
			return 0, errors.New("a missing access list would let everybody in")
		}
		parts |= smb2.DACLSecurityInformation
		for _, e := range d.DACL.Entries {
			const generic = descriptor.GenericAll | descriptor.GenericRead | descriptor.GenericWrite | descriptor.GenericExecute
			if e.Mask&generic != 0 && e.Flags&descriptor.InheritOnly == 0 {
				return 0, fmt.Errorf("generic rights in %s", e.SDDL())
			}
		}
	}
	if parts == 0 {
		return 0, errors.New("there is nothing to set")
	}
	return parts, nil
}

// asSet compares what was read back with what was set.
func asSet(want, have *descriptor.Descriptor) error {
	differs := func(what, have, want string) error {
		return fmt.Errorf("%w: read back, its %s is %s and not %s", ErrChanged, what, have, want)
	}
	switch {
	case want.Owner != "" && have.Owner != want.Owner:
		return differs("owner", have.Owner.String(), want.Owner.String())
	case want.Group != "" && have.Group != want.Group:
		return differs("group", have.Group.String(), want.Group.String())
	case want.DACL == nil:
		return nil
	case have.DACL == nil:
		return differs("access list", "missing", want.SDDL())
	case want.Control&descriptor.DACLProtected != have.Control&descriptor.DACLProtected:
		return differs("protection from inheritance", have.SDDL(), want.SDDL())
	}
	if w, h := own(want), own(have); w != h {
		return differs("access list", h, w)
	}
	return nil
}

// own are the entries of a list that it did not inherit: a list that is not protected gets its folder's too. Generic rights are
// what they mean for files, because Samba writes that where Windows keeps the words.
func own(d *descriptor.Descriptor) string {
	var b strings.Builder
	for _, e := range d.DACL.Entries {
		if e.Flags&descriptor.Inherited == 0 {
			e.Mask = e.Mask.Expand()
			b.WriteString(e.SDDL())
		}
	}
	return b.String()
}
