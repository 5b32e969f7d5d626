package ntlm

import (
	"errors"
	"fmt"
	"testing"
)

func logon(t *testing.T, book *Book, domain, user, password string) Status {
	t.Helper()
	err := shake(t, NewAcceptor(node, book), client(t, domain, user, password), nil, nil)
	if err == nil {
		return 0
	}
	refused := (*LogonError)(nil)
	if !errors.As(err, &refused) {
		t.Fatalf("logon ended with %v, want a logon error", err)
	}
	return refused.Status
}

func TestWrongPasswordAndUnknownAccountLookTheSame(t *testing.T) {
	book := contoso()
	if got := logon(t, book, "CONTOSO", "admin", "sesame-1"); got != StatusLogonFailure {
		t.Errorf("wrong password: %v", got)
	}
	if got := logon(t, book, "CONTOSO", "nobody", "x"); got != StatusLogonFailure {
		t.Errorf("unknown account: %v", got)
	}
}

func TestR02_LockedExpiredAndDisabledAreToldApart(t *testing.T) {
	for state, want := range map[State]Status{
		Usable: 0, Locked: StatusLockedOut, PasswordExpired: StatusPasswordExpired,
		MustChangePassword: StatusMustChange, Disabled: StatusAccountDisabled, Expired: StatusAccountExpired,
	} {
		book := contoso()
		if !book.SetState("contoso.com", "ADMIN", state) {
			t.Fatal("account not found")
		}
		if got := logon(t, book, "CONTOSO", "admin", "Sesame-1"); got != want {
			t.Errorf("state %d with the right password: %v, want %v", state, got, want)
		}
		want = StatusLogonFailure
		if state == Locked {
			want = StatusLockedOut
		}
		if got := logon(t, book, "CONTOSO", "admin", "wrong"); got != want {
			t.Errorf("state %d with a wrong password: %v, want %v", state, got, want)
		}
	}
}

func TestR02_AccountLocksAtTheThresholdAndEveryFailureIsCounted(t *testing.T) {
	book := contoso()
	for range 2 {
		logon(t, book, "CONTOSO", "admin", "wrong")
	}
	if got := logon(t, book, "CONTOSO", "admin", "Sesame-1"); got != 0 {
		t.Fatalf("below the threshold: %v", got)
	}
	for range 3 {
		if got := logon(t, book, "CONTOSO", "admin", "wrong"); got != StatusLogonFailure {
			t.Fatalf("up to the threshold: %v", got)
		}
	}
	if got := logon(t, book, "CONTOSO", "admin", "Sesame-1"); got != StatusLockedOut {
		t.Errorf("right password behind the threshold: %v", got)
	}
	if n := book.FailedLogons("CONTOSO", "admin"); n != 5 {
		t.Errorf("%d failures counted, want 5", n)
	}
	book.SetState("CONTOSO", "admin", Usable)
	if got := logon(t, book, "CONTOSO", "admin", "Sesame-1"); got != 0 {
		t.Errorf("after the unlock: %v", got)
	}
}

func TestNamesFindTheAccountWindowsWouldFind(t *testing.T) {
	book := contoso()
	book.Add(Account{User: "admin", Password: "local"})
	book.Add(Account{Domain: "CONTOSO", User: "NODE1$", Password: "machine"})
	book.Alias("NODE1", "")
	for _, c := range []struct {
		domain, user string
		want         string
	}{
		{"CONTOSO", "ADMIN", `CONTOSO\admin`},
		{"contoso.com", "admin", `CONTOSO\admin`},
		{"", "admin@contoso.com", `CONTOSO\admin`},
		{"", "admin", `\admin`},
		{"NODE1", "admin", `\admin`},
		{"WORKGROUP", "admin", `\admin`},
		{"", "node1$", `CONTOSO\NODE1$`},
		{"CONTOSO", "nobody", ""},
		{"WORKGROUP", "node1$", ""},
	} {
		a, ok := book.Lookup(c.domain, c.user)
		got := a.Domain + `\` + a.User
		if !ok {
			got = ""
		}
		if got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.user, c.domain, got, c.want)
		}
	}
	book.Add(Account{Domain: "FABRIKAM", User: "NODE1$"})
	if a, ok := book.Lookup("", "node1$"); ok {
		t.Errorf("a name that two domains have was taken as %+v", a)
	}
}

func TestBookServesManyConnectionsAtOnce(t *testing.T) {
	book := contoso()
	book.Threshold = 0
	t.Run("connections", func(t *testing.T) {
		for n := range 8 {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for range 5 {
					logon(t, book, "CONTOSO", "admin", "Sesame-1")
					logon(t, book, "CONTOSO", "admin", "wrong")
				}
			})
		}
	})
	if n := book.FailedLogons("CONTOSO", "admin"); n != 40 {
		t.Errorf("%d failures counted, want 40", n)
	}
}
