package ntlm

import (
	"errors"
	"testing"
)

func TestAPasswordInClearFollowsTheSameRulesAsAHandshake(t *testing.T) {
	var told []string
	book := &Book{Threshold: 3, OnLock: func(a Account) { told = append(told, a.User) }}
	book.Add(Account{User: "Administrator", Password: "right"})
	book.Add(Account{User: "old", Password: "right", State: PasswordExpired})
	status := func(user, password string) Status {
		_, err := LogOn(book, "", user, password)
		var refused *LogonError
		if errors.As(err, &refused) {
			return refused.Status
		}
		return 0
	}
	for _, step := range []struct {
		user, password string
		want           Status
	}{
		{"administrator", "right", 0},
		{"nobody", "right", StatusLogonFailure},
		{"old", "wrong", StatusLogonFailure},
		{"old", "right", StatusPasswordExpired},
		{"administrator", "wrong", StatusLogonFailure},
		{"administrator", "wrong", StatusLogonFailure},
		{"administrator", "right", 0}, // forgets the two
		{"administrator", "wrong", StatusLogonFailure},
		{"administrator", "wrong", StatusLogonFailure},
		{"administrator", "wrong", StatusLogonFailure},
		{"administrator", "right", StatusLockedOut},
		{"administrator", "wrong", StatusLockedOut},
	} {
		if got := status(step.user, step.password); got != step.want {
			t.Errorf("%s/%s: %v, want %v", step.user, step.password, got, step.want)
		}
	}
	if n := book.FailedLogons("", "administrator"); n != 5 {
		t.Errorf("%d failed logons; those of the locked account must not count", n)
	}
	if len(told) != 1 || told[0] != "Administrator" {
		t.Errorf("OnLock told of %v", told)
	}
	if _, err := MayLogOn(book, "", "Administrator"); err == nil {
		t.Error("a locked account may log on without its password")
	}
	book.SetState("", "Administrator", Usable)
	if a, err := MayLogOn(book, "", "administrator"); err != nil || a.User != "Administrator" {
		t.Errorf("%v %v", a, err)
	}
	if _, err := MayLogOn(book, "", "nobody"); err == nil {
		t.Error("nobody may log on")
	}
}
