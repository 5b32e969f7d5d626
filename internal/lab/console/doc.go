// Package console is what a command shell of a lab node can run: a few plain commands that any WinRM
// client can be tested with, and the two commands of our own agent, byte for byte.
//
//	wsmanserver (shell, command) ─▶ console.Console ─▶ Machine (the model's node)
//
// Everything else is answered as cmd.exe answers a program that does not exist (R32): the lab never
// interprets a script, so it proves that the embedded ones arrive, not that they are right.
package console
