package external

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"cau/internal/fault"
)

// File is an executable as it was looked at.
type File struct {
	// Path is absolute, without symbolic links.
	Path string `json:"path"`
	// SHA256 is in lower-case hex, Size in bytes.
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	// Owner is the owner's number or SID, and its name where there is one; Mode the permissions as ls writes them, on Windows
	// in SDDL.
	Owner string `json:"owner"`
	Mode  string `json:"mode"`
}

// maxExecutable bounds an executable in bytes.
const maxExecutable = 512 << 20

// ErrUntrusted says that a file could be changed by somebody other than its owner or this user, or was.
var ErrUntrusted = errors.New("the executable cannot be trusted")

// Look reads an executable, its owner and its permissions. The error is ErrUntrusted where somebody else may write the file
// or a folder on the way to it: what is trusted now could be replaced then.
func Look(path string) (File, error) {
	fail := func(err error, hint string) (File, error) {
		return File{}, &fault.Error{Op: "look at the plug-in " + path, Err: err, Hint: hint}
	}
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return fail(err, "Name the plug-in's executable by its path.")
	}
	f, err := os.Open(abs)
	if err != nil {
		return fail(err, "Name a file that you may read and run.")
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return fail(err, "")
	case !info.Mode().IsRegular():
		return fail(errors.New("it is not a file"), "Name the plug-in's executable itself.")
	case info.Size() > maxExecutable:
		return fail(fmt.Errorf("it has more than %d bytes", maxExecutable), "")
	}
	owner, mode, err := safe(abs, f, info)
	if err != nil {
		return fail(err, "Let the file and every folder above it belong to you or to "+administrator+", and let nobody else write there; then register it again.")
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(f, maxExecutable+1))
	if err != nil {
		return fail(err, "")
	}
	return File{Path: abs, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size, Owner: owner, Mode: mode}, nil
}
