// Package tui is the wizard and the live view.
//
//	internal/app -> tui -> engine, plugins, check, fault, message   (values, never Windows)
//
//	tui          the app (the only model), its screens, dialogs, keys; Run
//	tui/wizard   the pages as data     tui/page     what a page is     tui/backend  what the screens ask for
//	tui/live     one run's view        tui/relay    its news, at the screen's pace
//	tui/frame    lines and boxes       tui/theme    colours            tui/glyph    drawing characters
//	tui/lines    the same pages line by line                           tui/tuitest  a program and a terminal made up
//
// Rules of the screen. Pages are data; Bubble Tea and the line-by-line prompts are two renderers of it.
// Update does no I/O; commands do, with a context, and answer with a message. Only the relay goroutine
// calls Send. State is glyph + word + colour. Nothing flashes, nothing jumps. Everything works at 80x24.
// Only this package and its sub-packages import Bubble Tea. Quitting never stops a run.
package tui
