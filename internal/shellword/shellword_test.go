package shellword_test

import (
	"os/exec"
	"testing"

	"pgregory.net/rapid"

	"cau/internal/shellword"
)

func TestR33_ARealShellReadsOneWord(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", "it's", "$(reboot)", "a b\tc", "`x`", `\`, "å 日", "''"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '<%s>' "+shellword.POSIX(s)).Output()
		if err != nil || string(out) != "<"+s+">" {
			t.Errorf("%q: %s %v", s, out, err)
		}
	}
}

func TestR33_EveryQuoteInAPowerShellStringIsDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("a '\"$`\u2018\u2019\u201a\u201b日")), 0, 20, -1).Draw(t, "text")
		in := []rune(shellword.PowerShell(s))
		if in[0] != '\'' || in[len(in)-1] != '\'' {
			t.Fatalf("%q", string(in))
		}
		var back []rune
		quote := func(r rune) bool { return r == '\'' || r >= '\u2018' && r <= '\u201b' }
		for i := 1; i < len(in)-1; i++ {
			if back = append(back, in[i]); quote(in[i]) {
				if i++; i == len(in)-1 || in[i] != in[i-1] {
					t.Fatalf("%q ends early", string(in))
				}
			}
		}
		if string(back) != s {
			t.Fatalf("%q became %q", s, string(back))
		}
	})
}
