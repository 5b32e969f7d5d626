package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"

	"github.com/cloudsoda/go-smb2"

	"cau/smbcheck/descriptor"
)

// Limits bounds a walk. Zero values are 32 levels and 100,000 entries.
type Limits struct {
	Depth   int
	Entries int
}

func (l Limits) orDefault() Limits {
	if l.Depth <= 0 {
		l.Depth = 32
	}
	if l.Entries <= 0 {
		l.Entries = 100_000
	}
	return l
}

// File attribute, MS-FSCC 2.6.
const attributeReparse = 0x400

// batchSize is how many entries are taken from the library at a time, each with its permissions.
const batchSize = 256

// Walk reads the root, with permissions: the folders above it, itself, and everything below. Reparse points are listed and not
// followed. A name that Windows could understand differently, two names that differ only in case, or more than lim ends the
// walk with an error: half a list would look like a whole one. Permissions that cannot be read do not.
func (c *Connection) Walk(ctx context.Context, lim Limits) (Tree, error) {
	w := walker{limits: lim.orDefault(), seen: map[string]Permissions{}}
	err := c.call(ctx, "list "+c.loc.String(), func(ctx context.Context, alive func()) error {
		w.share, w.alive = c.share.WithContext(ctx), alive
		at, err := solid(w.share, c.loc.Root, alive)
		if err != nil {
			return err
		}
		if at != nil && !at.IsDir() {
			return ErrNotFolder
		}
		if err := w.above(c.loc.Root); err != nil {
			return err
		}
		w.tree.Root = Entry{Dir: true}
		if at != nil {
			w.tree.Root.stat(at)
		}
		if w.tree.Root.Permissions, err = w.permissions(c.loc.Root); err != nil {
			return err
		}
		return w.folder(c.loc.Root, "", 1)
	})
	if err != nil {
		return Tree{}, err
	}
	return w.tree, nil
}

type walker struct {
	share  *smb2.Share
	alive  func()
	limits Limits
	listed int // entries seen, those not yet in the tree included
	tree   Tree
	// seen holds each descriptor once: most files of a root have the same.
	seen map[string]Permissions
}

// above reads the permissions of the folders that lead to root.
func (w *walker) above(root string) error {
	if root == "" {
		return nil
	}
	for i := range len(root) {
		if i > 0 && root[i] != '\\' {
			continue
		}
		p, err := w.permissions(root[:i])
		if err != nil {
			return err
		}
		w.tree.Above = append(w.tree.Above, Folder{Path: root[:i], Permissions: p})
	}
	return nil
}

// permissions reads one descriptor. What the server refuses to show is no error of the walk.
func (w *walker) permissions(full string) (Permissions, error) {
	raw, err := w.share.SecurityInfoRaw(full, whatIsAsked)
	w.alive()
	if err != nil && statusOf(err) == 0 {
		return Permissions{}, within(full, err)
	}
	return w.understand(raw, err), nil
}

// understand parses a descriptor, or keeps why there is none.
func (w *walker) understand(raw []byte, err error) Permissions {
	if err != nil {
		return Permissions{Unread: explain("read the permissions", err)}
	}
	if p, ok := w.seen[string(raw)]; ok {
		return p
	}
	p := Permissions{raw: raw}
	if p.Security, err = descriptor.Parse(raw); err != nil {
		p = Permissions{Unread: explain("read the permissions", fmt.Errorf("%w: %w", ErrProtocol, err))}
	}
	w.seen[string(raw)] = p
	return p
}

func (w *walker) folder(full, relative string, depth int) error {
	if depth > w.limits.Depth {
		return fmt.Errorf("%w: %q is more than %d folders deep", ErrLimit, clip(relative), w.limits.Depth)
	}
	listed, err := w.list(full, relative)
	if err != nil {
		return err
	}
	for _, e := range listed {
		w.tree.Entries = append(w.tree.Entries, e)
		if !e.Dir || e.Reparse {
			continue
		}
		if err := w.folder(join(full, base(e.Path)), e.Path, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// list reads one folder, in batches so that an endless listing meets the limit and not the memory.
func (w *walker) list(full, relative string) (entries []Entry, err error) {
	f, err := openExactly(w.share, full)
	if err != nil {
		return nil, within(relative, err)
	}
	defer func() { _ = f.Close() }()
	seen := make(map[string]bool)
	for {
		infos, err := f.Readdir(batchSize)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, within(relative, err)
		}
		w.alive()
		for _, info := range infos {
			stat, ok := info.(*smb2.FileStat)
			if !ok {
				return nil, within(relative, ErrProtocol)
			}
			e, err := entry(relative, stat)
			if err != nil {
				return nil, err
			}
			folded := strings.ToUpper(base(e.Path))
			if seen[folded] {
				return nil, fmt.Errorf("%w: %q is there twice, or only differs in case", ErrName, clip(e.Path))
			}
			seen[folded] = true
			entries = append(entries, e)
		}
		if w.listed += len(infos); w.listed > w.limits.Entries {
			return nil, fmt.Errorf("%w: more than %d files and folders", ErrLimit, w.limits.Entries)
		}
	}
	sort.Slice(entries, func(i, j int) bool {
		return strings.ToUpper(entries[i].Path) < strings.ToUpper(entries[j].Path)
	})
	return entries, w.protect(full, relative, entries)
}

// protect reads the permissions of a folder's entries. The library asks for many of them at once, but leaves out of its list
// what it cannot open, without a word; so it is not the list, and what it left out is asked for by itself.
func (w *walker) protect(full, relative string, entries []Entry) error {
	if len(entries) == 0 {
		return nil
	}
	f, err := openExactly(w.share, full)
	if err != nil {
		return within(relative, err)
	}
	defer func() { _ = f.Close() }()
	places := make(map[string]int, len(entries))
	for i, e := range entries {
		places[base(e.Path)] = i
	}
	const spare = 4
	for range len(entries)/batchSize + spare { // a listing that has grown since is not followed for ever
		batch, err := f.ReaddirPlus(batchSize, whatIsAsked)
		if err != nil && !errors.Is(err, io.EOF) {
			return within(relative, err)
		}
		w.alive()
		for _, b := range batch {
			i, known := places[b.Name()]
			switch {
			case !known || entries[i].Reparse:
			case b.RawSecurityDescriptor != nil: // with Err set too, where only the library could not read it
				entries[i].Permissions = w.understand(b.RawSecurityDescriptor, nil)
			case b.Err != nil && statusOf(b.Err) != 0:
				entries[i].Permissions = w.understand(nil, b.Err)
			}
		}
		if len(batch) == 0 {
			break
		}
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Reparse:
			e.Unread = ErrReparse
		case e.Security == nil && e.Unread == nil:
			if e.Permissions, err = w.permissions(join(full, base(e.Path))); err != nil {
				return err
			}
		}
	}
	return nil
}

func entry(relative string, s *smb2.FileStat) (Entry, error) {
	if why := badName(s.FileName); why != "" {
		return Entry{}, within(relative, fmt.Errorf("%w: %q %s", ErrName, clip(s.FileName), why))
	}
	e := Entry{Path: join(relative, s.FileName)}
	if s.EndOfFile < 0 || len(e.Path) > maxPath {
		return Entry{}, within(relative, fmt.Errorf("%w: about %q", ErrProtocol, clip(s.FileName)))
	}
	e.stat(s)
	return e, nil
}

func (e *Entry) stat(s *smb2.FileStat) {
	e.Dir, e.ModTime, e.ChangeTime = s.IsDir(), s.LastWriteTime.UTC(), s.ChangeTime.UTC()
	e.Reparse, e.FileID = s.FileAttributes&attributeReparse != 0, s.FileId
	if !e.Dir {
		e.Size = s.EndOfFile
	}
}

// solid checks that no part of a path in the share is a reparse point, and returns what the path
// is; nil for the share's own root.
func solid(share *smb2.Share, full string, alive func()) (*smb2.FileStat, error) {
	if full == "" {
		return nil, nil
	}
	var last *smb2.FileStat
	for i := 0; i <= len(full); i++ {
		if i < len(full) && full[i] != '\\' {
			continue
		}
		info, err := share.Lstat(full[:i])
		if err != nil {
			return nil, within(full[:i], err)
		}
		alive()
		stat, ok := info.(*smb2.FileStat)
		if !ok {
			return nil, ErrProtocol
		}
		if stat.FileAttributes&attributeReparse != 0 {
			return nil, within(full[:i], ErrReparse)
		}
		last = stat
	}
	return last, nil
}

// openExactly opens a path for reading and refuses what the library found behind a link: it follows
// links by itself, and shows that only in the name of the opened file.
func openExactly(share *smb2.Share, full string) (*smb2.File, error) {
	f, err := share.Open(full)
	if err != nil {
		return nil, err
	}
	if f.Name() != full {
		_ = f.Close()
		return nil, ErrReparse
	}
	return f, nil
}

func base(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// within says where below the share an error happened.
func within(path string, err error) error {
	if path == "" {
		return err
	}
	return &pathError{path, err}
}

// pathError is an error with its path, shown safely.
type pathError struct {
	path string
	err  error
}

func (e *pathError) Error() string { return shown(e.path) + ": " + e.err.Error() }
func (e *pathError) Unwrap() error { return e.err }
