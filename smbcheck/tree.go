package smbcheck

import (
	"bytes"
	"fmt"
	"time"

	"github.com/cloudsoda/go-smb2"

	"cau/smbcheck/descriptor"
)

// Tree is one reading of a hotfix root. Layout, rules and hashes are all about this list, so that they are about the same
// state of it.
type Tree struct {
	// Above are the folders from the share's own root down to the one that holds the hotfix root; none where the root is
	// the share itself. Whoever may rename there can put another root in its place.
	Above []Folder
	// Root is the hotfix root itself; its Path is empty.
	Root Entry
	// Entries are everything below it, each folder before its content, names in order.
	Entries []Entry
}

// Folder is a folder above the root: its path in the share, "" for the share's own root, and its permissions.
type Folder struct {
	Path string
	Permissions
}

// Permissions are what a walk learned of who may do what.
type Permissions struct {
	// Security is nil where it could not be read; Unread is why then.
	Security *descriptor.Descriptor `json:"-"`
	Unread   error                  `json:"-"`
	raw      []byte
}

// Entry is one file or folder below the root, as the walk met it.
type Entry struct {
	// Path is relative to the root, parts separated by backslashes; every part is a safe name.
	Path string `json:"path"`
	Dir  bool   `json:"dir"`
	// Size is in bytes; 0 for folders.
	Size int64 `json:"size"`
	// ModTime is the last change of the content, ChangeTime that of anything, permissions included (MS-FSCC 2.4.7).
	ModTime    time.Time `json:"mod_time"`
	ChangeTime time.Time `json:"change_time"`
	// Reparse is a link, junction or any other reparse point. A folder that is one is not entered.
	Reparse bool `json:"reparse,omitempty"`
	// FileID is the server's number for the file, 0 if it gives none (MS-FSCC 2.1.9).
	FileID uint64 `json:"file_id,omitempty"`
	Permissions
}

// whatIsAsked are the parts of a descriptor that rules are about.
const whatIsAsked = smb2.OwnerSecurityInformation | smb2.GroupSecurityInformation | smb2.DACLSecurityInformation

// still tells whether an opened file is the one that was listed, in the same state. The time of any change is not compared:
// a listing may show an older one than the file has (MS-FSA 2.1.4.19 lets a server update its folders late).
func (e *Entry) still(s *smb2.FileStat) error {
	switch {
	case s.EndOfFile != e.Size:
		return fmt.Errorf("%w: it was listed with %d bytes and has %d", ErrChanged, e.Size, s.EndOfFile)
	case !s.LastWriteTime.UTC().Equal(e.ModTime):
		return fmt.Errorf("%w: it was listed as of %s and is of %s", ErrChanged, e.ModTime.Format(time.RFC3339Nano), s.LastWriteTime.UTC().Format(time.RFC3339Nano))
	case numbered(e.FileID) && numbered(s.FileId) && s.FileId != e.FileID:
		return fmt.Errorf("%w: another file of this name is there now", ErrChanged)
	}
	return nil
}

// numbered tells whether a server gave a file a number of its own (MS-FSCC 2.1.9: 0 and all ones are none).
func numbered(id uint64) bool { return id != 0 && id != ^uint64(0) }

// stillProtected tells whether the permissions are those that were listed.
func (e *Entry) stillProtected(f *smb2.File) error {
	if e.Security == nil {
		return nil
	}
	raw, err := f.SecurityInfoRaw(whatIsAsked)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, e.raw) {
		return fmt.Errorf("%w: its permissions are others than when it was listed", ErrChanged)
	}
	return nil
}
