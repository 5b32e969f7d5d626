package tuitest

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// patience is how long a test waits for the screen before it fails. It is not a speed: a test that passes
// does not wait.
const patience = 20 * time.Second

// Terminal is a terminal that exists only in a test: a program writes to it as to a real one and reads the
// bytes that its keys send.
type Terminal struct {
	tb   testing.TB
	in   *io.PipeReader
	keys *io.PipeWriter

	mu     sync.Mutex
	screen *vt.Emulator
	raw    bytes.Buffer
	// resized tells the program about a new size.
	resized func(w, h int)
}

// NewTerminal is a terminal of w columns and h rows. It is closed with the test.
func NewTerminal(tb testing.TB, w, h int) *Terminal {
	tb.Helper()
	in, keys := io.Pipe()
	term := &Terminal{tb: tb, in: in, keys: keys, screen: vt.NewEmulator(w, h)}
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		_, _ = io.Copy(io.Discard, term.screen) // what the terminal answers to queries
	}()
	tb.Cleanup(func() {
		_ = keys.Close()
		// Closing the emulator itself races with reading from it; the end of its answers ends the reader.
		if pipe, ok := term.screen.InputPipe().(io.Closer); ok {
			_ = pipe.Close()
		}
		<-answers
	})
	return term
}

// In is what the program reads: the keys.
func (term *Terminal) In() io.Reader { return term.in }

// Out is what the program writes to.
func (term *Terminal) Out() io.Writer { return writer{term} }

type writer struct{ term *Terminal }

// Write shows p. The program leaves turning a line feed into a new line to the terminal's driver, as on a tty.
func (w writer) Write(p []byte) (int, error) {
	w.term.mu.Lock()
	defer w.term.mu.Unlock()
	w.term.raw.Write(p)
	if _, err := w.term.screen.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// OnResize sets who is told about a new size.
func (term *Terminal) OnResize(f func(w, h int)) { term.resized = f }

// Resize changes the size of the window.
func (term *Terminal) Resize(w, h int) {
	term.mu.Lock()
	term.screen.Resize(w, h)
	term.mu.Unlock()
	if term.resized != nil {
		term.resized(w, h)
	}
}

// keyBytes are what a terminal sends for keys that are not text.
func keyBytes(key string) string {
	switch key {
	case "enter":
		return "\r"
	case "tab":
		return "\t"
	case "shift+tab":
		return "\x1b[Z"
	case "esc":
		return "\x1b"
	case "space":
		return " "
	case "backspace":
		return "\x7f"
	case "up":
		return "\x1b[A"
	case "down":
		return "\x1b[B"
	case "right":
		return "\x1b[C"
	case "left":
		return "\x1b[D"
	case "pgup":
		return "\x1b[5~"
	case "pgdown":
		return "\x1b[6~"
	case "ctrl+c":
		return "\x03"
	case "ctrl+l":
		return "\x0c"
	}
	return key
}

// Press presses keys by their names, "enter" or "down" or "p".
func (term *Terminal) Press(keys ...string) {
	term.tb.Helper()
	for _, k := range keys {
		term.send(keyBytes(k))
	}
}

// Type types text.
func (term *Terminal) Type(text string) { term.send(text) }

// Paste pastes text as terminals do that bracket it.
func (term *Terminal) Paste(text string) { term.send("\x1b[200~" + text + "\x1b[201~") }

func (term *Terminal) send(s string) {
	if _, err := io.WriteString(term.keys, s); err != nil {
		term.tb.Errorf("the program no longer reads keys: %v", err)
	}
}

// Screen is what the terminal shows, without colours, blanks at line ends cut.
func (term *Terminal) Screen() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return Text(term.screen)
}

// Raw is every byte that was written.
func (term *Terminal) Raw() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

// Until waits until the screen shows the text and returns the screen.
func (term *Terminal) Until(text string) string {
	term.tb.Helper()
	return term.wait(text, true)
}

// UntilGone waits until the screen shows the text no more.
func (term *Terminal) UntilGone(text string) string {
	term.tb.Helper()
	return term.wait(text, false)
}

func (term *Terminal) wait(text string, there bool) string {
	term.tb.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		screen := term.Screen()
		if strings.Contains(screen, text) == there {
			return screen
		}
		if time.Now().After(end) {
			term.tb.Fatalf("%q there: %v did not come true; the screen is\n%s", text, there, screen)
		}
	}
}

// Show draws content as a terminal of w by h would show it.
func Show(content string, w, h int) string {
	screen := vt.NewEmulator(w, h)
	_, _ = screen.Write([]byte(strings.ReplaceAll(content, "\n", "\r\n")))
	return Text(screen)
}

// Text is the emulator's screen as lines without colours.
func Text(screen *vt.Emulator) string {
	var b strings.Builder
	for y := range screen.Height() {
		line := ""
		for x := range screen.Width() {
			cell := screen.CellAt(x, y)
			if cell == nil || cell.Content == "" {
				if cell != nil && cell.Width == 0 {
					continue // the second half of a wide character
				}
				line += " "
				continue
			}
			line += cell.Content
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
