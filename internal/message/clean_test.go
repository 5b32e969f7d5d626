package message_test

import (
	"testing"

	"cau/internal/message"
)

func TestR33_TextFromOutsideCannotSteerATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"Update1.msu":    "Update1.msu",
		"a\x1b[2Jb":      "a\ufffd[2Jb",
		"a\u009b31mb":    "a\ufffd31mb",
		"a\r\nb":         "a\ufffd\ufffdb",
		"a\tb":           "a b",
		"gpj.\u202eexe":  "gpj.\ufffdexe",
		"\xff":           "\ufffd",
		"修补程序 – Åsa.msu": "修补程序 – Åsa.msu",
	} {
		if got := message.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestR33_ATextOfSeveralLinesBecomesOneSentence(t *testing.T) {
	if got := message.Line("one\r\n\r\n  two\x1b[2J\n"); got != "one; two\uFFFD[2J" {
		t.Errorf("%q", got)
	}
}
