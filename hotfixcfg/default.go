package hotfixcfg

import "cau/internal/fault"

// Default is our own default configuration: .msu, .msi and .msp, silent, never restarting by
// themselves. Microsoft's DefaultHotfixConfig.xml is not public; where a root holds it, that one is
// read instead. Sources of the codes: winerror.h, wuerror.h and the Windows Installer error-code page.
//
// The node gives each installer a path for its log in %CAU_LOG%. wusa writes an event log, and insists on the
// extension; msiexec's /L*V writes everything (Windows Installer, command-line options).
//
// WU_E_INSTALL_NOT_ALLOWED (0x80240016) is left out, so that it fails without a restart: it also means
// that another installation is under way, under which a node must not be restarted (R18).
func Default() *Config {
	failed := []fault.Code{3017, codeFailRebootInitiated}
	restart := []fault.Code{3010, codeSuccessRebootInitiated}
	return &Config{Rules: []Rule{
		{
			Kind: ExtensionRule, Name: "MSU",
			Template: Template{Path: `%SystemRoot%\System32\wusa.exe`, Parameters: `$update$ /quiet /norestart /log:"%CAU_LOG%.evtx"`},
			Exit: ExitConditions{
				Success:               []fault.Code{0},
				SuccessRebootRequired: []fault.Code{3010, 0x00240005},
				FailRebootRequired:    failed,
				AlreadyInstalled:      []fault.Code{0x00240006},
				NotApplicable:         []fault.Code{0x80240017},
			},
		},
		{
			Kind: ExtensionRule, Name: "MSI",
			Template: Template{Path: `%SystemRoot%\System32\msiexec.exe`, Parameters: `/i $update$ /qn /norestart REBOOT=ReallySuppress /L*V "%CAU_LOG%"`},
			Exit: ExitConditions{
				Success:               []fault.Code{0},
				SuccessRebootRequired: restart,
				FailRebootRequired:    failed,
				AlreadyInstalled:      []fault.Code{1638},
				NotApplicable:         []fault.Code{1633},
			},
		},
		{
			Kind: ExtensionRule, Name: "MSP",
			Template: Template{Path: `%SystemRoot%\System32\msiexec.exe`, Parameters: `/update $update$ /qn /norestart REBOOT=ReallySuppress /L*V "%CAU_LOG%"`},
			Exit: ExitConditions{
				Success:               []fault.Code{0},
				SuccessRebootRequired: restart,
				FailRebootRequired:    failed,
				NotApplicable:         []fault.Code{1605, 1642},
			},
		},
	}}
}

// DefaultXML is Default as a file, with the codes' names as comments. Parse gives Default back.
func DefaultXML() []byte { return canonical(Default()) }
