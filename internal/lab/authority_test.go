package lab

import (
	"crypto/x509"
	"testing"
)

func TestOnlyNamesOfTheMachineItselfAreMapped(t *testing.T) {
	t.Parallel()
	a, err := newAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for upn, want := range map[string]string{
		"Administrator@localhost": "Administrator", "admin@lab.example": "", "Administrator": "", "@localhost": "", "": "",
	} {
		c, err := a.user(upn)
		if err != nil {
			t.Fatal(err)
		}
		domain, user, ok := certificateUser(c.Leaf)
		if domain != "" || ok != (want != "") || ok && user != want {
			t.Errorf("%q: %q %q %t", upn, domain, user, ok)
		}
		if _, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
			t.Error(err)
		}
	}
	node, err := a.node("NODE1")
	if err != nil {
		t.Fatal(err)
	}
	if _, user, ok := certificateUser(node.Leaf); ok {
		t.Errorf("a node's certificate stands for %q", user)
	}
}
