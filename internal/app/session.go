package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/wsman"
	"cau/plugins/hotfix"
	"cau/smbcheck"
)

// session is a cluster that is meant, and who signs in there. It touches no node before connect.
type session struct {
	target  cli.Target
	secrets secrets
	clock   engine.Clock
	// lab is set when the cluster is simulated; held keeps it alive.
	lab  *lab.Info
	held io.Closer

	// share signs in to the hotfix root's file server.
	share smbcheck.NTLM

	// After connect:
	fleet     *winnode.Fleet
	view      engine.ClusterView
	contact   winnode.Contact
	addresses map[string]string
}

// signIn finds out which cluster is meant and reads the password, once for a command. Nothing is sent to anyone yet.
func (p *program) signIn(ctx context.Context, target cli.Target) (*session, error) {
	if p.used != nil {
		return p.used, nil
	}
	s, err := p.newSession(ctx, target)
	if err != nil {
		return nil, err
	}
	// Now, not when the share is first read: by then a screen may be drawn, and nobody could be asked.
	if s.share, err = s.shareAccount(ctx); err != nil {
		s.close()
		return nil, err
	}
	p.used = s
	return s, nil
}

func (p *program) newSession(ctx context.Context, target cli.Target) (*session, error) {
	if target.Lab {
		info, held, err := p.useLab(ctx, target)
		if err != nil {
			return nil, err
		}
		return &session{target: target, lab: &info, held: held, clock: labClock{info}, secrets: secrets{User: info.User, Password: info.Password}}, nil
	}
	if target.User == "" {
		return nil, cli.Usage(&fault.Error{Op: "sign in", Err: errors.New("no user is named"), Hint: `Name an administrator of the nodes with --user 'DOMAIN\name'.`})
	}
	if err := checkAddresses(target); err != nil {
		return nil, cli.Usage(err)
	}
	s := &session{target: target, clock: realClock{}, secrets: secrets{User: target.User, Pin: target.Pin}}
	if target.CAFile != "" {
		ca, err := os.ReadFile(target.CAFile)
		if err != nil {
			return nil, cli.Usage(&fault.Error{Op: "read the CA of the nodes", Err: err, Hint: "Check the path given with --ca-file."})
		}
		s.secrets.CA = ca
	}
	if _, err := tlsConfig(s.secrets); err != nil {
		return nil, cli.Usage(err)
	}
	var err error
	s.secrets.Password, err = passwordSource{file: target.PasswordFile, fd: target.PasswordFD, credential: "cau-password", account: target.User, fileFlag: "--password-file"}.read(ctx)
	return s, err
}

// checkAddresses finds mistakes in addresses, and options that would mean nothing with them, before anything is sent.
func checkAddresses(target cli.Target) error {
	named, err := winnode.ParseAddress(target.Cluster)
	if err != nil {
		return err
	}
	secure := named.TLS
	for name, address := range target.Nodes {
		a, err := winnode.ParseAddress(address)
		if err != nil {
			return &fault.Error{Op: "--node " + name, Err: err}
		}
		secure = secure || a.TLS
	}
	if (target.Pin != "" || target.CAFile != "") && !secure {
		return &fault.Error{
			Op: "--pin, --ca-file", Err: fmt.Errorf("%s is reached over http, where there is no key to check", target.Cluster),
			Hint: "Name it as https://" + named.Host + ", or leave the option out.",
		}
	}
	return nil
}

// disconnect ends the shells on the nodes; connect makes new ones.
func (s *session) disconnect() {
	if s.fleet != nil {
		s.fleet.Close()
		s.fleet = nil
	}
}

func (s *session) close() {
	s.disconnect()
	if s.held != nil {
		_ = s.held.Close()
	}
}

// connect discovers the cluster through one node. What is connected to, by which name and why, is said before a
// credential is sent (R01).
func (s *session) connect(ctx context.Context, note func(string)) error {
	if s.fleet != nil {
		return nil
	}
	address, why := s.target.Cluster, "named by --cluster"
	if s.lab != nil {
		address, why = s.lab.Nodes[0].Address, "lab "+s.lab.ID+", simulated"
	}
	note(fmt.Sprintf("Connecting to %s as %s (%s).", address, s.secrets.User, why))
	cfg, err := fleetConfig(s.secrets, s.clock)
	if err != nil {
		return err
	}
	found, err := winnode.Discover(ctx, cfg, address)
	if err != nil {
		return err
	}
	s.view, s.contact = found.Cluster, found.Contact
	s.addresses, err = s.nodeAddresses(found, address)
	if err != nil {
		return err
	}
	s.fleet, err = newFleet(s.ordered(), s.secrets, s.clock)
	return err
}

// nodeAddresses says where each node listens: what --node or the lab says, else the node's name with the scheme
// and port of the address that was named.
func (s *session) nodeAddresses(found winnode.Discovery, named string) (map[string]string, error) {
	over := map[string]string{}
	for name, address := range s.target.Nodes {
		if _, err := winnode.ParseAddress(address); err != nil {
			return nil, cli.Usage(err)
		}
		over[strings.ToUpper(name)] = address
	}
	if s.lab != nil {
		for _, n := range s.lab.Nodes {
			over[strings.ToUpper(n.Name)] = n.Address
		}
	}
	like, err := winnode.ParseAddress(named)
	if err != nil {
		return nil, cli.Usage(err)
	}
	_, domain, _ := strings.Cut(found.ClusterFqdn, ".")
	out := map[string]string{}
	for _, m := range found.Cluster.Nodes {
		key := strings.ToUpper(m.Name)
		switch {
		case over[key] != "":
			out[m.Name] = over[key]
		case strings.EqualFold(m.Name, found.Node.Computer):
			out[m.Name] = named
		default:
			host := m.Name
			if domain != "" && !strings.Contains(host, ".") {
				host += "." + domain
			}
			out[m.Name] = winnode.Address{Host: host, Port: like.Port, TLS: like.TLS}.String()
		}
		delete(over, key)
	}
	for name := range s.target.Nodes {
		if _, unused := over[strings.ToUpper(name)]; unused && s.lab == nil {
			return nil, cli.Usage(&fault.Error{Op: "--node", Err: fmt.Errorf("%s is not a node of %s", name, found.Cluster.Name), Hint: nodesHint(found.Cluster)})
		}
	}
	return out, nil
}

func nodesHint(v engine.ClusterView) string {
	names := make([]string, 0, len(v.Nodes))
	for _, m := range v.Nodes {
		names = append(names, m.Name)
	}
	return "Its nodes are " + strings.Join(names, ", ") + "."
}

func (s *session) ordered() []winnode.NodeAddress {
	var list []winnode.NodeAddress
	for _, m := range s.view.Nodes {
		list = append(list, winnode.NodeAddress{Name: m.Name, Address: s.addresses[m.Name]})
	}
	return list
}

// node is the fleet's node as the engine sees it.
func (s *session) node(name string) engine.Node { return s.fleet.Node(name) }

// reached says what is connected to and as whom.
func (s *session) reached() string {
	return fmt.Sprintf("%s (%s) as %s, %s", s.contact.Node.Computer, s.contact.Address, s.secrets.User, s.contact.Negotiated)
}

func planAddresses(plan *engine.Plan) []winnode.NodeAddress {
	var list []winnode.NodeAddress
	for _, n := range plan.Nodes {
		list = append(list, winnode.NodeAddress{Name: n.Name, Address: n.Address})
	}
	slices.SortFunc(list, func(a, b winnode.NodeAddress) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func newFleet(nodes []winnode.NodeAddress, sec secrets, clock engine.Clock) (*winnode.Fleet, error) {
	cfg, err := fleetConfig(sec, clock)
	if err != nil {
		return nil, err
	}
	cfg.Nodes = nodes
	return winnode.New(cfg)
}

func fleetConfig(sec secrets, clock engine.Clock) (winnode.Config, error) {
	verify, err := tlsConfig(sec)
	if err != nil {
		return winnode.Config{}, err
	}
	user, domain := splitUser(sec.User)
	return winnode.Config{Clock: clock, Dialer: &winnode.WinRM{Credential: wsman.NTLM(user, domain, sec.Password), TLS: verify}}, nil
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

// opener opens hotfix roots with the account for the share: --smb-user, else --user (with --lab: what the lab has).
func (s *session) opener() hotfix.Opener {
	return func(ctx context.Context, location smbcheck.Location) (hotfix.Root, error) {
		return smbcheck.Connect(ctx, location, s.share, smbcheck.Options{Port: s.target.SMBPort, Addr: s.shareAddress(location)})
	}
}

func (s *session) shareAccount(ctx context.Context) (smbcheck.NTLM, error) {
	user, file, fd, flag := s.target.SMBUser, s.target.SMBPasswordFile, -1, "--smb-password-file"
	if user == "" && s.lab != nil && s.target.User != "" {
		user, file, fd, flag = s.target.User, s.target.PasswordFile, s.target.PasswordFD, "--password-file"
	}
	if user == "" {
		name, domain := splitUser(s.secrets.User)
		return smbcheck.NTLM{User: name, Domain: domain, Password: s.secrets.Password}, nil
	}
	password, err := passwordSource{file: file, fd: fd, credential: "cau-smb-password", account: user, fileFlag: flag}.read(ctx)
	if err != nil {
		return smbcheck.NTLM{}, err
	}
	name, domain := splitUser(user)
	return smbcheck.NTLM{User: name, Domain: domain, Password: password}, nil
}

// shareAddress is where the lab says a share really is; --smb-port and a real cluster go by the server's name.
func (s *session) shareAddress(location smbcheck.Location) string {
	if s.lab == nil || s.target.SMBPort != 0 {
		return ""
	}
	for _, share := range s.lab.Shares {
		if strings.EqualFold(share.UNC, `\\`+location.Server+`\`+location.Share) {
			return share.Address
		}
	}
	return ""
}

// localNames are this host's name and addresses, for finding out whether it is a node (R11).
func localNames() (host string, addresses []string) {
	host, _ = os.Hostname()
	list, err := net.InterfaceAddrs()
	if err != nil {
		return host, nil
	}
	for _, a := range list {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLoopback() {
			addresses = append(addresses, ip.IP.String())
		}
	}
	return host, addresses
}
