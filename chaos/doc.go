// Package chaos holds no program: its tests make whole runs of the real parts, end the coordinator's life at exact points, and go
// on until the run is done.
//
//	engine ─ coordinator.Serve (journal, flushes, locks, control socket on a real disk)
//	   └─ hotfix plug-in ─ winnode.Fleet ─ wire ─ lab/console ─ lab/model (nodes, roles, jobs, installers)
//
// Only the network is left out: the wire hands each command line to the model's node, as the lab's WinRM service does. Time
// is the bubble's of testing/synctest, so hours of a run take a moment and nothing depends on how fast this machine is.
//
// A life can end before and after every write, flush and cut of the journal, before every operation is sent to a
// node, after it was done and its answer not yet heard, and after that. What happens after the end of a life is refused at the
// same seams. What a crash leaves of unflushed bytes is drawn: none, some, or all of them. After some ends the host is lost
// too, and another one takes the run over with what lies on the nodes.
//
//	go test ./chaos                                       a third of the points of a small run, one after the other, and random rounds
//	go test ./chaos -run Chaos -chaos.every=1 -chaos.n=1000 -chaos.budget=40m
//	go test ./chaos -run Chaos -chaos.seed=4711           one round, with all that happened
package chaos
