package app

import (
	"cau/engine"
	"cau/internal/message"
)

// durableText is the text of facts about what keeps the run itself from being lost; ok is false for all others.
func durableText(t message.Texts, key message.Key, f engine.Fact) (text string, ok bool) {
	switch f.Kind {
	case engine.FactDiskFull:
		return t.T(key, reason(f.Data)), true
	default:
		return "", false
	}
}
