package model

import (
	"strings"
	"testing"
)

func TestCommandLinesAreSplitAsWindowsDoes(t *testing.T) {
	for line, want := range map[string][]string{
		`a b`:                {"a", "b"},
		`"a b" c`:            {"a b", "c"},
		`a\b "c\"d" e\\`:     {`a\b`, `c"d`, `e\\`},
		`"a\\" b`:            {`a\`, "b"},
		`  `:                 nil,
		`""`:                 {""},
		`"a""b"`:             {`a"b`},
		`/log:"C:\x y" /q`:   {`/log:C:\x y`, "/q"},
		`C:\Program Files\x`: {`C:\Program`, `Files\x`},
	} {
		got := split(line)
		if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

func TestOnlyKnownVariablesAreExpanded(t *testing.T) {
	for in, want := range map[string]string{
		`%SystemRoot%\x`: `C:\Windows\x`, `%nope%\%windir%`: `%nope%\C:\Windows`, `100%`: `100%`, `%%windir%%`: `%C:\Windows%`,
	} {
		if got := expand(in, map[string]string{"cau_update": `C:\u`}); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add(`"a b" c\"d`)
	f.Fuzz(func(t *testing.T, line string) {
		total := 0
		for _, a := range split(line) {
			total += len(a)
		}
		if total > len(line) {
			t.Errorf("%q grew", line)
		}
	})
}
