package tui

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"cau/tui/backend"
	"cau/tui/relay"
	"cau/tui/tuitest"
)

// stage plays the app without a terminal: messages go in, commands are run one after another, and the screen
// is what a terminal would make of the view. The clock stands still until a test moves it.
type stage struct {
	t        *testing.T
	app      *app
	services *tuitest.Services
	clock    time.Time
	quit     bool
	// hold keeps commands from running: what they ask for does not answer.
	hold bool
	held []tea.Cmd
}

func newStage(t *testing.T, w, h int, s *tuitest.Services, change ...func(*Config, *stage)) *stage {
	t.Helper()
	st := &stage{t: t, services: s, clock: tuitest.Start0().Add(41*time.Minute + 7*time.Second)}
	cfg := Config{Services: s, Now: func() time.Time { return st.clock }}
	for _, c := range change {
		c(&cfg, st)
	}
	p := newProgram(t.Context(), cfg)
	st.app = p.app
	st.app.tick = func(time.Duration, tea.Msg) tea.Cmd { return nil }
	// What a test shows comes through news; the relay only takes what the commands hand over.
	var relaying sync.WaitGroup
	relaying.Go(func() { st.app.relay.Run(t.Context(), func(relay.Batch) {}) })
	t.Cleanup(func() {
		st.app.work.close()
		relaying.Wait()
	})
	st.send(tea.WindowSizeMsg{Width: w, Height: h})
	st.run(st.app.Init())
	return st
}

func openRun(run string) func(*Config, *stage) { return func(c *Config, _ *stage) { c.OpenRun = run } }
func holding(_ *Config, s *stage)              { s.hold = true }
func ascii(c *Config, _ *stage)                { c.ASCII = true }

func (s *stage) send(msg tea.Msg) {
	s.t.Helper()
	_, cmd := s.app.Update(msg)
	s.run(cmd)
	s.check()
}

func (s *stage) run(cmd tea.Cmd) {
	s.t.Helper()
	if cmd == nil {
		return
	}
	if s.hold {
		s.held = append(s.held, cmd)
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			s.run(c)
		}
	case tea.QuitMsg:
		s.quit = true
	default:
		s.send(msg)
	}
}

// release runs what was held.
func (s *stage) release() {
	held := s.held
	s.hold, s.held = false, nil
	for _, c := range held {
		s.run(c)
	}
}

// check is the rule for every view: never wider nor higher than the window.
func (s *stage) check() {
	s.t.Helper()
	lines := strings.Split(s.app.View().Content, "\n")
	if len(lines) > max(1, s.app.h) {
		s.t.Fatalf("%d lines in a window of %d:\n%s", len(lines), s.app.h, s.screen())
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.app.w {
			s.t.Fatalf("line %d is %d wide in a window of %d: %q", i, w, s.app.w, ansi.Strip(l))
		}
	}
}

// press presses keys by their names; the user takes a second between them.
func (s *stage) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.clock = s.clock.Add(time.Second)
		s.key(k)
	}
}

func (s *stage) key(name string) {
	s.t.Helper()
	s.send(keyPress(s.t, name))
}

// keyPress is the message for a key as a terminal sends it.
func keyPress(t *testing.T, name string) tea.KeyPressMsg {
	t.Helper()
	codes := map[string]tea.Key{
		"enter": {Code: tea.KeyEnter}, "tab": {Code: tea.KeyTab}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift}, "esc": {Code: tea.KeyEscape},
		"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
		"pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown}, "end": {Code: tea.KeyEnd}, "space": {Code: tea.KeySpace, Text: " "},
		"backspace": {Code: tea.KeyBackspace}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl}, "ctrl+l": {Code: 'l', Mod: tea.ModCtrl}, "f1": {Code: tea.KeyF1},
	}
	k, ok := codes[name]
	if !ok {
		k = tea.Key{Code: []rune(name)[0], Text: name}
	}
	if got := tea.KeyPressMsg(k).String(); got != name {
		t.Fatalf("key %q is sent as %q", name, got)
	}
	return tea.KeyPressMsg(k)
}

func (s *stage) typeText(text string) {
	s.t.Helper()
	for _, r := range text {
		s.key(string(r))
	}
}

func (s *stage) screen() string {
	return tuitest.Show(s.app.View().Content, s.app.w, s.app.h)
}

// news shows a snapshot in the live view on the stack, as the relay would.
func (s *stage) news(snap backend.Snapshot, closed bool) {
	s.t.Helper()
	for _, sc := range s.app.stack {
		if w, ok := sc.(*watch); ok {
			s.send(relay.Batch{Watch: w.following.id, Snapshot: snap, Closed: closed})
			return
		}
	}
	s.t.Fatal("no run is shown")
}

func (s *stage) wants(texts ...string) {
	s.t.Helper()
	screen := s.screen()
	for _, want := range texts {
		if !strings.Contains(screen, want) {
			s.t.Errorf("%q is not shown:\n%s", want, screen)
		}
	}
}

func (s *stage) wantsNot(text string) {
	s.t.Helper()
	if screen := s.screen(); strings.Contains(screen, text) {
		s.t.Errorf("%q is shown:\n%s", text, screen)
	}
}

// golden compares the screen with testdata/NAME.WxH.txt; UPDATE_GOLDEN=1 writes the file for a person to read.
func (s *stage) golden(name string) {
	s.t.Helper()
	path := filepath.Join("testdata", fmt.Sprintf("%s.%dx%d.txt", name, s.app.w, s.app.h))
	got := s.screen()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if got != string(want) {
		s.t.Errorf("%s differs; got\n%s\nwant\n%s", path, got, want)
	}
}

// sizes runs a test at the two sizes that the screens are made for.
func sizes(t *testing.T, f func(t *testing.T, w, h int)) {
	t.Helper()
	for _, size := range [][2]int{{80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) { f(t, size[0], size[1]) })
	}
}
