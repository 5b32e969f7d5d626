package coordinator

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"slices"

	"cau/internal/fault"
)

// surroundings are the facts from which it follows whether a process outlives the session it is started from.
type surroundings struct {
	goos string
	host string
	user string
	// scope is the session scope of systemd-logind that we are in ("session-4.scope"); empty outside of one.
	scope string
	// manager: we are below the user's own service manager (user@1000.service), as graphical terminals are.
	manager bool
	// kills is what logind does with the processes of a session that ends (logind.conf, KillUserProcesses).
	kills answer
	// spared and only are logind's KillExcludeUsers and KillOnlyUsers.
	spared, only []string
	// linger: the user's service manager stays after the last logout (loginctl enable-linger).
	linger bool
	// systemdRun is the path of systemd-run; empty where it is missing. bus: the user's service manager can be asked.
	systemdRun string
	bus        bool
}

// answer is yes, no or not known; what is not known is not assumed (R28).
type answer int

const (
	unknown answer = iota
	no
	yes
)

// decision is how the coordinator is started.
type decision struct {
	// wrap is put before the command line.
	wrap []string
	// scope: the process has to end up outside of any session scope.
	scope bool
	// place and stops are parts of the sentence that says where the run lives.
	place, stops string
}

// decide is R28: a new session is enough unless logind ends what a session leaves behind; then the run goes to a
// scope of the user's own service manager, which has to linger; else the start is refused.
func decide(s surroundings) (decision, error) {
	host := s.host
	if host == "" {
		host = "this host"
	}
	d := decision{place: "on " + host, stops: "A restart or shutdown of " + host + " stops it"}
	switch {
	case s.scope != "" && s.killed():
		if s.linger && s.bus && s.systemdRun != "" {
			d.wrap = []string{s.systemdRun, "--user", "--scope", "--quiet", "--collect", "--"}
			d.scope = true
			d.place += ", in a unit of " + s.user + "'s service manager"
			return d, nil
		}
		return d, &fault.Error{Op: "start the coordinator", Err: fmt.Errorf("%w: %s", ErrWouldNotSurvive, s.reason()), Hint: s.lingerHint()}
	case s.manager && !s.linger:
		// Closing the terminal does not end it, and asking for more than that on a desktop helps nobody: it is said.
		d.stops = "Logging out of " + host + " altogether stops it (loginctl enable-linger prevents that), and so does a restart or shutdown"
	case s.goos == "darwin":
		d.stops = "A restart, a shutdown or sleep of " + host + " stops it"
	case s.goos == "windows":
		d.stops = "Signing out of " + host + ", a restart or a shutdown stops it"
	}
	return d, nil
}

// killed tells whether logind ends, or may end, what this session leaves behind.
func (s surroundings) killed() bool {
	switch {
	case s.kills == no, slices.Contains(s.spared, s.user):
		return false
	case len(s.only) > 0 && !slices.Contains(s.only, s.user):
		return false
	}
	return true
}

func (s surroundings) reason() string {
	what := "logind ends the processes of a session when its user logs out (KillUserProcesses=yes)"
	if s.kills == unknown {
		what = "it cannot be told whether logind ends the processes of a session when its user logs out (KillUserProcesses)"
	}
	switch {
	case !s.linger:
		return what + ", and the service manager of " + s.user + " does not linger"
	case s.systemdRun == "":
		return what + ", and systemd-run is not installed"
	}
	return what + ", and the service manager of " + s.user + " cannot be reached (XDG_RUNTIME_DIR)"
}

func (s surroundings) lingerHint() string {
	if s.linger {
		return "Log in directly as " + s.user + " (not through su or sudo), with systemd-run installed, and start again."
	}
	return "Run \"loginctl enable-linger " + s.user + "\" once and start again."
}

// where says in words where the run lives and what would still stop it.
func (d decision) where(pid int) string {
	return fmt.Sprintf("Process %d %s, in a session of its own: closing this terminal does not stop it. %s; \"cau resume\" then goes on.", pid, d.place, d.stops)
}

// startHint explains a process that could not be started at all.
func startHint(err error) string {
	if breakawayRefused(err) {
		return jobHint
	}
	return ""
}

const jobHint = "This session's processes are in a job object that ends them with the session. Start cau from a session without one (a console or Remote Desktop), or as a scheduled task."

// survey gathers what decide needs.
func survey(ctx context.Context) surroundings {
	s := platformSurvey(ctx)
	if h, err := os.Hostname(); err == nil {
		s.host = h
	}
	if u, err := user.Current(); err == nil && s.user == "" {
		s.user = u.Username
	}
	return s
}
