// Package journal is an append-only file of chained records that survive a crash of program and machine (R25).
//
//	engine -> (Recorder) -> coordinator -> journal -> journal.jsonl
//
// It knows bytes and order, no kinds of event: what a record means, and whether an older program may
// ignore it, is the engine's business. One line is one record:
//
//	{"n":2,"prev":"<sha of record 1>","t":"2026-11-12T03:00:12.5Z","body":{...},"sha":"<SHA-256 of this line up to the comma before sha>"}
//
// What must stay true: a record is on disk before Append returns; records are never changed; a line without its
// newline was never acknowledged, so readers stop before it and only the lock holder cuts it off; anything else
// that does not fit the chain is damage and is reported with the number of the record, never skipped. Who may write
// is decided by a lock that the kernel drops with its holder; coordinator uses the same for runs and clusters.
package journal
