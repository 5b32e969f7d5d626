package fault

// installers are exit codes of msiexec, wusa and dism. Sources: winerror.h, the Windows Installer error-code page,
// KB2773898 for wusa.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var installers = map[Code]known{
	161:  {"ERROR_BAD_PATHNAME", "The path cannot be used.", "The servicing stack cannot install from this folder; the update is copied to a folder of its own."},
	1602: {"ERROR_INSTALL_USEREXIT", "The installation was cancelled.", ""},
	1603: {"ERROR_INSTALL_FAILURE", "The installation failed.", "Read the installer's log on the node."},
	1604: {"ERROR_INSTALL_SUSPEND", "The installation was suspended and is incomplete.", ""},
	1605: {"ERROR_UNKNOWN_PRODUCT", "The product is not installed.", "The product that the patch is for is not installed."},
	1612: {"ERROR_INSTALL_SOURCE_ABSENT", "The product's installation source is not available.", ""},
	1618: {"ERROR_INSTALL_ALREADY_RUNNING", "Another installation is running.", "Another installation is running on the node; let it finish."},
	1619: {"ERROR_INSTALL_PACKAGE_OPEN_FAILED", "The package could not be opened.", ""},
	1620: {"ERROR_INSTALL_PACKAGE_INVALID", "The package is not a valid Windows Installer package.", ""},
	1633: {"ERROR_INSTALL_PLATFORM_UNSUPPORTED", "The package is for another processor type.", ""},
	1635: {"ERROR_PATCH_PACKAGE_OPEN_FAILED", "The patch could not be opened.", ""},
	1636: {"ERROR_PATCH_PACKAGE_INVALID", "The patch is not a valid Windows Installer patch.", ""},
	1637: {"ERROR_PATCH_PACKAGE_UNSUPPORTED", "The patch needs a newer Windows Installer.", ""},
	1638: {"ERROR_PRODUCT_VERSION", "Another version of the product is installed.", ""},
	1641: {"ERROR_SUCCESS_REBOOT_INITIATED", "The installation succeeded and has begun a restart.", "The installer restarts the node itself."},
	1642: {"ERROR_PATCH_TARGET_NOT_FOUND", "What the patch is for is not installed, or is another version.", ""},
	1646: {"ERROR_PATCH_REMOVAL_UNSUPPORTED", "The patch cannot be removed.", ""},
	1648: {"ERROR_PATCH_NO_SEQUENCE", "No valid order was found for the patches.", ""},
	1649: {"ERROR_PATCH_REMOVAL_DISALLOWED", "A policy forbids the removal of patches.", ""},
	3010: {"ERROR_SUCCESS_REBOOT_REQUIRED", "The installation succeeded; a restart completes it.", ""},
	3017: {"ERROR_FAIL_REBOOT_REQUIRED", "The installation failed; a restart undoes it.", "Restart the node, then try again."},
	3018: {"ERROR_FAIL_REBOOT_INITIATED", "The installation failed and has begun a restart.", "Wait for the node to come back, then try again."},
}

// servicing are HRESULTs of component-based servicing, which dism and Windows Update pass on. Source: cbsapi.h and
// winerror.h (SXS).
//
//nolint:gochecknoglobals // a constant table
var servicing = map[Code]known{
	0x80073701: {"HRESULT(ERROR_SXS_ASSEMBLY_MISSING)", "A component that the update needs is missing.", "Repair the component store: dism /online /cleanup-image /restorehealth."},
	0x80073712: {"HRESULT(ERROR_SXS_COMPONENT_STORE_CORRUPT)", "The component store is damaged.", "Repair the component store: dism /online /cleanup-image /restorehealth."},
	0x800F081E: {"CBS_E_NOT_APPLICABLE", "The package is not for this Windows.", ""},
	0x800F081F: {"CBS_E_SOURCE_MISSING", "Files that the update needs were not found.", "Name a source for the repair: dism /online /cleanup-image /restorehealth /source:..."},
	0x800F0823: {"CBS_E_NEW_SERVICING_STACK_REQUIRED", "The update needs a newer servicing stack.", "Install the servicing stack update first."},
	0x800F0831: {"CBS_E_STORE_CORRUPTION", "The component store is damaged.", "Repair the component store: dism /online /cleanup-image /restorehealth."},
	0x800F0922: {"CBS_E_INSTALLERS_FAILED", "An installer inside the update failed.", "Check the free space of the system reserved or EFI partition."},
	0x800F0986: {"PSFX_E_APPLY_FORWARD_DELTA_FAILED", "A changed part of a file could not be applied.", "Repair the component store: dism /online /cleanup-image /restorehealth."},
	0x800F0988: {"PSFX_E_INVALID_DELTA_COMBINATION", "The parts of a file do not fit together.", "Repair the component store: dism /online /cleanup-image /restorehealth."},
}
