package coordinator

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that callers branch on.
var (
	// ErrNoRun: there is no such run in this home.
	ErrNoRun = errors.New("there is no such run")
	// ErrAmbiguous: a prefix fits several runs.
	ErrAmbiguous = errors.New("several runs begin like this")
	// ErrRunExists: the run's folder is already there.
	ErrRunExists = errors.New("the run exists already")
	// ErrAlive: the run's coordinator is running.
	ErrAlive = errors.New("the run's coordinator is running")
	// ErrNotAlive: the run's coordinator is gone; the run can be resumed.
	ErrNotAlive = errors.New("the run's coordinator is not running")
	// ErrEnded: the run has ended.
	ErrEnded = errors.New("the run has ended")
	// ErrTakenOver: a coordinator on another host has the run (R27).
	ErrTakenOver = fmt.Errorf("%w here: another host has taken it over", ErrEnded)
	// ErrClusterBusy: another run on this host works on the cluster; errors.As gives the *ClusterBusyError.
	ErrClusterBusy = errors.New("another run works on this cluster")
	// ErrWouldNotSurvive: the start was refused because the run would not outlive this session (R28).
	ErrWouldNotSurvive = errors.New("the run would not outlive this session")
)

// ClusterBusyError says which run holds a cluster on this host (R27).
type ClusterBusyError struct {
	Cluster string
	// Run, PID and Host are the holder's; empty or 0 for the instant in which it has the lock and did not say yet.
	Run  string
	PID  int
	Host string
}

// Error names cluster and holder.
func (e *ClusterBusyError) Error() string {
	var who []string
	if e.Run != "" {
		who = append(who, "run "+e.Run)
	}
	if e.PID != 0 {
		who = append(who, fmt.Sprintf("process %d", e.PID))
	}
	if e.Host != "" {
		who = append(who, "on "+e.Host)
	}
	if len(who) == 0 {
		who = []string{"another run"}
	}
	return fmt.Sprintf("cluster %q is being updated by %s", e.Cluster, strings.Join(who, ", "))
}

// Is makes errors.Is(err, ErrClusterBusy) true.
func (e *ClusterBusyError) Is(target error) bool { return target == ErrClusterBusy }
