// Package live is the view of one Updating Run, live or finished, as lines of text.
//
//	tui (keys, dialogs) -> live -> tui/frame, tui/theme, tui/glyph, tui/relay, engine, message
//
// A Board takes batches of news and draws them; it starts nothing and does no I/O. What it shows is the state
// of the run and nothing guessed; when the run is likely to end is the engine's estimate, and unknown until it was measured.
package live
