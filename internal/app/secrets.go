package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/term"

	"cau/internal/fault"
)

// maxPassword bounds a password in bytes; Windows allows 127 UTF-16 characters for interactive ones.
const maxPassword = 1024

// passwordSource says where a password may come from (R04): a file, a descriptor, systemd's credentials
// directory, or a prompt; never an argument or an ordinary environment variable.
type passwordSource struct {
	file string
	// fd is -1 when no descriptor was named.
	fd int
	// credential is the name below $CREDENTIALS_DIRECTORY.
	credential string
	// account is who the password is for, in the prompt.
	account string
	// fileFlag names the flag in hints.
	fileFlag string
}

// read finds the password. It asks only on a terminal, and gives up with ctx.
func (s passwordSource) read(ctx context.Context) (string, error) {
	switch {
	case s.file != "":
		return s.fromFile(s.file)
	case s.fd >= 0:
		return s.fromDescriptor()
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" {
		path := filepath.Join(dir, s.credential)
		if _, err := os.Stat(path); err == nil {
			return s.fromFile(path)
		}
	}
	return s.prompt(ctx)
}

func (s passwordSource) fromFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", &fault.Error{Op: "read the password of " + s.account, Err: err, Hint: "Check the path given with " + s.fileFlag + "."}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return "", &fault.Error{Op: "read the password of " + s.account, Err: err}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", &fault.Error{
			Op: "read the password of " + s.account, Err: fmt.Errorf("%s may be read by others (mode %04o)", path, info.Mode().Perm()),
			Hint: "Make it yours alone: chmod 600 " + path,
		}
	}
	return s.firstLine(f)
}

func (s passwordSource) fromDescriptor() (string, error) {
	f := os.NewFile(uintptr(s.fd), "password")
	if f == nil {
		return "", &fault.Error{Op: "read the password of " + s.account, Err: fmt.Errorf("descriptor %d is not open", s.fd)}
	}
	defer func() { _ = f.Close() }()
	return s.firstLine(f)
}

func (s passwordSource) firstLine(r io.Reader) (string, error) {
	line, err := firstLine(r)
	if err != nil {
		return "", &fault.Error{Op: "read the password of " + s.account, Err: err, Hint: "It is the first line of what " + s.fileFlag + " or --password-fd names."}
	}
	return line, nil
}

func (s passwordSource) prompt(ctx context.Context) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if runtime.GOOS == "windows" {
		tty, err = os.Stdin, nil
	}
	if err != nil || !term.IsTerminal(int(tty.Fd())) {
		return "", &fault.Error{Op: "ask for the password of " + s.account, Err: errors.New("there is no terminal to ask on"), Hint: "Give it with " + s.fileFlag + " or --password-fd."}
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return "", fmt.Errorf("ask for the password of %s: %w", s.account, err)
	}
	_, _ = fmt.Fprintf(tty, "Password of %s: ", s.account)
	type answer struct {
		secret []byte
		err    error
	}
	answered := make(chan answer, 1)
	go func() { // a read from a terminal cannot be cancelled: after an interrupt this ends with the process
		secret, err := term.ReadPassword(int(tty.Fd()))
		answered <- answer{secret, err}
	}()
	select {
	case a := <-answered:
		_, _ = fmt.Fprintln(tty)
		if a.err != nil {
			return "", fmt.Errorf("ask for the password of %s: %w", s.account, a.err)
		}
		return string(a.secret), nil
	case <-ctx.Done():
		_ = term.Restore(int(tty.Fd()), before) // or the shell would show nothing of what is typed
		_, _ = fmt.Fprintln(tty)
		return "", ctx.Err()
	}
}

// firstLine reads a password that ends at the first line's end.
func firstLine(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPassword+2))
	if err != nil {
		return "", fmt.Errorf("read a password: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case line == "":
		return "", errors.New("the password is empty")
	case len(line) > maxPassword:
		return "", fmt.Errorf("the password is longer than %d bytes", maxPassword)
	}
	return line, nil
}
