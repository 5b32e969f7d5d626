// Command coordinator takes a large simulated cluster through a whole run with the built program, and says what the run's own
// process needed: processor time and memory, for the run and for an hour of its time. Linux: it reads /proc.
//
//	cau lab up ─▶ cau apply --detach ─▶ the run's process, whose /proc entry is read until it ends
//
//	go run ./bench/coordinator                        64 nodes, 200 times faster than real time
//	go run ./bench/coordinator -nodes 8 -speed 100    a smaller one
package main
