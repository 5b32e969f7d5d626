// Package check holds the vocabulary of every question cau asks before it acts.
//
//	plugins, engine, winnode, app, cli, tui -> check   (types and the catalogue; no I/O)
//
// A Check is a question in the one catalogue; a Result is its answer with evidence. Doctor, the
// Checks page and the gates of a run are selections from the same catalogue.
package check
