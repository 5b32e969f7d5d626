package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
)

func window(t interface {
	Helper()
	Fatal(args ...any)
}, text string,
) engine.Window {
	t.Helper()
	w, err := engine.ParseWindow(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAWindowOpensAndClosesByTheClocksOfItsZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ window, at, next, until string }{
		{"22:00-05:00 UTC", "2026-11-29T21:59:59Z", "2026-11-29T22:00:00Z", "2026-11-30T05:00:00Z"},
		{"22:00-05:00 UTC", "2026-11-29T22:00:00Z", "2026-11-29T22:00:00Z", "2026-11-30T05:00:00Z"},
		{"22:00-05:00 UTC", "2026-11-30T04:59:59Z", "2026-11-30T04:59:59Z", "2026-11-30T05:00:00Z"},
		{"22:00-05:00 UTC", "2026-11-30T05:00:00Z", "2026-11-30T22:00:00Z", "2026-12-01T05:00:00Z"},
		{"22:00-05:00 Europe/Stockholm", "2026-11-29T12:00:00Z", "2026-11-29T21:00:00Z", "2026-11-30T04:00:00Z"},
		{"22:00-05:00 Europe/Stockholm", "2026-07-29T12:00:00Z", "2026-07-29T20:00:00Z", "2026-07-30T03:00:00Z"},
		// The night is an hour shorter, or longer.
		{"22:00-05:00 Europe/Stockholm", "2026-03-28T12:00:00Z", "2026-03-28T21:00:00Z", "2026-03-29T03:00:00Z"},
		{"22:00-05:00 Europe/Stockholm", "2026-10-24T12:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T04:00:00Z"},
		// 02:00 to 03:00 does not exist on March 29.
		{"02:30-05:00 Europe/Stockholm", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z"},
		{"22:00-02:30 Europe/Stockholm", "2026-03-28T12:00:00Z", "2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z"},
		{"02:15-02:45 Europe/Stockholm", "2026-03-28T12:00:00Z", "2026-03-30T00:15:00Z", "2026-03-30T00:45:00Z"},
		// 02:00 to 03:00 comes twice on October 25.
		{"02:30-05:00 Europe/Stockholm", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z"},
		{"22:00-02:30 Europe/Stockholm", "2026-10-24T12:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T00:30:00Z"},
		{"22:00-02:30 Europe/Stockholm", "2026-10-25T01:10:00Z", "2026-10-25T21:00:00Z", "2026-10-26T01:30:00Z"},
		{"01:30-02:00 America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T07:00:00Z"},
		// Half an hour on Lord Howe, and a date that Apia did not have.
		{"02:10-03:00 Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z", "2026-10-03T16:00:00Z"},
		{"10:00-11:00 Pacific/Apia", "2011-12-29T21:30:00Z", "2011-12-30T20:00:00Z", "2011-12-30T21:00:00Z"},
		// Days of the week, of the night's beginning.
		{"Sat,Sun 22:00-05:00 UTC", "2026-11-27T23:00:00Z", "2026-11-28T22:00:00Z", "2026-11-29T05:00:00Z"},
		{"Sat,Sun 22:00-05:00 UTC", "2026-11-30T04:00:00Z", "2026-11-30T04:00:00Z", "2026-11-30T05:00:00Z"},
		{"sun 22:00-05:00 UTC", "2026-11-28T23:00:00Z", "2026-11-29T22:00:00Z", "2026-11-30T05:00:00Z"},
		{"Sat,Sun 00:00-24:00 UTC", "2026-11-27T23:00:00Z", "2026-11-28T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"Sun 02:15-02:45 Europe/Stockholm", "2026-03-28T12:00:00Z", "2026-04-05T00:15:00Z", "2026-04-05T00:45:00Z"},
	} {
		w := window(t, c.window)
		at, next, until := moment(t, c.at), moment(t, c.next), moment(t, c.until)
		if got := w.Next(at); !got.Equal(next) {
			t.Errorf("%s at %s: opens %s, not %s", c.window, c.at, got.UTC().Format(time.RFC3339), c.next)
		}
		if got := w.Until(next); !got.Equal(until) {
			t.Errorf("%s at %s: ends %s, not %s", c.window, c.next, got.UTC().Format(time.RFC3339), c.until)
		}
		if w.Inside(at) != at.Equal(next) || !w.Inside(next) || w.Inside(until) || !w.Inside(until.Add(-time.Second)) {
			t.Errorf("%s at %s: inside %v, at its beginning %v, at its end %v", c.window, c.at, w.Inside(at), w.Inside(next), w.Inside(until))
		}
	}
}

func TestAWindowThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                "takes a time of day to a time of day, and a zone: 22:00-05:00 Europe/Stockholm",
		"22:00":           `"22:00" is neither a time of day to a time of day, as 22:00-05:00, nor a list of Sun,Mon`,
		"22-05 UTC":       `"22-05" is neither`,
		"25:00-05:00 UTC": `"25:00" is no time of day`,
		"22:60-05:00 UTC": `"22:60" is no time of day`,
		"24:01-05:00":     `"24:01" is no time of day`,
		"22:00-22:00 UTC": "has no length",
		"24:00-05:00 UTC": "has no length",
		"00:00-24:00 UTC": "is always open; leave it out",
		"Mon,Tue,Wed,Thu,Fri,Sat,Sun 00:00-24:00 UTC": "is always open",
		"22:00-05:00 Europe/Stockholn":                `there is no zone "Europe/Stockholn"`,
		"22:00-05:00 Local":                           `there is no zone "Local"`,
		"22:00-05:00 ../../etc/passwd":                "there is no zone",
		"Caturday 22:00-05:00":                        `"Caturday" is neither`,
		"Sat,Sun UTC":                                 `"UTC" is not a time of day to a time of day`,
		"Sat Sun 22:00-05:00 UTC":                     "takes a time of day",
		"22:00-05:00 UTC and some more":               "takes a time of day",
	} {
		if _, err := engine.ParseWindow(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "4", "04:61", "2026-11-30", "04:00 Nowhere/Else", "2026-11-30T04:00:00", "04:00 UTC UTC"} {
		if _, err := engine.ParseLastBegin(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestATimeOfDayIsTheNextOneAfterTheRunsStart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ last, start, want string }{
		{"04:00 UTC", "2026-11-29T22:00:00Z", "2026-11-30T04:00:00Z"},
		{"04:00 UTC", "2026-11-29T03:59:59Z", "2026-11-29T04:00:00Z"},
		{"04:00 UTC", "2026-11-29T04:00:00Z", "2026-11-30T04:00:00Z"},
		{"04:00 Europe/Stockholm", "2026-11-29T03:30:00Z", "2026-11-30T03:00:00Z"},
		{"24:00 UTC", "2026-11-29T03:30:00Z", "2026-11-30T00:00:00Z"},
		{"02:30 Europe/Stockholm", "2026-03-28T20:00:00Z", "2026-03-29T01:00:00Z"},
		{"02:30 Europe/Stockholm", "2026-10-25T00:40:00Z", "2026-10-26T01:30:00Z"},
		{"2026-11-30T04:00:00+01:00", "2026-11-29T22:00:00Z", "2026-11-30T03:00:00Z"},
		{"2026-11-30T04:00:00+01:00", "2027-11-29T22:00:00Z", "2026-11-30T03:00:00Z"},
	} {
		l, err := engine.ParseLastBegin(c.last)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.From(moment(t, c.start)); !got.Equal(moment(t, c.want)) {
			t.Errorf("%s for a run of %s is %s, not %s", c.last, c.start, got.Format(time.RFC3339), c.want)
		}
	}
}

// clockStep is how far apart the looks at a clock are, in minutes: every change and every window here is a multiple of it.
const clockStep = 5

// byTheClock finds the openings of a window by looking at the zone's clock again and again.
func byTheClock(zone *time.Location, days, from, to string, begin time.Time, looks int) (open []bool) {
	open = make([]bool, looks)
	readings := make([]string, looks)
	for i := range looks {
		readings[i] = begin.Add(time.Duration(i) * clockStep * time.Minute).In(zone).Format("2006-01-02 15:04")
	}
	first := func(date time.Time, clock string) int {
		want := date.Format("2006-01-02 ") + clock
		if i := slices.IndexFunc(readings, func(r string) bool { return r >= want }); i >= 0 {
			return i
		}
		return looks
	}
	for d := range looks*clockStep/24/60 - 2 {
		date := begin.AddDate(0, 0, d+1)
		if days != "" && !strings.Contains(days, date.Format("Mon")) {
			continue
		}
		end := date
		if to <= from {
			end = date.AddDate(0, 0, 1)
		}
		for i := first(date, from); i < first(end, to); i++ {
			open[i] = true
		}
	}
	return open
}

func TestAWindowIsExactOnDaysOnWhichTheClocksAreSet(t *testing.T) {
	t.Parallel()
	changes := map[string][]string{
		"Europe/Stockholm":     {"2026-03-29", "2026-10-25"},
		"America/New_York":     {"2026-03-08", "2026-11-01"},
		"Australia/Lord_Howe":  {"2026-04-05", "2026-10-04"},
		"America/Sao_Paulo":    {"2018-11-04", "2018-02-18"}, // at midnight
		"Asia/Kathmandu":       {"2026-01-01"},
		"Africa/Casablanca":    {"2026-02-15", "2026-03-22"},
		"Pacific/Apia":         {"2011-12-30"},               // a whole day
		"Antarctica/Troll":     {"2026-03-29", "2026-10-25"}, // two hours
		"America/Scoresbysund": {"2024-03-31"},
	}
	names := []string{"Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "America/Scoresbysund"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "zone")
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		day, _ := time.Parse(time.DateOnly, rapid.SampledFrom(changes[name]).Draw(t, "day"))
		clock := func(label string) string {
			// Most are near where clocks are set.
			m := rapid.OneOf(rapid.IntRange(0, 48), rapid.IntRange(276, 287), rapid.IntRange(0, 287)).Draw(t, label) * clockStep
			return time.Time{}.Add(time.Duration(m) * time.Minute).Format("15:04")
		}
		from, to := clock("from"), clock("to")
		if from == to {
			t.Skip()
		}
		days := rapid.SampledFrom([]string{"", "Sun", "Sat,Sun", "Fri,Sat,Mon", "Mon,Wed"}).Draw(t, "days")
		w := window(t, strings.TrimSpace(days+" "+from+"-"+to+" "+name))
		begin := day.AddDate(0, 0, -4)
		const day1 = 24 * 60 / clockStep
		const looks = 9 * day1
		open := byTheClock(zone, days, from, to, begin, looks)
		at := func(i int) time.Time { return begin.Add(time.Duration(i) * clockStep * time.Minute) }
		next, until := 0, 0
		for i := looks - 3*day1; i >= 3*day1; i-- {
			if w.Inside(at(i)) != open[i] {
				t.Fatalf("at %s it is open: %v", at(i).In(zone), !open[i])
			}
			if open[i] {
				next = i
				if !open[i+1] {
					until = i + 1
				}
			}
			edge := open[i] != open[i-1]
			if edge && next > 0 && !w.Next(at(i)).Equal(at(next)) {
				t.Fatalf("at %s it opens at %s, not %s", at(i).In(zone), w.Next(at(i)).In(zone), at(next).In(zone))
			}
			if edge && open[i] && until > 0 && !w.Until(at(i)).Equal(at(until)) {
				t.Fatalf("at %s it ends at %s, not %s", at(i).In(zone), w.Until(at(i)).In(zone), at(until).In(zone))
			}
		}
	})
}
