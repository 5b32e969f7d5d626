package message

import (
	"maps"
	"strings"
	"testing"
)

func all() map[Key]string {
	texts := map[Key]string{}
	for _, part := range parts() {
		maps.Copy(texts, part)
	}
	return texts
}

func TestAKeyStandsInExactlyOnePart(t *testing.T) {
	total := 0
	for _, p := range parts() {
		total += len(p)
	}
	if total != len(all()) {
		t.Errorf("%d texts for %d keys", total, len(all()))
	}
}

func TestAnUnknownKeyIsSeen(t *testing.T) {
	if got := (Texts{}).T("no.such"); got != "[no.such]" {
		t.Error(got)
	}
}

func TestTextsHoldNoControlCharactersAndNoBlankEnds(t *testing.T) {
	for k, text := range all() {
		if text == "" || strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
			t.Errorf("%s: %q", k, text)
		}
	}
}
