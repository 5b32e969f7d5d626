package coordinator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"cau/engine"
	"cau/internal/fault"
)

// pipeVariable names the descriptor or handle over which the coordinator tells its starter how it gets on.
const pipeVariable = "CAU_COORDINATOR_PIPE"

// maxSecrets bounds what the starter may hand over, in bytes.
const maxSecrets = 1 << 20

// report is what the coordinator tells its starter, one line each: that it is there and what it sees of itself, then
// that it is ready or why not.
type report struct {
	PID int `json:"pid,omitempty"`
	// JobEnds: on Windows, a job object would end this process together with its session.
	JobEnds bool `json:"job_ends,omitempty"`

	Ready bool         `json:"ready,omitempty"`
	Cause *fault.Cause `json:"cause,omitempty"`
	// Kind tells typed errors apart.
	Kind reportKind `json:"kind,omitempty"`
	Busy *holder    `json:"busy,omitempty"`
}

type reportKind string

const (
	kindOther     reportKind = ""
	kindBusy      reportKind = "cluster-busy"
	kindAlive     reportKind = "alive"
	kindEnded     reportKind = "ended"
	kindNoRoom    reportKind = "no-room"
	kindTakenOver reportKind = "taken-over"
	// kindNotAlive is an answer of the control socket.
	kindNotAlive reportKind = "not-alive"
	// kindRefused is another: what was asked cannot be obeyed.
	kindRefused reportKind = "refused"
)

// Child is the coordinator's side of its start. Its methods are for one goroutine.
type Child struct {
	secrets []byte
	pipe    io.WriteCloser
	told    bool
}

// Enter is the first thing the coordinator process does: it turns core dumps and tracing off (R04), ignores SIGHUP
// and SIGINT (R29), tells its starter that it is there, and takes the secrets from standard input, which the starter
// sends only after it has proven that this process outlives it (R28). The starter's message pipe leaves the environment.
func Enter() (*Child, error) {
	name := os.Getenv(pipeVariable)
	fd, err := strconv.ParseUint(name, 10, 64)
	if err != nil || fd == 0 {
		return nil, errors.New("this command is the inside of a run's own process; cau starts it by itself")
	}
	if err := os.Unsetenv(pipeVariable); err != nil {
		return nil, err
	}
	signal.Ignore(syscall.SIGHUP, os.Interrupt)
	c := &Child{pipe: os.NewFile(uintptr(fd), "starter")}
	if err := c.enter(os.Stdin); err != nil {
		c.Fail(err)
		return nil, err
	}
	return c, nil
}

func (c *Child) enter(stdin io.Reader) error {
	if err := harden(); err != nil {
		return err
	}
	ends, err := killedWithJob()
	if err != nil {
		return err
	}
	if err := c.tell(report{PID: os.Getpid(), JobEnds: ends}); err != nil {
		return fmt.Errorf("answer the starter: %w", err)
	}
	c.secrets, err = readSecrets(stdin)
	return err
}

// Secrets are the bytes that the starter handed over; nil after Forget.
func (c *Child) Secrets() []byte { return c.secrets }

// Forget overwrites the secrets once they have been used.
func (c *Child) Forget() {
	clear(c.secrets)
	c.secrets = nil
}

// Ready tells the starter that the run is being worked on from now. Serve calls it.
func (c *Child) Ready() { c.last(report{Ready: true}) }

// Fail tells the starter why the run could not be started; after Ready it does nothing. The text goes into no file.
func (c *Child) Fail(err error) {
	r := report{Cause: fault.CauseOf(err)}
	var busy *ClusterBusyError
	switch {
	case errors.As(err, &busy):
		r.Kind, r.Busy = kindBusy, &holder{Run: busy.Run, PID: busy.PID, Host: busy.Host}
	case errors.Is(err, ErrAlive):
		r.Kind = kindAlive
	case errors.Is(err, ErrTakenOver), errors.Is(err, engine.ErrTakenOver):
		r.Kind = kindTakenOver
	case errors.Is(err, ErrEnded):
		r.Kind = kindEnded
	case errors.Is(err, ErrNoRoom):
		r.Kind = kindNoRoom
	}
	c.last(r)
}

// last sends the last report. A starter that is gone does not matter: the run's state is in its folder.
func (c *Child) last(r report) {
	if c == nil || c.told {
		return
	}
	c.told = true
	_ = c.tell(r)
	_ = c.pipe.Close()
}

func (c *Child) tell(r report) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = c.pipe.Write(append(data, '\n'))
	return err
}

// writeSecrets frames the secrets with their length, so that a starter that dies half-way is noticed.
func writeSecrets(w io.Writer, secrets []byte) error {
	if len(secrets) > maxSecrets {
		return fmt.Errorf("the secrets are larger than %d bytes", maxSecrets)
	}
	if _, err := fmt.Fprintf(w, "%d\n", len(secrets)); err != nil {
		return err
	}
	_, err := w.Write(secrets)
	return err
}

func readSecrets(r io.Reader) ([]byte, error) {
	br := bufio.NewReaderSize(r, 16)
	head, err := br.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("take over the secrets: the starter is gone: %w", err)
	}
	size, err := strconv.ParseUint(string(head[:len(head)-1]), 10, 32)
	if err != nil || size > maxSecrets {
		return nil, errors.New("take over the secrets: what came is not from cau")
	}
	secrets := make([]byte, size)
	if _, err := io.ReadFull(br, secrets); err != nil {
		clear(secrets)
		return nil, fmt.Errorf("take over the secrets: the starter is gone: %w", err)
	}
	return secrets, nil
}
