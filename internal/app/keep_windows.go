package app

import "golang.org/x/sys/windows"

// keepPermissions gives to the owner, group and access list of from, with what it has from its folder marked so.
func keepPermissions(from, to string) error {
	const parts = windows.OWNER_SECURITY_INFORMATION | windows.GROUP_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	had, err := windows.GetNamedSecurityInfo(from, windows.SE_FILE_OBJECT, parts)
	if err != nil {
		return err
	}
	has, err := windows.GetNamedSecurityInfo(to, windows.SE_FILE_OBJECT, parts)
	if err != nil {
		return err
	}
	if had.String() == has.String() {
		return nil
	}
	control, _, err := had.Control()
	if err != nil {
		return err
	}
	list, _, err := had.DACL()
	if err != nil {
		return err
	}
	set := windows.SECURITY_INFORMATION(windows.DACL_SECURITY_INFORMATION | windows.UNPROTECTED_DACL_SECURITY_INFORMATION)
	if control&windows.SE_DACL_PROTECTED != 0 {
		set = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	}
	owner, _, err := had.Owner()
	if err != nil {
		return err
	}
	if own, _, err := has.Owner(); err != nil || !own.Equals(owner) {
		set |= windows.OWNER_SECURITY_INFORMATION
	}
	return windows.SetNamedSecurityInfo(to, windows.SE_FILE_OBJECT, set, owner, nil, list, nil)
}
