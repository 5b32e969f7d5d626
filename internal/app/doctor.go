package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/cli"
	"cau/internal/fault"
	"cau/internal/winnode"
)

// Doctor makes first contact: with a whole cluster, or with single nodes by their addresses.
func (p *program) Doctor(ctx context.Context, target cli.Target, addresses []string, note func(string)) (cli.DoctorReport, error) {
	nodes := addresses
	if target.Cluster == "" && !target.Lab {
		target.Cluster, nodes = addresses[0], addresses[1:] // it may be the cluster's own name
	}
	s, err := p.signIn(ctx, target)
	if err != nil {
		return cli.DoctorReport{}, err
	}
	if err := s.connect(ctx, note); err != nil {
		return cli.DoctorReport{}, err
	}
	if err := s.known(nodes); err != nil {
		return cli.DoctorReport{}, err
	}
	seen, err := engine.Observe(ctx, s.fleet, s.node)
	if err != nil {
		return cli.DoctorReport{}, err
	}
	var names []string
	for _, m := range s.view.Nodes {
		names = append(names, m.Name)
	}
	report := cli.DoctorReport{Cluster: s.view.Name, Checks: []check.Result{hostCheck(names, s.addresses)}}
	byNode := map[string][]check.Result{}
	for _, r := range engine.ClusterChecks(seen, engine.DefaultOptions(), s.clock.Now()) {
		if slices.Contains(names, r.Subject) {
			byNode[r.Subject] = append(byNode[r.Subject], r)
		} else {
			report.Checks = append(report.Checks, r)
		}
	}
	for _, name := range s.chosen(names, addresses) {
		contact, err := s.fleet.Contact(ctx, name)
		n := cli.DoctorNode{Name: name, Address: s.addresses[name], Checks: append(contactChecks(name, contact, err), byNode[name]...)}
		if err == nil {
			n.Reached = contact.Negotiated.String() + ", build " + contact.Node.Build + ", PowerShell " + contact.Node.PowerShell
		}
		report.Nodes = append(report.Nodes, n)
	}
	return report, nil
}

// known refuses addresses that are no node of the cluster: the others would be shown in their place.
func (s *session) known(addresses []string) error {
	for _, a := range addresses {
		if !slices.ContainsFunc(s.view.Nodes, func(m engine.MemberView) bool {
			return strings.EqualFold(a, m.Name) || sameAddress(a, s.addresses[m.Name])
		}) {
			return cli.Usage(&fault.Error{Op: "doctor", Err: fmt.Errorf("%s is not a node of %s", a, s.view.Name), Hint: nodesHint(s.view)})
		}
	}
	return nil
}

// chosen are the nodes that addresses name, all when there are none.
func (s *session) chosen(names, addresses []string) []string {
	if len(addresses) == 0 {
		return names
	}
	var out []string
	for _, name := range names {
		for _, a := range addresses {
			if strings.EqualFold(a, name) || sameAddress(a, s.addresses[name]) {
				out = append(out, name)
				break
			}
		}
	}
	if len(out) == 0 {
		return names
	}
	return out
}

func sameAddress(a, b string) bool {
	x, err := winnode.ParseAddress(a)
	if err != nil {
		return false
	}
	y, err := winnode.ParseAddress(b)
	return err == nil && x == y
}
