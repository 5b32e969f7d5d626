package app

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/kerberos"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/wsman"
	"cau/smbcheck"
)

// secrets are what the coordinator gets over a pipe and nowhere else (R04). Ticket cache and keytab go by their paths,
// so that a renewed one is found.
type secrets struct {
	// Method is one of the Auth constants, never auto: or methodBest.
	Method   string   `json:"method"`
	User     string   `json:"user"`
	Password string   `json:"password,omitempty"`
	CCache   string   `json:"ccache,omitempty"`
	Keytab   string   `json:"keytab,omitempty"`
	Realm    string   `json:"realm,omitempty"`
	KDCs     []string `json:"kdcs,omitempty"`
	KRB5     string   `json:"krb5_config,omitempty"`
	SPN      string   `json:"spn,omitempty"`
	Cert     []byte   `json:"certificate,omitempty"`
	Key      []byte   `json:"key,omitempty"`
	CA       []byte   `json:"ca,omitempty"`
	Pin      string   `json:"pin,omitempty"`
	// Unbound leaves the TLS channel out of the logon.
	Unbound bool `json:"unbound,omitempty"`
	// Share is the file server's account, and only there when files are pushed: otherwise the nodes read the share as
	// their computer accounts, and the coordinator never does.
	Share *shareSecret `json:"share,omitempty"`
	// Notify are the addresses over which people are told about the run.
	Notify []string `json:"notify,omitempty"`
}

// String and GoString keep what is secret out of whatever prints the struct (R04).
func (secrets) String() string { return "secrets" }

// GoString is String for %#v.
func (secrets) GoString() string { return "app.secrets{}" }

// Format is String for every other verb.
func (secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "secrets") }

// methodBest is Kerberos with a password, and NTLM where no KDC or no service is known.
const methodBest = "kerberos or ntlm"

// access is a way to sign in on nodes: one credential for all of them (R02).
type access struct {
	credential *wsman.Credential
	tls        *tls.Config
	unbound    bool
	// share signs in to the hotfix root and to ADMIN$ shares, or is nil; smb says where the latter are, by the nodes'
	// names, where that is not port 445 of their DNS names.
	share smbcheck.Credentials
	smb   map[string]string
	// kerberos is nil where only NTLM, Basic or a certificate is used.
	kerberos *kerberos.Client
}

// openAccess makes the credential; nothing is sent to anyone.
func openAccess(sec secrets) (*access, error) {
	verify, err := tlsConfig(sec)
	if err != nil {
		return nil, err
	}
	a := &access{tls: verify, unbound: sec.Unbound}
	user, domain := splitUser(sec.User)
	switch sec.Method {
	case cli.AuthKerberos, methodBest:
		a.kerberos, err = kerberos.Open(kerberos.Config{
			User: user, Realm: sec.Realm, KDCs: sec.KDCs, ConfigFile: sec.KRB5, CCache: sec.CCache, Keytab: sec.Keytab, Password: sec.Password,
		})
		switch {
		case err != nil:
			return nil, err
		case sec.Method == methodBest:
			a.credential = wsman.KerberosOrNTLM(a.kerberos, sec.SPN, user, domain, sec.Password)
		default:
			a.credential = wsman.Kerberos(a.kerberos, sec.SPN)
		}
	case cli.AuthNTLM:
		a.credential = wsman.NTLM(user, domain, sec.Password)
	case cli.AuthBasic:
		a.credential = wsman.Basic(sec.User, sec.Password)
	case cli.AuthCertificate:
		pair, err := tls.X509KeyPair(sec.Cert, sec.Key)
		if err != nil {
			return nil, &fault.Error{Op: "read the client certificate", Err: err, Hint: "--cert-file and --key-file hold a certificate and its own key, both PEM."}
		}
		a.credential = wsman.ClientCertificate(pair)
	default:
		return nil, fmt.Errorf("there is no way to sign in called %q", sec.Method)
	}
	a.share = overSMB(sec, a.kerberos)
	return a, nil
}

// who is as whom a secret signs in, for people.
func (a *access) who(sec secrets) string {
	switch {
	case sec.User != "":
		return sec.User
	case a != nil && a.kerberos != nil:
		return a.kerberos.Principal()
	}
	return "the certificate's account"
}

func (a *access) close() {
	if a != nil && a.kerberos != nil {
		a.kerberos.Close()
	}
}

// lifetime is when the credential ends by itself; ok is false for one that does not, or whose end nobody tells (R05).
func (a *access) lifetime(sec secrets) (time.Time, bool) {
	if a == nil || a.kerberos == nil || sec.CCache == "" {
		return time.Time{}, false // with a password or keytab a ticket is got anew
	}
	return a.kerberos.Lifetime()
}

// credentialLife is how long a credential lasts, on the run's clock (R05).
type credentialLife struct {
	access  *access
	secrets secrets
	// lab is set where the run's time passes faster than the ticket's.
	lab *lab.Hold
}

// Ends is when the credential ends by itself.
func (c credentialLife) Ends() (time.Time, bool) {
	end, ok := c.access.lifetime(c.secrets)
	if ok && c.lab != nil {
		end = c.lab.At(end)
	}
	return end, ok
}

func (a *access) fleet(nodes []winnode.NodeAddress, clock engine.Clock) (*winnode.Fleet, error) {
	a.reach(nodes)
	cfg := a.config(clock)
	cfg.Nodes = nodes
	return winnode.New(cfg)
}

func (a *access) config(clock engine.Clock) winnode.Config {
	return winnode.Config{
		Clock: clock, Dialer: &winnode.WinRM{Credential: a.credential, TLS: a.tls, NoChannelBinding: a.unbound},
		AdminShare: a.adminShare,
	}
}

// splitUser takes DOMAIN\user apart; user@domain goes whole, with an empty domain (MS-NLMP 3.1.5.1.2).
func splitUser(s string) (user, domain string) {
	if d, u, ok := strings.Cut(s, `\`); ok {
		return u, d
	}
	return s, ""
}

// tlsConfig verifies https listeners: a pinned key, a private CA, or the system's authorities.
func tlsConfig(sec secrets) (*tls.Config, error) {
	if sec.Pin != "" {
		sum, err := hex.DecodeString(strings.ReplaceAll(sec.Pin, ":", ""))
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("--pin: %q is not a SHA-256 in hex", sec.Pin)
		}
		return wsman.PinSPKI([sha256.Size]byte(sum)), nil
	}
	if len(sec.CA) == 0 {
		return nil, nil // nil means the system's certificate authorities
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(sec.CA) {
		return nil, errors.New("--ca-file holds no certificate in PEM")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}, nil
}

// labSignIn is how a lab's administrator signs in: as the lab itself says.
func labSignIn(info lab.Info, asked string) (secrets, error) {
	sec := secrets{Method: cli.AuthNTLM, User: info.User, Password: info.Password}
	var err error
	switch asked {
	case "", cli.AuthAuto, cli.AuthNTLM:
		return sec, nil
	case cli.AuthKerberos:
		sec.Method, sec.Realm, sec.KDCs = asked, info.Kerberos.Realm, []string{info.Kerberos.KDC}
		return sec, nil
	case cli.AuthBasic: // Windows takes no domain account with it
		sec.Method = asked
		for _, a := range info.Accounts {
			if a.Kind == lab.LocalAdministratorAccount {
				sec.User, sec.Password = a.User, a.Password
			}
		}
	case cli.AuthCertificate:
		sec.Method, sec.User, sec.Password = asked, "", ""
		if sec.Cert, err = os.ReadFile(info.ClientCertificate.CertFile); err == nil {
			sec.Key, err = os.ReadFile(info.ClientCertificate.KeyFile)
		}
	}
	if err == nil {
		sec.CA, err = os.ReadFile(info.CAFile)
	}
	if err != nil {
		return sec, fmt.Errorf("sign in to the lab: %w", err)
	}
	return sec, nil
}

// labAddress is where a lab's node is reached with a way to sign in: what may not cross a plain wire goes by https.
func labAddress(n lab.Node, method string) string {
	if method == cli.AuthBasic || method == cli.AuthCertificate {
		return "https://" + n.HTTPS
	}
	return n.Address
}

// signInOf turns the flags into how to sign in, without the password.
func signInOf(target cli.Target) (secrets, error) {
	s := target.SignIn
	sec := secrets{
		Method: s.Method, User: target.User, Realm: s.Realm, KDCs: s.KDCs, SPN: s.SPN, Pin: target.Pin, Unbound: s.ChannelBinding == "off",
	}
	var err error
	for _, f := range []struct {
		path, flag string
		into       *[]byte
		secret     bool
	}{{target.CAFile, "--ca-file", &sec.CA, false}, {s.CertFile, "--cert-file", &sec.Cert, false}, {s.KeyFile, "--key-file", &sec.Key, true}} {
		if *f.into, err = readFlagged(f.path, f.flag, f.secret); err != nil {
			return sec, err
		}
	}
	for _, f := range []struct {
		path string
		into *string
	}{{s.Keytab, &sec.Keytab}, {s.KRB5Config, &sec.KRB5}} {
		if f.path != "" {
			if *f.into, err = filepath.Abs(f.path); err != nil { // the coordinator has a working folder of its own
				return sec, err
			}
		}
	}
	if sec.CCache, err = cachePath(s.CCache); err != nil {
		return sec, err
	}
	sec.Method = method(target, sec)
	return sec, nil
}

// method decides what --auth auto means.
func method(target cli.Target, sec secrets) string {
	realm := sec.Realm != "" || len(sec.KDCs) > 0 || sec.KRB5 != ""
	switch {
	case sec.Method != "" && sec.Method != cli.AuthAuto:
		return sec.Method
	case len(sec.Cert) > 0:
		return cli.AuthCertificate
	case sec.CCache != "" || sec.Keytab != "" || target.User == "":
		return cli.AuthKerberos
	case realm || strings.Contains(target.User, "@"):
		return methodBest
	default:
		return cli.AuthNTLM
	}
}

// cachePath makes a cache's path absolute; what is no file is left for package kerberos to refuse by name.
func cachePath(s string) (string, error) {
	path, file := strings.CutPrefix(s, "FILE:")
	if s == "" || s == "default" || !file && strings.Contains(s, ":") {
		return s, nil
	}
	abs, err := filepath.Abs(path)
	return "FILE:" + abs, err
}

// openRegular opens a file that is one: a pipe in its place would be waited for, and what was judged must be what is read.
func openRegular(path string) (*os.File, os.FileInfo, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, nil, err
	} else if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// maxFlagged bounds a file that a flag names.
const maxFlagged = 1 << 20

// readFlagged reads a small file; a secret one must be its owner's alone (R04).
func readFlagged(path, flag string, secret bool) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, info, err := openRegular(path)
	if err == nil {
		defer func() { _ = f.Close() }()
	}
	switch {
	case err != nil:
	case secret && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, cli.Usage(&fault.Error{
			Op: "read " + flag, Err: fmt.Errorf("%s may be read by others (mode %04o)", path, info.Mode().Perm()), Hint: "Make it yours alone: chmod 600 " + path,
		})
	case info.Size() > maxFlagged:
		err = fmt.Errorf("%s is larger than %d bytes", path, maxFlagged)
	default:
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, maxFlagged)); err == nil {
			return data, nil
		}
	}
	return nil, cli.Usage(&fault.Error{Op: "read " + flag, Err: err, Hint: "Check the path given with " + flag + "."})
}
