package smbcheck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/cloudsoda/go-smb2"
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

// Entry is one file or folder below the root, as the listing showed it.
type Entry struct {
	// Path is relative to the root, parts separated by backslashes; every part is a safe name.
	Path string `json:"path"`
	Dir  bool   `json:"dir"`
	// Size is in bytes; 0 for folders.
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mod_time"`
	// Reparse is a link, junction or any other reparse point. A folder that is one is not entered.
	Reparse bool `json:"reparse,omitempty"`
	// FileID is the server's number for the file, 0 if it gives none (MS-FSCC 2.4.21).
	FileID uint64 `json:"file_id,omitempty"`
}

// File attribute, MS-FSCC 2.6.
const attributeReparse = 0x400

// batch is how many entries are asked for at a time.
const batch = 256

// Walk lists everything below the root, each folder before its content, names in order. Reparse
// points are listed and not followed. A name that Windows could understand differently, two names
// that differ only in case, or more than lim ends the walk with an error: half a list would look
// like a whole one.
func (c *Connection) Walk(ctx context.Context, lim Limits) ([]Entry, error) {
	w := walker{limits: lim.orDefault()}
	err := c.call(ctx, "list "+c.loc.String(), func(ctx context.Context, alive func()) error {
		w.share, w.alive = c.share.WithContext(ctx), alive
		at, err := solid(w.share, c.loc.Root, alive)
		if err != nil {
			return err
		}
		if at != nil && !at.IsDir() {
			return ErrNotFolder
		}
		return w.folder(c.loc.Root, "", 1)
	})
	if err != nil {
		return nil, err
	}
	return w.entries, nil
}

type walker struct {
	share   *smb2.Share
	alive   func()
	limits  Limits
	listed  int // entries seen, those not yet in entries included
	entries []Entry
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
		w.entries = append(w.entries, e)
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
		infos, err := f.Readdir(batch)
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
	return entries, nil
}

func entry(relative string, s *smb2.FileStat) (Entry, error) {
	if why := badName(s.FileName); why != "" {
		return Entry{}, within(relative, fmt.Errorf("%w: %q %s", ErrName, clip(s.FileName), why))
	}
	e := Entry{
		Path: join(relative, s.FileName), Dir: s.IsDir(), ModTime: s.LastWriteTime.UTC(),
		Reparse: s.FileAttributes&attributeReparse != 0, FileID: s.FileId,
	}
	if !e.Dir {
		e.Size = s.EndOfFile
	}
	if e.Size < 0 || len(e.Path) > maxPath {
		return Entry{}, within(relative, fmt.Errorf("%w: about %q", ErrProtocol, clip(s.FileName)))
	}
	return e, nil
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

func (e *pathError) Error() string { return fmt.Sprintf("%q: %v", clip(e.path), e.err) }
func (e *pathError) Unwrap() error { return e.err }
