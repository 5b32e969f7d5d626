//go:build unix

package kerberos

import (
	"os"
	"syscall"
)

// noWait keeps a pipe in a file's place from making its opener wait for a writer; files do not know it.
const noWait = syscall.O_NONBLOCK

// ours says whether the file belongs to us or to root.
func ours(info os.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && (stat.Uid == 0 || int(stat.Uid) == os.Geteuid())
}
