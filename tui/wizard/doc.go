// Package wizard is the Apply updates wizard without a screen: its pages as data, what was filled in so far,
// and the rules for going on and back.
//
//	tui, tui/lines -> wizard -> tui/page, tui/backend, engine, plugins, message
//
// A wizard is used by one goroutine at a time. A page's Work is the exception: it runs elsewhere while nothing
// else touches the wizard, and its result is taken in by the next call of Page.
package wizard
