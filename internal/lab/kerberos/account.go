package kerberos

import (
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// account is a user, or a service with all names of one machine.
type account struct {
	names   []string // own spelling; a user has one
	service bool
	salt    string // empty for a random key
	kvno    int
	keys    []types.EncryptionKey // in the order of etypes

	locked   bool
	expired  bool // the password must be changed
	failures int  // wrong passwords ever
	inARow   int  // since the last right one
}

func (a *account) key(etype int32) (types.EncryptionKey, bool) {
	for _, key := range a.keys {
		if key.KeyType == etype {
			return key, true
		}
	}
	return types.EncryptionKey{}, false
}

// index is how names are compared: Active Directory ignores case.
func index(name string) string { return strings.ToLower(name) }

// local takes the own realm off a name; a name of another realm is kept whole and
// so belongs to nobody.
func (k *KDC) local(name string) string {
	if at := strings.LastIndexByte(name, '@'); at > 0 && strings.EqualFold(name[at+1:], k.config.Realm) {
		return name[:at]
	}
	return name
}

// client finds the user who asks for a ticket. Services do not sign in by their
// names, RFC 4120 lets them, Active Directory does not.
func (k *KDC) client(name types.PrincipalName) (*account, bool) {
	if len(name.NameString) != 1 {
		return nil, false
	}
	a, ok := k.accounts[index(k.local(name.NameString[0]))]
	return a, ok && !a.service
}

// server finds the service a ticket is for, or the ticket-granting service.
func (k *KDC) server(name types.PrincipalName) (*account, bool) {
	if k.isTicketGranter(name) {
		return k.granter, true
	}
	a, ok := k.accounts[index(name.PrincipalNameString())]
	return a, ok && a.service
}

func (k *KDC) isTicketGranter(name types.PrincipalName) bool {
	return len(name.NameString) == 2 && strings.EqualFold(name.NameString[0], "krbtgt") &&
		strings.EqualFold(name.NameString[1], k.config.Realm)
}

// AddUser adds an account that signs in with a password, or gives an existing one
// a new password; that also unlocks it and forgets its wrong passwords. The name
// is a bare account name such as admin or NODE1$, or one with the own realm.
func (k *KDC) AddUser(name, password string) {
	name = k.local(name)
	a := &account{names: []string{name}, salt: k.config.Realm + name, kvno: 1}
	for _, etype := range etypes() {
		// Nothing can fail for the lab's own encryption types.
		if key, err := passwordKey(etype, password, a.salt); err == nil {
			a.keys = append(a.keys, key)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.accounts[index(name)]; ok {
		a.kvno = old.kvno + 1
	}
	k.accounts[index(name)] = a
}

// AddService adds one account with a random key for all these names, such as
// WSMAN/node1.lab.example and HTTP/node1.lab.example. If one of them exists, the
// others become further names of its account.
func (k *KDC) AddService(names ...string) {
	if len(names) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var a *account
	for _, name := range names {
		if old, ok := k.accounts[index(k.local(name))]; ok && old.service {
			a = old
			break
		}
	}
	if a == nil {
		a = newService()
	}
	for _, name := range names {
		name = k.local(name)
		k.accounts[index(name)] = a
		if !slices.ContainsFunc(a.names, func(n string) bool { return strings.EqualFold(n, name) }) {
			a.names = append(a.names, name)
		}
	}
}

func newService() *account {
	a := &account{service: true, kvno: 1}
	for _, etype := range etypes() {
		// crypto/rand ends the program rather than fail.
		if key, err := randomKey(etype); err == nil {
			a.keys = append(a.keys, key)
		}
	}
	return a
}

// Lock locks or disables a user: the domain controller answers
// KDC_ERR_CLIENT_REVOKED. It reports whether there is such a user.
func (k *KDC) Lock(name string) bool {
	return k.change(name, func(a *account) { a.locked = true })
}

// ExpirePassword makes a user's password one that must be changed: the right
// password is answered with KDC_ERR_KEY_EXPIRED. It reports whether there is such
// a user.
func (k *KDC) ExpirePassword(name string) bool {
	return k.change(name, func(a *account) { a.expired = true })
}

func (k *KDC) change(name string, how func(*account)) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.accounts[index(k.local(name))]
	if !ok || a.service {
		return false
	}
	how(a)
	return true
}

// wrongPassword counts, and locks the account when the limit is reached. The
// attempt that reaches it is still answered as a wrong password, as Windows does.
func (k *KDC) wrongPassword(a *account) {
	a.failures++
	a.inARow++
	if k.config.LockAfter > 0 && a.inARow >= k.config.LockAfter {
		a.locked = true
	}
}

func userName(name string) types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_PRINCIPAL, NameString: []string{name}}
}
