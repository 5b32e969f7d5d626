package wsman

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/masterzen/winrm"
)

// Result is what a command left behind.
type Result struct {
	Stdout, Stderr []byte
	// Exit is the exit code as 32 bits.
	Exit int32
	// Receives is how often output was asked for.
	Receives int
	// Repeats is how many of these repeated one whose answer was lost. If it is not 0 a part of the output may be
	// missing; only a length or a hash inside the output can tell.
	Repeats int
}

// Actions of the answers; each message accepts only its own.
const (
	transfer      = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
	answerCreate  = transfer + "/CreateResponse"
	answerDelete  = transfer + "/DeleteResponse"
	answerCommand = nsShell + "/CommandResponse"
	answerSend    = nsShell + "/SendResponse"
	answerReceive = nsShell + "/ReceiveResponse"
	answerSignal  = nsShell + "/SignalResponse"
)

// shell speaks the WinRS messages of MS-WSMV over one conn. It keeps no state of its own.
type shell struct {
	conn *conn
	msgs messages
	hold time.Duration // of a Receive
}

// ask sends one message and gives its checked answer.
func (s shell) ask(ctx context.Context, op string, message []byte, hold time.Duration, action string) ([]byte, *envelope, error) {
	body, err := s.conn.do(ctx, op, message, hold)
	if err != nil {
		return nil, nil, err
	}
	env, err := readEnvelope(body)
	if err == nil && env.fault != nil {
		env.fault.Op, env.fault.Status = op, 200
		return nil, nil, env.fault
	}
	if err == nil && env.action != action {
		err = fmt.Errorf("the answer is %q", printable(env.action, 120))
	}
	if err != nil {
		return nil, nil, &ConnError{op, Answered, err}
	}
	return body, env, nil
}

// create opens a shell and gives its id.
func (s shell) create(ctx context.Context) (string, error) {
	body, _, err := s.ask(ctx, opCreate, s.msgs.create(slowOperation), slowOperation, answerCreate)
	if err != nil {
		return "", err
	}
	return identifier(opCreate, body, winrm.ParseOpenShellResponse)
}

// start runs line in shellID and gives the command's id.
func (s shell) start(ctx context.Context, shellID, line string, piped bool) (string, error) {
	message, err := s.msgs.command(shellID, line, piped, slowOperation)
	if err != nil {
		return "", &ConnError{opCommand, NotSent, err}
	}
	body, _, err := s.ask(ctx, opCommand, message, slowOperation, answerCommand)
	if err != nil {
		return "", err
	}
	return identifier(opCommand, body, winrm.ParseExecuteCommandResponse)
}

// identifier lets parse find an id in a checked answer, and checks the id.
func identifier(op string, body []byte, parse func(string) (string, error)) (string, error) {
	var id string
	err := contained(func() (err error) {
		id, err = parse(string(body))
		return err
	})
	if err == nil {
		err = checkID(id)
	}
	if err != nil {
		return "", &ConnError{op, Answered, err}
	}
	return id, nil
}

// contained keeps a crash of the parser we do not own from ending the program.
func contained(parse func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("the answer cannot be parsed")
		}
	}()
	return parse()
}

// feed sends input and its end.
func (s shell) feed(ctx context.Context, shellID, commandID string, input []byte) error {
	for {
		chunk := input[:min(len(input), inputChunk)]
		input = input[len(chunk):]
		message := s.msgs.send(shellID, commandID, chunk, len(input) == 0, slowOperation)
		if _, _, err := s.ask(ctx, opSend, message, slowOperation, answerSend); err != nil || len(input) == 0 {
			return err
		}
	}
}

// receive asks once for output and appends it to r. news is false when there was nothing yet.
func (s shell) receive(ctx context.Context, shellID, commandID string, r *Result) (done, news bool, err error) {
	r.Receives++
	body, env, err := s.ask(ctx, opReceive, s.msgs.receive(shellID, commandID, s.hold), s.hold, answerReceive)
	var f *Fault
	if errors.As(err, &f) && f.Code == CodeTimedOut {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	size, done, exit, err := env.output(commandID)
	if err != nil {
		return false, false, &ConnError{opReceive, Answered, err}
	}
	if len(r.Stdout)+len(r.Stderr)+size > s.conn.cfg.MaxOutput {
		return false, false, &ConnError{opReceive, Answered, errTooLarge}
	}
	var stdout, stderr bytes.Buffer
	var ended bool
	err = contained(func() (err error) {
		ended, _, err = winrm.ParseSlurpOutputErrResponse(string(body), &stdout, &stderr)
		return err
	})
	if err == nil && (ended != done || stdout.Len()+stderr.Len() != size) {
		err = errors.New("the answer can be read in two ways")
	}
	if err != nil {
		return false, false, &ConnError{opReceive, Answered, err}
	}
	r.Stdout = append(r.Stdout, stdout.Bytes()...)
	r.Stderr = append(r.Stderr, stderr.Bytes()...)
	if done {
		r.Exit = exit
	}
	return done, done || size > 0, nil
}

// collect asks until the command is done. A lost answer is asked for again, on a new connection, as long as the
// host was heard of within DeadHost.
func (s shell) collect(ctx context.Context, shellID, commandID string, r *Result) error {
	losses := 0 // since the last answer
	for {
		began := s.conn.now()
		done, news, err := s.receive(ctx, shellID, commandID, r)
		switch {
		case done:
			return nil
		case err == nil:
			losses = 0
			if !news && s.conn.now().Sub(began) < s.hold/2 {
				err = pause(ctx, s.hold/4) // the node did not hold the question: do not spin
			}
		case lost(err) && ctx.Err() == nil:
			// One loss is not enough: it may be this host that slept, or whose clock was set.
			if losses++; losses > 1 && s.conn.silence() >= s.conn.cfg.DeadHost {
				return &ConnError{opReceive, Maybe, fmt.Errorf("%w: %w", ErrSilent, err)}
			}
			r.Repeats++
			err = pause(ctx, s.hold/8*time.Duration(min(r.Repeats, 8)))
		}
		if err != nil {
			return err
		}
	}
}

// lost reports whether err is a connection that failed, not an answer that displeased.
func lost(err error) bool {
	var c *ConnError
	return errors.As(err, &c) && c.Stage != Answered && !errors.Is(err, errTooLarge)
}

// pause waits d, at most 5 s.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, 5*time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return &ConnError{opReceive, NotSent, context.Cause(ctx)}
	}
}

// signal ends a command, or confirms that its end was seen, so that the node forgets it.
func (s shell) signal(ctx context.Context, shellID, commandID string) error {
	_, _, err := s.ask(ctx, opSignal, s.msgs.signal(shellID, commandID, slowOperation), slowOperation, answerSignal)
	return err
}

// remove ends a shell and whatever still runs in it.
func (s shell) remove(ctx context.Context, shellID string) error {
	_, _, err := s.ask(ctx, opDelete, s.msgs.remove(shellID, slowOperation), slowOperation, answerDelete)
	return err
}
