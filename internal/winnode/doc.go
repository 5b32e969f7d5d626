// Package winnode is Windows behind WinRM: a failover cluster and its nodes as the engine and the plug-ins
// act on them.
//
//	engine, plugins (ports) <- winnode -> agent (the operations, as data) -> wsman (the transport) -> node
//
// A Fleet is one cluster's nodes with one credential. Questions and acts about the cluster go to a node that
// is not the one in question; work on a node goes to that node. Each call is one PowerShell process on the
// node, started by a loader that checks the hash of what it runs; work that takes longer is a SYSTEM job,
// which survives the loss of WinRM, of this program, and is polled by offset. A script in the caller's own logon is the
// exception: it runs in a shell of its own, and ends with it.
//
// What stays true here:
//
//   - The credential is used on one node first, and after a rejected logon nothing is tried any more (R02).
//   - Before anything is done on a node, the node has said that it is the one that is meant.
//   - Whatever a node says is bounded and made printable before anybody sees it (R33).
//   - What changes something carries the lease's epoch, once there is one; a refusal for it is ErrFenced (R27).
//   - A number that decides something and is missing in an answer is an error, never the good one.
//   - A job is started at most once, however often it is asked for, and ended from here by KillJob alone (R18, R19).
//
// Time: what waits for the cluster waits on Config.Clock, so that a simulated one may run faster; what waits
// for an answer from the network is bounded in real time.
package winnode
