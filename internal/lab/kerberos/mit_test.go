package kerberos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMITSignsInAndGetsServiceTickets(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string][]string{
		"TCP":    nil,
		"UDP":    {overUDP()},
		"AES128": {"permitted_enctypes = aes128-cts-hmac-sha1-96"},
		"AES256": {"permitted_enctypes = aes256-cts-hmac-sha1-96"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := domain(t, KDCConfig{})
			m := newMIT(t, k, lines...)
			m.must(t, "right\n", "kinit", "admin")
			m.must(t, "", "kvno", service, alias)
			list := m.must(t, "", "klist", "-e", "-f")
			for _, want := range []string{
				"Default principal: admin@LAB.EXAMPLE", "krbtgt/LAB.EXAMPLE@LAB.EXAMPLE", service + "@LAB.EXAMPLE", alias + "@LAB.EXAMPLE",
			} {
				if !strings.Contains(list, want) {
					t.Errorf("no %q in\n%s", want, list)
				}
			}
			session := "aes256-cts-hmac-sha1-96"
			if name == "AES128" {
				session = "aes128-cts-hmac-sha1-96"
			}
			if n := strings.Count(list, "Etype (skey, tkt): "+session+", aes256-cts-hmac-sha1-96"); n != 3 {
				t.Errorf("%d tickets with a session key of %s:\n%s", n, session, list)
			}
			s := k.Stats()
			if udp := s.Datagrams == s.Requests; udp != (name == "UDP") || s.Requests != 4 {
				t.Errorf("%d of %d requests over UDP", s.Datagrams, s.Requests)
			}
			if s.Tickets != 3 || s.Malformed != 0 || len(s.FailedLogons) != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestMITKeytabSignsIn(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	k.AddUser("NODE1$", "its own secret")
	m := newMIT(t, k)
	table := writeKeytab(t, k, m, "NODE1$", service, alias)
	list := m.must(t, "", "klist", "-k", "-e", table)
	for _, want := range []string{"NODE1$@LAB.EXAMPLE (aes256", service + "@LAB.EXAMPLE (aes128", alias + "@LAB.EXAMPLE (aes256"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in\n%s", want, list)
		}
	}
	m.must(t, "", "kinit", "-k", "-t", table, "NODE1$")
	// kvno -k opens the ticket with the service's key from the keytab.
	if out := m.must(t, "", "kvno", "-k", table, service, alias); strings.Count(out, "keytab entry valid") != 2 {
		t.Error(out)
	}
}

func writeKeytab(t *testing.T, k *KDC, m *mit, names ...string) string {
	t.Helper()
	b, err := k.Keytab(names...)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(m.dir, "keytab")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMITNamesIgnoreCaseAndMayBeEnterpriseNames(t *testing.T) {
	t.Parallel()
	m := newMIT(t, domain(t, KDCConfig{}))
	m.must(t, "right\n", "kinit", "ADMIN")
	if list := m.must(t, "", "klist"); !strings.Contains(list, "Default principal: ADMIN@LAB.EXAMPLE") {
		t.Error(list)
	}
	for _, args := range [][]string{{"-C", "Admin"}, {"-E", "Admin@lab.example"}} {
		m.must(t, "right\n", "kinit", args...)
		if list := m.must(t, "", "klist"); !strings.Contains(list, "Default principal: admin@LAB.EXAMPLE") {
			t.Errorf("%v: %s", args, list)
		}
	}
	m.must(t, "", "kvno", "wsman/NODE1.lab.example")
}

func TestMITReadsEachRefusal(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{LockAfter: 3})
	for _, name := range []string{"locked", "old", "often"} {
		k.AddUser(name, "right")
	}
	m := newMIT(t, k)
	table := writeKeytab(t, k, m, "old")
	if !k.Lock("locked") || !k.ExpirePassword("old") || k.Lock("nobody") || k.Lock(service) {
		t.Fatal("accounts")
	}
	const wrong = "kinit: Password incorrect while getting initial credentials"
	const revoked = "kinit: Client's credentials have been revoked while getting initial credentials"
	m.says(t, wrong, "wrong\n", "kinit", "admin")
	m.says(t, "kinit: Client 'nobody@LAB.EXAMPLE' not found in Kerberos database while getting initial credentials", "x\n", "kinit", "nobody")
	m.says(t, "not found in Kerberos database while getting initial credentials", "x\n", "kinit", service)
	m.says(t, revoked, "right\n", "kinit", "locked")
	m.says(t, "kinit: Password has expired while getting initial credentials", "", "kinit", "-k", "-t", table, "old")
	m.says(t, wrong, "wrong\n", "kinit", "old")
	for range 3 {
		m.says(t, wrong, "wrong\n", "kinit", "often")
	}
	m.says(t, revoked, "right\n", "kinit", "often")
	m.must(t, "right\n", "kinit", "admin")
	m.says(t, "kvno: Server not found in Kerberos database while getting credentials for WSMAN/other.lab.example@LAB.EXAMPLE", "", "kvno", "WSMAN/other.lab.example")
	m.says(t, "kvno: Server not found in Kerberos database while getting credentials for admin@LAB.EXAMPLE", "", "kvno", "admin")
	if s := k.Stats().FailedLogons; s["admin"] != 1 || s["often"] != 3 || s["old"] != 1 || s["locked"] != 0 {
		t.Errorf("failed logons: %v", s)
	}
	weak := newMIT(t, k, "allow_weak_crypto = true", "permitted_enctypes = arcfour-hmac")
	weak.says(t, "kinit: KDC has no support for encryption type while getting initial credentials", "right\n", "kinit", "admin")
	k.AddUser("often", "right")
	m.must(t, "right\n", "kinit", "often")
}

func TestMITIsRefusedByTheDomainsClock(t *testing.T) {
	t.Parallel()
	c := &clock{}
	k := domain(t, KDCConfig{Now: c.now, Lifetime: 2 * time.Hour})
	m := newMIT(t, k)
	m.must(t, "right\n", "kinit", "admin")
	m.must(t, "", "kvno", service)
	c.move(4 * time.Minute)
	m.must(t, "", "kvno", alias)
	c.move(2 * time.Minute)
	k.AddService("cifs/fs1.lab.example")
	m.says(t, "kvno: Clock skew too great while getting credentials for cifs/fs1.lab.example", "", "kvno", "cifs/fs1.lab.example")
	// MIT takes the domain's time over for its proof, so it is told by its own check.
	newMIT(t, k, "kdc_timesync = 0").says(t, "Clock skew too great", "right\n", "kinit", "admin")
}

func TestMITTicketsExpireAndAreRenewed(t *testing.T) {
	t.Parallel()
	c := &clock{}
	k := domain(t, KDCConfig{Now: c.now, Lifetime: 3 * time.Minute, RenewLifetime: 4 * time.Minute})
	m := newMIT(t, k)
	m.must(t, "right\n", "kinit", "-r", "1d", "admin")
	if list := m.must(t, "", "klist", "-f"); !strings.Contains(list, "renew until") || !strings.Contains(list, "Flags: RIA") {
		t.Error(list)
	}
	c.move(2 * time.Minute)
	m.must(t, "", "kinit", "-R")
	c.move(65 * time.Second)
	// Without the renewal the ticket would have ended.
	m.must(t, "", "kvno", service)
	c.move(time.Minute)
	m.says(t, "kvno: Ticket expired while getting credentials for "+alias, "", "kvno", alias)
	m.says(t, "kinit: Ticket expired while renewing credentials", "", "kinit", "-R")
	plain := newMIT(t, k)
	plain.must(t, "right\n", "kinit", "-l", "1m", "admin")
	plain.says(t, "kinit: KDC can't fulfill requested option while renewing credentials", "", "kinit", "-R")
}

func TestMITTurnsToTCPWhenAnAnswerIsTooLongForUDP(t *testing.T) {
	t.Parallel()
	k := domain(t, KDCConfig{})
	long := "WSMAN/" + strings.Repeat("a", 900) + ".lab.example"
	k.AddService(long)
	m := newMIT(t, k, overUDP())
	m.must(t, "right\n", "kinit", "admin")
	before := k.Stats().Requests
	m.must(t, "", "kvno", long)
	if s := k.Stats(); s.Requests-before != 2 || s.Datagrams != s.Requests-1 {
		t.Errorf("%+v, want all over UDP and the last again over TCP", s)
	}
}
