package wsman

import (
	"context"
	"errors"
	"testing"
)

func TestACancelEndsTheWaitForAnothersLogon(t *testing.T) {
	c := NTLM("user", "domain", "password")
	admission, err := c.admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.admit(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	admission.settle(errors.New("the connection was lost"))
	admission, err = c.admit(ctx)
	if err == nil { // the turn was free and the context over: either is right, but the turn must not be lost
		admission.settle(nil)
	}
	admission, err = c.admit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	admission.settle(nil)
	if c.Rejected() != nil || !c.proven.Load() {
		t.Fatal("one lost connection says nothing about the credential, one logon does")
	}
}
