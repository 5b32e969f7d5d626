// Package coordinator runs an Updating Run in a process of its own, and is the client for it.
//
//	viewer (tui, cli) -> Start, Watch, Control ... run folder, control socket ... Serve -> engine -> nodes
//	                                                    |
//	                       plan.json  journal.jsonl (facts)  snapshot.json  telemetry.jsonl  reserve
//
// What must stay true: a run's process needs nothing of the terminal it was started from (R28); whether it lives is
// asked of a lock that the kernel drops with it, never guessed; it can be killed at any instant and another one goes
// on from the journal (R25, R26), of which a snapshot is only a copy; a full disk leaves room for the last facts; on one
// host one run works on a cluster at a time, and another host goes on only with what lies on the nodes, in the place of
// the coordinator that was replaced (R27); secrets come to it over a
// pipe and go nowhere else (R04); who asked for something is what the socket's kernel says (R06).
package coordinator
