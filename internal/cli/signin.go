package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"cau/internal/fault"
	"cau/internal/message"
)

// The ways to sign in on nodes, as --auth takes them.
const (
	// AuthAuto is Kerberos where there is a ticket, a keytab or a realm, else NTLM; never anything weaker (R03).
	AuthAuto        = "auto"
	AuthKerberos    = "kerberos"
	AuthNTLM        = "ntlm"
	AuthCertificate = "certificate"
	// AuthBasic sends the password to whoever holds the listener's certificate; only by this name, only over https.
	AuthBasic = "basic"
)

// SignIn says how the administrator signs in on the nodes.
type SignIn struct {
	// Method is one of the Auth constants; empty means AuthAuto.
	Method string
	// CCache is a ticket cache, "FILE:/path" or a path; Keytab a file with the account's keys.
	CCache, Keytab string
	// Realm, KDCs (host:port) and KRB5Config say where Kerberos is; empty means what the host is set up for.
	Realm      string
	KDCs       []string
	KRB5Config string
	// SPN is the service's name for tickets, a template with {host}; empty means WSMAN/{host}, then HTTP/{host}.
	SPN string
	// CertFile and KeyFile hold a client certificate, PEM.
	CertFile, KeyFile string
	// ChannelBinding is "on" or "off"; empty means on. Off leaves the TLS channel out of the logon, for a proxy
	// that ends TLS before the nodes.
	ChannelBinding string
}

// kerberosOnly are the flags that mean something with Kerberos alone.
func (s SignIn) kerberosOnly() bool {
	return s.CCache != "" || s.Keytab != "" || s.Realm != "" || s.KRB5Config != "" || s.SPN != "" || len(s.KDCs) > 0
}

// signInFlags adds the flags that say who signs in on the nodes and how, and how the nodes prove who they are.
func (p *program) signInFlags(cmd *cobra.Command, t *Target) {
	f := cmd.Flags()
	t.PasswordFD = -1
	f.StringVar(&t.User, "user", "", p.texts.T(message.CLIFlagUser))
	f.StringVar(&t.PasswordFile, "password-file", "", p.texts.T(message.CLIFlagPasswordFile))
	f.IntVar(&t.PasswordFD, "password-fd", -1, p.texts.T(message.CLIFlagPasswordFD))
	f.Lookup("password-fd").DefValue = "" // -1 means none; it is nothing to show
	f.StringVar(&t.CAFile, "ca-file", "", p.texts.T(message.CLIFlagCAFile))
	f.StringVar(&t.Pin, "pin", "", p.texts.T(message.CLIFlagPin))
	s := &t.SignIn
	f.StringVar(&s.Method, "auth", AuthAuto, p.texts.T(message.CLIFlagAuth))
	p.kerberosFlags(cmd, s, p.texts.T(message.CLIFlagSPN))
	f.StringVar(&s.CertFile, "cert-file", "", p.texts.T(message.CLIFlagCertFile))
	f.StringVar(&s.KeyFile, "key-file", "", p.texts.T(message.CLIFlagKeyFile))
	f.StringVar(&s.ChannelBinding, "channel-binding", "on", p.texts.T(message.CLIFlagChannelBinding))
}

// kerberosFlags adds the flags that say where tickets come from and for which service, which spn explains.
func (p *program) kerberosFlags(cmd *cobra.Command, s *SignIn, spn string) {
	f := cmd.Flags()
	f.StringVar(&s.CCache, "ccache", "", p.texts.T(message.CLIFlagCCache))
	f.StringVar(&s.Keytab, "keytab", "", p.texts.T(message.CLIFlagKeytab))
	f.StringVar(&s.Realm, "realm", "", p.texts.T(message.CLIFlagRealm))
	f.StringArrayVar(&s.KDCs, "kdc", nil, p.texts.T(message.CLIFlagKDC))
	f.StringVar(&s.KRB5Config, "krb5-config", "", p.texts.T(message.CLIFlagKRB5Config))
	f.StringVar(&s.SPN, "spn", "", spn)
}

// checkSignIn refuses ways to sign in that contradict each other, and flags that would mean nothing; a lab signs in by itself.
func (p *program) checkSignIn(t Target, lab bool) error {
	s := t.SignIn
	methods := []string{AuthAuto, AuthKerberos, AuthNTLM, AuthCertificate, AuthBasic}
	if s.Method != "" && !slices.Contains(methods, s.Method) {
		return Usage(&fault.Error{Op: "--auth", Err: fmt.Errorf("%s %q", p.texts.T(message.CLIUnknownAuth), s.Method), Hint: strings.Join(methods, ", ")})
	}
	if lab && (s.kerberosOnly() || s.CertFile != "" || s.KeyFile != "" || s.ChannelBinding == "off") {
		return Usage(&fault.Error{Op: p.texts.T(message.CLIOpTarget), Err: errors.New(p.texts.T(message.CLILabIsItself)), Hint: p.texts.T(message.CLILabIsItselfHint)})
	}
	if s.ChannelBinding != "" && s.ChannelBinding != "on" && s.ChannelBinding != "off" {
		return Usage(fmt.Errorf("--channel-binding: %q is neither on nor off", s.ChannelBinding))
	}
	password := t.PasswordFile != "" || t.PasswordFD >= 0
	auto := s.Method == "" || s.Method == AuthAuto
	for _, c := range []struct {
		useless bool
		why     message.Key
	}{
		{s.kerberosOnly() && !auto && s.Method != AuthKerberos, message.CLIKerberosFlags},
		{(s.CertFile == "") != (s.KeyFile == ""), message.CLICertNeedsKey},
		{s.CertFile != "" && !auto && s.Method != AuthCertificate, message.CLICertFlags},
		{!lab && s.Method == AuthCertificate && s.CertFile == "", message.CLICertMissing},
		{s.CertFile != "" && (t.User != "" || password || s.kerberosOnly()), message.CLICertIsAll},
		{s.CCache != "" && (s.Keytab != "" || password), message.CLIOneSecret},
		{s.Keytab != "" && password, message.CLIOneSecret},
		{s.CCache != "" && t.User != "", message.CLICacheNamesUser},
		{s.Keytab != "" && t.User == "", message.CLIKeytabNeedsUser},
	} {
		if c.useless {
			return Usage(errors.New(p.texts.T(c.why)))
		}
	}
	return nil
}
