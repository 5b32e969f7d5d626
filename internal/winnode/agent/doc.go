// Package agent is what runs on a node, as data: the PowerShell 5.1 operations (one file each), the
// shapes of their arguments and answers, and the framing between them.
//
//	internal/winnode -> agent <- internal/lab   (the lab runs the operations only byte for byte, R32)
//
// An operation reads facts or performs one act and answers JSON; every decision is Go's. No operation
// waits longer than 30 s; work that takes longer is a job, which runs as SYSTEM in a scheduled task.
package agent
