package ntlm

import "crypto/subtle"

// LogOn checks a password that came in clear, as HTTP's Basic brings it, by the
// same rules as a handshake. The error is a *[LogonError].
func LogOn(accounts Accounts, domain, user, password string) (Account, error) {
	account, status := admit(accounts, domain, user, func(account Account) bool {
		return subtle.ConstantTimeCompare([]byte(account.Password), []byte(password)) == 1
	})
	if status != 0 {
		return Account{}, &LogonError{Status: status, Domain: domain, User: user}
	}
	accounts.Accepted(account)
	return account, nil
}

// MayLogOn looks at the state of an account that was proven by other means than
// its password, as by a certificate. The error is a *[LogonError].
func MayLogOn(accounts Accounts, domain, user string) (Account, error) {
	account, ok := accounts.Lookup(domain, user)
	status := StatusLogonFailure
	if ok {
		if status, ok = account.State.status(); ok {
			return account, nil
		}
	}
	return Account{}, &LogonError{Status: status, Domain: domain, User: user}
}

// admit finds the account and asks whether the proof is right. A locked account
// is answered before its password is looked at, so that the right one is refused
// too and a wrong one is not counted; all other states only to somebody who knows
// the password, as Windows does. The status 0 means yes.
func admit(accounts Accounts, domain, user string, proven func(Account) bool) (Account, Status) {
	account, ok := accounts.Lookup(domain, user)
	if !ok {
		return Account{}, StatusLogonFailure
	}
	if account.State == Locked {
		return Account{}, StatusLockedOut
	}
	if !proven(account) {
		accounts.Refused(account)
		return Account{}, StatusLogonFailure
	}
	if status, ok := account.State.status(); !ok {
		return Account{}, status
	}
	return account, 0
}
