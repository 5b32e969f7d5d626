// Package content says what is in an update: KB number, product, architecture and title, read from the file
// where its format gives them, from names otherwise.
//
//	plugins/hotfix -> content -> mscfb (the compound file of .msi and .msp)
//	   .msi, .msp -> the compound file's summary information
//	   .msu       -> the cabinet's list of files, and the properties of the package that it may hold
//	   the rest   -> the file's name
//
// A file is hostile until checked (R33): it is read through a bounded reader, whatever sizes it claims, and what
// it says of itself comes out in one short line without control characters. It is for people alone: nothing is
// decided by it.
package content
