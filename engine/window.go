package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Window is a span of the day, on every day or on some days of the week, in which nodes may be begun.
//
// A time of day means the first moment of that day at which the zone's clocks read that time or a later one. So a time that
// daylight saving leaves out is the moment at which the clocks jump over it, and of a time that comes twice the first is
// meant. A window that lies wholly in hours that are left out does not open on that day.
type Window struct {
	// days are the weekdays on which it opens, by bit; 0 is every day.
	days     uint8
	from, to clockTime
	zone     *time.Location
}

// clockTime is a time of day in minutes after midnight, 0 to 1440.
type clockTime int

func (c clockTime) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

const wholeDay clockTime = 24 * 60

var (
	windowShape = regexp.MustCompile(`^(\d{2}:\d{2})-(\d{2}:\d{2})$`)
	weekdays    = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"} //nolint:gochecknoglobals // a constant table
)

// ParseWindow reads "22:00-05:00 Europe/Stockholm", also with the weekdays on which it opens in front: "Sat,Sun 22:00-05:00 UTC".
// A window that ends before it begins ends on the next day; 24:00 is the day's end. The zone is a name of the IANA database;
// without one it is this host's zone.
func ParseWindow(text string) (Window, error) {
	words := strings.Fields(text)
	w := Window{zone: time.Local}
	if len(words) > 0 && !windowShape.MatchString(words[0]) {
		days, err := parseDays(words[0])
		if err != nil {
			return w, err
		}
		w.days, words = days, words[1:]
	}
	if len(words) == 0 || len(words) > 2 {
		return w, errors.New("takes a time of day to a time of day, and a zone: 22:00-05:00 Europe/Stockholm")
	}
	m := windowShape.FindStringSubmatch(words[0])
	if m == nil {
		return w, fmt.Errorf("%q is not a time of day to a time of day, as 22:00-05:00", words[0])
	}
	var err error
	if w.from, err = parseClock(m[1]); err != nil {
		return w, err
	}
	if w.to, err = parseClock(m[2]); err != nil {
		return w, err
	}
	switch {
	case w.from == w.to || w.from == wholeDay:
		return w, fmt.Errorf("%s has no length", words[0])
	case w.from == 0 && w.to == wholeDay && (w.days == 0 || w.days == 1<<7-1):
		return w, fmt.Errorf("%s on every day is always open; leave it out", words[0])
	}
	if len(words) == 2 {
		w.zone, err = parseZone(words[1])
	}
	return w, err
}

func parseDays(text string) (uint8, error) {
	var days uint8
	for name := range strings.SplitSeq(text, ",") {
		bit := uint8(0)
		for i, day := range weekdays {
			if strings.EqualFold(day, name) {
				bit = 1 << i
			}
		}
		if bit == 0 {
			return 0, fmt.Errorf("%q is neither a time of day to a time of day, as 22:00-05:00, nor a list of %s", text, strings.Join(weekdays, ","))
		}
		days |= bit
	}
	return days, nil
}

func parseClock(text string) (clockTime, error) {
	hour, minute, _ := strings.Cut(text, ":")
	h, errH := strconv.Atoi(hour)
	m, errM := strconv.Atoi(minute)
	c := clockTime(60*h + m)
	if len(text) != len("00:00") || errH != nil || errM != nil || h < 0 || m < 0 || m > 59 || c > wholeDay {
		return 0, fmt.Errorf("%q is no time of day", text)
	}
	return c, nil
}

func parseZone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("there is no zone %q; zones are called as Europe/Stockholm or UTC", name)
	}
	return zone, nil
}

// Inside tells whether the window is open at the moment. It is open at its beginning and closed at its end.
func (w Window) Inside(at time.Time) bool { return w.Until(at).After(at) }

// Until is when the window that is open at the moment ends; the moment itself when none is.
func (w Window) Until(at time.Time) time.Time {
	end := at
	for _, o := range w.around(at) {
		// One that begins where another ends is the same window.
		if !o.from.After(end) && o.to.After(end) {
			end = o.to
		}
	}
	return end
}

// Next is the first moment from at on at which the window is open: at itself while it is.
func (w Window) Next(at time.Time) time.Time {
	if w.Inside(at) {
		return at
	}
	for _, o := range w.around(at) {
		if !o.from.Before(at) {
			return o.from
		}
	}
	return time.Time{} // not within the days that are looked at, which no window of at least once a week does
}

// Zone is the zone whose clocks it goes by.
func (w Window) Zone() *time.Location { return w.zone }

type span struct{ from, to time.Time }

// around are the openings near the moment, in order, those without length left out. It looks further than a week ahead,
// because a day may have none.
func (w Window) around(at time.Time) []span {
	var out []span
	year, month, day := at.In(w.zone).Date()
	for d := -2; d <= 22; d++ {
		date := time.Date(year, month, day+d, 0, 0, 0, 0, time.UTC)
		if w.days != 0 && w.days&(1<<date.Weekday()) == 0 {
			continue
		}
		to := date
		if w.to <= w.from {
			to = date.AddDate(0, 0, 1)
		}
		o := span{firstReading(date, w.from, w.zone), firstReading(to, w.to, w.zone)}
		if o.from.Before(o.to) {
			out = append(out, o)
		}
	}
	return out
}

// firstReading is the first moment at which the zone's clocks read the time on the date, given as midnight UTC, or later.
func firstReading(date time.Time, c clockTime, zone *time.Location) time.Time {
	reading := date.Add(time.Duration(c) * time.Minute)
	// No clock is further from UTC, nor is set by more.
	at := reading.Add(-48 * time.Hour)
	for {
		_, offset := at.In(zone).Zone()
		_, end := at.In(zone).ZoneBounds()
		candidate := reading.Add(-time.Duration(offset) * time.Second)
		if candidate.Before(at) {
			candidate = at
		}
		if end.IsZero() || candidate.Before(end) {
			return candidate.UTC()
		}
		at = end
	}
}

// nextReading is the first moment after at at which the zone's clocks read the time of day.
func nextReading(at time.Time, c clockTime, zone *time.Location) time.Time {
	year, month, day := at.In(zone).Date()
	for d := -1; ; d++ {
		if next := firstReading(time.Date(year, month, day+d, 0, 0, 0, 0, time.UTC), c, zone); next.After(at) {
			return next
		}
	}
}

// LastBegin is StartNoNodeAfter: a moment, or a time of day.
type LastBegin struct {
	moment time.Time
	clock  clockTime
	zone   *time.Location
}

// ParseLastBegin reads a moment as RFC 3339 writes it, 2026-11-30T04:00:00+01:00, or a time of day and a zone, "04:00
// Europe/Stockholm"; without one it is this host's zone.
func ParseLastBegin(text string) (LastBegin, error) {
	words := strings.Fields(text)
	if len(words) == 0 || len(words) > 2 {
		return LastBegin{}, errors.New("takes a moment, as 2026-11-30T04:00:00+01:00, or a time of day and a zone, as 04:00 Europe/Stockholm")
	}
	if at, err := time.Parse(time.RFC3339, words[0]); err == nil && len(words) == 1 {
		return LastBegin{moment: at, zone: at.Location()}, nil
	}
	l := LastBegin{zone: time.Local}
	var err error
	if l.clock, err = parseClock(words[0]); err != nil {
		return l, fmt.Errorf("%q is neither a moment, as 2026-11-30T04:00:00+01:00, nor a time of day", words[0])
	}
	if len(words) == 2 {
		l.zone, err = parseZone(words[1])
	}
	return l, err
}

// From is the moment for a run that starts at the given one: of a time of day the next after it.
func (l LastBegin) From(start time.Time) time.Time {
	if !l.moment.IsZero() {
		return l.moment.UTC()
	}
	return nextReading(start, l.clock, l.zone)
}

// Zone is the zone whose clocks it goes by.
func (l LastBegin) Zone() *time.Location { return l.zone }
