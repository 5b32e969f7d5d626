package message

import (
	"strings"
	"testing"
)

func TestAKeyStandsInExactlyOnePart(t *testing.T) {
	total := 0
	for _, p := range parts() {
		total += len(p)
	}
	if total != len(All()) {
		t.Errorf("%d texts for %d keys", total, len(All()))
	}
}

func TestAnUnknownKeyIsSeen(t *testing.T) {
	if got := (Texts{}).T("no.such"); got != "[no.such]" {
		t.Error(got)
	}
}

func TestTextsHoldNoControlCharactersAndNoBlankEnds(t *testing.T) {
	for k, text := range All() {
		if text == "" || strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
			t.Errorf("%s: %q", k, text)
		}
	}
}
