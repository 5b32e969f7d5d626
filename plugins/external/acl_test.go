package external

import (
	"strings"
	"testing"

	"cau/smbcheck/descriptor"
)

const me = "S-1-5-21-1-2-3-1001"

func TestR31_OnWindowsAnExecutableIsTrustedOnlyWhereNobodyElseMayReplaceIt(t *testing.T) {
	t.Parallel()
	const admins = "(A;;FA;;;SY)(A;;FA;;;BA)"
	const installer = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	for name, c := range map[string]struct {
		at   place
		sddl string
		says string // empty where it is kept
	}{
		"administrators alone":        {theFile, "O:BAD:P" + admins, ""},
		"a file of Windows":           {theFile, installer + "D:P" + admins + "(A;;0x1200a9;;;BU)", ""},
		"my own":                      {theFile, "O:" + me + "D:" + admins + "(A;;FA;;;" + me + ")", ""},
		"users may run it":            {theFile, "O:SYD:" + admins + "(A;;0x1200a9;;;BU)(A;;GRGX;;;WD)", ""},
		"the owner's rights":          {theFile, "O:BAD:" + admins + "(A;;FA;;;S-1-3-4)", ""},
		"somebody else's":             {theFile, "O:S-1-5-21-1-2-3-1002D:" + admins, "belongs to S-1-5-21-1-2-3-1002"},
		"everybody's":                 {theFile, "O:WDD:" + admins, "belongs to"},
		"nobody's":                    {theFile, "D:" + admins, "belongs to nobody known"},
		"no list":                     {theFile, "O:BA", "everybody may write it"},
		"a null list":                 {theFile, "O:BAD:NO_ACCESS_CONTROL", "everybody may write it"},
		"others may modify it":        {theFile, "O:BAD:" + admins + "(A;;0x1301bf;;;AU)", "write data"},
		"others may append":           {theFile, "O:BAD:" + admins + "(A;;0x4;;;BU)", "append data"},
		"others may delete it":        {theFile, "O:BAD:" + admins + "(A;;SD;;;BU)", "delete"},
		"others may take it":          {theFile, "O:BAD:" + admins + "(A;;WO;;;BU)", "take ownership"},
		"others may open it":          {theFile, "O:BAD:" + admins + "(A;;WD;;;BU)", "change permissions"},
		"generic rights":              {theFile, "O:BAD:" + admins + "(A;;GW;;;BU)", "write data"},
		"all of them":                 {theFile, "O:BAD:" + admins + "(A;;GA;;;BU)", "write data"},
		"a denial is no permission":   {theFile, "O:BAD:(D;;FA;;;BU)" + admins, ""},
		"a denial takes nothing away": {theFile, "O:BAD:(D;;FA;;;BU)" + admins + "(A;;FA;;;BU)", "write data"},
		"another administrator":       {theFile, "O:BAD:" + admins + "(A;;FA;;;S-1-5-21-1-2-3-500)", "write data"},
		"its folder":                  {itsFolder, "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICIIO;GA;;;CO)", ""},
		"others may add a library":    {itsFolder, "O:BAD:" + admins + "(A;;DC;;;BU)", "add files"},
		"others may add a folder":     {itsFolder, "O:BAD:" + admins + "(A;CI;LC;;;BU)", "add folders"},
		"others may delete in it":     {itsFolder, "O:BAD:" + admins + "(A;;DT;;;BU)", "delete what is in it"},
		"a drive as it comes":         {above, installer + "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;AU)(A;OICIIO;0x1301bf;;;AU)", ""},
		"a drive that users empty":    {above, "O:BAD:" + admins + "(A;;DT;;;BU)", "delete what is in it"},
		"a folder that users rename":  {above, "O:BAD:" + admins + "(A;;SD;;;BU)", "delete"},
		"a folder of somebody else":   {above, "O:S-1-5-21-1-2-3-1002D:" + admins, "belongs to"},
	} {
		d, err := descriptor.ParseSDDL(c.sddl)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		err = kept(d, me, c.at)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	d, err := descriptor.ParseSDDL("D:(A;;FA;;;SY)")
	if err != nil {
		t.Fatal(err)
	}
	if kept(d, "", theFile) == nil {
		t.Error("a user that is not known owns what nobody owns")
	}
}

func TestR31_NoEntryThatMayGiveSomethingIsPassedOver(t *testing.T) {
	t.Parallel()
	for _, kind := range []descriptor.ACEType{descriptor.Allowed, descriptor.AllowedObject, descriptor.AllowedCallback, descriptor.AllowedCallbackObject, descriptor.AllowedCompound, descriptor.Audit, 77} {
		e := descriptor.ACE{Type: kind, Mask: descriptor.WriteData, SID: descriptor.Users}
		if kind == descriptor.AllowedCompound || kind == 77 { // these come with nothing that was understood
			e.Mask, e.SID = 0, ""
		}
		d := &descriptor.Descriptor{Control: descriptor.DACLPresent, Owner: descriptor.Administrators, DACL: &descriptor.ACL{Entries: []descriptor.ACE{e}}}
		if kept(d, me, theFile) == nil {
			t.Errorf("kind %d is passed over", kind)
		}
	}
}
