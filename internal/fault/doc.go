// Package fault says what went wrong, where, and what to do about it.
//
//	everything -> fault   (types and tables only; imports nothing of ours)
//
// Every failure that a user sees is one Error: the operation, the node, the number Windows gave
// with its name, the cause, and a hint. Callers branch with errors.Is and errors.As.
package fault
