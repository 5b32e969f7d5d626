package lab

import (
	"fmt"
	"path/filepath"
	"strings"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/kerberos"
	"cau/internal/lab/model"
	"cau/internal/lab/ntlm"
	"cau/internal/lab/wsmanserver"
)

// realm is the lab's Kerberos: the domain controller, on the real clock like every ticket, and the keys of
// the nodes.
type realm struct {
	name string
	kdc  *kerberos.KDC
}

func newRealm(s settings) realm {
	name := strings.ToUpper(model.DNSDomain)
	return realm{name: name, kdc: kerberos.NewKDC(kerberos.KDCConfig{Realm: name, Lifetime: s.ticketLifetime, LockAfter: s.lockAfter})}
}

// add enters an account of the domain.
func (r realm) add(a ntlm.Account) {
	r.kdc.AddUser(a.User, a.Password)
	switch a.State {
	case ntlm.Usable:
	case ntlm.PasswordExpired, ntlm.MustChangePassword:
		r.kdc.ExpirePassword(a.User)
	case ntlm.Locked, ntlm.Disabled, ntlm.Expired:
		r.kdc.Lock(a.User)
	}
}

// services are the names under which a node can be asked for.
func services(node string) []string {
	var out []string
	for _, class := range []string{"WSMAN", "HTTP", "HOST", "cifs"} {
		out = append(out, class+"/"+node, class+"/"+fqdn(node))
	}
	return out
}

// member is a machine of the realm with its keys.
type member struct {
	keytab  []byte
	replays *kerberos.ReplayCache
}

// join makes a machine a member of the realm. One that joined already gets the same keys.
func (r realm) join(machine string) (member, error) {
	names := services(machine)
	r.kdc.AddService(names...)
	keytab, err := r.kdc.Keytab(names...)
	if err != nil {
		return member{}, fmt.Errorf("lab: keys of %s: %w", machine, err)
	}
	return member{keytab, &kerberos.ReplayCache{}}, nil
}

// winRM accepts logons at the machine's WinRM service.
func (m member) winRM(c wsmanserver.Channel) wsmanserver.Handshake {
	return acceptor{kerberos.NewAcceptor(kerberos.AcceptorConfig{
		Keytab: m.keytab, ChannelBinding: c.Binding, RequireChannelBinding: c.Require, RequireSeal: c.Seal, Replays: m.replays,
	})}
}

// smb accepts logons at the machine's file shares.
func (m member) smb() fileserver.Handshake {
	return shareAcceptor{kerberos.NewAcceptor(kerberos.AcceptorConfig{Keytab: m.keytab, Replays: m.replays})}
}

// acceptor is a Kerberos logon as the WinRM service sees it.
type acceptor struct{ *kerberos.Acceptor }

// Session implements [wsmanserver.Handshake].
func (a acceptor) Session() (wsmanserver.Session, error) { return a.Acceptor.Session() }

// shareAcceptor is a Kerberos logon as the file server sees it.
type shareAcceptor struct{ *kerberos.Acceptor }

// Ticket implements [fileserver.Handshake].
func (a shareAcceptor) Ticket() (fileserver.Ticket, error) {
	s, err := a.Session()
	if err != nil {
		return fileserver.Ticket{}, err
	}
	user, realm, _ := strings.Cut(s.Principal(), "@")
	return fileserver.Ticket{User: user, Realm: realm, Key: s.Key(), Expires: s.Expires()}, nil
}

// clientConfiguration is a krb5.conf for MIT's programs and whoever reads the same. Names are taken as they
// are: no DNS knows them.
func (r realm) clientConfiguration() string {
	return fmt.Sprintf(`[libdefaults]
	default_realm = %[1]s
	dns_lookup_realm = false
	dns_lookup_kdc = false
	dns_canonicalize_hostname = false
	rdns = false
	udp_preference_limit = 1

[realms]
	%[1]s = {
		kdc = %[2]s
	}

[domain_realm]
	.%[3]s = %[1]s
	%[3]s = %[1]s
`, r.name, r.kdc.Address(), model.DNSDomain)
}

// openRealm starts the domain controller.
func (r *running) openRealm() error {
	r.realm = newRealm(r.settings)
	if err := r.realm.kdc.Start("127.0.0.1:0"); err != nil {
		return fmt.Errorf("lab: domain controller: %w", err)
	}
	return nil
}

// writeRealm writes what a client needs of the realm into the lab's folder.
func (r *running) writeRealm() error {
	keytab, err := r.realm.kdc.Keytab(adminUser)
	if err != nil {
		return fmt.Errorf("lab: keytab of the administrator: %w", err)
	}
	k := Kerberos{
		Realm: r.realm.name, KDC: r.realm.kdc.Address(),
		ConfigFile: filepath.Join(r.info.Dir, "krb5.conf"), KeytabFile: filepath.Join(r.info.Dir, "admin.keytab"),
	}
	if err := replaceFile(k.ConfigFile, []byte(r.realm.clientConfiguration())); err != nil {
		return err
	}
	r.info.Kerberos = k
	return replaceFile(k.KeytabFile, keytab)
}

// writeCertificates writes the CA's certificate and the administrator's own into the lab's folder.
func (r *running) writeCertificates() error {
	client, err := r.authority.user(localUPN)
	if err != nil {
		return err
	}
	key, err := keyPEM(client.PrivateKey)
	if err != nil {
		return err
	}
	r.info.CAFile = filepath.Join(r.info.Dir, "ca.pem")
	r.info.ClientCertificate = ClientCertificate{
		CertFile: filepath.Join(r.info.Dir, "client.pem"), KeyFile: filepath.Join(r.info.Dir, "client.key"),
	}
	for _, f := range []struct {
		path string
		text []byte
	}{
		{r.info.CAFile, certificatePEM(r.authority.cert)},
		{r.info.ClientCertificate.CertFile, certificatePEM(client.Leaf)},
		{r.info.ClientCertificate.KeyFile, key},
	} {
		if err := replaceFile(f.path, f.text); err != nil {
			return err
		}
	}
	return nil
}
