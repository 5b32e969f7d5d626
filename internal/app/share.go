package app

import (
	"context"
	"errors"
	"net"
	"strings"

	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/kerberos"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/wsman"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// shareSecret says who reads the hotfix root, and at which port.
type shareSecret struct {
	// Nodes is true where the sign-in for the nodes reads the share too. Then no account stands here.
	Nodes    bool   `json:"nodes,omitempty"`
	User     string `json:"user,omitempty"`
	Domain   string `json:"domain,omitempty"`
	Password string `json:"password,omitempty"`
	Port     int    `json:"port,omitempty"`
	// Older allows dialects before 3.1.1.
	Older bool `json:"older,omitempty"`
}

// options are how a share is reached.
func (s *shareSecret) options() smbcheck.Options {
	return smbcheck.Options{Port: s.Port, AllowOlder: s.Older}
}

// overSMB signs in to file shares with the nodes' own secret and as the nodes are signed in to, or is nil where that is
// nothing for SMB: a client certificate.
func overSMB(sec secrets, client *kerberos.Client) smbcheck.Credentials {
	user, domain := splitUser(sec.User)
	ntlm := smbcheck.NTLM{User: user, Domain: domain, Password: sec.Password}
	switch {
	case sec.Method == methodBest:
		return smbcheck.KerberosOrNTLM{Kerberos: smbcheck.Kerberos{Client: client}, NTLM: ntlm}
	case sec.Method == cli.AuthKerberos:
		return smbcheck.Kerberos{Client: client}
	case sec.Password != "":
		return ntlm
	}
	return nil
}

// openShare signs in to a share with the nodes' own secret.
func (a *access) openShare(ctx context.Context, loc smbcheck.Location, opt smbcheck.Options) (*smbcheck.Connection, error) {
	var c *smbcheck.Connection
	err := a.prove(ctx, loc.Server, func(ctx context.Context, who smbcheck.Credentials) (err error) {
		c, err = smbcheck.Connect(ctx, loc, who, opt)
		return err
	})
	return c, err
}

// prove signs in to server over SMB with the nodes' own secret, so that one refusal is the last for WinRM and SMB (R02).
// A password goes by NTLM in the same turn as the logons over WinRM. A ticket needs no turn: kerberos.Client counts its
// logons at the domain controllers for both, and a file server that does not take a ticket says nothing about the secret.
func (a *access) prove(ctx context.Context, server string, connect func(context.Context, smbcheck.Credentials) error) error {
	if who, ok := a.share.(smbcheck.Kerberos); ok {
		return connect(ctx, who)
	}
	who, byTicket := a.share, false
	var outcome error
	err := a.credential.Prove(ctx, func(ctx context.Context) error {
		if either, ok := who.(smbcheck.KerberosOrNTLM); ok {
			if who, outcome = either.Choose(ctx, server); outcome != nil {
				return ticketVerdict(outcome)
			}
			if _, byTicket = who.(smbcheck.Kerberos); byTicket {
				return nil // a domain controller accepted the secret
			}
		}
		outcome = connect(ctx, who)
		return smbVerdict(outcome)
	})
	switch {
	case byTicket && err == nil:
		return connect(ctx, who)
	case outcome != nil:
		return outcome
	}
	return err
}

// ticketVerdict says what came of asking for a ticket in the words of the WinRM credential.
func ticketVerdict(err error) error {
	var k *kerberos.Error
	switch {
	case !errors.As(err, &k) || !k.Final():
		return &wsman.ConnError{Op: "get a ticket", Stage: wsman.NotSent, Err: err}
	case k.Kind == kerberos.NoAnswer:
		return &wsman.AuthError{Reason: wsman.Unanswered, Err: err}
	}
	return &wsman.AuthError{Reason: wsman.Rejected, Err: err}
}

// smbVerdict says what came of an NTLM logon in the words of the WinRM credential. Once the server has said that a share
// or its content is refused, the logon itself was accepted.
func smbVerdict(err error) error {
	switch {
	case err == nil, errors.Is(err, smbcheck.ErrAccess), errors.Is(err, smbcheck.ErrShare), errors.Is(err, smbcheck.ErrDFS):
		return nil
	case errors.Is(err, smbcheck.ErrLogon), errors.Is(err, smbcheck.ErrAccount):
		return &wsman.AuthError{Reason: wsman.Rejected, Err: err}
	case errors.Is(err, smbcheck.ErrUnreachable), errors.Is(err, smbcheck.ErrNotSMB), errors.Is(err, smbcheck.ErrDialect), errors.Is(err, smbcheck.ErrCipher):
		return &wsman.ConnError{Op: "connect", Stage: wsman.NotSent, Err: err}
	}
	return err
}

// opener opens hotfix roots with the nodes' own secret, as opt says, or where a lab says that its shares are.
func (a *access) opener(opt smbcheck.Options, in *lab.Info) hotfix.Opener {
	return func(ctx context.Context, location smbcheck.Location) (hotfix.Root, error) {
		c, err := a.openShare(ctx, location, labOptions(opt, in, location))
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// openRoot opens hotfix roots as another account than the nodes', as opt says, or where a lab says that its shares are.
func openRoot(who smbcheck.NTLM, opt smbcheck.Options, in *lab.Info) hotfix.Opener {
	return func(ctx context.Context, location smbcheck.Location) (hotfix.Root, error) {
		c, err := smbcheck.Connect(ctx, location, who, labOptions(opt, in, location))
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// opener opens hotfix roots as whoever reads them.
func (s *session) opener() hotfix.Opener {
	if s.share != nil {
		return openRoot(*s.share, s.shareOptions(), s.lab)
	}
	return s.access.opener(s.shareOptions(), s.lab)
}

// asker asks a root's file server what it speaks.
func (s *session) asker() hotfix.Asker {
	return func(ctx context.Context, at smbcheck.Location) (smbcheck.ServerFacts, error) {
		return smbcheck.Probe(ctx, at, labOptions(s.shareOptions(), s.lab, at))
	}
}

func (s *session) shareOptions() smbcheck.Options {
	return smbcheck.Options{Port: s.target.SMBPort, AllowOlder: s.target.OlderSMB}
}

// labOptions are opt, with the place where a lab says that a share is.
func labOptions(opt smbcheck.Options, in *lab.Info, at smbcheck.Location) smbcheck.Options {
	opt.Addr = shareAddress(in, opt.Port, at)
	return opt
}

// shareAccount is another account than the nodes' for the hotfix root's file server: --smb-user, or the lab's, which is
// made up (with --user: that one). Nil means that the sign-in for the nodes serves there too, as a lab's ticket does.
func (s *session) shareAccount(ctx context.Context) (*smbcheck.NTLM, error) {
	user, file, fd, flag := s.target.SMBUser, s.target.SMBPasswordFile, -1, "--smb-password-file"
	if user == "" && s.lab != nil && s.target.User != "" {
		user, file, fd, flag = s.target.User, s.target.PasswordFile, s.target.PasswordFD, "--password-file"
	}
	if user == "" && s.lab != nil && s.secrets.Method != cli.AuthKerberos { // also where the nodes take what no share takes
		name, domain := splitUser(s.lab.User)
		return &smbcheck.NTLM{User: name, Domain: domain, Password: s.lab.Password}, nil
	}
	if user == "" {
		return nil, nil
	}
	password, err := passwordSource{file: file, fd: fd, credential: "cau-smb-password", account: user, fileFlag: flag}.read(ctx)
	if err != nil {
		return nil, err
	}
	name, domain := splitUser(user)
	return &smbcheck.NTLM{User: name, Domain: domain, Password: password}, nil
}

// shareKnown refuses to start what reads a share when nobody is named who reads it: a client certificate for the nodes
// is none for a file server.
func (s *session) shareKnown() error {
	if s.share != nil || s.access.share != nil {
		return nil
	}
	return cli.Usage(&fault.Error{
		Op: "read the hotfix root", Err: errors.New("no account for the file server is named, and a client certificate does not sign in there"),
		Hint: `Name one with --smb-user 'DOMAIN\name'; it is asked for its password, or give --smb-password-file.`,
	})
}

// handOver is what the coordinator needs to read the hotfix root, without a second copy of the nodes' secret.
func (s *session) handOver() *shareSecret {
	if s.share == nil {
		return &shareSecret{Nodes: true, Port: s.target.SMBPort, Older: s.target.OlderSMB}
	}
	return &shareSecret{User: s.share.User, Domain: s.share.Domain, Password: s.share.Password, Port: s.target.SMBPort, Older: s.target.OlderSMB}
}

// takeOver is the other end of handOver; nil, where the coordinator reads no share, gives nil.
func (a *access) takeOver(share *shareSecret, in *lab.Info) hotfix.Opener {
	switch {
	case share == nil:
		return nil
	case share.Nodes:
		return a.opener(share.options(), in)
	}
	return openRoot(smbcheck.NTLM{User: share.User, Domain: share.Domain, Password: share.Password}, share.options(), in)
}

// shareAddress is where the lab says a share really is; a port and a real cluster go by the server's name.
func shareAddress(in *lab.Info, port int, location smbcheck.Location) string {
	if in == nil || port != 0 {
		return ""
	}
	for _, share := range in.Shares {
		if strings.EqualFold(share.UNC, `\\`+location.Server+`\`+location.Share) {
			return share.Address
		}
	}
	return ""
}

// reach notes where the ADMIN$ shares are of nodes whose DNS name is known but whose address was given: the name is for
// the ticket, and need not lead anywhere from here.
func (a *access) reach(nodes []winnode.NodeAddress) {
	for _, n := range nodes {
		at, err := winnode.ParseAddress(n.Address)
		name := shortName(n.Host)
		if err != nil || n.Host == "" || a.smb[name] != "" || strings.EqualFold(at.Host, n.Host) {
			continue
		}
		if a.smb == nil {
			a.smb = map[string]string{}
		}
		a.smb[name] = net.JoinHostPort(at.Host, "445")
	}
}

// shortName is a node's name without its domain, as access.smb has it.
func shortName(host string) string {
	name, _, _ := strings.Cut(host, ".")
	return strings.ToUpper(name)
}
