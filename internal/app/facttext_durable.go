package app

import (
	"strings"

	"cau/engine"
	"cau/internal/message"
)

// durableText is the text of facts about what keeps the run itself from being lost; ok is false for all others.
func durableText(t message.Texts, key message.Key, f engine.Fact) (text string, ok bool) {
	switch f.Kind {
	case engine.FactCheckpointDone:
		return t.T(key, strings.Join(f.Data.Nodes, ", ")), true
	case engine.FactDiskFull, engine.FactTakenOver, engine.FactLeaseNone, engine.FactCheckpointFailed, engine.FactRunRestored:
		return t.T(key, reason(f.Data)), true
	case engine.FactLeaseTaken:
		return t.T(key, f.Data.Lease), true
	case engine.FactLeaseDropped:
		if f.Data.Cause != nil {
			return t.T(message.Fact("lease.kept"), f.Data.Cause.String()), true
		}
	default:
		return "", false
	}
	return t.T(key), true
}
