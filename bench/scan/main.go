package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"cau/bench/room"
	"cau/engine"
	"cau/internal/lab"
	"cau/internal/winnode"
	"cau/internal/wsman"
)

func main() {
	nodes := flag.Int("nodes", 64, "number of nodes, 2 to 64")
	viaKerberos := flag.Bool("kerberos", false, "sign in with Kerberos instead of NTLM")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *nodes, *viaKerberos); err != nil {
		fmt.Fprintln(os.Stderr, "scan:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has run
	}
}

func run(ctx context.Context, out io.Writer, nodes int, viaKerberos bool) error {
	m, err := measure(ctx, nodes, viaKerberos)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%d nodes, %s\tfirst scan\tsecond scan\n", nodes, m.how)
	_, _ = fmt.Fprintf(w, "time\t%s\t%s\n", m.first.Round(time.Millisecond), m.second.Round(time.Millisecond))
	row(w, "requests a node", m, func(h lab.Heard) int { return h.Requests }, true)
	row(w, "logons a node", m, func(h lab.Heard) int { return h.Logons }, true)
	row(w, "connections at once a node", m, func(h lab.Heard) int { return h.MostConnections }, false)
	row(w, "shells at once a node", m, func(h lab.Heard) int { return h.MostShells }, false)
	return w.Flush()
}

// measured is what two scans cost: what each node's service heard after the first, and after both.
type measured struct {
	how           string
	first, second time.Duration
	cold, warm    map[string]lab.Heard
}

func measure(ctx context.Context, nodes int, viaKerberos bool) (m measured, err error) {
	info, end, err := room.Start(ctx, nodes)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, end()) }()
	credential, closeTickets, err := signIn(info, viaKerberos)
	if err != nil {
		return m, err
	}
	defer closeTickets()
	fleet, err := winnode.New(winnode.Config{Nodes: addresses(info), Dialer: &winnode.WinRM{Credential: credential}, Clock: clock{}})
	if err != nil {
		return m, err
	}
	defer fleet.Close()
	if m.how, m.first, err = scan(ctx, fleet); err != nil {
		return m, err
	}
	if m.cold, err = heard(ctx, info); err != nil {
		return m, err
	}
	if _, m.second, err = scan(ctx, fleet); err != nil {
		return m, err
	}
	m.warm, err = heard(ctx, info)
	return m, err
}

func heard(ctx context.Context, info lab.Info) (map[string]lab.Heard, error) {
	r, err := lab.Inspect(ctx, info)
	return r.WinRM, err
}

// row prints the least and the most of a count over all nodes; the second scan's alone where counts add up.
func row(w io.Writer, name string, m measured, count func(lab.Heard) int, addsUp bool) {
	_, _ = fmt.Fprint(w, name)
	for i, after := range []map[string]lab.Heard{m.cold, m.warm} {
		least, most := -1, 0
		for node, h := range after {
			v := count(h)
			if addsUp && i == 1 {
				v -= count(m.cold[node])
			}
			if least < 0 || v < least {
				least = v
			}
			most = max(most, v)
		}
		if least == most {
			_, _ = fmt.Fprintf(w, "\t%d", most)
		} else {
			_, _ = fmt.Fprintf(w, "\t%d to %d", least, most)
		}
	}
	_, _ = fmt.Fprintln(w)
}

// scan makes contact with all nodes and reads what a preview reads. how is what the first connection agreed on.
func scan(ctx context.Context, fleet *winnode.Fleet) (how string, took time.Duration, err error) {
	began := time.Now()
	for _, d := range fleet.DescribeAll(ctx) {
		if d.Err != nil {
			return "", 0, d.Err
		}
		if how == "" {
			how = d.Negotiated.String()
		}
	}
	_, err = engine.Observe(ctx, fleet, func(name string) engine.Node { return fleet.Node(name) })
	return how, time.Since(began), err
}

func signIn(info lab.Info, viaKerberos bool) (*wsman.Credential, func(), error) {
	if viaKerberos {
		return room.Kerberos(info)
	}
	return wsman.NTLM(room.Account, info.Domain, info.Password), func() {}, nil
}

func addresses(info lab.Info) []winnode.NodeAddress {
	var list []winnode.NodeAddress
	for _, n := range info.Nodes {
		list = append(list, winnode.NodeAddress{Name: n.Name, Address: n.Address, Host: n.FQDN})
	}
	return list
}

// clock is real time.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
