// Package tui is the wizard and the live view.
//
//	internal/app -> tui -> engine, plugins, check, fault, message   (values, never Windows)
//
// Rules of the screen. Pages are data; Bubble Tea and the line-by-line prompts are two renderers of it.
// Update does no I/O; commands do, with a context, and answer with a message. Only the relay goroutine
// calls Send. State is glyph + word + colour. Nothing flashes, nothing jumps. Everything works at 80x24.
// Only this package and its sub-packages import Bubble Tea. Quitting never stops a run.
package tui
