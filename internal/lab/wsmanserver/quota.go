package wsmanserver

import "time"

// Quotas are the limits of winrm/config; 0 means the default of Windows Server 2016 and later (MS-WSMV
// 2.2.4.46, reference documentation of winrm/config).
type Quotas struct {
	// MaxShellsPerUser: 0 means 30, the older default that policies often pin.
	MaxShellsPerUser int `json:"max_shells_per_user,omitempty"`
	// MaxProcessesPerShell: 0 means 25, likewise.
	MaxProcessesPerShell int `json:"max_processes_per_shell,omitempty"`
	// MaxConcurrentOperationsPerUser: 0 means 1500. Besides requests at work, each command of a living shell
	// counts, also one that has ended: the service gives its place back only with the shell (seen by the
	// authors of Ansible's winrm connection).
	MaxConcurrentOperationsPerUser int `json:"max_concurrent_operations_per_user,omitempty"`
	// MaxConnections of the whole service: 0 means 300.
	MaxConnections int `json:"max_connections,omitempty"`
	// MaxEnvelopeKB is MaxEnvelopeSizekb: 0 means 500.
	MaxEnvelopeKB int `json:"max_envelope_kb,omitempty"`
	// MaxTimeout is MaxTimeoutms: 0 means a minute. A longer OperationTimeout is refused.
	MaxTimeout time.Duration `json:"max_timeout,omitempty"`
	// ShellIdle is IdleTimeout, after which an unused shell is forgotten: 0 means 2 hours.
	ShellIdle time.Duration `json:"shell_idle,omitempty"`
}

// minEnvelope is the smallest MaxEnvelopeSize that a client may ask for (DSP0226 R13.1-2).
const minEnvelope = 8192

func (q *Quotas) setDefaults() {
	for _, d := range []struct {
		n *int
		v int
	}{
		{&q.MaxShellsPerUser, 30},
		{&q.MaxProcessesPerShell, 25},
		{&q.MaxConcurrentOperationsPerUser, 1500},
		{&q.MaxConnections, 300},
		{&q.MaxEnvelopeKB, 500},
	} {
		if *d.n <= 0 {
			*d.n = d.v
		}
	}
	if q.MaxTimeout <= 0 {
		q.MaxTimeout = time.Minute
	}
	if q.ShellIdle <= 0 {
		q.ShellIdle = 2 * time.Hour
	}
}

// begin takes a place among the operations of a user; end must be called when f is nil.
func (s *Server) begin(user string) (end func(), f *fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations(user) >= s.config.Quotas.MaxConcurrentOperationsPerUser {
		return nil, errOperations()
	}
	s.running[user]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running[user]--; s.running[user] == 0 {
			delete(s.running, user)
		}
	}, nil
}

// operations counts a user's places that are taken. The caller holds the lock.
func (s *Server) operations(user string) int {
	n := s.running[user]
	for _, sh := range s.shells {
		if sh.user == user {
			n += sh.started
		}
	}
	return n
}
