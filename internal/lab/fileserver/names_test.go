package fileserver

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"
)

func TestPatternsMatchAsOnWindows(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "anything", true},
		{"*", "", true},
		{"*.msu", "KB1.MSU", true},
		{"*.msu", "KB1.msi", false},
		{"KB?.msu", "kb1.msu", true},
		{"KB?.msu", "kb.msu", false},
		{"kb1.msu", "KB1.MSU", true},
		{"kb1", "kb1.msu", false},
		{"*.*", "noextension", false},
		{"a*b*c", "aXbXc", true},
		{"<.msu", "a.b.msu", true},
		{"<.b", "a.b.c", false},
		{"<", "name", true},
		{">>>.msu", "ab.msu", true},
		{">>>.msu", "abcd.msu", false},
		{`name"`, "name", true},
		{`name"msu`, "name.msu", true},
		{"å*", "ÅNGSTRÖM", true},
		{"", "x", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q on %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestHostilePatternEndsSoon(t *testing.T) {
	if matches(strings.Repeat("*a", 120)+"b", strings.Repeat("a", 255)) {
		t.Error("matched")
	}
}

func TestStarMatchesEveryNameAndEachNameItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9åÄ. _-]{1,40}`).Draw(t, "name")
		cut := rapid.IntRange(0, len([]rune(name))).Draw(t, "cut")
		runes := []rune(name)
		for _, pattern := range []string{"*", name, strings.ToUpper(name), string(runes[:cut]) + "*", "*" + string(runes[cut:])} {
			if !matches(pattern, name) {
				t.Errorf("%q does not match %q", pattern, name)
			}
		}
	})
}

func TestPathsLeadNowhereElse(t *testing.T) {
	for name, want := range map[string]status{
		`..\secret`: statusObjectNameInvalid, `a\..\..\b`: statusObjectNameInvalid, `\a`: statusInvalidParameter,
		`a\\b`: statusObjectNameInvalid, `a/b`: statusObjectNameInvalid, `a:stream`: statusObjectNameInvalid,
		"a\x00b": statusObjectNameInvalid, "a\x1f": statusObjectNameInvalid, `a\.`: statusObjectNameInvalid,
		strings.Repeat("x", 256): statusObjectNameInvalid, strings.Repeat(`x\`, 4000): statusObjectNameInvalid,
		"a*": statusObjectNameInvalid, `a\b\`: statusOK, "": statusOK, `a\b`: statusOK,
	} {
		if _, got := cleanPath(name); got != want {
			t.Errorf("%.20q: %#x, want %#x", name, uint32(got), uint32(want))
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	f.Add(`Root\a`)
	f.Fuzz(func(t *testing.T, name string) {
		if got, s := cleanPath(name); s == statusOK && !fs.ValidPath(got) {
			t.Errorf("%q becomes %q, which is no path inside the share", name, got)
		}
	})
}

func TestNamesAreFoundInAnyCase(t *testing.T) {
	fsys := fstest.MapFS{"Root/Node1/Å.msu": {}, "Root/pipe": {Mode: fs.ModeNamedPipe}}
	for name, want := range map[string]string{"root/NODE1/å.MSU": "Root/Node1/Å.msu", "ROOT": "Root", ".": "."} {
		if got, _, s := find(fsys, name); s != statusOK || got != want {
			t.Errorf("%s: %q, %#x", name, got, uint32(s))
		}
	}
	for name, want := range map[string]status{
		"none": statusObjectNameNotFound, "none/x": statusObjectPathNotFound,
		"Root/Node1/Å.msu/x": statusObjectPathNotFound, "Root/pipe": statusAccessDenied,
	} {
		if _, _, s := find(fsys, name); s != want {
			t.Errorf("%s: %#x, want %#x", name, uint32(s), uint32(want))
		}
	}
}

func TestSIDsAreChecked(t *testing.T) {
	for _, bad := range []string{"", "S-1-5", "S-2-5-18", "BA", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656-1", "S-1-5" + strings.Repeat("-1", 16)} {
		if _, err := parseSID(bad); err == nil {
			t.Errorf("%q taken for a SID", bad)
		}
	}
}

func TestNoMessageIDIsEverTakenTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		w.grant(1)
		total, taken := uint64(1), map[uint64]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"grant": func(t *rapid.T) { total += uint64(w.grant(rapid.Uint16().Draw(t, "asked"))) },
			"take": func(t *rapid.T) {
				id, charge := rapid.Uint64Range(0, total+4).Draw(t, "id"), rapid.Uint16Range(0, 20).Draw(t, "charge")
				if !w.take(id, charge) {
					return
				}
				for i := range uint64(max(charge, 1)) {
					if taken[id+i] || id+i >= total {
						t.Fatalf("id %d taken twice or never granted", id+i)
					}
					taken[id+i] = true
				}
			},
			"": func(t *rapid.T) {
				if open := total - uint64(len(taken)); open > maxCredits {
					t.Fatalf("%d credits open", open)
				}
			},
		})
	})
}

func TestAClientIsNeverLeftWithoutACredit(t *testing.T) {
	var w window
	w.grant(1)
	for id := range uint64(3 * maxSpan) {
		if !w.take(id, 1) {
			t.Fatalf("id %d refused", id)
		}
		if w.grant(0) != 1 {
			t.Fatalf("no credit after id %d", id)
		}
	}
}

func TestTimesAreThoseOfWindows(t *testing.T) {
	if got := filetime(time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)); got != 0 {
		t.Errorf("the first moment is %d", got)
	}
	if got := filetime(time.Unix(0, 700)); got != 116444736000000007 {
		t.Errorf("1970 is %d", got)
	}
}
