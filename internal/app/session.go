package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/smbcheck"
)

// session is a cluster that is meant, and who signs in there. It touches no node before connect.
type session struct {
	target  cli.Target
	secrets secrets
	clock   engine.Clock
	// lab is set when the cluster is simulated; held keeps it alive.
	lab  *lab.Info
	held *lab.Hold

	// share is another account than the nodes' for the hotfix root's file server, or nil.
	share *smbcheck.NTLM

	// access is the one credential of this command.
	access *access

	// After connect:
	fleet     *winnode.Fleet
	view      engine.ClusterView
	contact   winnode.Contact
	addresses map[string]string
	// hosts are the nodes' DNS names where the addresses hold something else.
	hosts map[string]string
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
		sec, err := labSignIn(info, target.SignIn.Method)
		if err != nil {
			_ = held.Close()
			return nil, err
		}
		s := &session{target: target, lab: &info, held: held, clock: held, secrets: sec}
		if s.access, err = openAccess(sec); err != nil {
			_ = held.Close()
			return nil, err
		}
		return s, nil
	}
	if err := checkAddresses(target); err != nil {
		return nil, cli.Usage(err)
	}
	sec, err := signInOf(target)
	if err != nil {
		return nil, err
	}
	needsUser := sec.Method != cli.AuthCertificate && sec.Method != cli.AuthKerberos
	if target.User == "" && needsUser {
		return nil, cli.Usage(&fault.Error{Op: "sign in", Err: errors.New("no user is named"), Hint: `Name an administrator of the nodes with --user 'DOMAIN\name'.`})
	}
	if _, err := tlsConfig(sec); err != nil {
		return nil, cli.Usage(err)
	}
	if sec, err = withSecret(ctx, target, sec); err != nil {
		return nil, err
	}
	s := &session{target: target, clock: realClock{}, secrets: sec}
	// Now, so that a mistake in a cache or certificate is found before anything is sent.
	if s.access, err = openAccess(sec); err != nil {
		return nil, cli.Usage(withoutUser(target, sec, err, "an administrator of the nodes"))
	}
	return s, nil
}

// withSecret reads the user's password, or falls back to the default ticket cache where nobody is named.
func withSecret(ctx context.Context, target cli.Target, sec secrets) (secrets, error) {
	var err error
	if target.User != "" && sec.Keytab == "" {
		sec.Password, err = passwordSource{file: target.PasswordFile, fd: target.PasswordFD, credential: "cau-password", account: target.User, fileFlag: "--password-file"}.read(ctx)
	} else if target.User == "" && sec.Method == cli.AuthKerberos && sec.CCache == "" {
		sec.CCache = "default"
	}
	return sec, err
}

// withoutUser says of a default ticket cache that cannot be used that somebody could be named instead.
func withoutUser(target cli.Target, sec secrets, err error, whom string) error {
	if target.User != "" || sec.CCache != "default" {
		return err
	}
	return &fault.Error{
		Op: "sign in", Err: fmt.Errorf("no user is named, and there is no ticket to sign in with: %w", err),
		Hint: `Name ` + whom + ` with --user 'DOMAIN\name', or get a ticket first. ` + fault.Hint(err),
	}
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
	if m := target.SignIn.Method; !secure && (m == cli.AuthBasic || m == cli.AuthCertificate || target.SignIn.CertFile != "") {
		return &fault.Error{
			Op: "--auth", Err: fmt.Errorf("%s is reached over http, where only sealed logons are used", target.Cluster),
			Hint: "Name it as https://" + named.Host + ", or sign in with Kerberos or NTLM.",
		}
	}
	if target.SignIn.ChannelBinding == "off" && !secure {
		return &fault.Error{
			Op: "--channel-binding", Err: fmt.Errorf("%s is reached over http, where there is no TLS channel", target.Cluster),
			Hint: "Name it as https://" + named.Host + ", or leave the option out.",
		}
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
	s.access.close()
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
	address, host, why := s.first()
	s.access.inLab(s.lab)
	note(fmt.Sprintf("Connecting to %s as %s (%s).", address, s.who(), why))
	cfg := s.access.config(s.clock)
	cfg.Nodes = []winnode.NodeAddress{{Name: address, Address: address, Host: host}}
	found, err := winnode.Discover(ctx, cfg, address)
	if err != nil {
		return err
	}
	s.view, s.contact = found.Cluster, found.Contact
	s.addresses, err = s.nodeAddresses(found, address)
	if err != nil {
		return err
	}
	s.hosts = s.nodeHosts(found)
	s.fleet, err = s.access.fleet(s.ordered(), s.clock)
	return err
}

// first is the address of first contact, the node's own name where the address is none, and why it is this one.
func (s *session) first() (address, host, why string) {
	if s.lab == nil {
		return s.target.Cluster, s.typedHost(), "named by --cluster"
	}
	n := s.lab.Nodes[0]
	return labAddress(n, s.secrets.Method), n.FQDN, "lab " + s.lab.ID + ", simulated"
}

// typedHost is the DNS name of the node at --cluster, where that is an IP address and --node says whose.
func (s *session) typedHost() string {
	named, err := winnode.ParseAddress(s.target.Cluster)
	if err != nil || net.ParseIP(named.Host) == nil || s.access == nil || s.access.kerberos == nil {
		return ""
	}
	_, realm, _ := strings.Cut(s.access.kerberos.Principal(), "@")
	for name, address := range s.target.Nodes {
		if sameAddress(address, s.target.Cluster) {
			if !strings.Contains(name, ".") && realm != "" {
				name += "." + realm
			}
			return strings.ToLower(name)
		}
	}
	return ""
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
			over[strings.ToUpper(n.Name)] = labAddress(n, s.secrets.Method)
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

// nodeHosts are the DNS names of nodes that are reached by other names, for Kerberos: its services are named by them.
func (s *session) nodeHosts(found winnode.Discovery) map[string]string {
	out := map[string]string{}
	if s.lab != nil {
		for _, n := range s.lab.Nodes {
			out[n.Name] = n.FQDN
		}
		return out
	}
	_, domain, _ := strings.Cut(found.ClusterFqdn, ".")
	if s.access.kerberos == nil || domain == "" {
		return out
	}
	for name, address := range s.addresses {
		a, err := winnode.ParseAddress(address)
		short, _, _ := strings.Cut(name, ".")
		if err == nil && net.ParseIP(a.Host) != nil {
			out[name] = short + "." + domain
		}
	}
	return out
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
		list = append(list, winnode.NodeAddress{Name: m.Name, Address: s.addresses[m.Name], Host: s.hosts[m.Name]})
	}
	return list
}

// node is the fleet's node as the engine sees it.
func (s *session) node(name string) engine.Node { return s.fleet.Node(name) }

// who is as whom we sign in, for people.
func (s *session) who() string { return s.access.who(s.secrets) }

// reached says what is connected to and as whom.
func (s *session) reached() string {
	return fmt.Sprintf("%s (%s) as %s, %s", s.contact.Node.Computer, s.contact.Address, s.who(), s.contact.Negotiated)
}

func planAddresses(plan *engine.Plan) []winnode.NodeAddress {
	var list []winnode.NodeAddress
	for _, n := range plan.Nodes {
		list = append(list, winnode.NodeAddress{Name: n.Name, Address: n.Address, Host: n.Host})
	}
	slices.SortFunc(list, func(a, b winnode.NodeAddress) int { return strings.Compare(a.Name, b.Name) })
	return list
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
