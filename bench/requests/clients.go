package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/masterzen/winrm"

	"cau/bench/room"
	"cau/internal/lab"
	"cau/internal/wsman"
)

// line is an operation that takes the node no time.
const line = "echo ready"

// session is one client that is signed in, or signs in with its first operation.
type session interface {
	operate(ctx context.Context) error
	close(ctx context.Context) error
}

// client makes sessions to the service at address.
type client struct {
	name string
	open func(ctx context.Context, address string) (session, error)
}

// clients are all clients that this machine has, and what gives up what they need.
func clients(info lab.Info) ([]client, func(), error) {
	tickets, closeTickets, err := room.Kerberos(info)
	if err != nil {
		return nil, nil, err
	}
	l := library{user: info.User, password: info.Password}
	all := []client{
		{"cau (sealed NTLM)", func(_ context.Context, address string) (session, error) {
			return openCau(address, info.Nodes[0].FQDN, wsman.NTLM(room.Account, info.Domain, info.Password)), nil
		}},
		{"cau (sealed Kerberos)", func(_ context.Context, address string) (session, error) {
			return openCau(address, info.Nodes[0].FQDN, tickets), nil
		}},
		{"masterzen/winrm Encryption, Run", func(_ context.Context, address string) (session, error) { return l.open(address, false) }},
		{"masterzen/winrm Encryption, kept shell", func(_ context.Context, address string) (session, error) { return l.open(address, true) }},
	}
	python, ok := findPython()
	if !ok {
		return all, closeTickets, nil
	}
	dir, err := os.MkdirTemp("", "cau-bench-")
	if err != nil {
		closeTickets()
		return nil, nil, err
	}
	tidy := func() {
		closeTickets()
		_ = os.RemoveAll(dir)
	}
	p := pywinrm{python: python, conf: filepath.Join(dir, "openssl.cnf"), user: info.User, password: info.Password}
	return append(all, client{"pywinrm (sealed NTLM), kept shell", p.open}), tidy, os.WriteFile(p.conf, []byte(opensslConf), 0o600)
}

type cauSession struct{ node *wsman.Node }

func openCau(address, host string, credential *wsman.Credential) session {
	return &cauSession{wsman.NewNode(wsman.Config{Addr: address, Host: host, Auth: credential})}
}

func (s *cauSession) operate(ctx context.Context) error {
	r, err := s.node.Run(ctx, line, nil)
	if err == nil && r.Exit != 0 {
		err = fmt.Errorf("exit code %d", r.Exit)
	}
	return err
}

func (s *cauSession) close(ctx context.Context) error { return s.node.Close(ctx) }

// librarySession is the library's own client with its own transport.
type librarySession struct {
	client *winrm.Client
	shell  *winrm.Shell
	keep   bool
}

type library struct{ user, password string }

func (l library) open(address string, keep bool) (session, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	sealed, err := winrm.NewEncryption("ntlm")
	if err != nil {
		return nil, err
	}
	params := *winrm.DefaultParameters
	params.TransportDecorator = func() winrm.Transporter { return sealed }
	c, err := winrm.NewClientWithParameters(winrm.NewEndpoint(host, port, false, false, nil, nil, nil, 0), l.user, l.password, &params)
	return &librarySession{client: c, keep: keep}, err
}

func (s *librarySession) operate(ctx context.Context) error {
	if !s.keep {
		code, err := s.client.RunWithContext(ctx, line, io.Discard, io.Discard)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit code %d", code)
		}
		return err
	}
	if s.shell == nil {
		var err error
		if s.shell, err = s.client.CreateShell(); err != nil {
			return err
		}
	}
	cmd, err := s.shell.ExecuteWithContext(ctx, line)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, cmd.Stdout)
	cmd.Wait()
	return cmd.Close()
}

func (s *librarySession) close(context.Context) error {
	if s.shell != nil {
		return s.shell.Close()
	}
	return nil
}

// pywinrmSession drives Debian's python3-winrm in a process of its own: a line in, an operation, a line out.
type pywinrmSession struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

const pywinrmScript = `
import sys, warnings
warnings.simplefilter("ignore")
from winrm.protocol import Protocol
url, user, password = sys.argv[1:4]
p = Protocol(endpoint=url, transport="ntlm", username=user, password=password, message_encryption="always",
             operation_timeout_sec=15, read_timeout_sec=30)
shell = None
print("ready", flush=True)
for what in sys.stdin:
    if what.strip() == "close":
        if shell: p.close_shell(shell)
        print("closed", flush=True)
        break
    if shell is None: shell = p.open_shell(codepage=65001)
    c = p.run_command(shell, "echo", ["ready"])
    p.get_command_output(shell, c)
    p.cleanup_command(shell, c)
    print("done", flush=True)
`

func findPython() (string, bool) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(context.Background(), python, "-c", "import winrm, requests_ntlm").Run() == nil {
			return python, true
		}
	}
	return "", false
}

// opensslConf brings MD4 back, which NTLM needs and OpenSSL 3 hides in its legacy provider.
const opensslConf = `openssl_conf = openssl_init
[openssl_init]
providers = provider_sect
[provider_sect]
default = default_sect
legacy = legacy_sect
[default_sect]
activate = 1
[legacy_sect]
activate = 1
`

// pywinrm starts processes of python with conf as OpenSSL's configuration.
type pywinrm struct{ python, conf, user, password string }

func (p pywinrm) open(ctx context.Context, address string) (session, error) {
	cmd := exec.CommandContext(ctx, p.python, "-c", pywinrmScript, "http://"+address+"/wsman", p.user, p.password)
	cmd.Env = append(cmd.Environ(), "OPENSSL_CONF="+p.conf)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &pywinrmSession{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	return s, s.expect("ready")
}

func (s *pywinrmSession) expect(word string) error {
	if !s.out.Scan() || s.out.Text() != word {
		return fmt.Errorf("pywinrm answered %q", s.out.Text())
	}
	return nil
}

func (s *pywinrmSession) operate(context.Context) error {
	if _, err := io.WriteString(s.in, "go\n"); err != nil {
		return err
	}
	return s.expect("done")
}

func (s *pywinrmSession) close(context.Context) error {
	_, err := io.WriteString(s.in, "close\n")
	return errors.Join(err, s.expect("closed"), s.in.Close(), s.cmd.Wait())
}
