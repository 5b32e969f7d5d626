package e2e_test

import (
	"context"
	"io"

	"github.com/creack/pty"
)

// terminal runs the program at a terminal, types a line, and gives exit code and screen.
func (w *world) terminal(line string, args ...string) (int, string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, args...)
	at, err := pty.Start(cmd)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = at.Close() }()
	if _, err := io.WriteString(at, line+"\n"); err != nil {
		w.t.Fatal(err)
	}
	screen, _ := io.ReadAll(at) // it ends with an error when the program does
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), string(screen)
}
