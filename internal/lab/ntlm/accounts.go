package ntlm

import (
	"strings"
	"sync"
)

// State says whether an account may sign in, besides knowing its password.
type State int

// States of an account. The zero value may sign in.
const (
	Usable State = iota
	Locked
	PasswordExpired
	MustChangePassword
	Disabled
	Expired
)

func (s State) status() (Status, bool) {
	switch s {
	case Usable:
		return 0, true
	case Locked:
		return StatusLockedOut, false
	case PasswordExpired:
		return StatusPasswordExpired, false
	case MustChangePassword:
		return StatusMustChange, false
	case Disabled:
		return StatusAccountDisabled, false
	case Expired:
		return StatusAccountExpired, false
	}
	return StatusLogonFailure, false
}

// Account is one user or computer that may sign in. Domain and User are its own
// spelling; clients may send another.
type Account struct {
	Domain, User string
	Password     string
	State        State
}

// Accounts decides who may sign in. Implementations must be safe for use by many
// connections at once.
type Accounts interface {
	// Lookup finds the account a client means. Domain and user come from the
	// client unchanged; the domain may be empty, a NetBIOS or a DNS name.
	Lookup(domain, user string) (Account, bool)
	// Refused counts a wrong password for an account that Lookup returned.
	Refused(account Account)
	// Accepted is told of each logon that succeeded.
	Accepted(account Account)
}

// Book is an account database in memory with a lockout threshold. Its zero
// value holds nobody and never locks.
type Book struct {
	// Threshold is the number of wrong passwords in a row after which an
	// account is locked; 0 means never. Set it before the first logon.
	Threshold int
	// OnLock is told of each account that the threshold locks. It is called after
	// the refusal, without any lock held. Set it before the first logon.
	OnLock func(Account)

	mu      sync.Mutex
	entries map[string]*entry
	aliases map[string]string
}

type entry struct {
	account  Account
	failures int // ever
	inARow   int // since the last success or unlock
}

func key(domain, user string) string {
	return strings.ToUpper(domain) + `\` + strings.ToUpper(user)
}

// Add enters or replaces an account and forgets its failures. An empty Domain
// makes it a local account of the machine.
func (b *Book) Add(a Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.entries == nil {
		b.entries = map[string]*entry{}
	}
	b.entries[key(a.Domain, a.User)] = &entry{account: a}
}

// Alias makes another name for a domain known, such as contoso.com for CONTOSO,
// or a machine's own name for its local accounts (domain "").
func (b *Book) Alias(alias, domain string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.aliases == nil {
		b.aliases = map[string]string{}
	}
	b.aliases[strings.ToUpper(alias)] = domain
}

// SetState changes whether an account may sign in; Usable also forgets the
// failures in a row. It reports whether there is such an account.
func (b *Book) SetState(domain, user string, s State) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.find(domain, user)
	if !ok {
		return false
	}
	e.account.State = s
	if s == Usable {
		e.inARow = 0
	}
	return true
}

// FailedLogons gives how many wrong passwords were tried for an account, ever.
func (b *Book) FailedLogons(domain, user string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.find(domain, user); ok {
		return e.failures
	}
	return 0
}

// Lookup implements [Accounts]. As on a Windows machine, a user@domain name is
// taken apart when no domain is given, and a domain nobody knows falls back to
// the local account of that name. A bare name means the local account, or else
// the only account of that name.
func (b *Book) Lookup(domain, user string) (Account, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.find(domain, user)
	if !ok {
		return Account{}, false
	}
	return e.account, true
}

// Refused implements [Accounts].
func (b *Book) Refused(a Account) {
	if locked, ok := b.refused(a); ok && b.OnLock != nil {
		b.OnLock(locked)
	}
}

func (b *Book) refused(a Account) (locked Account, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, known := b.entries[key(a.Domain, a.User)]
	if !known {
		return Account{}, false
	}
	e.failures++
	e.inARow++
	if b.Threshold <= 0 || e.inARow < b.Threshold || e.account.State != Usable {
		return Account{}, false
	}
	e.account.State = Locked
	return e.account, true
}

// Accepted implements [Accounts].
func (b *Book) Accepted(a Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.entries[key(a.Domain, a.User)]; ok {
		e.inARow = 0
	}
}

func (b *Book) find(domain, user string) (*entry, bool) {
	if domain == "" {
		if at := strings.LastIndexByte(user, '@'); at > 0 {
			user, domain = user[:at], user[at+1:]
		}
	}
	if canonical, ok := b.aliases[strings.ToUpper(domain)]; ok {
		domain = canonical
	}
	if e, ok := b.entries[key(domain, user)]; ok {
		return e, true
	}
	if domain == "" {
		return b.only(user)
	}
	if b.knows(domain) {
		return nil, false
	}
	e, ok := b.entries[key("", user)]
	return e, ok
}

// only finds a bare name when exactly one domain has it: guessing between two
// accounts would count failures against the wrong one.
func (b *Book) only(user string) (found *entry, ok bool) {
	for _, e := range b.entries {
		if !strings.EqualFold(e.account.User, user) {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = e
	}
	return found, found != nil
}

func (b *Book) knows(domain string) bool {
	for _, e := range b.entries {
		if strings.EqualFold(e.account.Domain, domain) {
			return true
		}
	}
	return false
}
