package engine_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"cau/engine"
	"cau/internal/check"
)

// zone is two hours ahead of UTC.
var zone = time.FixedZone("", 2*60*60)

func TestR12_TheNextStartOfASelfUpdatingRoleIsReckonedFromItsSchedule(t *testing.T) {
	after := time.Date(2026, 12, 1, 12, 0, 0, 0, zone) // a Tuesday, the first of its month
	for name, c := range map[string]struct{ properties, want string }{
		"the third Tuesday":       {"StartDate=01/20/2026 03:00:00|DaysOfWeek=4|WeeksOfMonth=3", "2026-12-15 03:00"},
		"the same day, earlier":   {"StartDate=01/20/2026 03:00:00|DaysOfWeek=4|WeeksOfMonth=1", "2027-01-05 03:00"},
		"the same day, later":     {"StartDate=01/20/2026 22:00:00|DaysOfWeek=4|WeeksOfMonth=1", "2026-12-01 22:00"},
		"the last Sunday":         {"StartDate=2026-01-04T01:30:00|DaysOfWeek=Sunday|WeeksOfMonth=5", "2026-12-27 01:30"},
		"two weeks of a month":    {"StartDate=1/4/2026 1:30:00 PM|DaysOfWeek=Wednesday, Friday|WeeksOfMonth=2,4", "2026-12-09 13:30"},
		"every week":              {"StartDate=01/20/2026 03:00:00|DaysOfWeek=0x02|IntervalWeeks=1", "2026-12-07 03:00"},
		"every second week, this": {"StartDate=11/18/2026 03:00:00|DaysOfWeek=Thursday|WeeksInterval=2", "2026-12-03 03:00"},
		"every second week, next": {"StartDate=11/25/2026 03:00:00|DaysOfWeek=Thursday|IntervalWeeks=2", "2026-12-10 03:00"},
		"not before its start":    {"StartDate=03/01/2027 03:00:00|DaysOfWeek=4|IntervalWeeks=1", "2027-03-02 03:00"},
		"once":                    {"StartDate=12/24/2026 18:00:00|RunOnce=True", "2026-12-24 18:00"},
		"once, over":              {"StartDate=11/24/2026 18:00:00|RunOnce=True", ""},
		"no start":                {"DaysOfWeek=4|WeeksOfMonth=3", "unknown"},
		"an odd start":            {"StartDate=Tuesday|DaysOfWeek=4|WeeksOfMonth=3", "unknown"},
		"no days":                 {"StartDate=01/20/2026 03:00:00|WeeksOfMonth=3", "unknown"},
		"neither weeks":           {"StartDate=01/20/2026 03:00:00|DaysOfWeek=4", "unknown"},
		"both weeks":              {"StartDate=01/20/2026 03:00:00|DaysOfWeek=4|WeeksOfMonth=3|IntervalWeeks=1", "unknown"},
		"nothing":                 {"", "unknown"},
	} {
		s := engine.ReadSelfUpdate("CAU", false, strings.Split(c.properties, "|"), zone)
		next, ok := s.Next(after)
		got := ""
		switch {
		case !s.Known():
			got = "unknown"
		case ok:
			got = next.Format("2006-01-02 15:04")
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		s.Disabled = true
		if next, ok := s.Next(after); ok {
			t.Errorf("%s: a role that is offline starts at %s", name, next)
		}
	}
}

// The day of the next start is one that the schedule has, and there is none between.
func TestR12_NoStartIsPassedOver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := engine.SelfUpdate{
			Role: "CAU", Start: time.Date(2026, 1, 1, rapid.IntRange(0, 23).Draw(t, "hour"), 30, 0, 0, zone),
			Days: []time.Weekday{time.Weekday(rapid.IntRange(0, 6).Draw(t, "day"))},
		}
		if rapid.Bool().Draw(t, "monthly") {
			s.Weeks = []int{rapid.IntRange(1, 5).Draw(t, "week")}
		} else {
			s.Every = rapid.IntRange(1, 4).Draw(t, "every")
		}
		after := s.Start.Add(time.Duration(rapid.IntRange(-100, 20000).Draw(t, "hours")) * time.Hour)
		next, ok := s.Next(after)
		if !ok || next.Before(after) || next.Before(s.Start) || next.Weekday() != s.Days[0] {
			t.Fatalf("%+v after %s: %s %t", s, after, next, ok)
		}
		if again, ok := s.Next(next); !ok || !again.Equal(next) {
			t.Fatalf("%s is due and %s is next", next, again)
		}
		for at := after; at.Before(next); at = at.Add(7 * time.Hour) {
			if between, _ := s.Next(at); !between.Equal(next) {
				t.Fatalf("%+v: after %s it is %s, after %s it is %s", s, after, next, at, between)
			}
		}
	})
}

func TestR12_ASelfUpdatingRoleThatIsDueDuringTheRunIsSaidWithItsTime(t *testing.T) {
	tuesday := engine.ReadSelfUpdate("CAUFC1", false, []string{"StartDate=11/24/2026 14:00:00", "DaysOfWeek=4", "IntervalWeeks=1"}, time.UTC)
	for name, c := range map[string]struct {
		role engine.SelfUpdate
		most time.Duration
		says string
	}{
		"due":           {tuesday, 100 * time.Hour, "CAUFC1 starts an Updating Run of its own at about Tue 2026-11-24 14:00 +0000"},
		"due afterward": {tuesday, 96 * time.Hour, "The cluster updates itself"},
		"no run":        {tuesday, 0, "The cluster updates itself"},
		"unreadable":    {engine.SelfUpdate{Role: "CAUFC1"}, 1000 * time.Hour, "The cluster updates itself"},
	} {
		o := healthy()
		o.Most = c.most
		node(&o, "NODE1", func(n *engine.NodeObservation) {
			n.Updaters.Value.SelfUpdating, n.Updaters.Value.Schedules = []string{"CAUFC1: StartDate"}, []engine.SelfUpdate{c.role}
		})
		for _, r := range engine.ClusterChecks(o, engine.DefaultOptions(), noon) {
			if r.ID == "cluster.self-updating" && (r.Outcome != check.Warn || !strings.HasPrefix(r.Evidence, c.says)) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestR12_NoNodeIsBegunThatMayNotBeDoneBeforeASelfUpdatingRoleStarts(t *testing.T) {
	due := func(d time.Duration) func(w *world) {
		return func(w *world) {
			w.machine("NODE2").updaters.Schedules = []engine.SelfUpdate{{Role: "CAUFC1", Start: time.Now().Add(d).Truncate(time.Minute), Once: true}}
		}
	}
	over := func(w *world) { w.machine("NODE2").updaters.Schedules = nil }
	testGate(t, []gateCase{
		{"due before the node is done", due(100 * time.Minute), over, "CAUFC1 starts an Updating Run of its own", false},
	})
	for name, d := range map[string]time.Duration{"due long after": 48 * time.Hour, "due before now": -3 * time.Hour} {
		opens(t, name, due(d), nil)
	}
	opens(t, "when nobody knows", func(w *world) { w.machine("NODE2").updaters.Schedules = []engine.SelfUpdate{{Role: "CAUFC1"}} }, []string{"cluster.self-updating warn"})
	opens(t, "a disabled one", func(w *world) {
		w.machine("NODE2").updaters.Schedules = []engine.SelfUpdate{{Role: "CAUFC1", Disabled: true, Start: time.Now(), Once: true}}
	}, nil)
}
