package hotfix

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"cau/internal/fault"
	"cau/smbcheck"
)

// Folder is a hotfix root in a folder of this host, for looking at: nodes cannot read it.
type Folder struct {
	root *os.Root
	path string
}

// OpenFolder opens a folder of this host. Nothing outside it can be reached through it, by links either.
func OpenFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, &fault.Error{Op: fmt.Sprintf("open %q", path), Err: plain(err), Hint: `Name a folder on this host, or a share in single quotes: '\\server\share\folder'.`}
	}
	return &Folder{root, path}, nil
}

// plain is the reason of a file error without its path.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Walk lists everything below the folder. What is neither a file nor a folder is listed as a reparse point and not followed.
func (f *Folder) Walk(ctx context.Context, limits smbcheck.Limits) (smbcheck.Tree, error) {
	if limits.Depth <= 0 {
		limits.Depth = 32
	}
	if limits.Entries <= 0 {
		limits.Entries = 100_000
	}
	tree := smbcheck.Tree{Root: smbcheck.Entry{Dir: true}}
	err := fs.WalkDir(f.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case path == ".":
			return nil
		case strings.Contains(path, `\`):
			return fmt.Errorf("%w: %q holds a backslash", smbcheck.ErrName, path)
		case strings.Count(path, "/") >= limits.Depth, len(tree.Entries) >= limits.Entries:
			return fmt.Errorf("%w: %d folders deep, %d entries", smbcheck.ErrLimit, limits.Depth, limits.Entries)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		e := smbcheck.Entry{Path: strings.ReplaceAll(path, "/", `\`), Dir: d.IsDir(), ModTime: info.ModTime(), Reparse: !d.IsDir() && !info.Mode().IsRegular()}
		if info.Mode().IsRegular() {
			e.Size = info.Size()
		}
		tree.Entries = append(tree.Entries, e)
		return nil
	})
	if err != nil {
		return smbcheck.Tree{}, f.fail("list", "", err)
	}
	return tree, nil
}

// ReadFile is as smbcheck's.
func (f *Folder) ReadFile(ctx context.Context, path string, most int64, listed *smbcheck.Entry) (b []byte, err error) {
	err = f.InspectFile(ctx, path, listed, func(file io.ReaderAt, size int64) error {
		if size > most {
			return fmt.Errorf("%w: %d bytes, at most %d", smbcheck.ErrLimit, size, most)
		}
		b = make([]byte, size)
		_, err := io.ReadFull(io.NewSectionReader(file, 0, size), b)
		return err
	})
	return b, err
}

// HashFile is as smbcheck's.
func (f *Folder) HashFile(ctx context.Context, path string, listed *smbcheck.Entry) (sum [sha256.Size]byte, size int64, err error) {
	err = f.InspectFile(ctx, path, listed, func(file io.ReaderAt, n int64) error {
		h := sha256.New()
		size = n
		for off, piece := int64(0), make([]byte, 1<<20); off < n; {
			if err := ctx.Err(); err != nil {
				return err
			}
			piece = piece[:min(int64(len(piece)), n-off)]
			if _, err := io.ReadFull(io.NewSectionReader(file, off, int64(len(piece))), piece); err != nil {
				return err
			}
			_, _ = h.Write(piece)
			off += int64(len(piece))
		}
		h.Sum(sum[:0])
		return nil
	})
	return sum, size, err
}

// InspectFile is as smbcheck's.
func (f *Folder) InspectFile(_ context.Context, path string, listed *smbcheck.Entry, inspect func(file io.ReaderAt, size int64) error) error {
	file, err := f.root.Open(strings.ReplaceAll(path, `\`, "/"))
	if err != nil {
		return f.fail("read", path, err)
	}
	defer func() { _ = file.Close() }()
	before, err := file.Stat()
	switch {
	case err != nil:
		return f.fail("read", path, err)
	case !before.Mode().IsRegular():
		return f.fail("read", path, smbcheck.ErrNotFile)
	case listed != nil && (listed.Size != before.Size() || !listed.ModTime.Equal(before.ModTime())):
		return f.fail("read", path, smbcheck.ErrChanged)
	}
	if err := inspect(file, before.Size()); err != nil {
		return f.fail("read", path, err)
	}
	after, err := file.Stat()
	if err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return f.fail("read", path, smbcheck.ErrChanged)
	}
	return nil
}

func (f *Folder) fail(verb, path string, err error) error {
	what := f.path
	if path != "" {
		what = path
	}
	return &fault.Error{Op: fmt.Sprintf("%s %q", verb, what), Err: plain(err)}
}
