package fileserver

import (
	"errors"
	"io"
	"io/fs"
)

// Writable is what a share that can be changed is made of. Paths are those of
// [fs.FS]. The server looks names up without regard to case and calls with the
// spelling that ReadDir gives, so names are to be told apart exactly. Its methods
// are called by several goroutines, but those that change a name never two at one
// time.
//
// Errors become what a Windows client is told: [fs.ErrNotExist],
// [fs.ErrPermission], [fs.ErrExist], [fs.ErrInvalid] for a name that is none,
// [ErrDiskFull] and [ErrTooLarge]; anything else is a defect of the disk.
type Writable interface {
	Stat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	// Create makes an empty file; its folder exists.
	Create(name string) (File, error)
	// Open opens a file that exists, for reading and writing.
	Open(name string) (File, error)
	// Rename gives a file another path; with replace a file of that path goes.
	Rename(from, to string, replace bool) error
	// Remove removes a file, also one that is still open.
	Remove(name string) error
	// Space is the size of the volume and what is free of it, in bytes.
	Space() (total, free int64)
}

// File is an open file of a [Writable]. It stays the same file when that is
// renamed.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Truncate makes the file size bytes long, whether it was shorter or longer.
	Truncate(size int64) error
	// Sync returns when what was written is as safe as it will ever be.
	Sync() error
	// Close ends the use of the file. Its error is what the client's CLOSE is
	// answered with.
	Close() error
}

var (
	// ErrDiskFull says that there is no room for what is to be written.
	ErrDiskFull = errors.New("the disk is full")
	// ErrTooLarge says that a file would be longer than the file system allows.
	ErrTooLarge = errors.New("the file is too large")
)

// view is a Writable as those see it who only look.
type view struct{ Writable }

// Open implements fs.FS. Files are opened through the Writable alone, because
// what they share with others has to be known.
func (v view) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
}

func (t *tree) writable() bool { return t.share != nil && t.share.Writable != nil }

// mayWrite is asked at each connect and each open, as mayRead is.
func (t *tree) mayWrite() bool {
	return t.writable() && (t.share.MayWrite == nil || t.share.MayWrite(t.session.user))
}

// most is the most that the user can be granted.
func (t *tree) most() uint32 {
	most := ReadAndExecute
	if t.mayWrite() {
		most = FullControl
	}
	if t.share != nil && t.share.MayReadPermissions != nil && !t.share.MayReadPermissions(t.session.user) {
		most &^= readControl
	}
	return most
}
