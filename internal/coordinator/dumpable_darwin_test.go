package coordinator

// dumpable has no counterpart on macOS, which knows only that no debugger may attach.
func dumpable() int { return 0 }
