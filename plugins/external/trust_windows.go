package external

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"cau/smbcheck/descriptor"
)

// administrator is who else may own what is trusted.
const administrator = "Administrators, SYSTEM or TrustedInstaller"

var drivePath = regexp.MustCompile(`^[A-Za-z]:\\`)

// safe returns the owner of the file and its permissions in SDDL, unless somebody other than Administrators, SYSTEM,
// TrustedInstaller and this user may write it, or replace it by way of a folder above it. It must lie on a fixed drive whose
// file system has permissions, with no reparse point on the way.
func safe(path string, f *os.File, _ fs.FileInfo) (owner, mode string, err error) {
	fail := func(at string, why any) (string, string, error) {
		return "", "", fmt.Errorf("%w: %s: %v", ErrUntrusted, at, why)
	}
	if !slices.Contains([]string{".exe", ".cmd", ".bat"}, strings.ToLower(filepath.Ext(path))) {
		return fail(path, "it is not executable: it is no .exe, .cmd or .bat")
	}
	if err := hasPermissions(path); err != nil {
		return fail(path, err)
	}
	who, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fail(path, fmt.Errorf("who runs this is not known: %w", err))
	}
	user := descriptor.SID(who.User.Sid.String())
	raw, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, asked)
	if err != nil {
		return fail(path, err)
	}
	own, err := parsed(raw)
	if err == nil {
		err = kept(own, user, theFile)
	}
	if err == nil {
		err = noReparse(path)
	}
	if err != nil {
		return fail(path, err)
	}
	for dir, at := filepath.Dir(path), itsFolder; ; dir, at = filepath.Dir(dir), above {
		raw, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, asked)
		if err != nil {
			return fail(dir, err)
		}
		d, err := parsed(raw)
		if err == nil {
			err = kept(d, user, at)
		}
		if err == nil {
			err = noReparse(dir)
		}
		if err != nil {
			return fail(dir, err)
		}
		if dir == filepath.Dir(dir) {
			return account(own.Owner), own.SDDL(), nil
		}
	}
}

const asked = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION

// parsed reads a self-relative descriptor, which is in one piece.
func parsed(sd *windows.SECURITY_DESCRIPTOR) (*descriptor.Descriptor, error) {
	if sd == nil {
		return nil, errors.New("it has no security descriptor")
	}
	return descriptor.Parse(unsafe.Slice((*byte)(unsafe.Pointer(sd)), int(sd.Length()))) //nolint:gosec // x/sys has copied it to memory of this length
}

func hasPermissions(path string) error {
	if !drivePath.MatchString(path) {
		return errors.New("it is not on a drive of this host")
	}
	root, err := windows.UTF16PtrFromString(path[:3])
	if err != nil {
		return err
	}
	if windows.GetDriveType(root) != windows.DRIVE_FIXED {
		return fmt.Errorf("%s is no fixed drive", path[:3])
	}
	var flags uint32
	if err := windows.GetVolumeInformation(root, nil, 0, nil, nil, &flags, nil, 0); err != nil {
		return err
	}
	if flags&windows.FILE_PERSISTENT_ACLS == 0 {
		return fmt.Errorf("the file system of %s has no permissions", path[:3])
	}
	return nil
}

func noReparse(path string) error {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return err
	}
	attributes, err := windows.GetFileAttributes(name)
	if err != nil {
		return err
	}
	if attributes&windows.FILE_ATTRIBUTE_REPARSE_POINT != 0 {
		return errors.New("it is a reparse point")
	}
	return nil
}

// account is a SID with the name that this host has for it.
func account(s descriptor.SID) string {
	sid, err := windows.StringToSid(string(s))
	if err != nil {
		return string(s)
	}
	name, domain, _, err := sid.LookupAccount("")
	if err != nil {
		return string(s)
	}
	return domain + `\` + name + " (" + string(s) + ")"
}
