package wsmanserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
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
	// MaxShells is the number of shells a user may have open; 0 means 30, the old default that policies
	// often pin (MS-WSMV 2.2.4.46 WinrsType).
	MaxShells int
	// MaxEnvelopeKB is MaxEnvelopeSizekb; 0 means 500.
	MaxEnvelopeKB int
	// ShellIdle is how long an unused shell lives; 0 means 2 hours, the service's default.
	ShellIdle time.Duration
}

// Stats counts what a node's WinRM service heard since it was made.
type Stats struct {
	// Requests is every HTTP request; Logons are handshakes that ended well, Refused those that did not.
	Requests int `json:"requests"`
	Logons   int `json:"logons"`
	Refused  int `json:"refused"`
	// Readable counts bodies that arrived unsealed and not empty: a client that gives itself away.
	Readable int `json:"readable"`
	// Shells is how many shells were created, Open how many exist now.
	Shells int `json:"shells"`
	Open   int `json:"open"`
}

// Server is one node's WinRM service. Make it with New.
type Server struct {
	config Config

	// working counts everything this server started, so that Close can wait for it.
	working sync.WaitGroup

	mu      sync.Mutex
	address string
	http    *http.Server
	boot    context.Context //nolint:containedctx // from one Start to the next Stop
	stop    context.CancelFunc
	shells  map[string]*shell
	stats   Stats
}

// New prepares a service that does not listen yet.
func New(c Config) *Server {
	if c.MaxShells <= 0 {
		c.MaxShells = 30
	}
	if c.MaxEnvelopeKB <= 0 {
		c.MaxEnvelopeKB = 500
	}
	if c.ShellIdle <= 0 {
		c.ShellIdle = 2 * time.Hour
	}
	return &Server{config: c, shells: map[string]*shell{}}
}

// Limits of one connection. HTTP.sys drops an idle connection after 120 s.
const (
	idleConnection = 120 * time.Second
	headerTime     = 30 * time.Second
	// bodyTime bounds reading a request; it must be longer than any answer takes, since it also ends the
	// watch for a client that goes away meanwhile.
	bodyTime    = 150 * time.Second
	headerBytes = 64 << 10
)

// Start listens on address, which must be on the loopback interface. Starting a listening server again is
// an error.
func (s *Server) Start(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("listen: %s is not a loopback address", address)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return errors.New("listen: the service listens already")
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	s.boot, s.stop = context.WithCancel(context.Background())
	s.address = l.Addr().String()
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime,
		IdleTimeout:       idleConnection,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, &connection{})
		},
		ConnState: s.watch,
	}
	s.http = server
	s.working.Go(func() { _ = server.Serve(l) })
	return nil
}

// watch counts the connections, which the HTTP server does not wait for when it is closed.
func (s *Server) watch(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.working.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.working.Done()
	case http.StateActive, http.StateIdle:
	}
}

// Address is where the service listens or last listened.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

// Stop closes the listener, cuts every connection and forgets every shell, as a machine that goes down.
// It does not wait for running commands; Close does.
func (s *Server) Stop() {
	s.mu.Lock()
	server, stop := s.http, s.stop
	s.http, s.stop = nil, nil
	clear(s.shells)
	s.mu.Unlock()
	// The network goes first: nobody hears what becomes of the commands.
	if server != nil {
		_ = server.Close()
	}
	if stop != nil {
		stop()
	}
}

// Close stops the service and waits until everything it started has ended.
func (s *Server) Close() {
	s.Stop()
	s.working.Wait()
}

// Stats gives the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Open = len(s.shells)
	return stats
}

func (s *Server) count(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}
