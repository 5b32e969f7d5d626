package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cau/internal/lab/fileserver"
)

// FileServer is what is special about the lab's own file server and the permissions on its share.
type FileServer struct {
	// Permissions are set on single files and folders of the share; what is below inherits them.
	Permissions []Permission `json:"permissions,omitempty"`
	// NoReadControl takes the right to read permissions from the administrator, as a Windows file server can: whatever
	// opens a file or folder with GENERIC_READ, which holds that right, is refused too.
	NoReadControl bool `json:"no_read_control,omitempty"`
	// WithholdPermissions lets the administrator read the share and not what its permissions are, as a file server
	// that is not Windows may.
	WithholdPermissions bool `json:"withhold_permissions,omitempty"`
	// NewestDialect is 2.1, 3.0 or 3.0.2; empty means 3.1.1.
	NewestDialect string `json:"newest_dialect,omitempty"`
	// Encrypt makes the share refuse what is not encrypted.
	Encrypt bool `json:"encrypt,omitempty"`
}

// Permission is the descriptor of Path, which is relative to the share and empty for the share itself. SDDL is what
// fileserver.ReadSDDL reads. Below the share an owner, a group or a list may be missing: the first two are those of
// the folder above then, and a list is all inherited.
type Permission struct {
	Path string `json:"path"`
	SDDL string `json:"sddl"`
}

// Newest is the newest dialect as on the wire; 0 means that nothing is held back.
func (f *FileServer) Newest() uint16 {
	return map[string]uint16{"2.1": 0x0210, "3.0": 0x0300, "3.0.2": 0x0302}[f.NewestDialect]
}

// Descriptors are the share's own, and those below by their paths with slashes.
func (f *FileServer) Descriptors() (root fileserver.Descriptor, below map[string]fileserver.Descriptor, err error) {
	below = map[string]fileserver.Descriptor{}
	for _, p := range f.Permissions {
		d, err := fileserver.ReadSDDL(p.SDDL)
		if err != nil {
			return root, nil, fmt.Errorf("permissions of %q: %w", p.Path, err)
		}
		if p.Path == "" {
			root = d
		} else {
			below[strings.ReplaceAll(p.Path, `\`, "/")] = d
		}
	}
	return root, below, nil
}

func (f *FileServer) check() error {
	if f == nil {
		return nil
	}
	var seen []string
	for _, p := range f.Permissions {
		path := strings.ToUpper(p.Path)
		if slices.Contains(seen, path) {
			return fmt.Errorf("file_server: permissions of %q twice", p.Path)
		}
		seen = append(seen, path)
		if strings.Contains(path, "/") || path != "" && slices.Contains(strings.Split(path, `\`), "") {
			return fmt.Errorf("file_server: %q is no path below the share", p.Path)
		}
	}
	root, _, err := f.Descriptors()
	switch {
	case err != nil:
		return fmt.Errorf("file_server: %w", err)
	case slices.Contains(seen, "") && (root.Owner == "" || root.Group == ""):
		return errors.New("file_server: the share itself needs an owner and a group")
	case f.NoReadControl && f.WithholdPermissions:
		return errors.New("file_server: no_read_control and withhold_permissions exclude each other")
	case f.NewestDialect != "" && f.Newest() == 0:
		return fmt.Errorf("file_server: dialect %q is none of 2.1, 3.0 and 3.0.2", f.NewestDialect)
	case f.NewestDialect != "" && f.Encrypt:
		return errors.New("file_server: the lab encrypts with 3.1.1 only")
	}
	return nil
}
