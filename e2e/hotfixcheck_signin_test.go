package e2e_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"cau/internal/sambatest"
)

// The parts share one domain, whose start is most of the time. Its file server has no name in DNS here, so the service's is
// given.
func TestHotfixCheckSignsInWithKerberos(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	d := sambatest.DomainWithFiles(t)
	plainRoot(t, d.Dir("plain"))
	plainRoot(t, d.Dir("enc"))
	_, smb, err := net.SplitHostPort(d.SMB)
	if err != nil {
		t.Fatal(err)
	}
	cache := filepath.Join(t.TempDir(), "cc")
	d.Kinit(t, cache)
	password := write(t, sambatest.Password+"\n")
	at := []string{"--smb-port", smb, "--spn", "cifs/" + sambatest.FileServer, "--krb5-config", os.DevNull, "--kdc", d.KDC, "--realm", sambatest.Realm}
	// The folder's permissions are the file system's, so their checks are left out; all else is as it should be.
	line := args([]string{`\\127.0.0.1\enc\root`, "--disable-acl-checks", "--require-encryption"}, theNodes, at)
	for how, c := range map[string]struct {
		more []string
		as   string
	}{
		"cache":    {[]string{"--ccache", "FILE:" + cache}, sambatest.Operator + "@" + sambatest.Realm},
		"keytab":   {[]string{"--user", sambatest.Operator, "--keytab", d.UserKeytab}, sambatest.Operator},
		"password": {[]string{"--auth", "kerberos", "--user", sambatest.Operator, "--password-file", password}, sambatest.Operator},
	} {
		t.Run(how, func(t *testing.T) {
			before := len(d.Sessions(sambatest.Operator))
			w.t = t
			r := w.checkRoot(0, append(line, c.more...)...)
			r.says(t, map[string]string{"smb.encryption pass": "came sealed", "smb.guest pass": "", "layout pass": ""})
			if !like("Reading *as "+c.as, r.errOut) || strings.Contains(r.out+r.errOut, sambatest.Password) {
				t.Errorf("it says %s", r.errOut)
			}
			// The connection, and the one that tries whether encryption can be avoided.
			for _, s := range d.Sessions(sambatest.Operator)[before:] {
				if s != "krb5 NT_STATUS_OK" {
					t.Errorf("it signed in by %s", s)
				}
			}
			if len(d.Sessions(sambatest.Operator)) == before {
				t.Error("the file server saw no sign-in")
			}
		})
	}
	w.t = t
	plain := args([]string{`\\127.0.0.1\plain\root`, "--disable-acl-checks"}, theNodes, at)
	w.checkRoot(0, append(plain, "--ccache", cache)...).says(t, map[string]string{"smb.integrity pass": "requires signing", "smb.encryption warn": ""})

	failed := len(d.Logons(sambatest.Operator))
	wrong := w.checkRoot(3, append(plain, "--user", sambatest.Operator, "--auth", "kerberos", "--password-file", write(t, "not it\n"))...)
	wrong.says(t, map[string]string{"root.reach fail": "not be tried again"})
	if got := d.Logons(sambatest.Operator)[failed:]; len(got) != 1 || got[0] != "NT_STATUS_WRONG_PASSWORD" {
		t.Errorf("the domain saw %v", got)
	}
	other := args([]string{`\\127.0.0.1\plain\root`, "--smb-port", smb, "--krb5-config", os.DevNull, "--kdc", d.KDC, "--realm", sambatest.Realm, "--ccache", cache})
	if r := w.cau(append([]string{"hotfix", "check"}, other...)...); r.code != 3 || !like("an IP address has no service name*Name the file server by its full DNS name", r.out+r.errOut) {
		t.Errorf("without the service's name: exit %d, %s%s", r.code, r.out, r.errOut)
	}
}

func TestHotfixCheckRefusesWrongArgumentsBeforeAnythingIsTouched(t *testing.T) {
	t.Parallel()
	w := quickly(t)
	calls := listening(t)
	const root = `\\127.0.0.1\share\root`
	at := []string{"--smb-port", calls.port}
	for _, c := range []struct {
		line []string
		code int
		want string
	}{
		{nil, 2, "no hotfix root is named*single quotes*--lab"},
		{[]string{""}, 2, "no hotfix root is named"},
		{[]string{root, root}, 2, "more than one hotfix root"},
		{[]string{`\127.0.0.1\share`}, 2, "does not start with two backslashes*single quotes"},
		{[]string{"//127.0.0.1/share"}, 2, "forward slash*backslashes"},
		{[]string{`C:\Root`}, 2, "path on the nodes"},
		{[]string{`\\127.0.0.1\IPC$`}, 2, "not a share for files"},
		{[]string{`\\127.0.0.1\share\..\root`, "--user", "x"}, 2, "leads to another folder"},
		{[]string{root, "--config", `..\x.xml`}, 2, "not a plain file name"},
		{[]string{root, "--node", "NODE1=host"}, 2, "is not a node's name"},
		{[]string{root, "--auth", "basic", "--user", "x"}, 2, `"basic"*auto, kerberos, ntlm`},
		{[]string{root, "--auth", "ntlm"}, 2, "--user"},
		{[]string{root, "--user", "x", "--password-file", "a", "--password-fd", "3"}, 2, "--password-f"},
		{[]string{root, "--password-file", "a"}, 2, "--user"},
		{[]string{root, "--smb-port", "70000", "--user", "x"}, 2, "70000"},
		{[]string{root, "--ccache", "KEYRING:x"}, 2, "kinit*FILE:"},
		{[]string{root, "--ccache", "x", "--user", "y"}, 2, "--user"},
		{[]string{root, "--lab-linger", "1s"}, 2, "--lab"},
		{[]string{"--lab", "--realm", "X"}, 2, "Kerberos*--lab"},
		{[]string{root, "--cluster", "fc1"}, 2, "--cluster*cau hotfix check --help"},
		{[]string{root, "--user", "x"}, 1, "no terminal to ask on*--password-file"},
		{[]string{root, "--user", "x", "--password-file", "/nowhere"}, 1, "/nowhere*--password-file"},
		{[]string{root, "--ccache", "/nowhere"}, 2, "/nowhere*kinit"},
		{[]string{root, "--user", "x", "--realm", "X", "--keytab", "/nowhere"}, 2, "/nowhere"},
	} {
		line := append([]string{"hotfix", "check"}, c.line...)
		if len(c.line) > 0 && c.line[0] == root && !strings.Contains(strings.Join(c.line, " "), "--smb-port") {
			line = append(line, at...)
		}
		r := w.cau(line...)
		if r.code != c.code || r.out != "" || !like(c.want, r.errOut) || strings.Contains(r.errOut, "goroutine ") {
			t.Errorf("cau %q: exit %d, want %d with %q\n%s%s", line, r.code, c.code, c.want, r.out, r.errOut)
		}
	}
	if n := calls.number(); n != 0 {
		t.Errorf("the file server was called %d times", n)
	}
	if r := w.want(2, "hotfix", "chek"); !like("chek*cau hotfix --help", r.errOut) {
		t.Errorf("it says %s", r.errOut)
	}
}

// silent is a server that takes connections and says nothing.
type silent struct {
	port  string
	conns chan net.Conn
}

func (s *silent) number() int { return len(s.conns) }

func listening(t *testing.T) *silent {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &silent{port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port), conns: make(chan net.Conn, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				close(s.conns)
				return
			}
			s.conns <- conn
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for conn := range s.conns {
			_ = conn.Close()
		}
	})
	return s
}

func TestHotfixCheckEndsAtOnceWhenItIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := listening(t)
	cmd := w.command(context.Background(), args([]string{"hotfix", "check", `\\127.0.0.1\share\root`, "--smb-port", s.port, "--user", "x", "--password-file", write(t, "y\n")})...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn := <-s.conns
	defer func() { _ = conn.Close() }()
	if n, err := conn.Read(make([]byte, 4)); n == 0 { // it has begun to speak, and waits
		t.Fatal(err)
	}
	interrupted := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 4 || out.Len() > 0 {
		t.Errorf("exit %d: %s%s", code, out.String(), errOut.String())
	}
	// It would have waited for half a minute: what is awaited here is only that it does not.
	if took := time.Since(interrupted); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	if left, _ := os.ReadDir(w.home); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	if n := s.number(); n > 0 {
		t.Errorf("it went on with %d more connections", n)
	}
}
