// Package lines is the program without a drawn screen: plain sequential prompts and lines, for screen readers
// and terminals that can only print.
//
//	internal/app -> lines -> tui/wizard, tui/page, tui/backend, message
//
// It renders the same pages as the drawn screen. No colour, no box, no repaint, no spinner.
package lines
