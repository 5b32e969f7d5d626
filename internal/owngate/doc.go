// Package owngate asks a gate that the administrator has made: a command on this host, or an address.
//
//	app -> owngate -> fault
//
// It decides nothing: what an answer means is the engine's.
package owngate
