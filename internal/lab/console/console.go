package console

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"cau/internal/winnode/agent"
)

// Machine is the node behind the console.
type Machine interface {
	// HasAgent tells whether the bundle that hash names is on the node; PutAgent puts it there.
	HasAgent(hash string) bool
	PutAgent(hash string) agent.Response
	Operate(req agent.Request) agent.Response
}

// Console runs command lines on a machine. It implements wsmanserver.Runner.
type Console struct{ Machine Machine }

const (
	// exitUnknown is cmd.exe's code for a program that it does not find.
	exitUnknown = 9009
	// exitInterrupted is STATUS_CONTROL_C_EXIT.
	exitInterrupted = 3221225786
	maxStdin        = 16 << 20
	maxSleep        = time.Hour
)

// Run runs one command line as cmd.exe would. The plain commands are:
//
//	echo TEXT     writes TEXT and a line end
//	stderr TEXT   the same to the error stream
//	exit N        ends with N as it is written, signed or unsigned
//	sleep N       waits N seconds of real time
//	cat           copies its input to its output
func (c Console) Run(ctx context.Context, _, line string, stdin io.Reader, stdout, stderr io.Writer) int64 {
	if code, ours := c.agent(ctx, line, stdin, stdout); ours {
		return code
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	var err error
	switch strings.ToLower(name) {
	case "echo":
		_, err = fmt.Fprintf(stdout, "%s\r\n", rest)
	case "stderr":
		_, err = fmt.Fprintf(stderr, "%s\r\n", rest)
	case "exit":
		code, err := strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		if err != nil && rest != "" || code < -1<<31 || code > 1<<32-1 {
			_, _ = io.WriteString(stderr, "The number is not an exit code.\r\n")
			return 1
		}
		return code
	case "sleep":
		return sleep(ctx, rest, stderr)
	case "cat":
		_, err = io.Copy(stdout, stdin)
	default:
		_, err = fmt.Fprintf(stderr, "'%s' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", printable(name))
		if err == nil {
			return exitUnknown
		}
	}
	if err != nil {
		return exitInterrupted
	}
	return 0
}

// agent runs the line if it is one of ours, byte for byte; ours is false otherwise.
func (c Console) agent(ctx context.Context, line string, stdin io.Reader, stdout io.Writer) (code int64, ours bool) {
	parsed, err := agent.ParseCommand(line)
	if err != nil {
		return 0, false
	}
	var input []byte
	if parsed.FromStdin {
		input, err = io.ReadAll(io.LimitReader(stdin, maxStdin))
		if err != nil {
			return exitInterrupted, true
		}
	}
	var answer agent.Response
	if parsed.Upload {
		if parsed.CheckUpload(input) != nil {
			return agent.ExitBadBundle, true
		}
		answer = c.Machine.PutAgent(agent.BundleSHA256())
	} else {
		if !c.Machine.HasAgent(agent.BundleSHA256()) {
			return agent.ExitNoBundle, true
		}
		req, err := parsed.Request(input)
		if err != nil {
			// The script decodes its argument inside: a bad one is an answer, not an exit code.
			answer = c.refuse(err)
		} else {
			answer = c.Machine.Operate(req)
		}
	}
	if ctx.Err() != nil {
		return exitInterrupted, true
	}
	if _, err := stdout.Write(agent.EncodeFrame(answer)); err != nil {
		return exitInterrupted, true
	}
	return 0, true
}

// refuse is an answer to a request that cannot be read, with the machine's own name and time in it.
func (c Console) refuse(err error) agent.Response {
	r := c.Machine.Operate(agent.Request{V: agent.Version, Op: "-"})
	r.OK, r.Data = false, nil
	r.Err = &agent.OpError{Kind: "script", Message: err.Error()}
	return r
}

func sleep(ctx context.Context, text string, stderr io.Writer) int64 {
	seconds, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || seconds < 0 || seconds > maxSleep.Seconds() {
		_, _ = io.WriteString(stderr, "The number of seconds is not valid.\r\n")
		return 1
	}
	t := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return 0
	case <-ctx.Done():
		return exitInterrupted
	}
}

// printable keeps the name that a client sent short and harmless.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
