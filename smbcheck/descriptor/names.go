package descriptor

import (
	"fmt"
	"strings"
)

// Principals that the rules of a hotfix root name (MS-DTYP 2.4.2.4).
const (
	Administrators     SID = "S-1-5-32-544"
	Users              SID = "S-1-5-32-545"
	LocalSystem        SID = "S-1-5-18"
	CreatorOwner       SID = "S-1-3-0"
	CreatorGroup       SID = "S-1-3-1"
	OwnerRights        SID = "S-1-3-4"
	Everyone           SID = "S-1-1-0"
	AnonymousLogon     SID = "S-1-5-7"
	AuthenticatedUsers SID = "S-1-5-11"
	ThisOrganization   SID = "S-1-5-15"
	Network            SID = "S-1-5-2"
	// TrustedInstaller is the service's SID: S-1-5-80 and the SHA-1 of its name in capitals (MS-DTYP 2.4.2.4).
	TrustedInstaller SID = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
)

// known is a principal with its SDDL alias, or "", and its English name on Windows.
type known struct {
	sid   SID
	alias string
	name  string
}

// wellKnown are the principals that are the same everywhere (MS-DTYP 2.4.2.4 and 2.5.1.1, Microsoft's page "SID strings").
// Aliases of a domain's own groups (DA, DU, …) stand for nothing without that domain and are not read.
func wellKnown() []known {
	return []known{
		{"S-1-0-0", "", "NULL SID"},
		{"S-1-1-0", "WD", "Everyone"},
		{"S-1-2-0", "", "LOCAL"},
		{"S-1-2-1", "", "CONSOLE LOGON"},
		{"S-1-3-0", "CO", "CREATOR OWNER"},
		{"S-1-3-1", "CG", "CREATOR GROUP"},
		{"S-1-3-4", "OW", "OWNER RIGHTS"},
		{"S-1-5-1", "", `NT AUTHORITY\DIALUP`},
		{"S-1-5-2", "NU", `NT AUTHORITY\NETWORK`},
		{"S-1-5-3", "", `NT AUTHORITY\BATCH`},
		{"S-1-5-4", "IU", `NT AUTHORITY\INTERACTIVE`},
		{"S-1-5-6", "SU", `NT AUTHORITY\SERVICE`},
		{"S-1-5-7", "AN", `NT AUTHORITY\ANONYMOUS LOGON`},
		{"S-1-5-8", "", `NT AUTHORITY\PROXY`},
		{"S-1-5-9", "ED", `NT AUTHORITY\ENTERPRISE DOMAIN CONTROLLERS`},
		{"S-1-5-10", "PS", `NT AUTHORITY\SELF`},
		{"S-1-5-11", "AU", `NT AUTHORITY\Authenticated Users`},
		{"S-1-5-12", "RC", `NT AUTHORITY\RESTRICTED`},
		{"S-1-5-13", "", `NT AUTHORITY\TERMINAL SERVER USER`},
		{"S-1-5-14", "", `NT AUTHORITY\REMOTE INTERACTIVE LOGON`},
		{"S-1-5-15", "", `NT AUTHORITY\This Organization`},
		{"S-1-5-17", "", `NT AUTHORITY\IUSR`},
		{"S-1-5-18", "SY", `NT AUTHORITY\SYSTEM`},
		{"S-1-5-19", "LS", `NT AUTHORITY\LOCAL SERVICE`},
		{"S-1-5-20", "NS", `NT AUTHORITY\NETWORK SERVICE`},
		{"S-1-5-33", "WR", `NT AUTHORITY\WRITE RESTRICTED`},
		{"S-1-5-113", "", `NT AUTHORITY\Local account`},
		{"S-1-5-114", "", `NT AUTHORITY\Local account and member of Administrators group`},
		{"S-1-5-32-544", "BA", `BUILTIN\Administrators`},
		{"S-1-5-32-545", "BU", `BUILTIN\Users`},
		{"S-1-5-32-546", "BG", `BUILTIN\Guests`},
		{"S-1-5-32-547", "PU", `BUILTIN\Power Users`},
		{"S-1-5-32-548", "AO", `BUILTIN\Account Operators`},
		{"S-1-5-32-549", "SO", `BUILTIN\Server Operators`},
		{"S-1-5-32-550", "PO", `BUILTIN\Print Operators`},
		{"S-1-5-32-551", "BO", `BUILTIN\Backup Operators`},
		{"S-1-5-32-552", "RE", `BUILTIN\Replicator`},
		{"S-1-5-32-554", "RU", `BUILTIN\Pre-Windows 2000 Compatible Access`},
		{"S-1-5-32-555", "RD", `BUILTIN\Remote Desktop Users`},
		{"S-1-5-32-556", "NO", `BUILTIN\Network Configuration Operators`},
		{"S-1-5-32-558", "MU", `BUILTIN\Performance Monitor Users`},
		{"S-1-5-32-559", "LU", `BUILTIN\Performance Log Users`},
		{"S-1-5-32-562", "", `BUILTIN\Distributed COM Users`},
		{"S-1-5-32-568", "IS", `BUILTIN\IIS_IUSRS`},
		{"S-1-5-32-569", "CY", `BUILTIN\Cryptographic Operators`},
		{"S-1-5-32-573", "ER", `BUILTIN\Event Log Readers`},
		{"S-1-5-32-574", "CD", `BUILTIN\Certificate Service DCOM Access`},
		{"S-1-5-32-575", "RA", `BUILTIN\RDS Remote Access Servers`},
		{"S-1-5-32-576", "ES", `BUILTIN\RDS Endpoint Servers`},
		{"S-1-5-32-577", "MS", `BUILTIN\RDS Management Servers`},
		{"S-1-5-32-578", "HA", `BUILTIN\Hyper-V Administrators`},
		{"S-1-5-32-579", "AA", `BUILTIN\Access Control Assistance Operators`},
		{"S-1-5-32-580", "RM", `BUILTIN\Remote Management Users`},
		{"S-1-5-32-582", "", `BUILTIN\Storage Replica Administrators`},
		{"S-1-5-84-0-0-0-0-0", "UD", "User-mode drivers"},
		{"S-1-15-2-1", "AC", `APPLICATION PACKAGE AUTHORITY\ALL APPLICATION PACKAGES`},
		{"S-1-16-4096", "LW", `Mandatory Label\Low Mandatory Level`},
		{"S-1-16-8192", "ME", `Mandatory Label\Medium Mandatory Level`},
		{"S-1-16-8448", "MP", `Mandatory Label\Medium Plus Mandatory Level`},
		{"S-1-16-12288", "HI", `Mandatory Label\High Mandatory Level`},
		{"S-1-16-16384", "SI", `Mandatory Label\System Mandatory Level`},
		{"S-1-18-1", "AS", "Authentication authority asserted identity"},
		{"S-1-18-2", "SS", "Service asserted identity"},
		{TrustedInstaller, "", `NT SERVICE\TrustedInstaller`},
	}
}

// inDomain are the names of a domain's own accounts by their last number (MS-DTYP 2.4.2.4).
func inDomain(rid string) string {
	switch rid {
	case "500":
		return "Administrator"
	case "501":
		return "Guest"
	case "512":
		return "Domain Admins"
	case "513":
		return "Domain Users"
	case "514":
		return "Domain Guests"
	case "515":
		return "Domain Computers"
	case "516":
		return "Domain Controllers"
	case "518":
		return "Schema Admins"
	case "519":
		return "Enterprise Admins"
	case "520":
		return "Group Policy Creator Owners"
	}
	return ""
}

// Name is the principal's English name on Windows, or "" where only its own machine or domain knows it. A name of a
// domain's group goes without the domain, which a SID gives as a number only.
func (s SID) Name() string {
	for _, k := range wellKnown() {
		if k.sid == s {
			return k.name
		}
	}
	if rest, ok := strings.CutPrefix(string(s), "S-1-5-21-"); ok {
		return inDomain(rest[strings.LastIndexByte(rest, '-')+1:])
	}
	// Samba shows accounts that only its own host knows by their numbers there (Samba's lookup_sid: S-1-22).
	if id, ok := strings.CutPrefix(string(s), "S-1-22-1-"); ok {
		return "Unix user " + id
	}
	if id, ok := strings.CutPrefix(string(s), "S-1-22-2-"); ok {
		return "Unix group " + id
	}
	return ""
}

// String is the name with the SID behind it, or the SID alone.
func (s SID) String() string {
	switch name := s.Name(); {
	case s == "":
		return "nobody"
	case name != "":
		return fmt.Sprintf("%s (%s)", name, string(s))
	}
	return string(s)
}

// alias is the SDDL abbreviation, or "".
func (s SID) alias() string {
	for _, k := range wellKnown() {
		if k.sid == s {
			return k.alias
		}
	}
	return ""
}

// fromAlias finds the principal of an SDDL abbreviation.
func fromAlias(alias string) (SID, bool) {
	for _, k := range wellKnown() {
		if k.alias != "" && k.alias == alias {
			return k.sid, true
		}
	}
	return "", false
}
