// Command fold writes the journal of a long run and says how long it takes to know the run's state from it: from the
// first fact on, with the newest snapshot, and without a disk.
//
//	facts ─▶ journal (flushed once, not a million times) ─▶ coordinator.Home.Load, engine.Fold
//
//	go run ./bench/fold                 a million facts of 64 nodes
//	go run ./bench/fold -facts 10000    fewer of them
package main
