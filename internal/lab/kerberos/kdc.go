package kerberos

import (
	"net"
	"strings"
	"sync"
	"time"
)

// What Windows has by default (Default Domain Policy, Kerberos Policy).
const (
	defaultLifetime      = 10 * time.Hour
	defaultRenewLifetime = 7 * 24 * time.Hour
	// maxSkew is how far a client's clock may be off.
	maxSkew = 5 * time.Minute
	// standing is the age of a ticket-granting ticket from which its owner's
	// account is looked at again, MS-KILE 3.3.5.7.1.
	standing = 20 * time.Minute
)

// KDCConfig describes the realm. Only Realm has to be set.
type KDCConfig struct {
	// Realm is the realm's name, such as LAB.EXAMPLE; it is written in capitals.
	Realm string
	// Lifetime is how long a ticket lives, in whole seconds; 0 means 10 hours.
	Lifetime time.Duration
	// RenewLifetime is how long one may be renewed; 0 means 7 days.
	RenewLifetime time.Duration
	// LockAfter is the number of wrong passwords in a row that lock an account; 0 means never.
	LockAfter int
	// Now is the domain controller's clock; nil means the machine's. It must not call the KDC.
	Now func() time.Time
}

// KDC is the key distribution centre of one realm. Its methods may be called at
// any time and from everywhere.
type KDC struct {
	config KDCConfig

	mu       sync.Mutex // held while a request is answered, so that no guess escapes the count
	accounts map[string]*account
	granter  *account // krbtgt
	requests int
	overUDP  int
	malform  int
	tickets  int

	listening sync.Mutex
	address   string
	stream    net.Listener
	datagrams net.PacketConn
	conns     map[net.Conn]struct{}
	closed    bool
	running   sync.WaitGroup
}

// NewKDC makes a domain controller that knows nobody and does not listen yet.
func NewKDC(c KDCConfig) *KDC {
	c.Realm = strings.ToUpper(c.Realm)
	if c.Lifetime <= 0 {
		c.Lifetime = defaultLifetime
	}
	if c.RenewLifetime <= 0 {
		c.RenewLifetime = defaultRenewLifetime
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &KDC{config: c, accounts: map[string]*account{}, granter: newService(), conns: map[net.Conn]struct{}{}}
}

// KDCStats is what a domain controller has seen.
type KDCStats struct {
	Requests  int // messages, also malformed ones
	Datagrams int // those of them that came over UDP
	Malformed int // messages that are no request and got no answer
	Tickets   int // tickets given out, of either kind
	// FailedLogons counts the wrong passwords ever tried, by account; accounts without one are absent.
	FailedLogons map[string]int
}

// Stats gives the counts so far.
func (k *KDC) Stats() KDCStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := KDCStats{Requests: k.requests, Datagrams: k.overUDP, Malformed: k.malform, Tickets: k.tickets, FailedLogons: map[string]int{}}
	for _, a := range k.accounts {
		if a.failures > 0 {
			s.FailedLogons[a.names[0]] = a.failures
		}
	}
	return s
}
