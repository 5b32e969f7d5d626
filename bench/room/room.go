// Package room starts a simulated cluster within a benchmark's own process.
//
//	requests, scan ─▶ room.Start ─▶ lab.Serve
package room

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"cau/internal/kerberos"
	"cau/internal/lab"
	"cau/internal/wsman"
)

// Start serves a lab of nodes nodes and waits until it is up. end ends it and removes its files.
func Start(ctx context.Context, nodes int) (info lab.Info, end func() error, err error) {
	dir, err := os.MkdirTemp("", "cau-bench-")
	if err != nil {
		return lab.Info{}, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	ended := make(chan error, 1)
	serving.Go(func() { ended <- lab.Serve(ctx, lab.Config{Dir: dir, ID: "bench", Nodes: nodes, Linger: -1}) })
	end = func() error {
		cancel()
		serving.Wait()
		return errors.Join(<-ended, os.RemoveAll(dir))
	}
	for {
		if info, err := lab.Load(dir); err == nil && info.Alive {
			return info, end, nil
		}
		select {
		case err := <-ended:
			ended <- err
			return lab.Info{}, nil, errors.Join(errors.New("the lab did not start"), end())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Account is the lab's administrator without the domain.
const Account = "admin"

// Kerberos is a credential for the lab's nodes by tickets of its own domain controller; its closer gives the client up.
func Kerberos(info lab.Info) (*wsman.Credential, func(), error) {
	c, err := kerberos.Open(kerberos.Config{User: Account, Realm: info.Kerberos.Realm, KDCs: []string{info.Kerberos.KDC}, Password: info.Password})
	if err != nil {
		return nil, nil, err
	}
	return wsman.Kerberos(c, ""), c.Close, nil
}
