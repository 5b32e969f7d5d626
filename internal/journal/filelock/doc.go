// Package filelock is an exclusive lock on a file that ends with its holder, however that ends.
//
//	journal -> filelock <- coordinator
//
// It is flock(2) on Linux and macOS and LockFileEx on Windows: the kernel drops it when the process dies,
// so a lock that is held proves a living holder. Nothing is ever guessed from a process id in a file.
package filelock
