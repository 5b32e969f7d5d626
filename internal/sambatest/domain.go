package sambatest

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Where the services are in the controller's network.
const (
	kdcAddress = "127.0.0.1:88"
	smbAddress = "127.0.0.1:445"
)

//go:embed provision.py
var provisionScript []byte

// Realm is the Kerberos realm of every Domain; its DNS name is the same in small letters.
const Realm = "CAU.TEST"

// Accounts of a Domain. All have Password; Operator's user principal name is operator@people.test.
const (
	Operator   = "operator"
	Locked     = "locked"
	Disabled   = "disabled"
	MustChange = "mustchange"
	Gone       = "gone" // the account's own time is over
)

// Services of a Domain. All their keys are in Domain.Keytab.
const (
	Node1 = "node1.cau.test" // WSMAN and HTTP, AES-256
	Node2 = "node2.cau.test" // HTTP only
	Node3 = "node3.cau.test" // WSMAN, AES-128 only
	Node4 = "node4.cau.test" // WSMAN, RC4 only
)

// Controller is a Samba Active Directory domain controller in a network of its own, where it has nothing but
// loopback. Its KDC, and its file server if it has one, are reached through relays on this machine's loopback.
type Controller struct {
	// KDC is host:port of the KDC, TCP only.
	KDC string
	// SMB is host:port of the file server, empty without one (files.go).
	SMB string
	// Keytab holds the keys of all services, UserKeytab those of Operator.
	Keytab, UserKeytab string
	// Config is a krb5.conf for MIT's programs.
	Config string

	dir     string
	files   bool
	process *process
	relays  []*relay
	once    sync.Once
}

// SharedDomain is one Controller for all tests of a package, made by the first that asks. The zero value is ready.
// Its Stop belongs behind the package's last test.
type SharedDomain struct {
	// Files makes the controller a file server too, which takes about two seconds more.
	Files bool

	once       sync.Once
	controller *Controller
	err        error
}

// Get gives the domain, or skips where there can be none.
func (s *SharedDomain) Get(tb testing.TB) *Controller {
	tb.Helper()
	needDomain(tb)
	s.once.Do(func() { s.controller, s.err = startDomain(context.WithoutCancel(tb.Context()), s.Files) })
	if s.err != nil {
		tb.Fatalf("sambatest: %v", s.err)
	}
	return s.controller
}

// Stop ends the domain if there is one.
func (s *SharedDomain) Stop() {
	if s.controller != nil {
		s.controller.Stop()
	}
}

// Domain starts a domain for one test. It takes about five seconds.
func Domain(tb testing.TB) *Controller {
	tb.Helper()
	return domainFor(tb, false)
}

func domainFor(tb testing.TB, files bool) *Controller {
	tb.Helper()
	needDomain(tb)
	c, err := startDomain(context.WithoutCancel(tb.Context()), files)
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	tb.Cleanup(c.Stop)
	return c
}

func needDomain(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a Samba domain controller; not with -short")
	}
	var missing []string
	for _, tool := range []string{"samba", "samba-tool", "kinit", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool+" is not installed")
		}
	}
	if reason := noNamespace(); reason != "" {
		missing = append(missing, reason)
	}
	missingPeer(tb, "needs a Samba domain controller in a network of its own", missing)
}

// missingPeer skips, or fails where servers are required.
func missingPeer(tb testing.TB, what string, missing []string) {
	tb.Helper()
	if len(missing) == 0 {
		return
	}
	reason := what + ": " + strings.Join(missing, ", ")
	if os.Getenv("CI") == "true" || os.Getenv(EnvRequire) == "1" {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

func startDomain(ctx context.Context, files bool) (c *Controller, err error) {
	// Not TempDir of a test: its long path does not fit into the names of Samba's unix sockets.
	dir, err := os.MkdirTemp("", "addc")
	if err != nil {
		return nil, err
	}
	c = &Controller{
		dir: dir, files: files, Keytab: filepath.Join(dir, "services.keytab"), UserKeytab: filepath.Join(dir, "users.keytab"),
		Config: filepath.Join(dir, "krb5.conf"),
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, tail([]byte(c.log()), 2000))
			c.Stop()
		}
	}()
	if err = c.provision(ctx); err != nil {
		return c, err
	}
	if c.process, err = startIsolated(ctx, files, "samba", "-F", "-M", "single", "--no-process-group", "-s", filepath.Join(dir, "smb.conf")); err != nil {
		return c, err
	}
	if c.KDC, err = c.listen(ctx, kdcAddress); err != nil {
		return c, err
	}
	if files {
		if c.SMB, err = c.listen(ctx, smbAddress); err != nil {
			return c, err
		}
	}
	conf := fmt.Sprintf("[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n udp_preference_limit = 1\n rdns = false\n"+
		" dns_canonicalize_hostname = false\n[realms]\n %s = {\n  kdc = %s\n }\n", Realm, Realm, c.KDC)
	if err = os.WriteFile(c.Config, []byte(conf), 0o600); err != nil {
		return c, err
	}
	if err = c.wait(ctx, c.kdcAnswers); err == nil && files {
		err = c.wait(ctx, c.filesAnswer)
	}
	return c, err
}

// listen opens a relay to an address in the controller's network, and says where it is.
func (c *Controller) listen(ctx context.Context, address string) (string, error) {
	r, err := startRelay(ctx, c.process.dial(address))
	if err != nil {
		return "", err
	}
	c.relays = append(c.relays, r)
	return r.address(), nil
}

func (c *Controller) provision(ctx context.Context) error {
	var b bytes.Buffer
	in := func(d string) string { return filepath.Join(c.dir, d) }
	fmt.Fprintln(&b, "[global]")
	for _, l := range []string{
		"netbios name = DC1", "workgroup = CAU", "realm = " + Realm, "server role = active directory domain controller",
		"server services = " + c.services(), "interfaces = 127.0.0.1", "bind interfaces only = yes",
		"private dir = " + in("private"), "state directory = " + in("state"), "lock directory = " + in("lock"),
		"cache directory = " + in("cache"), "pid directory = " + in("pid"), "binddns dir = " + in("dns"), "ncalrpc dir = " + in("rpc"),
		"ntp signd socket directory = " + in("ntp"),
		"log file = " + in("samba.log"), "log level = 1 auth_audit:4", "max log size = 0",
		"disable netbios = yes", "load printers = no", "printing = bsd", "printcap name = /dev/null", "disable spoolss = yes",
	} {
		fmt.Fprintln(&b, "  "+l)
	}
	fmt.Fprintf(&b, "[sysvol]\n  path = %s\n[netlogon]\n  path = %s\n", in("state/sysvol"), in("state/sysvol/scripts"))
	for _, d := range []string{"private", "state", "lock", "cache", "pid", "rpc"} {
		if err := os.Mkdir(in(d), 0o700); err != nil {
			return err
		}
	}
	if c.files {
		if err := c.addShares(&b); err != nil {
			return err
		}
	}
	if err := os.WriteFile(in("smb.conf"), b.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(in("provision.py"), provisionScript, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, systemPython(), in("provision.py"), c.dir, Realm, Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("provision: %w\n%s", err, tail(out, 3000))
	}
	return nil
}

// systemPython is the distribution's Python, for which Samba's and MIT's modules are installed.
func systemPython() string {
	if _, err := os.Stat("/usr/bin/python3"); err == nil {
		return "/usr/bin/python3"
	}
	return "python3"
}

func (c *Controller) kdcAnswers(ctx context.Context) error {
	conn, err := c.process.dial(kdcAddress)(ctx)
	if err != nil {
		return err
	}
	return conn.Close()
}

// wait polls until answers does not fail any more.
func (c *Controller) wait(ctx context.Context, answers func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-c.process.exited:
			return fmt.Errorf("samba ended: %s", c.process.output())
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop ends the controller and removes its files; it may be called more than once.
func (c *Controller) Stop() {
	c.once.Do(func() {
		for _, r := range c.relays {
			r.stop()
		}
		if c.process != nil {
			c.process.stop()
		}
		_ = os.RemoveAll(c.dir)
	})
}

func (c *Controller) log() string {
	b, _ := os.ReadFile(filepath.Join(c.dir, "samba.log"))
	return string(b)
}

// Logons are the results of user's proofs as the KDC's own audit log has them, in order: "NT_STATUS_OK",
// "NT_STATUS_WRONG_PASSWORD".
func (c *Controller) Logons(user string) []string {
	var out []string
	for _, line := range strings.Split(c.log(), "\n") {
		if !strings.Contains(line, "ENC-TS Pre-authentication") || !strings.Contains(line, `\[`+user+"@") {
			continue
		}
		_, rest, _ := strings.Cut(line, "status [")
		status, _, _ := strings.Cut(rest, "]")
		out = append(out, status)
	}
	return out
}

// Kinit makes a FILE cache for Operator with MIT's kinit; args go before the account ("-l", "1h").
func (c *Controller) Kinit(tb testing.TB, cache string, args ...string) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "kinit", append(args, "-c", "FILE:"+cache, Operator+"@"+Realm)...)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+c.Config)
	cmd.Stdin = strings.NewReader(Password + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("sambatest: kinit: %v\n%s", err, out)
	}
}

// relay carries connections from this machine's loopback to somewhere else.
type relay struct {
	listener net.Listener
	to       func(context.Context) (net.Conn, error)
	done     sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
	closed   bool
}

func startRelay(ctx context.Context, to func(context.Context) (net.Conn, error)) (*relay, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return relayOn(ctx, l, to), nil
}

// relayOn carries what comes to a listener, which may be one in another network.
func relayOn(ctx context.Context, l net.Listener, to func(context.Context) (net.Conn, error)) *relay {
	r := &relay{listener: l, to: to, open: map[net.Conn]bool{}}
	r.done.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			r.done.Go(func() { r.carry(ctx, conn) })
		}
	})
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

// keep remembers a connection for stop; false means that it is too late.
func (r *relay) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.open[c] = true
	}
	return !r.closed
}

func (r *relay) drop(c net.Conn) {
	_ = c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, c)
}

func (r *relay) carry(ctx context.Context, near net.Conn) {
	defer r.drop(near)
	far, err := r.to(ctx)
	if err != nil {
		return
	}
	defer r.drop(far)
	if !r.keep(near) || !r.keep(far) {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far)
		_ = near.Close()
	})
	_, _ = io.Copy(far, near)
	_ = far.Close()
	back.Wait()
}

func (r *relay) stop() {
	_ = r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for c := range r.open {
		_ = c.Close()
	}
	r.mu.Unlock()
	r.done.Wait()
}
