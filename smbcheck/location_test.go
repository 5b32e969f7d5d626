package smbcheck_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cau/internal/fault"
	"cau/smbcheck"
)

func TestR10_AUNCPathIsReadIntoItsParts(t *testing.T) {
	for s, want := range map[string]smbcheck.Location{
		`\\MyFileServer\Hotfixes\Root`:     {Server: "MyFileServer", Share: "Hotfixes", Root: "Root"},
		`\\fs1.contoso.com\Share$\a b\ü.x`: {Server: "fs1.contoso.com", Share: "Share$", Root: `a b\ü.x`},
		`\\10.0.0.7\s`:                     {Server: "10.0.0.7", Share: "s"},
		`\\s\s\COM10\console\auxiliary`:    {Server: "s", Share: "s", Root: `COM10\console\auxiliary`},
	} {
		got, err := smbcheck.ParseUNC(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
		if got.String() != s {
			t.Errorf("%s comes back as %s", s, got)
		}
	}
}

func TestR10_OtherKindsAndUnsafePathsAreRefusedWithAHint(t *testing.T) {
	for _, s := range []string{
		"", `C:\ClusterStorage\Volume1\root`, "c:", "file:/srv/root", "FILE:///srv", `\server\share`, `server\share`, "//server/share/root",
		`\\`, `\\server`, `\\server\`, `\\server\share\`, `\\server\\root`, `\\\share\root`, `\\server\share\a\\b`,
		`\\server\share\..`, `\\server\share\a\..\b`, `\\server\share\.`, `\\..\share\a`, `\\server\..\a`,
		`\\server\share\a:stream`, `\\server\share\a*`, `\\server\share\a?`, `\\server\share\a<b`, `\\server\share\a"b`, `\\server\share\a|b`,
		"\\\\server\\share\\a\nb", "\\\\server\\share\\a\x00", "\\\\server\\share\\a\x7f", "\\\\server\\share\\a\u0085", "\\\\server\\share\\\u202egpj.exe", "\\\\server\\share\\a\xff",
		`\\server\share\a.`, `\\server\share\a `, `\\server\share\ a`, `\\server\share\...`,
		`\\server\share\nul`, `\\server\share\NUL.txt`, `\\server\share\a\Com1`, `\\server\share\lpt³.x`, `\\server\share\CONIN$`, `\\server\share\aux .txt`,
		`\\server\IPC$\a`, `\\server\pipe\a`, `\\ser ver\share`, `\\server:445\share`, `\\server@SSL\share`, `\\?\UNC\server\share`, `\\.\C:\x`, `\\-o\share`,
		`\\server\share\` + strings.Repeat("a", 256), `\\server\share\` + strings.Repeat(`aaaa\`, 8000) + "a", `\\server\` + strings.Repeat("a", 81), `\\` + strings.Repeat("a", 300) + `\s`,
	} {
		_, err := smbcheck.ParseUNC(s)
		if !errors.Is(err, smbcheck.ErrLocation) {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if fault.Hint(err) == "" {
			t.Errorf("%q: no hint", s)
		}
		if strings.ContainsAny(err.Error(), "\n\x00\x7f\u202e") || len(err.Error()) > 1000 {
			t.Errorf("unsafe message: %q", err)
		}
	}
}

func TestR10_AKindThatIsNotBuiltIsRefusedByName(t *testing.T) {
	_, drive := smbcheck.ParseUNC(`X:\root`)
	_, file := smbcheck.ParseUNC("file:/root")
	if !strings.Contains(drive.Error(), "drive of the nodes") || !strings.Contains(file.Error(), "this computer") {
		t.Errorf("%v; %v", drive, file)
	}
}

func FuzzParseUNC(f *testing.F) {
	for _, s := range []string{
		`\\server\share`, `\\fs1.contoso.com\Share$\a b\ü.x`, `\\server\share\..\a`, `\\server\share\a:b`, `\\server\share\nul.txt`,
		"\\\\server\\share\\a\u202eb", `\\server\IPC$`, `C:\a`, `\\server\share\COM¹`, `\\server\share\a.`, `\\server\. share`, "\\\\server\\share\\\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		loc, err := smbcheck.ParseUNC(s)
		if err != nil {
			if !errors.Is(err, smbcheck.ErrLocation) || fault.Hint(err) == "" || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%q: %v, hint %q", s, err, fault.Hint(err))
			}
			return
		}
		if loc.String() != s {
			t.Errorf("%q comes back as %q", s, loc.String())
		}
		if again, err := smbcheck.ParseUNC(loc.String()); err != nil || again != loc {
			t.Errorf("%q: %+v, then %+v, %v", s, loc, again, err)
		}
		if strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(s, `/:*?"<>|`) || !utf8.ValidString(s) {
			t.Errorf("%q was taken", s)
		}
		for _, part := range strings.Split(loc.Share+`\`+loc.Root, `\`) {
			if loc.Root == "" && part == "" {
				continue
			}
			base, _, _ := strings.Cut(strings.ToUpper(part), ".")
			if part == "" || strings.TrimRight(part, ". ") != part || part[0] == ' ' || slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}, strings.TrimSpace(base)) {
				t.Errorf("%q has the part %q", s, part)
			}
		}
	})
}
