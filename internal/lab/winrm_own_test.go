package lab_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"cau/internal/kerberos"
	"cau/internal/lab"
	"cau/internal/wsman"
)

// openKerberos gives the administrator's identity.
func openKerberos(t *testing.T, c kerberos.Config) *kerberos.Client {
	t.Helper()
	client, err := kerberos.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestOurOwnClientWorksOverEveryKindOfListener(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1})
	node := info.Nodes[0]
	ca, err := os.ReadFile(info.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	verified := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	mine, err := tls.LoadX509KeyPair(info.ClientCertificate.CertFile, info.ClientCertificate.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	domain, user, _ := strings.Cut(info.User, `\`)
	local := account(t, info, lab.LocalAdministratorAccount)
	keytab := openKerberos(t, kerberos.Config{User: user, ConfigFile: info.Kerberos.ConfigFile, Keytab: info.Kerberos.KeytabFile})
	password := openKerberos(t, kerberos.Config{User: user + "@" + info.Kerberos.Realm, KDCs: []string{info.Kerberos.KDC}, Password: info.Password})
	for _, tc := range []struct {
		name string
		auth *wsman.Credential
		tls  *tls.Config
	}{
		{"NTLM, sealed", wsman.NTLM(user, domain, info.Password), nil},
		{"Kerberos, sealed, keytab", wsman.Kerberos(keytab, ""), nil},
		{"Kerberos, sealed, password", wsman.Kerberos(password, ""), nil},
		{"Kerberos, sealed, another service name", wsman.Kerberos(password, "HTTP/{host}"), nil},
		{"Kerberos before NTLM", wsman.KerberosOrNTLM(password, "", user, domain, info.Password), nil},
		{"NTLM, TLS", wsman.NTLM(user, domain, info.Password), verified},
		{"Kerberos, TLS", wsman.Kerberos(keytab, ""), verified},
		{"Basic, TLS", wsman.Basic(local.User, local.Password), verified},
		{"certificate, TLS", wsman.ClientCertificate(mine), verified},
	} {
		before := heard(t, info, node.Name)
		c := wsman.Config{Addr: node.Address, Host: node.FQDN, Auth: tc.auth, TLS: tc.tls}
		at := 0
		if tc.tls != nil {
			c.Addr, at = node.HTTPS, 1
		}
		n := wsman.NewNode(c)
		for range 2 {
			res, err := n.Run(t.Context(), "echo x", nil)
			if err != nil || string(res.Stdout) != "x\r\n" {
				t.Errorf("%s: %q %v", tc.name, res.Stdout, err)
			}
		}
		if err := n.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		after := heard(t, info, node.Name)
		if after.Listeners[at].Logons != before.Listeners[at].Logons+1 || after.Refused != 0 || after.Readable != 0 || after.Open != 0 {
			t.Errorf("%s: %+v", tc.name, after)
		}
	}
}

func TestOurOwnClientIsToldWhatNobodySignsInFor(t *testing.T) {
	t.Parallel()
	info, _ := serve(t, lab.Config{Nodes: 1, Linger: -1})
	p, err := wsman.Look(t.Context(), wsman.Config{Addr: info.Nodes[0].Address})
	if err != nil || strings.Join(p.Offered, " ") != "Negotiate Kerberos" || !strings.Contains(p.Product, "OS: 0.0.0") {
		t.Errorf("%+v %v", p, err)
	}
	p, err = wsman.Look(t.Context(), wsman.Config{Addr: info.Nodes[0].HTTPS, Host: info.Nodes[0].FQDN, TLS: &tls.Config{MinVersion: tls.VersionTLS12}})
	if err != nil || strings.Join(p.Offered, " ") != "Negotiate Kerberos Basic" || p.Certificate == nil || p.Certificate.Problem == nil {
		t.Errorf("%+v %v", p, err)
	}
}
