// Package plugins is the contract between an Updating Run and whatever finds and installs updates.
//
//	engine -> plugins <- plugins/hotfix, (later windowsupdate, external)
//	              ^--- internal/winnode implements Node
//
// It holds types, the argument rules that wizard, flags and validation are generated from, and no
// I/O. It imports only leaves (check, fault).
package plugins
