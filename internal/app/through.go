package app

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"cau/engine"
	"cau/internal/check"
	"cau/smbcheck"
)

// What this host needs during a run must not be served by the cluster that is being updated (R11): the root's server, and
// whoever resolves names or issues tickets. Each move of such a role is a gap.

// lookupLimit bounds each look-up of a name.
const lookupLimit = 5 * time.Second

// throughTheCluster answers for the root's server and for the servers of names and tickets. What is not known is not
// answered: no root, no list of name servers. Nothing of ours is served by a simulated cluster.
func (s *session) throughTheCluster(ctx context.Context, cluster engine.Answer[engine.ClusterView], roots []string) []check.Result {
	if s.lab != nil || !cluster.Known {
		return nil
	}
	lookup := func(host string) []string {
		ctx, cancel := context.WithTimeout(ctx, lookupLimit)
		defer cancel()
		found, _ := net.DefaultResolver.LookupHost(ctx, host) // a name that nobody knows is compared as it stands
		return found
	}
	var out []check.Result
	for _, root := range roots {
		if loc, err := smbcheck.ParseUNC(root); err == nil {
			out = append(out, rootServer(cluster.Value.AccessPoints, loc.Server, lookup(loc.Server)))
		}
	}
	var servers []string
	if f, err := os.Open(resolvConf); err == nil {
		servers = nameServers(f)
		_ = f.Close()
	}
	for _, kdc := range s.target.SignIn.KDCs {
		host, _, err := net.SplitHostPort(kdc)
		if err != nil {
			host = kdc
		}
		servers = append(append(servers, host), lookup(host)...)
	}
	if len(servers) > 0 {
		out = append(out, namesServed(cluster.Value.AccessPoints, servers))
	}
	return out
}

// resolvConf names the servers that resolve names, where the platform has it.
const resolvConf = "/etc/resolv.conf"

// nameServers are the addresses of resolv.conf's name servers.
func nameServers(r io.Reader) []string {
	var out []string
	for lines := bufio.NewScanner(io.LimitReader(r, 1<<20)); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) > 1 && f[0] == "nameserver" {
			out = append(out, f[1])
		}
	}
	return out
}

// servedBy is the role that one of these names and addresses reaches, empty where none does.
func servedBy(points []engine.AccessPoint, names []string) string {
	for _, p := range points {
		if slices.ContainsFunc(names, func(n string) bool { return p.Name != "" && sameName(p.Name, n) || sameIP(p.Address, n) }) {
			return p.Role
		}
	}
	return ""
}

// sameName compares host names; one without a domain is the other's first part.
func sameName(a, b string) bool {
	a, b = strings.TrimSuffix(a, "."), strings.TrimSuffix(b, ".")
	shortA, _, fullA := strings.Cut(a, ".")
	shortB, _, fullB := strings.Cut(b, ".")
	if fullA && fullB {
		return strings.EqualFold(a, b)
	}
	_, err := netip.ParseAddr(b)
	return err != nil && strings.EqualFold(shortA, shortB)
}

func sameIP(a, b string) bool {
	x, err := netip.ParseAddr(a)
	if err != nil || x.IsUnspecified() {
		return false
	}
	y, err := netip.ParseAddr(b)
	return err == nil && x.WithZone("").Unmap() == y.WithZone("").Unmap()
}

func rootServer(points []engine.AccessPoint, server string, addresses []string) check.Result {
	role := servedBy(points, append(slices.Clone(addresses), server))
	if role == "" {
		return check.Result{ID: "cluster.root-server", Outcome: check.Pass, Evidence: server + " is reached by no name and no address of a role of the cluster."}
	}
	return check.Result{
		ID: "cluster.root-server", Outcome: check.Warn, Evidence: "The root's server " + server + " is " + role + ", a role of this very cluster. Every node has its files before the first one is drained, so its moves interrupt nothing that was begun.",
		Remedy: "Serve the root from elsewhere if you can: what is looked up later, and a run that is begun again meanwhile, may meet it moving.",
	}
}

func namesServed(points []engine.AccessPoint, servers []string) check.Result {
	role := servedBy(points, servers)
	if role == "" {
		return check.Result{ID: "cluster.names", Outcome: check.Pass, Evidence: "None of " + strings.Join(servers, ", ") + " is an address of a role. Whether one is a virtual machine on the cluster is not known."}
	}
	return check.Result{
		ID: "cluster.names", Outcome: check.Warn, Evidence: "This host resolves names or gets its tickets through " + role + ", a role of this very cluster: while it moves, nodes may not be found and tickets not renewed.",
		Remedy: "Let a server outside of the cluster do that too.",
	}
}
