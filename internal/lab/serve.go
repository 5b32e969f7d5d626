package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/model"
	"cau/internal/lab/nodeshare"
	"cau/internal/lab/ntlm"
	"cau/internal/lab/wsmanserver"
)

// running is a lab at work.
type running struct {
	config    Config
	settings  settings
	info      Info
	accounts  ntlm.Book
	authority *authority
	realm     realm
	// computers are the passwords of the nodes' computer accounts.
	computers map[string]string
	world     *model.World
	pace      *pace
	machines  map[string]*machine
	mapped    map[string]nodeshare.Target
	pushSpace pushSpace
	files     *fileserver.Server
	filesAt   net.Listener
	control   *control
	working   sync.WaitGroup
}

// Serve runs a lab until ctx ends, somebody asks it to end, or nobody is attached any more. It returns nil
// for all of these.
func Serve(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &running{config: c, computers: map[string]string{}, machines: map[string]*machine{}, mapped: map[string]nodeshare.Target{}}
	defer r.close(cancel)
	if err := r.open(ctx); err != nil {
		return err
	}
	r.working.Go(func() { r.world.Run(ctx) })
	r.working.Go(func() { r.pace.run(ctx) })
	if err := r.info.write(); err != nil {
		return err
	}
	r.control.wait(ctx, c.Linger)
	r.info.Ended = time.Now()
	return r.info.write()
}

// open brings everything up in the order in which it needs each other.
func (r *running) open(ctx context.Context) error {
	if err := os.MkdirAll(r.config.Dir, 0o700); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	if old, err := Load(r.config.Dir); err == nil && old.Alive {
		return fmt.Errorf("lab: %s already serves lab %s (process %d)", r.config.Dir, old.ID, old.PID)
	}
	scenario, err := model.FindScenario(r.config.Scenario)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	for _, s := range r.config.Shares {
		if r.mapped[strings.ToUpper(s.UNC)], err = s.target(); err != nil {
			return fmt.Errorf("lab: %w", err)
		}
	}
	dir, err := filepath.Abs(r.config.Dir)
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	r.pace = newPace(time.Now(), r.config.Speed)
	r.info = Info{
		ID: r.config.ID, Dir: dir, PID: os.Getpid(), Program: r.config.Program, Started: r.pace.started, Cluster: model.ClusterName,
		Domain: model.Domain, Speed: r.config.Speed, Scenario: scenario.Name, Root: SampleRoot, Simulated: true,
	}
	r.world, err = model.New(model.Config{
		Nodes: r.config.Nodes, Scenario: scenario, Clock: r.pace, Shares: nodeshare.Reader{Find: r.find},
		Power: func(node string, up bool) { r.machines[node].power(ctx, &r.working, up) },
	})
	if err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	r.pushSpace.dir = filepath.Join(dir, "pushed")
	if err := r.pushSpace.clear(); err != nil {
		return err
	}
	r.settings = settle(r.config, scenario, r.world.Nodes())
	if r.authority, err = newAuthority(); err != nil {
		return err
	}
	if err := r.openRealm(); err != nil {
		return err
	}
	r.openAccounts()
	if err := r.openFiles(ctx, scenario.FileServer); err != nil {
		return err
	}
	if err := r.openNodes(); err != nil {
		return err
	}
	if err := errors.Join(r.writeRealm(), r.writeCertificates()); err != nil {
		return err
	}
	r.control, err = listen(dir, r)
	if err != nil {
		return err
	}
	r.info.Socket = r.control.path
	return nil
}

// settings are what the nodes and the domain controller are started with.
type settings struct {
	faults, faultsAfterRestart map[string][]wsmanserver.Fault
	quotas                     wsmanserver.Quotas
	ticketLifetime             time.Duration
	lockAfter                  int
	adminLocked                bool
}

// settle is the one place where what a scenario says about WinRM and accounts becomes settings: Config's own
// values win over the scenario's. A scenario may name nodes that a smaller lab does not have; Config may not.
func settle(c Config, scenario model.Scenario, nodes []*model.Node) settings {
	s := settings{
		faults: c.Faults, faultsAfterRestart: c.FaultsAfterRestart, quotas: c.Quotas,
		ticketLifetime: c.TicketLifetime, lockAfter: c.LockAfter, adminLocked: c.AdminLocked || scenario.LockedAccount,
	}
	if s.ticketLifetime == 0 {
		s.ticketLifetime = time.Duration(scenario.TicketSeconds) * time.Second
	}
	if s.faults != nil || s.faultsAfterRestart != nil {
		return s
	}
	s.faults, s.faultsAfterRestart = map[string][]wsmanserver.Fault{}, map[string][]wsmanserver.Fault{}
	for _, f := range scenario.WinRM {
		for _, n := range nodes {
			if f.Node != "" && !strings.EqualFold(f.Node, n.Name()) {
				continue
			}
			into := s.faults
			if f.Trigger == "after-restart" {
				into = s.faultsAfterRestart
			}
			into[n.Name()] = append(into[n.Name()], wsmanserver.Fault{On: f.On, Skip: f.Skip, Times: f.Times, Kind: f.Kind, Late: f.Late})
		}
	}
	return s
}

// check refuses faults that could never strike.
func (s settings) check(nodes []*model.Node) error {
	for _, all := range []map[string][]wsmanserver.Fault{s.faults, s.faultsAfterRestart} {
		for name, list := range all {
			if !slices.ContainsFunc(nodes, func(n *model.Node) bool { return n.Name() == name }) {
				return fmt.Errorf("lab: faults for %s, which is no node", name)
			}
			for _, f := range list {
				if err := f.Check(); err != nil {
					return fmt.Errorf("lab: %s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// openNodes brings the nodes' WinRM services up.
func (r *running) openNodes() error {
	if err := errors.Join(r.settings.check(r.world.Nodes()), r.checkAdminShares()); err != nil {
		return err
	}
	for _, n := range r.world.Nodes() {
		m, err := r.newMachine(n)
		if err != nil {
			return err
		}
		r.machines[n.Name()] = m
		r.info.Nodes = append(r.info.Nodes, Node{Name: n.Name(), FQDN: fqdn(n.Name()), Address: m.http, HTTPS: m.https, SMB: m.admin.address})
	}
	return nil
}

// openFiles starts the file server with the sample root, which the nodes' computer accounts and the
// administrator may read. What is special about it is nil or a scenario's.
func (r *running) openFiles(ctx context.Context, special *model.FileServer) error {
	for _, n := range r.world.Nodes() {
		name := n.Name() + "$"
		r.computers[n.Name()] = rand.Text()
		r.accounts.Add(ntlm.Account{Domain: model.Domain, User: name, Password: r.computers[n.Name()]})
	}
	sample, err := sampleShare()
	if err != nil {
		return fmt.Errorf("lab: sample root: %w", err)
	}
	joined, err := r.realm.join(fileServerName)
	if err != nil {
		return err
	}
	share := fileserver.Share{Name: shareName, FS: sample, MayRead: r.mayRead}
	config := fileserver.Config{
		Kerberos: joined.smb,
		Name:     fileServerName, Domain: model.Domain, DNSDomain: model.DNSDomain,
		DNSName: strings.ToLower(fileServerName) + "." + model.DNSDomain, Accounts: &r.accounts,
		// Every node reads and somebody checks the root, at one time.
		MaxConnections: 4 * model.MaxNodes,
	}
	if special != nil {
		if share.Security, share.Below, err = special.Descriptors(); err != nil {
			return fmt.Errorf("lab: file server: %w", err)
		}
		share.Encrypt, config.Newest = special.Encrypt, special.Newest()
		if special.NoReadControl {
			share.MayReadPermissions = func(user string) bool { return !isAdministrator(user) }
		}
		if special.WithholdPermissions {
			share.Withholds = isAdministrator
		}
	}
	config.Shares = []fileserver.Share{share}
	if r.files, err = fileserver.New(config); err != nil {
		return fmt.Errorf("lab: file server: %w", err)
	}
	r.filesAt, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("lab: file server: %w", err)
	}
	r.working.Go(func() { _ = r.files.Serve(ctx, r.filesAt) })
	r.info.Shares = append(r.info.Shares, Served{UNC: shareUNC, Address: r.filesAt.Addr().String()})
	for _, s := range r.config.Shares {
		r.info.Shares = append(r.info.Shares, Served{UNC: s.UNC, Address: s.Address})
	}
	return nil
}

func (r *running) mayRead(user string) bool {
	domain, name, _ := strings.Cut(user, `\`)
	if !strings.EqualFold(domain, model.Domain) {
		return false
	}
	node, computer := strings.CutSuffix(strings.ToUpper(name), "$")
	_, known := r.computers[node]
	return computer && known || isAdministrator(user)
}

// isAdministrator knows the domain's administrator, who signs in to everything.
func isAdministrator(user string) bool { return strings.EqualFold(user, model.Domain+`\`+adminUser) }

// find is the nodes' name resolution: mapped shares first, then the lab's own server with the node's
// computer account.
func (r *running) find(node, server, share string) (nodeshare.Target, bool) {
	if t, ok := r.mapped[strings.ToUpper(`\\`+server+`\`+share)]; ok {
		return t, true
	}
	if !strings.EqualFold(server, fileServerName) && !strings.EqualFold(server, fileServerName+"."+model.DNSDomain) {
		return nodeshare.Target{}, false
	}
	return nodeshare.Target{
		Address: r.filesAt.Addr().String(), Domain: model.Domain, User: node + "$", Password: r.computers[node],
	}, true
}

// close ends everything that open began, and waits for it.
func (r *running) close(cancel context.CancelFunc) {
	cancel()
	if r.control != nil {
		r.control.close()
	}
	if r.world != nil {
		r.world.Close()
	}
	r.working.Wait()
	for _, m := range r.machines {
		m.server.Close()
		m.admin.close()
	}
	_ = r.pushSpace.clear() // the next lab in this folder tries again
	if r.realm.kdc != nil {
		r.realm.kdc.Close()
	}
}

// report is what Inspect answers.
func (r *running) report() Report {
	out := Report{State: r.world.State(), WinRM: map[string]Heard{}, FailedLogons: r.accounts.FailedLogons(model.Domain, adminUser)}
	out.FailedLogons += r.realm.kdc.Stats().FailedLogons[adminUser]
	for name, m := range r.machines {
		out.WinRM[name] = m.server.Stats()
	}
	return out
}

// inject gives a node's WinRM service other faults.
func (r *running) inject(node string, faults []wsmanserver.Fault) error {
	m, ok := r.machines[node]
	if !ok {
		return fmt.Errorf("%q is no node", node)
	}
	return m.server.Inject(faults)
}

var errNoAnswer = errors.New("the lab's answer makes no sense")
