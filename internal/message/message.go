package message

import "fmt"

// Key names a text. Keys are constants in the file of the part that shows them.
type Key string

// Texts gives texts in one language. The zero value is English.
type Texts struct {
	language map[Key]string
}

// T is the text for key, with args filled in as by fmt.Sprintf. An unknown key gives the key itself in
// brackets, so that it is seen.
func (t Texts) T(key Key, args ...any) string {
	format, ok := t.language[key]
	if !ok {
		format, ok = english(key)
	}
	if !ok {
		return "[" + string(key) + "]"
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

func english(key Key) (string, bool) {
	for _, part := range parts() {
		if text, ok := part[key]; ok {
			return text, true
		}
	}
	return "", false
}

// parts are the texts of each part of the program; a key stands in exactly one.
func parts() []map[Key]string {
	return []map[Key]string{
		coreTexts,
		cliTexts,
		optionTexts,
		credentialTexts,
		wizardTexts,
		linesTexts,
		screenTexts,
		factTexts,
		etaTexts,
		outOfServiceTexts,
		noticeTexts,
		controlTexts,
		takeoverTexts,
		hotfixTexts,
		configTexts,
		askTexts,
		pluginTexts,
		pluginNodesTexts,
	}
}
