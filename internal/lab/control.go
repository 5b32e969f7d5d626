package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"cau/internal/lab/wsmanserver"
)

// control is the lab's socket. A request is one line of JSON, and so is its answer; an attached connection
// stays open as long as its owner needs the lab.
type control struct {
	lab      *running
	path     string
	folder   string // of our own, when the path would be too long in the lab's folder
	listener net.Listener
	serving  sync.WaitGroup

	mu       sync.Mutex
	ended    bool
	open     map[net.Conn]bool
	attached int
	changed  chan struct{} // holds one when attached or down changed
	down     chan struct{}
}

type request struct {
	Do string `json:"do"`
	// Node and Faults belong to doInject.
	Node   string              `json:"node,omitempty"`
	Faults []wsmanserver.Fault `json:"faults,omitempty"`
}

type response struct {
	OK     bool    `json:"ok"`
	Error  string  `json:"error,omitempty"`
	Report *Report `json:"report,omitempty"`
	// Now answers doNow.
	Now time.Time `json:"now,omitzero"`
}

const (
	doAttach = "attach"
	doDown   = "down"
	doInfo   = "info"
	doInject = "inject"
	doNow    = "now"

	// maxSocketPath leaves room below what systems allow (macOS: 104 bytes).
	maxSocketPath = 100
	maxRequest    = 64 << 10
	requestTime   = 10 * time.Second
	// firstAttach is how long a lab that should end with its last user waits for its first.
	firstAttach = time.Minute
	maxControl  = 256
)

// listen opens the socket in dir, or elsewhere when its path would be too long there.
func listen(dir string, r *running) (*control, error) {
	c := &control{
		lab: r, path: filepath.Join(dir, "socket"), open: map[net.Conn]bool{},
		changed: make(chan struct{}, 1), down: make(chan struct{}),
	}
	if len(c.path) > maxSocketPath {
		folder, err := os.MkdirTemp("", "cau-lab-")
		if err != nil {
			return nil, fmt.Errorf("lab: control socket: %w", err)
		}
		c.folder, c.path = folder, filepath.Join(folder, "socket")
	}
	// A lab that was killed leaves its socket behind; a living one was looked for before.
	if err := os.Remove(c.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("lab: control socket: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", c.path)
	if err != nil {
		return nil, fmt.Errorf("lab: control socket: %w", err)
	}
	c.listener = l
	c.serving.Go(c.accept)
	return c, nil
}

func (c *control) accept() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		full := c.ended || len(c.open) >= maxControl
		if !full {
			c.open[conn] = true
		}
		c.mu.Unlock()
		if full {
			_ = conn.Close()
			continue
		}
		c.serving.Go(func() { c.serve(conn) })
	}
}

func (c *control) serve(conn net.Conn) {
	defer func() {
		_ = conn.Close()
		c.mu.Lock()
		delete(c.open, conn)
		c.mu.Unlock()
	}()
	_ = conn.SetDeadline(time.Now().Add(requestTime))
	line, err := bufio.NewReader(io.LimitReader(conn, maxRequest)).ReadBytes('\n')
	if err != nil {
		return
	}
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		reply(conn, response{Error: "the request is not one line of JSON"})
		return
	}
	switch req.Do {
	case doAttach:
		c.attach(1)
		defer c.attach(-1)
		reply(conn, response{OK: true})
		_ = conn.SetDeadline(time.Time{})
		c.lab.pace.follow(conn)
	case doDown:
		reply(conn, response{OK: true})
		c.mu.Lock()
		select {
		case <-c.down:
		default:
			close(c.down)
		}
		c.mu.Unlock()
	case doInfo:
		report := c.lab.report()
		c.mu.Lock()
		report.Attached = c.attached
		c.mu.Unlock()
		reply(conn, response{OK: true, Report: &report})
	case doNow:
		reply(conn, response{OK: true, Now: c.lab.pace.Now()})
	case doInject:
		if err := c.lab.inject(req.Node, req.Faults); err != nil {
			reply(conn, response{Error: err.Error()})
			return
		}
		reply(conn, response{OK: true})
	default:
		reply(conn, response{Error: "there is no such request"})
	}
}

func reply(conn net.Conn, r response) { _ = json.NewEncoder(conn).Encode(r) }

func (c *control) attach(n int) {
	c.mu.Lock()
	c.attached += n
	c.mu.Unlock()
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// wait returns when the lab has to end.
func (c *control) wait(ctx context.Context, linger time.Duration) {
	timer := time.NewTimer(max(linger, firstAttach))
	defer timer.Stop()
	for {
		expired := timer.C
		c.mu.Lock()
		if linger < 0 || c.attached > 0 {
			expired = nil
		}
		c.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-c.down:
			return
		case <-expired:
			return
		case <-c.changed:
			c.mu.Lock()
			if c.attached == 0 {
				timer.Reset(linger)
			}
			c.mu.Unlock()
		}
	}
}

// close ends all connections, waits for them and removes the socket.
func (c *control) close() {
	c.mu.Lock()
	c.ended = true
	for conn := range c.open {
		_ = conn.Close()
	}
	c.mu.Unlock()
	_ = c.listener.Close()
	c.serving.Wait()
	_ = os.Remove(c.path)
	if c.folder != "" {
		_ = os.Remove(c.folder)
	}
}
