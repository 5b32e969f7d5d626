package descriptor_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"cau/smbcheck/descriptor"
)

func parse(tb testing.TB, text string) *descriptor.Descriptor {
	tb.Helper()
	d, err := descriptor.ParseSDDL(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return d
}

// same compares without the revision, which text does not carry, and without telling an empty from a missing tail.
func same(a, b *descriptor.Descriptor) string {
	return cmp.Diff(a, b, cmpopts.IgnoreFields(descriptor.ACL{}, "Revision"), cmpopts.EquateEmpty())
}

// What Windows and Samba give for folders, byte by byte, written down by hand from MS-DTYP 2.4.6.
func TestTheBytesOfAKnownDescriptorAreReadAndWritten(t *testing.T) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(`
		01 00 04 94  14 00 00 00  24 00 00 00  00 00 00 00  30 00 00 00
		01 02 00 00 00 00 00 05 20 00 00 00 20 02 00 00
		01 01 00 00 00 00 00 05 12 00 00 00
		02 00 4c 00 03 00 00 00
		00 03 18 00 ff 01 1f 00 01 02 00 00 00 00 00 05 20 00 00 00 20 02 00 00
		00 0b 14 00 00 00 00 10 01 01 00 00 00 00 00 03 00 00 00 00
		01 10 18 00 a9 00 12 00 01 02 00 00 00 00 00 05 20 00 00 00 21 02 00 00`), ""))
	if err != nil {
		t.Fatal(err)
	}
	d, err := descriptor.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	const want = "O:BAG:SYD:PAI(A;OICI;FA;;;BA)(A;OICIIO;GA;;;CO)(D;ID;0x1200a9;;;BU)"
	if got := d.SDDL(); got != want {
		t.Errorf("%s", got)
	}
	back, err := parse(t, want).Encode()
	if err != nil || !cmp.Equal(back, b) {
		t.Errorf("%x\n%x %v", back, b, err)
	}
}

func TestTextAndBytesSayTheSame(t *testing.T) {
	for _, text := range []string{
		"O:BAG:SYD:(A;;FA;;;WD)",
		"D:",
		"D:NO_ACCESS_CONTROL",
		"D:PNO_ACCESS_CONTROL",
		"O:S-1-5-21-1-2-3-500",
		"O:S-1-0x1234567890AB-7G:S-1-22-1-0D:P(A;OICI;0x1301bf;;;S-1-5-21-1-2-3-1001)",
		"D:ARAI(D;CIIO;0x2;;;AN)(A;NPOI;GXGR;;;NU)",
		"D:(OA;;FR;bf967aba-0de6-11d0-a285-00aa003049e2;;BU)(OD;CI;FW;;bf967aba-0de6-11d0-a285-00aa003049e2;AU)",
		"D:(XA;;FX;;;WD;#6172747800000000)(XD;;FA;;;BU;#61727478)(ZA;;FW;bf967aba-0de6-11d0-a285-00aa003049e2;;WD;#61727478)",
		"D:(0x04;OI;;;;;#0102030405060708)(0x0c;;FA;;;BU)(0xfe;;;;;)",
		"D:(A;;;;;BU)",
		"O:SYD:(A;;FA;;;SY)S:PAI(AU;SAFA;FA;;;WD)(ML;;0x1;;;LW)",
	} {
		d := parse(t, text)
		b, err := d.Encode()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		back, err := descriptor.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := same(d, back); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		if again := parse(t, back.SDDL()); same(d, again) != "" {
			t.Errorf("%s became %s", text, back.SDDL())
		}
	}
}

func TestNoListAndAnEmptyOneAreOpposites(t *testing.T) {
	for text, open := range map[string]bool{"O:BA": true, "O:BAD:NO_ACCESS_CONTROL": true, "O:BAD:": false, "O:BAD:(A;;FA;;;BA)": false} {
		b, err := parse(t, text).Encode()
		if err != nil {
			t.Fatal(err)
		}
		d, err := descriptor.Parse(b)
		if err != nil || d.Open() != open {
			t.Errorf("%s: open %v, %v", text, d.Open(), err)
		}
	}
}

func TestTextThatMeansNothingIsRefused(t *testing.T) {
	for _, text := range []string{
		"x", "O", "O:", "O:BAO:BA", "O:DA", "O:S-1", "O:S-2-5-18", "O:S-1-5-4294967296", "O:S-1-281474976710656-1",
		"D:X", "D:(A;;FA;;;WD", "D:A;;FA;;;WD)", "D:(A;;FA;;WD)", "D:(Q;;FA;;;WD)", "D:(A;XX;FA;;;WD)", "D:(A;;QQ;;;WD)", "D:(A;;0x1ffffffff;;;WD)",
		"D:(A;;FA;nonsense;;WD)", "D:(OA;;FA;bf967aba;;WD)", "D:(A;;FA;;;)", "D:(XA;;FX;;;WD;(Member_of{SID(BA)}))", "D:(XA;;FX;;;WD;#zz)", "D:(XA;;FX;;;WD;#)",
		"D:NO_ACCESS_CONTROL(A;;FA;;;WD)", "D:(0x04;;FA;;;WD)", "D:(0x1ff;;FA;;;WD)", "D:(12;;FA;;;WD)",
	} {
		if d, err := descriptor.ParseSDDL(text); !errors.Is(err, descriptor.ErrMalformed) {
			t.Errorf("%s: %+v, %v", text, d, err)
		}
	}
}

func TestBytesThatLieAreRefused(t *testing.T) {
	good, err := parse(t, "O:BAG:SYD:(A;OICI;FA;;;BA)(A;;FR;;;BU)").Encode()
	if err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if d, err := descriptor.Parse(good[:n]); err == nil {
			t.Errorf("cut to %d bytes: %s", n, d.SDDL())
		}
	}
	acl := int(good[16])
	for name, change := range map[string]func(b []byte){
		"revision":            func(b []byte) { b[0] = 2 },
		"not self-relative":   func(b []byte) { b[3] &^= 0x80 },
		"owner in the header": func(b []byte) { b[4] = 8 },
		"owner far away":      func(b []byte) { b[7] = 0xff },
		"SID revision":        func(b []byte) { b[20] = 9 },
		"SID with 200 parts":  func(b []byte) { b[21] = 200 },
		"list revision":       func(b []byte) { b[acl] = 1 },
		"list too large":      func(b []byte) { b[acl+3] = 0xff },
		"list too small":      func(b []byte) { b[acl+2], b[acl+3] = 4, 0 },
		"65535 entries":       func(b []byte) { b[acl+4], b[acl+5] = 0xff, 0xff },
		"one entry too many":  func(b []byte) { b[acl+4]++ },
		"entry of 3 bytes":    func(b []byte) { b[acl+10], b[acl+11] = 3, 0 },
		"entry too long":      func(b []byte) { b[acl+11] = 0x10 },
		"entry without SID":   func(b []byte) { b[acl+10] = 8 },
	} {
		b := append([]byte(nil), good...)
		change(b)
		if d, err := descriptor.Parse(b); !errors.Is(err, descriptor.ErrMalformed) {
			t.Errorf("%s: %v %v", name, d, err)
		}
	}
	for name, d := range map[string]*descriptor.Descriptor{
		"no SID":       {Owner: "BUILTIN\\Users"},
		"entry's SID":  {DACL: &descriptor.ACL{Entries: []descriptor.ACE{{SID: "x"}}}},
		"odd data":     {DACL: &descriptor.ACL{Entries: []descriptor.ACE{{SID: "S-1-1-0", Data: []byte{1}}}}},
		"beyond 64 KB": {DACL: &descriptor.ACL{Entries: make([]descriptor.ACE, 0)}},
	} {
		if name == "beyond 64 KB" {
			for range 4000 {
				d.DACL.Entries = append(d.DACL.Entries, descriptor.ACE{SID: descriptor.Users})
			}
		}
		if _, err := d.Encode(); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestNamesAreThoseOfWindows(t *testing.T) {
	for sid, want := range map[descriptor.SID]string{
		descriptor.CreatorOwner:     "CREATOR OWNER (S-1-3-0)",
		descriptor.CreatorGroup:     "CREATOR GROUP (S-1-3-1)",
		descriptor.AnonymousLogon:   `NT AUTHORITY\ANONYMOUS LOGON (S-1-5-7)`,
		descriptor.Users:            `BUILTIN\Users (S-1-5-32-545)`,
		descriptor.TrustedInstaller: `NT SERVICE\TrustedInstaller (S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)`,
		"S-1-5-21-10-20-30-513":     "Domain Users (S-1-5-21-10-20-30-513)",
		"S-1-5-21-10-20-30-1104":    "S-1-5-21-10-20-30-1104",
		"S-1-22-1-1000":             "Unix user 1000 (S-1-22-1-1000)",
		"":                          "nobody",
	} {
		if got := sid.String(); got != want {
			t.Errorf("%s: %s", string(sid), got)
		}
	}
	for alias, want := range map[string]descriptor.SID{"CO": "S-1-3-0", "CG": "S-1-3-1", "AN": "S-1-5-7", "NU": "S-1-5-2", "LS": "S-1-5-19", "OW": "S-1-3-4"} {
		if d := parse(t, "O:"+alias); d.Owner != want || d.SDDL() != "O:"+alias {
			t.Errorf("%s is %s, %s", alias, string(d.Owner), d.SDDL())
		}
	}
}

func TestGenericRightsMeanThoseOfFiles(t *testing.T) {
	for text, want := range map[string]string{
		"GA": "full control", "FA": "full control", "GR": "read", "GRGX": "read and execute", "0x1301bf": "modify", "GW": "write", "0x1200a9": "read and execute",
		"0x40": "delete children", "WDWO": "change permissions, take ownership", "0x1200ab": "read and execute, write data", "": "nothing",
	} {
		d := parse(t, "D:(A;;"+text+";;;BU)")
		if got := d.DACL.Entries[0].Mask.Words(false); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	if got := (descriptor.WriteData | descriptor.AppendData).Words(true); got != "add files, add folders" {
		t.Error(got)
	}
}

// generated makes any descriptor that has a binary form.
func generated(t *rapid.T) *descriptor.Descriptor {
	sid := rapid.Custom(func(t *rapid.T) descriptor.SID {
		subs := rapid.SliceOfN(rapid.Uint32(), 1, 15).Draw(t, "subs")
		text := "S-1-" + rapid.SampledFrom([]string{"0", "1", "5", "22", "0x00FFFFFFFFFF"}).Draw(t, "authority")
		for _, s := range subs {
			text += "-" + itoa(s)
		}
		out, err := descriptor.ParseSID(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	})
	ace := rapid.Custom(func(t *rapid.T) descriptor.ACE {
		e := descriptor.ACE{Type: descriptor.ACEType(rapid.Byte().Draw(t, "type")), Flags: descriptor.ACEFlags(rapid.Byte().Draw(t, "flags"))}
		if n := rapid.IntRange(0, 6).Draw(t, "data"); n > 0 {
			e.Data = rapid.SliceOfN(rapid.Byte(), 4*n, 4*n).Draw(t, "bytes")
		}
		if e.Type > descriptor.ScopedPolicy || e.Type == descriptor.AllowedCompound {
			return e
		}
		e.Mask, e.SID = descriptor.Mask(rapid.Uint32().Draw(t, "mask")), sid.Draw(t, "sid")
		switch e.Type {
		case descriptor.AllowedObject, descriptor.DeniedObject, descriptor.AllowedCallbackObject, descriptor.DeniedCallbackObject:
			if rapid.Bool().Draw(t, "object") {
				g := descriptor.GUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "guid"))
				e.Object = &g
			}
		default:
		}
		return e
	})
	d := &descriptor.Descriptor{Control: descriptor.SelfRelative}
	if rapid.Bool().Draw(t, "owned") {
		d.Owner, d.Group = sid.Draw(t, "owner"), sid.Draw(t, "group")
	}
	if rapid.Bool().Draw(t, "protected") {
		d.Control |= descriptor.DACLProtected | descriptor.DACLPresent
	}
	if rapid.Bool().Draw(t, "list") {
		d.Control |= descriptor.DACLPresent
		d.DACL = &descriptor.ACL{Entries: rapid.SliceOfN(ace, 0, 8).Draw(t, "entries")}
	}
	return d
}

func itoa(n uint32) string {
	b := []byte{}
	for {
		b = append([]byte{byte('0' + n%10)}, b...)
		if n /= 10; n == 0 {
			return string(b)
		}
	}
}

func TestWhateverIsWrittenIsReadBackTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := generated(t)
		b, err := d.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := descriptor.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", d.SDDL(), err)
		}
		if diff := same(d, back); diff != "" {
			t.Fatal(diff)
		}
		text, err := descriptor.ParseSDDL(d.SDDL())
		if err != nil {
			t.Fatalf("%s: %v", d.SDDL(), err)
		}
		if diff := same(d, text); diff != "" {
			t.Fatalf("%s: %s", d.SDDL(), diff)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"O:BAG:SYD:PAI(A;OICI;FA;;;BA)(D;ID;0x1200a9;;;BU)", "D:(OA;;FR;bf967aba-0de6-11d0-a285-00aa003049e2;;BU)(XA;;FX;;;WD;#61727478)", "D:NO_ACCESS_CONTROL", "D:(0x04;;;;;;#01020304)S:(AU;SA;FA;;;WD)"} {
		b, err := parse(f, text).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := descriptor.Parse(b)
		if err != nil {
			if !errors.Is(err, descriptor.ErrMalformed) {
				t.Error(err)
			}
			return
		}
		text := d.SDDL()
		again, err := descriptor.ParseSDDL(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again.SDDL() != text {
			t.Errorf("%s became %s", text, again.SDDL())
		}
	})
}

func FuzzParseSDDL(f *testing.F) {
	f.Add("O:BAG:SYD:PAI(A;OICI;FA;;;BA)(D;ID;0x1200a9;;;BU)S:(AU;SA;FA;;;WD)")
	f.Add("D:NO_ACCESS_CONTROL")
	f.Add("D:(0x04;OI;;;;;#0102030405060708)(XA;;FX;;;WD;#61727478)")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := descriptor.ParseSDDL(s)
		if err != nil {
			return
		}
		b, err := d.Encode()
		if err != nil {
			return // a list that is too long
		}
		back, err := descriptor.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if diff := same(d, back); diff != "" {
			t.Errorf("%s: %s", s, diff)
		}
	})
}
