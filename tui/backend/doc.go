// Package backend is what the screens need of the rest of the program, as one interface and its values.
//
//	internal/app implements -> backend.Services <- tui, tui/wizard, tui/lines
package backend
