package sambatest

import (
	"bytes"
	"context"
	"errors"
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

	"github.com/cloudsoda/go-smb2"
)

// Password is the password of every user of the server.
const Password = "Passw0rd!"

// Users that every server knows: Admin owns the shares (unix root), Member and Stranger are ordinary
// accounts (unix daemon and nobody).
const (
	Admin    = "root"
	Member   = "daemon"
	Stranger = "nobody"
)

// EnvRequire set to "1" turns a skip for a missing server into a failure; CI=true does the same.
const EnvRequire = "CAU_REQUIRE_SERVERS"

// Share is a folder the server offers: its name and the smb.conf lines it has besides its path.
type Share struct {
	Name  string
	Lines []string
}

// Option changes how a server is started.
type Option func(*Server)

// Global adds lines to the [global] section; a later line wins over our defaults.
func Global(lines ...string) Option {
	return func(s *Server) { s.global = append(s.global, lines...) }
}

// WithShare adds a share besides plain and enc.
func WithShare(name string, lines ...string) Option {
	return func(s *Server) { s.shares = append(s.shares, Share{Name: name, Lines: lines}) }
}

// Server is one running smbd.
type Server struct {
	// Addr is host:port, always on 127.0.0.1.
	Addr string
	// Port is the port of Addr.
	Port int

	dir    string
	global []string
	shares []Share
	// first is a share that a server may refuse to the first who comes, for want of memory as it says; Start comes first then.
	// Seen on a busy machine.
	first string
	// ready is what is done between the configuration and the start.
	ready  []func(testing.TB)
	cmd    *exec.Cmd
	stdin  io.Closer
	exited chan struct{}
	once   sync.Once
}

// Start runs a Samba with the shares "plain" and "enc" (encryption required) and the users Admin,
// Member and Stranger, and waits until it answers. It stops at the end of the test.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	need(tb)
	s := &Server{Port: 445, shares: []Share{{Name: "plain"}, {Name: "enc", Lines: []string{"server smb encrypt = required"}}}}
	for _, o := range opts {
		o(s)
	}
	if s.first == "" && len(s.global) == 0 { // what other settings ask of a client is for the test to find out
		s.first = "plain"
	}
	tb.Cleanup(s.Stop)
	s.prepare(tb)
	s.begin(tb)
	return s
}

// Restart ends the server and starts it again with more lines in its [global] section, on the same files and with the same
// accounts; its address is another one then.
func (s *Server) Restart(tb testing.TB, lines ...string) {
	tb.Helper()
	s.kill()
	s.global = append(s.global, lines...)
	s.begin(tb)
}

// begin launches it. The free port may be taken between finding and using it: it looks for another one then.
func (s *Server) begin(tb testing.TB) {
	tb.Helper()
	var err error
	for range 3 {
		if err = s.launch(tb); err == nil {
			return
		}
		s.kill()
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log", "smbd.log"))
	tb.Fatalf("sambatest: smbd does not answer: %v\n%s", err, tail(log, 2000))
}

// Dir is the folder behind a share; files put there are served at once.
func (s *Server) Dir(share string) string { return filepath.Join(s.dir, "sh", share) }

// Config is the path of smb.conf, for tools such as smbstatus.
func (s *Server) Config() string { return filepath.Join(s.dir, "smb.conf") }

// Log returns what smbd has logged so far.
func (s *Server) Log(tb testing.TB) string {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "log", "smbd.log"))
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	return string(b)
}

// AddShare adds a share to the running server and waits until it is served.
func (s *Server) AddShare(tb testing.TB, name string, lines ...string) {
	tb.Helper()
	s.shares = append(s.shares, Share{Name: name, Lines: lines})
	s.writeConfig(tb)
	if err := reload(s.cmd); err != nil {
		tb.Fatalf("sambatest: reload: %v", err)
	}
	if err := s.wait(tb.Context(), name); err != nil {
		tb.Fatalf("sambatest: share %s does not appear: %v", name, err)
	}
}

// Stop ends the server and waits for it; it may be called more than once.
func (s *Server) Stop() {
	s.once.Do(func() {
		s.kill()
		_ = os.RemoveAll(s.dir)
	})
}

func (s *Server) kill() {
	if s.cmd == nil {
		return
	}
	terminate(s.cmd)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		kill(s.cmd)
		<-s.exited
	}
	_ = s.stdin.Close()
	s.cmd = nil
}

func need(tb testing.TB) {
	tb.Helper()
	if testing.Short() {
		tb.Skip("needs a real Samba; not with -short")
	}
	var missing []string
	for _, tool := range []string{"smbd", "smbpasswd"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool+" is not installed")
		}
	}
	if os.Getuid() != 0 {
		missing = append(missing, "not running as root")
	}
	if len(missing) == 0 {
		return
	}
	reason := "needs a real Samba: " + strings.Join(missing, ", ")
	if os.Getenv("CI") == "true" || os.Getenv(EnvRequire) == "1" {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

// prepare makes the folders, the configuration and the accounts.
func (s *Server) prepare(tb testing.TB) {
	tb.Helper()
	// Not t.TempDir: its long path does not fit into the names of Samba's unix sockets.
	dir, err := os.MkdirTemp("", "smbd")
	if err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	s.dir = dir
	for _, d := range []string{"state", "lock", "cache", "pid", "private", "ncalrpc", "log", "sh"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil { //nolint:gosec // users of the server pass through
			tb.Fatalf("sambatest: %v", err)
		}
	}
	if err := openUp(filepath.Join(dir, "sh"), dir); err != nil {
		tb.Fatalf("sambatest: %v", err)
	}
	s.writeConfig(tb)
	for _, u := range []string{Admin, Member, Stranger} {
		cmd := exec.CommandContext(tb.Context(), "smbpasswd", "-c", s.Config(), "-L", "-s", "-a", u)
		cmd.Stdin = strings.NewReader(Password + "\n" + Password + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			tb.Fatalf("sambatest: smbpasswd %s: %v\n%s", u, err, out)
		}
	}
	for _, f := range s.ready {
		f(tb)
	}
}

// openUp lets the users of a server pass through from the root of the file system to path: what is ours, in dir, is
// opened, and the rest must be open.
func openUp(path, dir string) error {
	for d := path; ; d = filepath.Dir(d) {
		fi, err := os.Stat(d)
		if err == nil && strings.HasPrefix(d, dir) {
			err = os.Chmod(d, 0o755) //nolint:gosec // users of the server pass through
		} else if err == nil && fi.Mode().Perm()&0o001 == 0 {
			err = fmt.Errorf("%s is closed to the server's users; set TMPDIR to an open folder", d)
		}
		if err != nil || d == filepath.Dir(d) {
			return err
		}
	}
}

func (s *Server) writeConfig(tb testing.TB) {
	tb.Helper()
	var b bytes.Buffer
	sub := func(d string) string { return filepath.Join(s.dir, d) }
	fmt.Fprintln(&b, "[global]")
	for _, l := range append([]string{
		"netbios name = SMBTEST", "workgroup = SMBTEST", "server role = standalone server",
		"interfaces = 127.0.0.1/8", "bind interfaces only = yes", "disable netbios = yes",
		fmt.Sprintf("smb ports = %d", s.Port),
		"state directory = " + sub("state"), "lock directory = " + sub("lock"), "cache directory = " + sub("cache"),
		"pid directory = " + sub("pid"), "private dir = " + sub("private"), "ncalrpc dir = " + sub("ncalrpc"),
		"log file = " + sub("log/smbd.log"), "max log size = 0", "log level = 1 auth_audit:3",
		"passdb backend = tdbsam:" + sub("private/passdb.tdb"),
		"map to guest = never", "restrict anonymous = 2",
		"server min protocol = SMB2_02", "server max protocol = SMB3_11",
		"load printers = no", "printing = bsd", "printcap name = /dev/null", "disable spoolss = yes",
		"host msdfs = yes", "unix extensions = no",
		"rpc start on demand helpers = no", // which would outlive the server
		"idmap config * : backend = tdb", "idmap config * : range = 100000-199999",
	}, s.global...) {
		fmt.Fprintln(&b, "  "+l)
	}
	for _, sh := range s.shares {
		d := s.Dir(sh.Name)
		if err := os.MkdirAll(d, 0o777); err != nil { //nolint:gosec // the share's own rights decide
			tb.Fatalf("sambatest: %v", err)
		}
		if err := os.Chmod(d, 0o777); err != nil { //nolint:gosec // past the umask
			tb.Fatalf("sambatest: %v", err)
		}
		fmt.Fprintf(&b, "[%s]\n  path = %s\n  read only = no\n", sh.Name, d)
		for _, l := range sh.Lines {
			fmt.Fprintln(&b, "  "+l)
		}
	}
	if err := os.WriteFile(s.Config(), b.Bytes(), 0o644); err != nil { //nolint:gosec // no secret in it
		tb.Fatalf("sambatest: %v", err)
	}
}

// launch starts smbd on a free port and waits until it takes connections.
func (s *Server) launch(tb testing.TB) error {
	tb.Helper()
	port, err := freePort(tb.Context())
	if err != nil {
		return err
	}
	s.Port, s.Addr = port, fmt.Sprintf("127.0.0.1:%d", port)
	s.writeConfig(tb)
	// The context of the test ends before its cleanups run, so Stop ends smbd, not the context.
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), "smbd", "-F", "-s", s.Config())
	// smbd in the foreground ends when a pipe on its standard input is closed: nothing is left over
	// when the test process dies without its cleanups.
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	s.cmd, s.stdin, s.exited = cmd, in, exited
	if err := s.wait(tb.Context(), ""); err != nil || s.first == "" {
		return err
	}
	for range 100 {
		var refused *smb2.ResponseError
		const noMemory = 0xC0000017 // MS-ERREF 2.3.1
		if err := s.visit(tb.Context(), s.first); !errors.As(err, &refused) || refused.Code != noMemory {
			break // whatever else it says is for the test to meet
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// wait polls until the server takes connections and, with a share named, lets Admin into it.
func (s *Server) wait(ctx context.Context, share string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		err := s.visit(ctx, share)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("smbd ended")
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Server) visit(ctx context.Context, share string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if share == "" {
		return nil
	}
	d := smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: Admin, Password: Password}}
	session, err := d.DialConn(ctx, conn, "127.0.0.1")
	if err != nil {
		return err
	}
	defer func() { _ = session.WithContext(ctx).Logoff() }()
	_, err = session.WithContext(ctx).Mount(share)
	return err
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}

func tail(b []byte, n int) []byte {
	if len(b) > n {
		return b[len(b)-n:]
	}
	return b
}
