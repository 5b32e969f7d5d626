// Package cli is the command line: commands, flags, and two printers of the same results, text and JSON.
//
//	internal/app -> cli -> engine, plugins, check, fault, message
//
// It knows no Windows: what it needs done stands in Services, which app implements. Results go to standard
// output, everything else to standard error. It never asks a question where nobody can answer.
package cli
