package fileserver

import (
	"reflect"
	"testing"
)

func TestSDDLIsReadStrictly(t *testing.T) {
	t.Parallel()
	const all = ObjectInherit | ContainerInherit
	for text, want := range map[string]Descriptor{
		"O:BA":                            {Owner: Administrators},
		"G:S-1-5-21-1-2-3-513":            {Group: "S-1-5-21-1-2-3-513"},
		"O:WDG:BUD:P":                     {Owner: Everyone, Group: Users, Protected: true},
		"D:NO_ACCESS_CONTROL":             {NoList: true},
		"D:(A;;FA;;;AU)":                  {Entries: []Entry{{SID: AuthenticatedUsers, Mask: FullControl}}},
		"O:SYD:P(D;OICI;FWGX;;;S-1-5-11)": {Owner: LocalSystem, Protected: true, Entries: []Entry{{SID: AuthenticatedUsers, Mask: 0x20120116, Deny: true, Flags: all}}},
		"D:(A;OICIIONP;0x1301bf;;;BU)(A;CI;GR;;;CO)": {Entries: []Entry{
			{SID: Users, Mask: 0x1301bf, Flags: all | InheritOnly | NoPropagate}, {SID: CreatorOwner, Mask: 0x80000000, Flags: ContainerInherit},
		}},
	} {
		got, err := ReadSDDL(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "x", "O:", "O:XX", "O:BAX:", "G:BAO:BA", "D:", "D:AI(A;;FA;;;AU)", "D:PAI", "D:PP", "D:P NO_ACCESS_CONTROL", "D:NO_ACCESS_CONTROL(A;;FA;;;BA)",
		"D:(A;;FA;;;AU", "D:A;;FA;;;AU)", "D:((A;;FA;;;AU)", "D:(A;;FA;;;AU)S:(AU;SA;FA;;;WD)", "D:(AU;;FA;;;WD)", "D:(OA;;FA;;;WD)", "D:(A;ID;FA;;;WD)",
		"D:(A;OIOI;FA;;;WD)", "D:(A;O;FA;;;WD)", "D:(A;IO;FA;;;WD)", "D:(A;NP;FA;;;WD)", "D:(A;;;;;WD)", "D:(A;;KA;;;WD)", "D:(A;;F;;;WD)", "D:(A;;0x0;;;WD)",
		"D:(A;;0x;;;WD)", "D:(A;;0x100000000;;;WD)", "D:(A;;0x1000000;;;WD)", "D:(A;;FA;;)", "D:(A;;FA;x;;WD)", "D:(A;;FA;;x;WD)", "D:(A;;FA;;;)", "D:(A;;FA;;;DA)",
		"D:(A;;FA;;;S-1-5)", "D:(A;;FA;;;WD;x)", "d:(A;;FA;;;WD)", "O:BAO:BA", "D:(A;;FA;;;WD)x",
	} {
		if d, err := ReadSDDL(text); err == nil {
			t.Errorf("%q is taken as %+v", text, d)
		}
	}
}

// FuzzSDDL: what is read can be shown, and shows what was read.
func FuzzSDDL(f *testing.F) {
	f.Add("O:BAG:SYD:P(A;OICI;FA;;;BA)(D;OICIIO;0x10116;;;S-1-5-21-1-2-3-1105)")
	f.Add("D:NO_ACCESS_CONTROL")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ReadSDDL(text)
		if err != nil {
			return
		}
		d.Owner, d.Group = Administrators, LocalSystem
		g, err := compileDescriptor(d)
		if err != nil {
			t.Fatalf("%q is read and cannot be used: %v", text, err)
		}
		Describe(t, g.root().encode(askOwner|askGroup|askDACL))
	})
}
