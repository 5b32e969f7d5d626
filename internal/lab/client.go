package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"cau/internal/lab/model"
	"cau/internal/lab/wsmanserver"
)

// Report is the inside of a lab, for tests and for whoever looks: what no real cluster would tell.
type Report struct {
	State model.State `json:"state"`
	// WinRM is what each node's listener heard.
	WinRM map[string]Heard `json:"winrm"`
	// FailedLogons is how many wrong passwords were tried for the administrator, by NTLM, Basic and Kerberos.
	FailedLogons int `json:"failed_logons"`
	// Attached is how many connections keep the lab alive.
	Attached int `json:"attached"`
}

// Heard counts what a node's WinRM service heard since the lab began.
type Heard = wsmanserver.Stats

const maxReport = 64 << 20

// Down ends a lab and waits until it has gone. A lab that is gone already is no error.
func Down(ctx context.Context, i Info) error {
	conn, _, err := ask(ctx, i, request{Do: doDown})
	if errors.Is(err, ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = conn.Close()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for i.answers() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("lab %s: waiting for its end: %w", i.ID, ctx.Err())
		case <-t.C:
		}
	}
	return nil
}

// Inspect reads the inside of a lab.
func Inspect(ctx context.Context, i Info) (Report, error) {
	conn, r, err := ask(ctx, i, request{Do: doInfo})
	if err != nil {
		return Report{}, err
	}
	_ = conn.Close()
	if r.Report == nil {
		return Report{}, fmt.Errorf("lab %s: %w", i.ID, errNoAnswer)
	}
	return *r.Report, nil
}

// Now asks a lab for its model time.
func Now(ctx context.Context, i Info) (time.Time, error) {
	conn, r, err := ask(ctx, i, request{Do: doNow})
	if err != nil {
		return time.Time{}, err
	}
	return r.Now, conn.Close()
}

// Inject replaces the faults of one node's WinRM service from now on; none makes it well again. The error
// names a fault that could never strike, or a node that is not there, and then nothing has changed.
func Inject(ctx context.Context, i Info, node string, faults []wsmanserver.Fault) error {
	conn, _, err := ask(ctx, i, request{Do: doInject, Node: node, Faults: faults})
	if err != nil {
		return err
	}
	return conn.Close()
}

// ask sends one request and reads its answer; the connection stays open.
func ask(ctx context.Context, i Info, req request) (_ net.Conn, _ response, err error) {
	if !i.Ended.IsZero() || !processExists(i.PID) {
		return nil, response{}, fmt.Errorf("lab %s: %w", i.ID, ErrGone)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", i.Socket)
	if err != nil {
		return nil, response{}, fmt.Errorf("lab %s: %w: %w", i.ID, ErrGone, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = fmt.Errorf("lab %s: %w", i.ID, ctx.Err())
		}
		if err != nil {
			_ = conn.Close()
		}
	}()
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return nil, response{}, fmt.Errorf("lab %s: %w", i.ID, err)
	}
	line, err := bufio.NewReader(io.LimitReader(conn, maxReport)).ReadBytes('\n')
	if err != nil {
		return nil, response{}, fmt.Errorf("lab %s: %w: %w", i.ID, errNoAnswer, err)
	}
	var r response
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, response{}, fmt.Errorf("lab %s: %w: %w", i.ID, errNoAnswer, err)
	}
	if !r.OK {
		return nil, response{}, fmt.Errorf("lab %s: %s", i.ID, r.Error)
	}
	return conn, r, nil
}
