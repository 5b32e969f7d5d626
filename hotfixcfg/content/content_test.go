package content_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode"

	"cau/hotfixcfg/content"
)

func file(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func about(t *testing.T, name string, b []byte) content.About {
	t.Helper()
	a, err := content.Read(name, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a
}

func TestAFileNameSaysArticleProductAndArchitecture(t *testing.T) {
	for name, want := range map[string]content.About{
		"windows10.0-kb5031234-x64_0123456789abcdef.msu": {KB: "KB5031234", Product: "windows10.0", Architecture: "x64"},
		`NODE1\Windows11.0-KB5043080-ARM64.msu`:          {KB: "KB5043080", Product: "Windows11.0", Architecture: "arm64"},
		"SQLServer2019-KB5011644-amd64.exe":              {KB: "KB5011644", Product: "SQLServer2019", Architecture: "x64"},
		"KB4577586.msu":                                  {KB: "KB4577586"},
		"office-kb 3114690-x86.msp":                      {KB: "KB3114690", Product: "office", Architecture: "x86"},
		"ndp48.exe":                                      {},
		"bkb12345678.exe":                                {},
		"kb123456789.exe":                                {},
		"":                                               {},
	} {
		want.Source = content.Name
		if got := content.FromName(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestAnInstallerPackageIsDescribedByItsSummaryInformation(t *testing.T) {
	got := about(t, "setup.msi", file(t, "agent.msi"))
	want := content.About{KB: "KB5099001", Product: "Contoso Agent Update (KB5099001)", Architecture: "x64", Title: "Contoso Agent Update (KB5099001)", Source: content.Summary}
	if got != want {
		t.Errorf("%+v", got)
	}
	// A patch says "Patch" where a package says "Installation Database", and product codes where that names its platform.
	patch := bytes.Replace(file(t, "agent.msi"), []byte("Installation Database"), []byte("Fix for the agent\x00\x00\x00\x00"), 1)
	patch = bytes.Replace(patch, []byte("x64;1033"), []byte("{AAAAA-B"), 1)
	got = about(t, "agent-x86.msp", patch)
	if got.Title != "Fix for the agent" || got.Architecture != "x86" || got.KB != "KB5099001" {
		t.Errorf("%+v", got)
	}
}

func TestAStandaloneUpdateIsDescribedByThePropertiesInItsCabinet(t *testing.T) {
	want := content.About{KB: "KB5031234", Product: "Windows 10.0", Architecture: "x64", Title: "Security Update", Source: content.Properties}
	for _, name := range []string{"zip.msu", "stored.msu"} {
		if got := about(t, name, file(t, name)); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWhereTheCabinetsCompressionIsNotReadTheNamesInItSpeak(t *testing.T) {
	b := bytes.Clone(file(t, "zip.msu"))
	binary.LittleEndian.PutUint16(b[42:], 0x1503) // the folder's compression: LZX, as Windows' own
	want := content.About{KB: "KB5031234", Product: "Windows10.0", Architecture: "x64", Source: content.Names}
	if got := about(t, "renamed.msu", b); got != want {
		t.Errorf("%+v", got)
	}
	wim := append([]byte("MSWIM\x00\x00\x00"), make([]byte, 200)...)
	if got := about(t, "windows11.0-kb5043080-x64.msu", wim); got.KB != "KB5043080" || got.Source != content.Name {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotWhatItsNameSaysIsAnErrorAndTheNameStillSpeaks(t *testing.T) {
	for name, b := range map[string][]byte{
		"a-kb5031234-x64.msu": []byte("this is text, and long enough to be looked at as a cabinet"),
		"b-kb5031234-x64.msi": file(t, "zip.msu"),
		"c-kb5031234-x64.msp": {},
		"d-kb5031234-x64.msu": file(t, "zip.msu")[:100],
		"e-kb5031234-x64.msi": file(t, "agent.msi")[:700],
	} {
		got, err := content.Read(name, bytes.NewReader(b), int64(len(b)))
		if !errors.Is(err, content.ErrFormat) || got.KB != "KB5031234" || got.Architecture != "x64" || got.Source != content.Name {
			t.Errorf("%s: %v %+v", name, err, got)
		}
	}
	if got, err := content.Read("setup.exe", bytes.NewReader(nil), 0); err != nil || got.Known() {
		t.Errorf("%v %+v", err, got)
	}
}

// broken fails after its first bytes.
type broken struct{ *bytes.Reader }

var errShare = errors.New("the connection broke")

func (b broken) ReadAt([]byte, int64) (int, error) { return 0, errShare }

func TestAFileThatCannotBeReadIsNotCalledDamaged(t *testing.T) {
	for _, name := range []string{"a.msi", "a.msu"} {
		_, err := content.Read(name, broken{}, 1<<20)
		if !errors.Is(err, errShare) || errors.Is(err, content.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// counting counts what is read.
type counting struct {
	*bytes.Reader
	bytes int
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.bytes += len(p)
	return c.Reader.ReadAt(p, off)
}

func TestR33_ACabinetThatHidesItsPropertiesBehindAGigabyteIsNotReadThrough(t *testing.T) {
	b := bytes.Clone(file(t, "stored.msu"))
	const size = 256 << 20
	large := append(bytes.Clone(b), make([]byte, size)...)
	// The folder's blocks lie far behind, each of the largest size, and the file at their end.
	binary.LittleEndian.PutUint32(large[36:], uint32(len(b)))
	binary.LittleEndian.PutUint16(large[40:], 0xFFFF)
	for at := len(b); at+8 < len(large); at += 8 + 32<<10 {
		binary.LittleEndian.PutUint16(large[at+4:], 32<<10)
		binary.LittleEndian.PutUint16(large[at+6:], 32<<10)
	}
	if i := bytes.Index(large, []byte("Windows10.0-KB5031234-x64-pkgProperties.txt")); i > 0 {
		binary.LittleEndian.PutUint32(large[i-12:], 200<<20)
	}
	r := &counting{Reader: bytes.NewReader(large)}
	got, err := content.Read("x.msu", r, int64(len(large)))
	if err != nil || got.Source != content.Names || got.KB != "KB5031234" {
		t.Errorf("%v %+v", err, got)
	}
	if r.bytes > 9<<20 {
		t.Errorf("read %d bytes", r.bytes)
	}
}

func TestR33_WhatAFileSaysOfItselfIsOneShortLine(t *testing.T) {
	hostile := "Agent\x1b[2J\r\n\u202e" + strings.Repeat("x", 20)
	b := bytes.Replace(file(t, "agent.msi"), []byte("Contoso Agent Update (KB5099001)"), []byte(hostile[:32]), 1)
	got := about(t, "a.msi", b)
	if strings.ContainsAny(got.Title, "\x1b\r\n\u202e") || !strings.HasPrefix(got.Title, "Agent?[2J") {
		t.Errorf("%q", got.Title)
	}
	if got := content.FromName(strings.Repeat("ä", 5000) + "-kb5031234.msu"); len(got.Product) > 200 || got.KB != "KB5031234" {
		t.Errorf("%d bytes", len(got.Product))
	}
}

func FuzzRead(f *testing.F) {
	for i, name := range []string{"agent.msi", "zip.msu"} {
		f.Add(uint8(i), file(f, name))
	}
	f.Fuzz(func(t *testing.T, kind uint8, b []byte) {
		name := []string{"a-kb5031234-x64.msi", "a-kb5031234-x64.msu", "a-kb5031234-x64.msp"}[kind%3]
		got, err := content.Read(name, bytes.NewReader(b), int64(len(b)))
		if err != nil && !errors.Is(err, content.ErrFormat) {
			t.Fatalf("%v", err)
		}
		for _, part := range []string{got.KB, got.Product, got.Architecture, got.Title} {
			if len(part) > 200 || strings.ContainsFunc(part, func(r rune) bool { return !unicode.IsGraphic(r) }) {
				t.Fatalf("%q", part)
			}
		}
	})
}
