package fileserver

import (
	"testing"
	"testing/fstest"
)

// somebody is an ordinary account of the domain.
const somebody = "S-1-5-21-1004336348-1177238915-682003330-1105"

func read(tb testing.TB, sddl string) Descriptor {
	tb.Helper()
	d, err := ReadSDDL(sddl)
	if err != nil {
		tb.Fatalf("%s: %v", sddl, err)
	}
	return d
}

// shown is what a share with these descriptors shows of one path.
func shown(tb testing.TB, root string, below map[string]string, path string, folder bool) string {
	tb.Helper()
	s := Share{Name: "s", FS: fstest.MapFS{"dir/sub/file.txt": {}, "file.txt": {}}, Below: map[string]Descriptor{}}
	if root != "" {
		s.Security = read(tb, root)
	}
	for name, sddl := range below {
		s.Below[name] = read(tb, sddl)
	}
	p, err := compilePermissions(s)
	if err != nil {
		tb.Fatal(err)
	}
	return Describe(tb, p.of(path, folder).encode(askOwner|askGroup|askDACL))
}

func TestEntriesAreInheritedAsTheirFlagsSay(t *testing.T) {
	for flags, want := range map[string]struct{ file, dir, sub, deep string }{
		"":         {},
		"OI":       {file: "(A;ID", dir: "(A;OIIOID", sub: "(A;OIIOID", deep: "(A;ID"},
		"CI":       {dir: "(A;CIID", sub: "(A;CIID"},
		"OICI":     {file: "(A;ID", dir: "(A;OICIID", sub: "(A;OICIID", deep: "(A;ID"},
		"OICIIO":   {file: "(A;ID", dir: "(A;OICIID", sub: "(A;OICIID", deep: "(A;ID"},
		"OIIO":     {file: "(A;ID", dir: "(A;OIIOID", sub: "(A;OIIOID", deep: "(A;ID"},
		"CIIO":     {dir: "(A;CIID", sub: "(A;CIID"},
		"OINP":     {file: "(A;ID"},
		"CINP":     {dir: "(A;ID"},
		"OICINP":   {file: "(A;ID", dir: "(A;ID"},
		"OICIIONP": {file: "(A;ID", dir: "(A;ID"},
	} {
		// Users' entry keeps every list from being empty, which would bring the maker's own.
		root := "O:BAG:SYD:P(A;OICI;0x1200a9;;;BU)(A;" + flags + ";0x1f01ff;;;AU)"
		for _, at := range []struct {
			path, want string
			folder     bool
		}{{"file.txt", want.file, false}, {"dir", want.dir, true}, {"dir/sub", want.sub, true}, {"dir/sub/file.txt", want.deep, false}} {
			users := "(A;ID;0x1200a9;;;BU)"
			if at.folder {
				users = "(A;OICIID;0x1200a9;;;BU)"
			}
			expected := "O:BAG:SYD:AI" + users
			if at.want != "" {
				expected += at.want + ";0x1f01ff;;;AU)"
			}
			if got := shown(t, root, nil, at.path, at.folder); got != expected {
				t.Errorf("%s, %s: %s, want %s", flags, at.path, got, expected)
			}
		}
	}
}

func TestWhatComesToWhom(t *testing.T) {
	for name, c := range map[string]struct {
		root   string
		below  map[string]string
		path   string
		folder bool
		want   string
	}{
		"the root itself": {path: ".", folder: true, want: "O:BAG:SYD:PAI(A;OICI;0x1f01ff;;;BA)(A;OICI;0x1f01ff;;;SY)(A;OICI;0x1200a9;;;BU)"},
		"a folder":        {path: "dir", folder: true, want: "O:BAG:SYD:AI(A;OICIID;0x1f01ff;;;BA)(A;OICIID;0x1f01ff;;;SY)(A;OICIID;0x1200a9;;;BU)"},
		"a file":          {path: "dir/sub/file.txt", want: "O:BAG:SYD:AI(A;ID;0x1f01ff;;;BA)(A;ID;0x1f01ff;;;SY)(A;ID;0x1200a9;;;BU)"},
		"CREATOR OWNER on a folder": {
			root: "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICIIO;FA;;;CO)", below: map[string]string{"dir": "O:" + somebody}, path: "dir", folder: true,
			want: "O:" + somebody + "G:SYD:AI(A;OICIID;0x1f01ff;;;SY)(A;ID;0x1f01ff;;;" + somebody + ")(A;OICIIOID;0x1f01ff;;;CO)",
		},
		"CREATOR OWNER on a file of somebody": {
			root: "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICIIO;FA;;;CO)", below: map[string]string{"dir/sub/FILE.txt": "O:" + somebody}, path: "dir/sub/file.txt",
			want: "O:" + somebody + "G:SYD:AI(A;ID;0x1f01ff;;;SY)(A;ID;0x1f01ff;;;" + somebody + ")",
		},
		"CREATOR OWNER who has the same by name": {
			root: "O:BAG:SYD:P(A;OICI;FA;;;BA)(A;OICIIO;FA;;;CO)", path: "file.txt", want: "O:BAG:SYD:AI(A;ID;0x1f01ff;;;BA)",
		},
		"CREATOR GROUP": {
			root: "O:BAG:SYD:P(A;OICIIO;FR;;;CG)", path: "file.txt", want: "O:BAG:SYD:AI(A;ID;0x120089;;;SY)",
		},
		"generic rights where they become effective": {
			root: "O:BAG:SYD:P(A;OICIIO;GRGX;;;BU)", path: "dir", folder: true,
			want: "O:BAG:SYD:AI(A;ID;0x1200a9;;;BU)(A;OICIIOID;0xa0000000;;;BU)",
		},
		"generic rights of the root": {
			root: "O:BAG:SYD:P(A;OICI;GA;;;BA)(A;;GR;;;BU)", path: ".", folder: true,
			want: "O:BAG:SYD:PAI(A;;0x1f01ff;;;BA)(A;OICIIO;0x10000000;;;BA)(A;;0x120089;;;BU)",
		},
		"deny": {
			root: "O:BAG:SYD:P(D;OICI;FW;;;BU)(A;OICI;FA;;;WD)", path: "file.txt", want: "O:BAG:SYD:AI(D;ID;0x120116;;;BU)(A;ID;0x1f01ff;;;WD)",
		},
		"set entries before inherited ones": {
			below: map[string]string{"file.txt": "D:(A;;FA;;;AU)"}, path: "file.txt",
			want: "O:BAG:SYD:AI(A;;0x1f01ff;;;AU)(A;ID;0x1f01ff;;;BA)(A;ID;0x1f01ff;;;SY)(A;ID;0x1200a9;;;BU)",
		},
		"protected": {
			below: map[string]string{"dir": "D:P(A;OICI;FA;;;BA)"}, path: "dir/sub/file.txt", want: "O:BAG:SYD:AI(A;ID;0x1f01ff;;;BA)",
		},
		"protected and empty": {below: map[string]string{"file.txt": "D:P"}, path: "file.txt", want: "O:BAG:SYD:PAI"},
		"no list":             {below: map[string]string{"file.txt": "D:NO_ACCESS_CONTROL"}, path: "file.txt", want: "O:BAG:SYD:NO_ACCESS_CONTROL"},
		"below a folder without a list": {
			below: map[string]string{"dir": "D:NO_ACCESS_CONTROL", "dir/sub/file.txt": "O:" + somebody}, path: "dir/sub/file.txt",
			want: "O:" + somebody + "G:SYD:(A;;0x1f01ff;;;" + somebody + ")(A;;0x1f01ff;;;SY)",
		},
		"another owner and what is below": {
			below: map[string]string{"dir": "O:" + somebody + "G:BU"}, path: "dir/sub", folder: true,
			want: "O:" + somebody + "G:BUD:AI(A;OICIID;0x1f01ff;;;BA)(A;OICIID;0x1f01ff;;;SY)(A;OICIID;0x1200a9;;;BU)",
		},
	} {
		if got := shown(t, c.root, c.below, c.path, c.folder); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}
