// Package app wires the program: it is the only package that imports everything.
//
//	main -> app -> cli, tui          what a person sees
//	              -> engine, plugins  what is decided
//	              -> winnode, smbcheck, coordinator, lab   what is done
//
// It holds no decisions of its own beyond which part gets which: where state lies, where secrets come
// from, which cluster is meant, and which process does what.
package app
