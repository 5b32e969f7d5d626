package coordinator

import "golang.org/x/sys/unix"

// peerUID reads LOCAL_PEERCRED, which the kernel recorded at connect (unix(4)).
func peerUID(fd int) (uint32, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
