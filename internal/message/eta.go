package message

import (
	"fmt"
	"time"
)

// Keys of the estimate of a run's end.
const (
	// ETA takes the time that is left, ETALong also the time of day and what it is made of, ETAUnknownWhy the reason.
	ETA           Key = "eta"
	ETALong       Key = "eta.long"
	ETAUnknown    Key = "eta.unknown"
	ETAUnknownWhy Key = "eta.unknown.why"
	ETANode       Key = "eta.node"
	// ETANoCoordinator is a reason.
	ETANoCoordinator Key = "eta.no-coordinator"
)

// Texts of the estimate.
//
//nolint:gochecknoglobals // a constant table; Go has no constant maps
var etaTexts = map[Key]string{
	ETA:              "ETA %s",
	ETALong:          "ETA %s, about %s: %s",
	ETAUnknown:       "ETA unknown",
	ETAUnknownWhy:    "ETA unknown: %s",
	ETANode:          "done in %s",
	ETANoCoordinator: "nothing carries the run on",
}

// HoursMinutes is a time that is left as 01:52: hours and minutes, rounded up, so that it is not over before it is.
func HoursMinutes(d time.Duration) string {
	minutes := int((max(0, d) + time.Minute - 1) / time.Minute)
	return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60)
}
