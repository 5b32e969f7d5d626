package wsmanserver

import "cau/internal/lab/ntlm"

// Stats counts what a node's WinRM service heard since it was made.
type Stats struct {
	// Requests is every HTTP request; Logons are handshakes that ended well, Refused those that did not.
	// With Basic and certificates, which sign every request, a logon is the first on a connection.
	Requests int `json:"requests"`
	Logons   int `json:"logons"`
	Refused  int `json:"refused"`
	// RefusedBy are the refused logons by the account that they meant, DOMAIN\user in its own spelling;
	// Nobody counts those that meant none.
	RefusedBy map[string]int `json:"refused_by,omitempty"`
	// Readable counts bodies that arrived outside TLS unsealed and not empty: a client that gives itself
	// away. An unauthenticated Identify, which says nothing, is none.
	Readable int `json:"readable"`
	// Shells is how many shells were created, Open how many exist now, MostShells the most at one time.
	Shells     int `json:"shells"`
	Open       int `json:"open"`
	MostShells int `json:"most_shells"`
	// Connections are open now; MostConnections the most at one time.
	Connections     int `json:"connections"`
	MostConnections int `json:"most_connections"`
	// Listeners are in the configuration's order.
	Listeners []ListenerStats `json:"listeners,omitempty"`
}

// ListenerStats is the part of one listener. A shell counts where it was created.
type ListenerStats struct {
	Address         string `json:"address"`
	TLS             bool   `json:"tls"`
	Requests        int    `json:"requests"`
	Logons          int    `json:"logons"`
	Refused         int    `json:"refused"`
	Shells          int    `json:"shells"`
	MostShells      int    `json:"most_shells"`
	Connections     int    `json:"connections"`
	MostConnections int    `json:"most_connections"`
}

// Nobody is the key of RefusedBy for logons that meant no account there is.
const Nobody = "(nobody)"

// Stats gives the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetIdle()
	out := s.stats
	out.Open = len(s.shells)
	out.RefusedBy = map[string]int{}
	for k, v := range s.stats.RefusedBy {
		out.RefusedBy[k] = v
	}
	for _, e := range s.endpoints {
		l := e.stats
		l.Address, l.TLS = e.address, e.Certificate != nil
		out.Listeners = append(out.Listeners, l)
	}
	return out
}

// counting changes the counts of the service and of one listener together.
func (e *endpoint) counting(f func(*Stats, *ListenerStats)) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	f(&e.server.stats, &e.stats)
}

// countShell notes a new shell of the listener. The caller holds the lock.
func (e *endpoint) countShell() {
	s := e.server
	s.stats.Shells++
	s.stats.MostShells = max(s.stats.MostShells, len(s.shells))
	e.stats.Shells++
	mine := 0
	for _, sh := range s.shells {
		if sh.at == e {
			mine++
		}
	}
	e.stats.MostShells = max(e.stats.MostShells, mine)
}

// countRefused notes a refused logon under the account that it meant.
func (e *endpoint) countRefused(domain, user string) {
	who := Nobody
	if a, ok := e.server.config.Accounts.Lookup(domain, user); ok && user != "" {
		who = accountName(a)
	}
	e.counting(func(s *Stats, l *ListenerStats) {
		s.Refused++
		s.RefusedBy[who]++
		l.Refused++
	})
}

// accountName gives DOMAIN\user, or user for a local account.
func accountName(a ntlm.Account) string {
	return ntlm.Identity{Domain: a.Domain, User: a.User}.String()
}
