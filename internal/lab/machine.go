package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"cau/internal/lab/console"
	"cau/internal/lab/model"
	"cau/internal/lab/ntlm"
	"cau/internal/lab/wsmanserver"
)

// machine is one node on the network.
type machine struct {
	name    string
	address string
	server  *wsmanserver.Server

	mu sync.Mutex
	on bool
}

// Ports are below those that systems hand out by themselves, so that nobody gets a node's port while the
// node restarts.
const (
	firstPort = 15000
	lastPort  = 32000
)

// newMachine makes a node's WinRM service and finds it a port.
func newMachine(n *model.Node, accounts ntlm.Accounts) (*machine, error) {
	m := &machine{name: n.Name(), on: true, server: wsmanserver.New(wsmanserver.Config{
		Computer: n.Name(), Domain: model.Domain, DNSDomain: model.DNSDomain, Accounts: accounts, Runner: console.Console{Machine: n},
	})}
	var err error
	for range 50 {
		var offset *big.Int
		if offset, err = rand.Int(rand.Reader, big.NewInt(lastPort-firstPort)); err != nil {
			break
		}
		if err = m.server.Start(fmt.Sprintf("127.0.0.1:%d", firstPort+offset.Int64())); err == nil {
			m.address = m.server.Address()
			return m, nil
		}
	}
	return nil, fmt.Errorf("lab: %s: %w", m.name, err)
}

// power brings the node's network up or down. It must not wait.
func (m *machine) power(ctx context.Context, working *sync.WaitGroup, up bool) {
	m.mu.Lock()
	m.on = up
	m.mu.Unlock()
	if !up {
		m.server.Stop()
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
	return m.server.Start(m.address)
}
