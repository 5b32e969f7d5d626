// Package external runs other people's plug-ins (R31): executables that speak JSON lines on standard input and output.
// docs/plugin-protocol.md is the contract.
//
// A plug-in is started anew for every request, in a process group of its own, with a bounded environment and bounded
// output. It reaches a node only by asking this package, in a phase and on a node that has its turn, and never sees a
// credential. Trust is a decision of the administrator: Registry holds what was trusted, by content, owner and permissions.
package external
