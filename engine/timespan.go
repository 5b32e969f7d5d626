package engine

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// TimeSpan is a length of time, written as PowerShell writes one: hh:mm:ss, with days before a dot. (System.TimeSpan,
// constant format.) It counts whole seconds.
type TimeSpan time.Duration

// maxSpan is the longest span that an option takes.
const maxSpan = TimeSpan(31 * 24 * time.Hour)

var spanShape = regexp.MustCompile(`^(?:(\d{1,4})\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?$`)

// ParseTimeSpan reads hh:mm:ss, d.hh:mm:ss, hh:mm, a plain number of minutes as CAU's user interface takes it, or 1h30m.
func ParseTimeSpan(text string) (TimeSpan, error) {
	text = strings.TrimSpace(text)
	if m := spanShape.FindStringSubmatch(text); m != nil {
		n := make([]int, 4)
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1]) // digits, or nothing
		}
		if n[1] > 23 || n[2] > 59 || n[3] > 59 {
			return 0, fmt.Errorf("%q is no time of hours, minutes and seconds", text)
		}
		return TimeSpan(time.Duration(n[0])*24*time.Hour + time.Duration(n[1])*time.Hour + time.Duration(n[2])*time.Minute + time.Duration(n[3])*time.Second), nil
	}
	if n, err := strconv.Atoi(text); err == nil && n >= 0 && n <= 1<<20 {
		return TimeSpan(time.Duration(n) * time.Minute), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 && d == d.Truncate(time.Second) {
		return TimeSpan(d), nil
	}
	return 0, fmt.Errorf("%q is no time span; write hh:mm:ss, a number of minutes, or 1h30m", text)
}

// String is hh:mm:ss, with days before a dot where there are any.
func (s TimeSpan) String() string {
	d := time.Duration(s)
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	days := ""
	if n := d / (24 * time.Hour); n > 0 {
		days = fmt.Sprintf("%d.", n)
	}
	return fmt.Sprintf("%s%s%02d:%02d:%02d", sign, days, d/time.Hour%24, d/time.Minute%60, d/time.Second%60)
}

// MarshalText implements encoding.TextMarshaler.
func (s TimeSpan) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *TimeSpan) UnmarshalText(text []byte) error {
	v, err := ParseTimeSpan(string(text))
	*s = v
	return err
}
