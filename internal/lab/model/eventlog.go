package model

import (
	"regexp"
	"slices"
	"time"

	"cau/internal/winnode/agent"
)

// record is one record of an event log of Windows.
type record struct {
	at       time.Time
	log      string
	provider string
	id       int
	level    int
	message  string
}

// Event logs that the node has, and how many records each keeps.
const (
	logSystem      = "System"
	logApplication = "Application"
	maxRecords     = 2000

	levelError       = 2
	levelInformation = 4

	errNoChannel = 15007 // ERROR_EVT_CHANNEL_NOT_FOUND
)

var logShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/()-]{0,199}$`)

// note writes a record.
func (n *Node) note(log, provider string, id, level int, message string) {
	n.log = append(n.log, record{at: n.now(), log: log, provider: provider, id: id, level: level, message: message})
	if len(n.log) > maxRecords {
		n.log = slices.Delete(n.log, 0, len(n.log)-maxRecords)
	}
}

// tailLog gives the newest records of a log, the newest first.
func (n *Node) tailLog(a agent.EventLogArgs) (agent.EventLog, error) {
	out := agent.EventLog{Records: []agent.EventRecord{}}
	if !logShape.MatchString(a.Log) {
		return out, &refusal{"refused", "that is no name of an event log"}
	}
	limit := min(max(a.Max, 1), 200)
	var since time.Time
	if a.Since != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, a.Since); err != nil {
			return out, &refusal{"script", "String was not recognized as a valid DateTime."}
		}
	}
	if !is(a.Log, logSystem) && !is(a.Log, logApplication) {
		return out, win32(errNoChannel, "The specified channel could not be found.")
	}
	for _, r := range slices.Backward(n.log) {
		if !is(r.log, a.Log) || r.at.Before(since) {
			continue
		}
		out.Records = append(out.Records, agent.EventRecord{UTC: stamp(r.at), Provider: r.provider, ID: r.id, Level: r.level, Message: r.message})
		if len(out.Records) == limit {
			break
		}
	}
	return out, nil
}
