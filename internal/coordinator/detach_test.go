package coordinator

import (
	"errors"
	"strings"
	"testing"

	"cau/internal/fault"
)

func TestR28_HowTheRunOutlivesTheSessionFollowsFromWhatIsKnown(t *testing.T) {
	const run = "/usr/bin/systemd-run"
	session := surroundings{goos: "linux", host: "jump1", user: "anna", scope: "session-4.scope", kills: yes, spared: []string{"root"}}
	with := func(change func(*surroundings)) surroundings {
		s := session
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		in surroundings
		// wrapped: started through systemd-run; refused: not started, for this reason; said: in where.
		wrapped bool
		refused string
		said    string
	}{
		"no systemd":               {in: surroundings{goos: "linux", host: "jump1", user: "anna"}, said: "restart or shutdown of jump1"},
		"no name for the host":     {in: surroundings{goos: "linux"}, said: "this host"},
		"logind does not kill":     {in: with(func(s *surroundings) { s.kills = no }), said: "restart or shutdown of jump1"},
		"logind kills":             {in: session, refused: "does not linger"},
		"not known if it kills":    {in: with(func(s *surroundings) { s.kills = unknown }), refused: "cannot be told"},
		"logind spares this user":  {in: with(func(s *surroundings) { s.spared = []string{"bob", "anna"} }), said: "jump1"},
		"logind kills only others": {in: with(func(s *surroundings) { s.only = []string{"bob"} }), said: "jump1"},
		"logind kills only her":    {in: with(func(s *surroundings) { s.only = []string{"anna"} }), refused: "does not linger"},
		"she lingers":              {in: with(func(s *surroundings) { s.linger, s.bus, s.systemdRun = true, true, run }), wrapped: true, said: "anna's service manager"},
		"lingers, not reachable":   {in: with(func(s *surroundings) { s.linger, s.systemdRun = true, run }), refused: "cannot be reached"},
		"lingers, no systemd-run":  {in: with(func(s *surroundings) { s.linger, s.bus = true, true }), refused: "not installed"},
		"desktop":                  {in: surroundings{goos: "linux", host: "jump1", user: "anna", manager: true}, said: "Logging out of jump1"},
		"desktop, lingers":         {in: surroundings{goos: "linux", host: "jump1", user: "anna", manager: true, linger: true}, said: "A restart or shutdown"},
		"macOS":                    {in: surroundings{goos: "darwin", host: "mac"}, said: "sleep of mac"},
		"Windows":                  {in: surroundings{goos: "windows", host: "pc"}, said: "Signing out of pc"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := decide(c.in)
			if c.refused != "" {
				if !errors.Is(err, ErrWouldNotSurvive) || !strings.Contains(err.Error(), c.refused) || fault.Hint(err) == "" {
					t.Fatalf("%v, hint %q", err, fault.Hint(err))
				}
				if !c.in.linger && !strings.Contains(fault.Hint(err), "loginctl enable-linger anna") {
					t.Errorf("hint %q", fault.Hint(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if (len(d.wrap) > 0) != c.wrapped || d.scope != c.wrapped {
				t.Errorf("wrapped in %q, scope %v", d.wrap, d.scope)
			}
			if where := d.where(4711); !strings.Contains(where, c.said) || !strings.Contains(where, "4711") || !strings.Contains(where, "closing this terminal does not stop it") {
				t.Errorf("says %q", where)
			}
		})
	}
}
