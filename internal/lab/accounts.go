package lab

import (
	"crypto/rand"
	"strings"

	"cau/internal/lab/model"
	"cau/internal/lab/ntlm"
)

const (
	adminUser = "admin"
	// localAdmin is the local account that every node has, with one password: the only one that Basic and
	// client certificates are good for.
	localAdmin = "Administrator"
	localUPN   = localAdmin + "@localhost"
)

// Kinds of accounts in lab.json.
const (
	AdministratorAccount      = "administrator"
	LocalAdministratorAccount = "local-administrator"
	NoAdministratorAccount    = "no-administrator"
	LockedAccount             = "locked"
	DisabledAccount           = "disabled"
	ExpiredPasswordAccount    = "password-expired"
	MustChangePasswordAccount = "must-change-password"
)

// openAccounts makes one account of each kind that a client can meet; the passwords of all are the right
// ones.
func (r *running) openAccounts() {
	r.accounts.Threshold = r.settings.lockAfter
	r.accounts.OnLock = r.locked
	r.accounts.Alias(model.DNSDomain, model.Domain)
	for _, n := range r.world.Nodes() {
		r.accounts.Alias(n.Name(), "")
	}
	for _, a := range []struct {
		kind, domain, user string
		state              ntlm.State
	}{
		{AdministratorAccount, model.Domain, adminUser, ntlm.Usable},
		{LocalAdministratorAccount, "", localAdmin, ntlm.Usable},
		{NoAdministratorAccount, model.Domain, "operator", ntlm.Usable},
		{LockedAccount, model.Domain, "locked", ntlm.Locked},
		{DisabledAccount, model.Domain, "disabled", ntlm.Disabled},
		{ExpiredPasswordAccount, model.Domain, "expired", ntlm.PasswordExpired},
		{MustChangePasswordAccount, model.Domain, "mustchange", ntlm.MustChangePassword},
	} {
		if a.kind == AdministratorAccount && r.settings.adminLocked {
			a.state = ntlm.Locked
		}
		account := ntlm.Account{Domain: a.domain, User: a.user, Password: rand.Text(), State: a.state}
		r.accounts.Add(account)
		name := ntlm.Identity{Domain: a.domain, User: a.user}.String()
		r.info.Accounts = append(r.info.Accounts, Account{Kind: a.kind, User: name, Password: account.Password})
		if a.kind == AdministratorAccount {
			r.info.User, r.info.Password = name, account.Password
		}
		if a.domain != "" {
			r.realm.add(account)
		}
	}
}

// mayUseWinRM is who the nodes let in: their administrators.
func mayUseWinRM(user string) bool {
	return strings.EqualFold(user, model.Domain+`\`+adminUser) || strings.EqualFold(user, localAdmin)
}

// locked tells the domain controller of an account that too many wrong passwords have locked.
func (r *running) locked(a ntlm.Account) {
	if a.Domain != "" {
		r.realm.kdc.Lock(a.User)
	}
}
