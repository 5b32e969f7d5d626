package winnode

import (
	"context"
	"errors"
	"fmt"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/winnode/agent"
	"cau/internal/wsman"
)

// Contact is what one node and its connection say at first contact.
type Contact struct {
	// Address is what was dialled.
	Address string
	// Node is what the node says about itself.
	Node engine.NodeView
	// Negotiated is how it is connected, where the transport can say.
	Negotiated wsman.Negotiated
	// Stats counts requests, connections and logons so far, of all shells to it.
	Stats wsman.Stats
}

// Discovery is what one node of a cluster tells to somebody who knows only an address.
type Discovery struct {
	Contact
	// Cluster is the cluster as that node sees it; ClusterFqdn its full DNS name, or empty.
	Cluster     engine.ClusterView
	ClusterFqdn string
}

// Discover asks the addresses in turn until one answers, and reads there who it is and what cluster it belongs to.
// cfg.Nodes gives no more than an address's Host, where it has one. The error is the first address's; after a rejected
// logon no further address is tried (R02).
func Discover(ctx context.Context, cfg Config, addresses ...string) (Discovery, error) {
	var first error
	for _, address := range addresses {
		d, err := discover(ctx, cfg, address)
		if err == nil {
			return d, nil
		}
		if first == nil {
			first = err
		}
		if rejected(err) || ctx.Err() != nil {
			break
		}
	}
	if first == nil {
		first = &fault.Error{Op: "discover the cluster", Err: errors.New("no address is given")}
	}
	return Discovery{}, first
}

func discover(ctx context.Context, cfg Config, address string) (Discovery, error) {
	only := NodeAddress{Name: address, Address: address}
	for _, n := range cfg.Nodes {
		if n.Address == address {
			only.Host = n.Host
		}
	}
	cfg.Nodes = []NodeAddress{only}
	f, err := New(cfg)
	if err != nil {
		return Discovery{}, err
	}
	defer f.Close()
	f.links[0].name = "" // any computer will do: who it is is what we want to know
	var d Discovery
	if d.Contact, err = f.contact(ctx, f.Node(address)); err != nil {
		return Discovery{}, at(address, err)
	}
	var c agent.Cluster
	if _, err := f.links[0].call(ctx, agent.OpClusterGet, struct{}{}, &c); err != nil {
		return Discovery{}, at(address, err)
	}
	d.Cluster, d.ClusterFqdn = clusterView(&c), agent.Printable(c.Fqdn, maxName)
	d.Cluster.AnsweredByNode = d.Node.Computer
	if d.Cluster.Name == "" || len(d.Cluster.Nodes) == 0 {
		return Discovery{}, at(address, &fault.Error{Op: "discover the cluster", Err: errors.New("the computer belongs to no cluster")})
	}
	return d, nil
}

// at names the address in place of a node that is not known yet.
func at(address string, err error) error {
	var e *fault.Error
	if errors.As(err, &e) && e.Node == "" {
		return &fault.Error{Op: e.Op, Node: address, Code: e.Code, Err: e.Err, Hint: e.Hint}
	}
	return fmt.Errorf("%s: %w", address, err)
}

// Contact asks the node who it is and says how it is connected.
func (f *Fleet) Contact(ctx context.Context, node string) (Contact, error) {
	return f.contact(ctx, f.Node(node))
}

func (f *Fleet) contact(ctx context.Context, n *Node) (Contact, error) {
	v, err := n.Describe(ctx)
	c := Contact{Address: n.link.address, Node: v, Stats: n.link.stats()}
	if s := n.link.negotiator(); s != nil {
		c.Negotiated, _ = s.Negotiated()
	}
	return c, err
}

// Stats counts what crossed the wire to the node so far, through all connections that there were.
func (f *Fleet) Stats(node string) wsman.Stats { return f.Node(node).link.stats() }

// Described is one node's contact, or why there is none.
type Described struct {
	// Name is the node's cluster name.
	Name string
	Contact
	Err error
}

// DescribeAll makes contact with every node of the fleet at the same time, as many as the fleet asks at once, each
// through its one connection and shell. The nodes come in the fleet's order. After a rejected logon the others are
// not tried (R02).
func (f *Fleet) DescribeAll(ctx context.Context) []Described {
	out := make([]Described, len(f.links))
	at := make(map[*link]int, len(f.links))
	for i, l := range f.links {
		at[l] = i
	}
	_ = f.eachNode(ctx, f.links, func(ctx context.Context, l *link) error {
		c, err := f.Contact(ctx, l.name)
		out[at[l]] = Described{Name: l.name, Contact: c, Err: err}
		return nil
	})
	return out
}
