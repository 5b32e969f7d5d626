package coordinator

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// peer is who is at the other end of the socket, as the kernel recorded it at connect (unix(4), LOCAL_PEERCRED).
func peer(c *net.UnixConn) (uid uint32, name string, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, "", fmt.Errorf("ask who is calling: %w", err)
	}
	var cred *unix.Xucred
	var asking error
	err = raw.Control(func(fd uintptr) { cred, asking = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED) })
	if err == nil {
		err = asking
	}
	if err != nil {
		return 0, "", fmt.Errorf("ask who is calling: %w", err)
	}
	return cred.Uid, account(cred.Uid), nil
}
