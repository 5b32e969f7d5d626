package lab

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"

	"cau/internal/lab/fileserver"
	"cau/internal/lab/model"
)

// adminShareName is the share of %SystemRoot% that every Windows offers to its administrators.
const adminShareName = "ADMIN$"

// adminShare is a node's SMB service: ADMIN$, of which the folders that files are pushed to can be written (R24).
type adminShare struct {
	server  *fileserver.Server
	files   *pushedFiles
	address string
	// closed: the firewall lets nobody in, so nothing ever listens at the address.
	closed bool

	working sync.WaitGroup
	mu      sync.Mutex
	cut     func() // nil while nothing listens
}

// newAdminShare makes a node's service and brings it up.
func (r *running) newAdminShare(n *model.Node, joined member) (*adminShare, error) {
	files := newPushedFiles(n, r.openPushes(n.Name()), r.world.Now, &r.pushSpace)
	server, err := fileserver.New(fileserver.Config{
		Name: n.Name(), Domain: model.Domain, DNSName: fqdn(n.Name()), DNSDomain: model.DNSDomain, Accounts: &r.accounts, Kerberos: joined.smb,
		Shares: []fileserver.Share{{
			// Who may use WinRM is an administrator, and so is nobody else. The lab does not encrypt where Windows
			// does not by default.
			Name: adminShareName, Writable: files, MayRead: mayUseWinRM, MayWrite: mayUseWinRM,
			Security: fileserver.Descriptor{
				Owner: fileserver.Administrators, Group: fileserver.LocalSystem, Protected: true,
				Entries: []fileserver.Entry{
					{SID: fileserver.LocalSystem, Mask: fileserver.FullControl, Flags: fileserver.ObjectInherit | fileserver.ContainerInherit},
					{SID: fileserver.Administrators, Mask: fileserver.FullControl, Flags: fileserver.ObjectInherit | fileserver.ContainerInherit},
				},
			},
		}},
	})
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", n.Name(), err)
	}
	a := &adminShare{server: server, files: files}
	for range 50 {
		if a.address, err = somePort(); err != nil {
			return nil, fmt.Errorf("lab: %s: %w", n.Name(), err)
		}
		if err = a.start(); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("lab: %s: %w", n.Name(), err)
	}
	if slices.ContainsFunc(r.config.ClosedAdminShare, func(name string) bool { return strings.EqualFold(name, n.Name()) }) {
		a.stop()
		a.closed = true
	}
	return a, nil
}

// somePort is an address in the range of the nodes' ports.
func somePort() (string, error) {
	offset, err := rand.Int(rand.Reader, big.NewInt(lastPort-firstPort))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("127.0.0.1:%d", firstPort+offset.Int64()), nil
}

// openPushes gives the runs whose push folder is open on a node.
func (r *running) openPushes(node string) func() []string {
	return func() []string {
		for _, n := range r.world.State().Nodes {
			if n.Name == node {
				return n.Pushes
			}
		}
		return nil
	}
}

// checkAdminShares refuses names of nodes that there are not.
func (r *running) checkAdminShares() error {
	for _, name := range r.config.ClosedAdminShare {
		if !slices.ContainsFunc(r.world.Nodes(), func(n *model.Node) bool { return strings.EqualFold(n.Name(), name) }) {
			return fmt.Errorf("lab: a closed %s on %s, which is no node", adminShareName, name)
		}
	}
	return nil
}

// start listens, if nothing does yet.
func (a *adminShare) start() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.cut != nil {
		return nil
	}
	// What is served ends with the boot, not with whoever began it.
	ctx, cancel := context.WithCancel(context.Background())
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.address)
	if err != nil {
		cancel()
		return err
	}
	a.cut = func() {
		cancel()
		_ = ln.Close() // at once, so that the next start finds the port free
	}
	a.working.Go(func() { _ = a.server.Serve(ctx, ln) })
	return nil
}

// stop cuts every connection. It does not wait.
func (a *adminShare) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cut != nil {
		a.cut()
		a.cut = nil
	}
}

// close ends the service, waits for it, and forgets the files.
func (a *adminShare) close() {
	a.stop()
	a.working.Wait()
	a.files.close()
}
