package chaos_test

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
	"strings"
	"sync"

	"cau/engine"
)

// door stands in front of the control socket's listener. The bubble's time stands still while somebody waits in the
// kernel, so the listener is asked only when somebody has knocked, which means that a connection is there.
type door struct {
	net.Listener
	knocks chan struct{}
	closed chan struct{}
	once   sync.Once
}

func newDoor(l net.Listener) *door {
	return &door{Listener: l, knocks: make(chan struct{}, 16), closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	select {
	case <-d.knocks:
		return d.Listener.Accept()
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (d *door) Close() error {
	err := net.ErrClosed
	d.once.Do(func() {
		close(d.closed)
		err = d.Listener.Close()
	})
	return err
}

// errNobody says that no coordinator took the request.
var errNobody = errors.New("nobody answers")

// ask sends a request through the real control socket of the life that has the door; nil means that it is journalled.
func ask(ctx context.Context, d *door, socket string, c engine.Control) error {
	path, err := os.ReadFile(socket)
	if err != nil {
		return errNobody
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimSpace(string(path)))
	if err != nil {
		return errNobody
	}
	defer func() { _ = conn.Close() }()
	select {
	case d.knocks <- struct{}{}:
	case <-d.closed:
		return errNobody
	}
	line, err := json.Marshal(request(c))
	if err != nil {
		return err
	}
	if _, err := conn.Write(append(line, '\n')); err != nil {
		return errNobody
	}
	text, err := bufio.NewReader(conn).ReadString('\n')
	if errors.Is(err, io.EOF) || text == "" {
		return errNobody
	}
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
		Kind  string `json:"kind"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	switch {
	case answer.OK:
		return nil
	case answer.Kind == "not-alive" || strings.Contains(answer.Error, errDead.Error()):
		return errNobody
	case answer.Kind == "ended":
		return errEnded
	case answer.Kind == "refused":
		return fmt.Errorf("%w: %s", errNotObeyed, answer.Error)
	}
	return fmt.Errorf("%s: %s", c.Verb, answer.Error)
}

// errEnded says that nothing more is done in the run.
var errEnded = errors.New("the run has ended")

// errNotObeyed says that what was asked cannot be obeyed.
var errNotObeyed = errors.New("refused")

// request is the control as it crosses the socket.
func request(c engine.Control) any {
	return struct {
		Verb engine.Verb `json:"verb"`
		Node string      `json:"node,omitempty"`
	}{c.Verb, c.Node}
}

// leaveSocket leaves what a process leaves behind that is killed: a socket that nobody listens at, and its path.
func leaveSocket(dir string) error {
	path := filepath.Join(dir, "control")
	if len(path) > 100 {
		return nil
	}
	_ = os.Remove(path) // the last one's
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "socket"), []byte(path+"\n"), 0o600)
}
