package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"cau/internal/check"
)

// SelfUpdate is a self-updating role of CAU with its schedule (Add-CauClusterRole: StartDate, DaysOfWeek, WeeksOfMonth,
// IntervalWeeks, RunOnce). How its resource spells them among its private properties is not documented.
type SelfUpdate struct {
	Role string `json:"role"`
	// Disabled: the role is offline, and starts nothing.
	Disabled bool `json:"disabled,omitempty"`
	// Start is the earliest start, with the time of day, in the node's own zone as it is now; zero where it cannot be read.
	Start time.Time `json:"start,omitzero"`
	// Days are the days of the week. Weeks are those of the month, 5 the last; Every is each how many weeks. Of both one is
	// set. Once: it starts at Start and never again.
	Days  []time.Weekday `json:"days,omitempty"`
	Weeks []int          `json:"weeks,omitempty"`
	Every int            `json:"every,omitempty"`
	Once  bool           `json:"once,omitempty"`
}

const (
	// lastWeek is the number by which CAU means a month's last week.
	lastWeek = 5
	// dueAhead is how far ahead a start is looked for: any schedule has one within two months, but for rare intervals.
	dueAhead = 400 * 24 * time.Hour
	// dueSlack is how far the real start may be from the one that is reckoned: the node's clock may change to or from
	// summer time until then.
	dueSlack = time.Hour
)

// ReadSelfUpdate reads the schedule of a role from properties as name=value, in the zone of the node. What is missing or
// cannot be read leaves the schedule unknown.
func ReadSelfUpdate(role string, disabled bool, properties []string, zone *time.Location) SelfUpdate {
	s := SelfUpdate{Role: role, Disabled: disabled}
	for _, p := range properties {
		name, value, ok := strings.Cut(p, "=")
		if value = strings.TrimSpace(value); !ok || value == "" {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "startdate":
			s.Start = readStart(value, zone)
		case "daysofweek":
			s.Days = readDays(value)
		case "weeksofmonth":
			s.Weeks = readWeeks(value)
		case "intervalweeks", "weeksinterval":
			if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 100 {
				s.Every = n
			}
		case "runonce":
			s.Once = strings.EqualFold(value, "true") || value == "1"
		}
	}
	return s
}

func readStart(text string, zone *time.Location) time.Time {
	for _, layout := range []string{
		"01/02/2006 15:04:05", "1/2/2006 3:04:05 PM", "1/2/2006 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05.9999999", time.RFC3339Nano,
	} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t
		}
	}
	return time.Time{}
}

// readDays reads a sum of 1 for Sunday, 2 for Monday and so on, or names.
func readDays(text string) []time.Weekday {
	mask, err := strconv.ParseInt(text, 0, 32)
	var out []time.Weekday
	for d := time.Sunday; d <= time.Saturday; d++ {
		named := slices.ContainsFunc(words(text), func(w string) bool { return strings.EqualFold(w, d.String()) })
		if err == nil && mask&(1<<d) != 0 || named {
			out = append(out, d)
		}
	}
	return out
}

func readWeeks(text string) []int {
	var out []int
	for _, w := range words(text) {
		if n, err := strconv.Atoi(w); err == nil && n >= 1 && n <= lastWeek {
			out = append(out, n)
		}
	}
	return out
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", ;|", r) })
}

// Known tells whether the schedule could be read.
func (s SelfUpdate) Known() bool {
	return !s.Start.IsZero() && (s.Once || len(s.Days) > 0 && (len(s.Weeks) > 0) != (s.Every > 0))
}

// Next is the first start that is not before after; ok is false where there is none, or the schedule is not known.
func (s SelfUpdate) Next(after time.Time) (start time.Time, ok bool) {
	switch {
	case s.Disabled || !s.Known():
		return time.Time{}, false
	case s.Once:
		return s.Start, !s.Start.Before(after)
	}
	for day := s.Start; day.Sub(after) <= dueAhead || day.Equal(s.Start); day = day.AddDate(0, 0, 1) {
		if day.Before(after) {
			if gap := int(after.Sub(day) / (24 * time.Hour)); gap > 1 {
				day = day.AddDate(0, 0, gap-1)
			}
			if day.Before(after) {
				continue
			}
		}
		if s.on(day) {
			return day, true
		}
	}
	return time.Time{}, false
}

// on tells whether the schedule has a start on that day.
func (s SelfUpdate) on(day time.Time) bool {
	if !slices.Contains(s.Days, day.Weekday()) {
		return false
	}
	if s.Every > 0 {
		sunday := func(t time.Time) time.Time {
			y, m, d := t.Date()
			return time.Date(y, m, d-int(t.Weekday()), 12, 0, 0, 0, time.UTC)
		}
		return int(sunday(day).Sub(sunday(s.Start))/(7*24*time.Hour))%s.Every == 0
	}
	week := (day.Day()-1)/7 + 1
	last := day.AddDate(0, 0, 7).Month() != day.Month()
	return slices.Contains(s.Weeks, week) || last && slices.Contains(s.Weeks, lastWeek)
}

// dueBefore names the first role that may start an Updating Run before end, with when; empty where none does.
func dueBefore(roles []SelfUpdate, now, end time.Time) string {
	first, who := time.Time{}, ""
	for _, s := range roles {
		// A start that is reckoned a little earlier than now may still be to come.
		if next, ok := s.Next(now.Add(-dueSlack)); ok && next.Add(-dueSlack).Before(end) && (who == "" || next.Before(first)) {
			first, who = next, s.Role
		}
	}
	if who == "" {
		return ""
	}
	return fmt.Sprintf("%s starts an Updating Run of its own at about %s", who, first.Format("Mon 2006-01-02 15:04 -0700"))
}

// unknownSchedules are the roles that are not disabled and whose schedule nobody can read.
func unknownSchedules(roles []SelfUpdate) []string {
	var out []string
	for _, s := range roles {
		if !s.Disabled && !s.Known() {
			out = append(out, s.Role)
		}
	}
	return out
}

// noSelfUpdateMeanwhile is the gate before a node: no self-updating role starts before the node is done at the latest
// (R12). It passes by itself: the role's run begins, which another check sees, or somebody disables it.
func noSelfUpdateMeanwhile(a Answer[UpdatersView], now time.Time, most time.Duration) check.Result {
	if err := a.problem(); err != nil {
		return unverified(checkSelfUpdating, "", err)
	}
	roles := a.Value.Schedules
	r := check.Result{ID: checkSelfUpdating, Outcome: check.Pass, Evidence: "No self-updating role of CAU is due before the node is done."}
	switch due, unknown := dueBefore(roles, now, now.Add(most)), unknownSchedules(roles); {
	case due != "":
		r.Outcome, r.Remedy = check.Fail, "Disable-CauClusterRole keeps it from starting; Enable-CauClusterRole afterwards."
		r.Evidence = due + ", and the node may take until " + now.Add(most).UTC().Format("15:04 UTC") + "."
	case len(unknown) > 0:
		r.Outcome, r.Remedy = check.Warn, "Look at Get-CauClusterRole; Disable-CauClusterRole keeps it from starting."
		r.Evidence = "When it starts next cannot be read: " + strings.Join(unknown, ", ") + "."
	}
	return r
}

// mostOf is how long the node may take.
func (r *run) mostOf(node string) time.Duration {
	np := r.Plan.node(node)
	if np == nil {
		return 0
	}
	return NodeLimit(r.Plan.Options, np.Updates)
}
