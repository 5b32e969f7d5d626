package wsmanserver

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"cau/internal/lab/ntlm"
)

// Runner runs one command line in a shell, as cmd.exe would, and gives its exit code. It must return soon
// after ctx ends, which happens on a Signal, when the shell is deleted and when the node goes down.
type Runner interface {
	Run(ctx context.Context, user, line string, stdin io.Reader, stdout, stderr io.Writer) int64
}

// Config is one node's WinRM service.
type Config struct {
	// Computer and Domain are NetBIOS names; DNSDomain may be empty.
	Computer, Domain, DNSDomain string
	Accounts                    ntlm.Accounts
	Runner                      Runner
	// Listeners are where it listens and what it takes there; empty means one plain HTTP listener as a
	// domain member has it on port 5985.
	Listeners []Listener
	// Kerberos starts the accepting side of a Kerberos handshake; nil means that the node has no keys and
	// neither offers Kerberos nor understands it under Negotiate.
	Kerberos func(Channel) Handshake
	// CertificateUser says whom a client certificate, which was verified, stands for (winrm/config/service/
	// certmapping); nil means nobody.
	CertificateUser func(*x509.Certificate) (domain, user string, ok bool)
	// MayUse tells whether somebody who signed in may use the service; nil means everybody. Windows lets
	// administrators and Remote Management Users in.
	MayUse func(user string) bool
	Quotas Quotas
	// Now is the clock of tickets and certificates; nil means time.Now.
	Now func() time.Time
}

// Server is one node's WinRM service: shells and quotas belong to it, connections to its listeners. Make it
// with New.
type Server struct {
	config Config
	faults faults

	// working counts everything this server started, so that Close can wait for it.
	working sync.WaitGroup

	mu        sync.Mutex
	endpoints []*endpoint
	listening bool
	boot      context.Context //nolint:containedctx // from one Start, or restart, to the next Stop
	stop      context.CancelFunc
	shells    map[string]*shell
	open      map[*connection]bool
	running   map[string]int // requests at work, by user
	stats     Stats
}

// New prepares a service that does not listen yet.
func New(c Config) *Server {
	c.Quotas.setDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if len(c.Listeners) == 0 {
		c.Listeners = []Listener{{}}
	}
	s := &Server{
		config: c, shells: map[string]*shell{}, open: map[*connection]bool{}, running: map[string]int{},
		stats: Stats{RefusedBy: map[string]int{}},
	}
	for _, l := range c.Listeners {
		s.endpoints = append(s.endpoints, newEndpoint(s, l))
	}
	return s
}

// Start listens on one address for each listener of the configuration, in that order; all must be on the
// loopback interface. If one fails none listens. Starting a listening server again is an error.
func (s *Server) Start(addresses ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening {
		return errors.New("listen: the service listens already")
	}
	if len(addresses) != len(s.endpoints) {
		return fmt.Errorf("listen: %d addresses for %d listeners", len(addresses), len(s.endpoints))
	}
	var opened []net.Listener
	for _, address := range addresses {
		l, err := listen(address)
		if err != nil {
			for _, o := range opened {
				_ = o.Close()
			}
			return err
		}
		opened = append(opened, l)
	}
	s.boot, s.stop = context.WithCancel(context.Background())
	s.listening = true
	for i, e := range s.endpoints {
		e.serve(opened[i])
	}
	return nil
}

func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("listen: %s is not a loopback address", address)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// Address is where the first listener listens or last listened.
func (s *Server) Address() string { return s.Addresses()[0] }

// Addresses is where the listeners listen or last listened, in the configuration's order.
func (s *Server) Addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.endpoints {
		out = append(out, e.address)
	}
	return out
}

// Stop closes the listeners, cuts every connection and forgets every shell, as a machine that goes down.
// It does not wait for running commands; Close does.
func (s *Server) Stop() {
	s.mu.Lock()
	stop := s.stop
	s.stop, s.listening = nil, false
	clear(s.shells)
	var servers []*http.Server
	for _, e := range s.endpoints {
		if e.http != nil {
			servers = append(servers, e.http)
		}
		e.http = nil
	}
	s.mu.Unlock()
	// The network goes first: nobody hears what becomes of the commands.
	for _, server := range servers {
		_ = server.Close()
	}
	if stop != nil {
		stop()
	}
}

// restart is what a restart of the service does to its clients: every shell is forgotten, every connection
// cut, that of who caused it last. The listeners stay, so that a client finds the service again at once.
func (s *Server) restart(last *connection) {
	s.mu.Lock()
	if !s.listening {
		s.mu.Unlock()
		return
	}
	stop := s.stop
	s.boot, s.stop = context.WithCancel(context.Background())
	clear(s.shells)
	var cut []*connection
	for c := range s.open {
		if c != last {
			cut = append(cut, c)
		}
	}
	s.mu.Unlock()
	for _, c := range append(cut, last) {
		_ = c.raw.Close()
	}
	stop()
}

// Close stops the service and waits until everything it started has ended.
func (s *Server) Close() {
	s.Stop()
	s.working.Wait()
}
