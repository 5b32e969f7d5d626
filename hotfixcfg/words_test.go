package hotfixcfg_test

import (
	"encoding/binary"
	"reflect"
	"strings"
	"testing"

	"cau/hotfixcfg"
	"cau/internal/fault"
)

func TestR20_CodesOfACommandLineAreReadAsThoseOfAFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]fault.Code{
		"0": {0}, "": nil, " , ;": nil, "0, 3010;1641 7": {0, 3010, 1641, 7},
		"-2145124329,0x80240018": {0x80240017, 0x80240018}, "2149842967": {0x80240017},
	} {
		if got, err := hotfixcfg.ParseCodes(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "0,x", "4294967296", "-2147483649", "0x123456789", "1.5", "+"} {
		if got, err := hotfixcfg.ParseCodes(text); err == nil || got != nil || !strings.Contains(err.Error(), "is not an exit code") {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
}

func TestTheLinesOfAFileAreItsTextInAnyEncoding(t *testing.T) {
	t.Parallel()
	want := strings.Split(strings.TrimSuffix(foreign, "\n"), "\n")
	for name, b := range files(t) {
		if strings.HasPrefix(name, "wider") || name == "default" {
			continue
		}
		if got := hotfixcfg.Lines(b); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := hotfixcfg.Lines(wide([]byte("<a/>"), binary.BigEndian)); !reflect.DeepEqual(got, []string{"<a/>"}) {
		t.Errorf("%q", got)
	}
}
