package fileserver

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"
)

// Bounds of names (MS-FSCC 2.1.5).
const (
	maxName = 255
	maxPath = 4096
)

// validName tells whether Windows could show a file of this name. Others are
// left out of listings: a client could not ask for them again.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && len(name) <= maxName && utf8.ValidString(name) &&
		!strings.ContainsRune(name, '\uFFFD') && !strings.ContainsAny(name, `\/:*?"<>|`) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 })
}

// cleanPath turns a client's path into an fs.FS path.
func cleanPath(name string) (string, status) {
	if name == "" {
		return ".", statusOK
	}
	if len(name) > maxPath {
		return "", statusObjectNameInvalid
	}
	if name[0] == '\\' {
		return "", statusInvalidParameter // MS-SMB2 2.2.13: no leading separator
	}
	parts := strings.Split(strings.TrimSuffix(name, `\`), `\`)
	for _, p := range parts {
		if !validName(p) {
			return "", statusObjectNameInvalid
		}
	}
	return strings.Join(parts, "/"), statusOK
}

// find looks a path up without regard to case, as NTFS does, and gives the
// spelling on disk.
func find(fsys fs.FS, name string) (string, fs.FileInfo, status) {
	if info, err := fs.Stat(fsys, name); err == nil {
		return name, info, servable(info)
	} else if errors.Is(err, fs.ErrPermission) || name == "." {
		return "", nil, fsStatus(err)
	}
	dir, base := path.Split(name)
	parent := "."
	if dir != "" {
		var info fs.FileInfo
		var s status
		parent, info, s = find(fsys, strings.TrimSuffix(dir, "/"))
		switch {
		case s == statusObjectNameNotFound:
			return "", nil, statusObjectPathNotFound
		case s != statusOK:
			return "", nil, s
		case !info.IsDir():
			return "", nil, statusObjectPathNotFound
		}
	}
	entries, err := fs.ReadDir(fsys, parent)
	if err != nil {
		return "", nil, fsStatus(err)
	}
	for _, e := range entries {
		if !strings.EqualFold(e.Name(), base) {
			continue
		}
		spelled := path.Join(parent, e.Name())
		info, err := fs.Stat(fsys, spelled)
		if err != nil {
			return "", nil, fsStatus(err)
		}
		return spelled, info, servable(info)
	}
	return "", nil, statusObjectNameNotFound
}

// servable keeps pipes, devices and sockets away: opening one could block.
func servable(info fs.FileInfo) status {
	if info.IsDir() || info.Mode().IsRegular() {
		return statusOK
	}
	return statusAccessDenied
}

func fsStatus(err error) status {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return statusObjectNameNotFound
	case errors.Is(err, fs.ErrPermission):
		return statusAccessDenied
	case errors.Is(err, fs.ErrInvalid):
		return statusObjectNameInvalid
	case errors.Is(err, fs.ErrExist):
		return statusObjectNameCollision
	case errors.Is(err, ErrDiskFull):
		return statusDiskFull
	case errors.Is(err, ErrTooLarge):
		return statusFileTooLarge
	}
	return statusIODeviceError
}

// fileNumber is the 64-bit file id of MS-FSCC 2.1.9: the same for the same path
// as long as the server lives, and not zero.
func fileNumber(share, name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(share))
	h.Write([]byte{0})
	h.Write([]byte(name))
	return h.Sum64() | 1
}

// windowsPath is the form that FileNameInformation shows.
func windowsPath(name string) string {
	if name == "." {
		return `\`
	}
	return `\` + strings.ReplaceAll(name, "/", `\`)
}
