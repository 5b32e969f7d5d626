package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cau/internal/lab/console"
	"cau/internal/lab/model"
	"cau/internal/lab/wsmanserver"
)

// machine is one node on the network.
type machine struct {
	name string
	// http and https are where it listens, also after a restart.
	http, https string
	server      *wsmanserver.Server
	admin       *adminShare

	mu sync.Mutex
	on bool
	// later are the faults of the time after the first restart, until that has come.
	later []wsmanserver.Fault
}

// Ports are below those that systems hand out by themselves, so that nobody gets a node's port while the
// node restarts.
const (
	firstPort = 15000
	lastPort  = 32000
)

// newMachine makes a node's WinRM service and finds it two ports.
func (r *running) newMachine(n *model.Node) (*machine, error) {
	certificate, err := r.authority.node(n.Name())
	if err != nil {
		return nil, err
	}
	joined, err := r.realm.join(n.Name())
	if err != nil {
		return nil, err
	}
	m := &machine{name: n.Name(), on: true, later: r.settings.faultsAfterRestart[n.Name()], server: wsmanserver.New(wsmanserver.Config{
		Computer: n.Name(), Domain: model.Domain, DNSDomain: model.DNSDomain, Accounts: &r.accounts, Runner: console.Console{Machine: n},
		Kerberos: joined.winRM, CertificateUser: certificateUser, MayUse: mayUseWinRM, Quotas: r.settings.quotas,
		Listeners: []wsmanserver.Listener{
			{},
			{
				Certificate: certificate, ClientCAs: r.authority.pool,
				Schemes: []wsmanserver.Scheme{wsmanserver.Negotiate, wsmanserver.Kerberos, wsmanserver.Basic, wsmanserver.Certificate},
			},
		},
	})}
	if err := m.server.Inject(r.settings.faults[n.Name()]); err != nil {
		return nil, fmt.Errorf("lab: %s: %w", m.name, err)
	}
	if m.admin, err = r.newAdminShare(n, joined); err != nil {
		return nil, err
	}
	for range 50 {
		var ports [2]string
		for i := range ports {
			if ports[i], err = somePort(); err != nil {
				m.admin.close()
				return nil, fmt.Errorf("lab: %s: %w", m.name, err)
			}
		}
		if err = m.server.Start(ports[:]...); err == nil {
			m.http, m.https = ports[0], ports[1]
			return m, nil
		}
	}
	m.admin.close()
	return nil, fmt.Errorf("lab: %s: %w", m.name, err)
}

// power brings the node's network up or down. It must not wait.
func (m *machine) power(ctx context.Context, working *sync.WaitGroup, up bool) {
	m.mu.Lock()
	m.on = up
	m.mu.Unlock()
	if !up {
		m.server.Stop()
		m.admin.stop()
		return
	}
	if m.start() == nil {
		return
	}
	working.Go(func() {
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				if err := m.start(); err == nil || errors.Is(err, errOff) {
					return
				}
			}
		}
	})
}

var errOff = errors.New("the machine is off")

func (m *machine) start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.on {
		return errOff
	}
	if len(m.later) > 0 {
		if err := m.server.Inject(m.later); err != nil {
			return err
		}
		m.later = nil
	}
	if err := m.admin.start(); err != nil {
		return err
	}
	return m.server.Start(m.http, m.https)
}
