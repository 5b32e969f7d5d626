package tui

import (
	"charm.land/bubbles/v2/key"

	"cau/internal/message"
	"cau/tui/glyph"
)

// keymap is every key of the screens. Only keys that survive plain SSH are bound: no shift+enter, no ctrl+i,
// and function keys only as a second way.
type keymap struct {
	up, down, left, right, pageUp, pageDown, home, end key.Binding

	help, helpTyping, redraw, leave, quit, back, cancel key.Binding

	choose, open, pane, reload                                  key.Binding
	next, previous, move, toggle, change, enter, scroll         key.Binding
	again, checkAgain                                           key.Binding
	pause, resume, stop, details, log, detach, closing, quitRun key.Binding
	hold, skip, retry, takeOver, mark, followUps, stopNow       key.Binding
}

func newKeymap(texts message.Texts, g glyph.Set) keymap {
	bind := func(name string, help message.Key, keys ...string) key.Binding {
		return key.NewBinding(key.WithKeys(keys...), key.WithHelp(name, texts.T(help)))
	}
	return keymap{
		up: bind(g.KeysUpDown, message.KeyChoose, "up", "k"), down: bind(g.KeysUpDown, message.KeyChoose, "down", "j"),
		left: bind(g.KeysLeftRight, message.KeyChange, "left"), right: bind(g.KeysLeftRight, message.KeyChange, "right"),
		pageUp: bind("pgup", message.KeyScroll, "pgup", "ctrl+u"), pageDown: bind("pgdn", message.KeyScroll, "pgdown", "ctrl+d"),
		home: bind("home", message.KeyScroll, "home"), end: bind("end", message.KeyScroll, "end"),

		help: bind("?", message.KeyHelp, "?", "f1"), helpTyping: bind("f1", message.KeyHelp, "f1"),
		redraw: bind("ctrl+l", message.KeyRedraw, "ctrl+l"), leave: bind("ctrl+c", message.KeyLeave, "ctrl+c"),
		quit: bind("q", message.KeyQuit, "q"), back: bind("esc", message.KeyBack, "esc"), cancel: bind("esc", message.KeyCancel, "esc"),

		choose: bind(g.KeysUpDown, message.KeyChoose, "up", "down"), open: bind("enter", message.KeyOpen, "enter"),
		pane: bind("tab", message.KeyPane, "tab", "shift+tab"), reload: bind("r", message.KeyReload, "r"),

		next: bind("tab", message.KeyMove, "tab", "down"), previous: bind("shift+tab", message.KeyMove, "shift+tab", "up"),
		move: bind("tab", message.KeyMove, "tab"), toggle: bind("space", message.KeyToggle, "space"),
		change: bind(g.KeysLeftRight, message.KeyChange, "left", "right"),
		enter:  bind("enter", message.KeyNext, "enter"), scroll: bind("pgup/pgdn", message.KeyScroll, "pgup", "pgdown"),
		again: bind("r", message.KeyTryAgain, "r"), checkAgain: bind("r", message.KeyAgain, "r"),

		pause: bind("p", message.KeyPause, "p"), resume: bind("r", message.KeyResume, "r"), stop: bind("s", message.KeyStop, "s"),
		// k and r are taken: by moving, and by the run's resume, which must not be pressed for a node's retry.
		hold: bind("h", message.KeyHold, "h"), skip: bind("x", message.KeySkip, "x"), retry: bind("a", message.KeyRetry, "a"),
		takeOver: bind("t", message.KeyTake, "t"), mark: bind("m", message.KeyMark, "m"), followUps: bind("f", message.KeyFollowUps, "f"),
		stopNow: bind("S", message.KeyStopNow, "S"),
		details: bind("enter", message.KeyDetails, "enter"), log: bind("l", message.KeyLog, "l"),
		detach: bind("d", message.KeyDetach, "d"), closing: bind("enter", message.KeyClose, "enter"), quitRun: bind("q", message.KeyQuitLive, "q"),
	}
}
