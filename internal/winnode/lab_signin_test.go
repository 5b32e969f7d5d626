package winnode_test

import (
	"errors"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/winnode"
	"cau/internal/wsman"
)

func TestR05_AFleetWhosePasswordWasRefusedGoesOnWithAnother(t *testing.T) {
	info := serveLab(t, "")
	f, err := winnode.New(labConfig(t, info, "wrong"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Describe(t.Context(), ""); !errors.Is(err, engine.ErrCredential) {
		t.Fatalf("%v", err)
	}
	domain, user, _ := strings.Cut(info.User, `\`)
	as := func(password string) winnode.Dialer {
		return &winnode.WinRM{Credential: wsman.NTLM(user, domain, password)}
	}
	if err := f.SignInAs(t.Context(), as("wrong too")); !errors.Is(err, engine.ErrCredential) {
		t.Fatalf("%v", err)
	}
	if err := f.SignInAs(t.Context(), as(info.Password)); err != nil {
		t.Fatal(err)
	}
	for _, n := range info.Nodes {
		if _, err := f.Node(n.Name).Boot(t.Context()); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
	// What does not work takes nothing away.
	if err := f.SignInAs(t.Context(), as("wrong again")); !errors.Is(err, engine.ErrCredential) {
		t.Fatalf("%v", err)
	}
	if _, err := f.Describe(t.Context(), ""); err != nil {
		t.Errorf("%v", err)
	}
}
