package kerberos_test

import (
	"testing"

	"go.uber.org/goleak"

	"cau/internal/kerberos"
	"cau/internal/sambatest"
)

var domain sambatest.SharedDomain

// stopping ends the shared domain before leaks are looked for.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	defer domain.Stop()
	return s.m.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

func open(t *testing.T, change func(*kerberos.Config)) *kerberos.Client {
	t.Helper()
	d := domain.Get(t)
	cfg := kerberos.Config{User: sambatest.Operator, Realm: sambatest.Realm, KDCs: []string{d.KDC}}
	if change != nil {
		change(&cfg)
	}
	if cfg.Password == "" && cfg.Keytab == "" && cfg.CCache == "" {
		cfg.Password = sambatest.Password
	}
	c, err := kerberos.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestFirst(t *testing.T) {
	c := open(t, nil)
	a := domain.Get(t).NewAcceptor(t)
	i, err := c.Initiate(t.Context(), "WSMAN/"+sambatest.Node1, nil)
	if err != nil {
		t.Fatal(err)
	}
	out, done, who, err := a.Accept("1", i.Token(), nil)
	t.Log(len(out), done, who, err)
	s, err := i.Accept(out)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		h, b, err := s.Wrap([]byte("hello"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := a.Unwrap("1", append(h, b...))
		t.Log(len(h), len(b), string(p), err)
		h, b, err = a.Wrap("1", []byte("world"))
		t.Log(len(h), len(b), err)
		p, err = s.Unwrap(h, b)
		t.Log(string(p), err)
		h, err = a.WrapToken("1", []byte("world"))
		t.Log(len(h), err)
		p, err = s.Unwrap(h, nil)
		t.Log(string(p), err)
	}
}
