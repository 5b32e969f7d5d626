package kerberos

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"cau/internal/fault"
)

// maxFile is far above any cache or keytab that one account has.
const maxFile = 4 << 20

// readPrivate reads a file that holds secrets. One that others may read, or that belongs to somebody else, is
// refused (R04); it is judged by the handle that is then read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
	if err != nil {
		return nil, badFile(path, errors.Unwrap(err), "Check the path; a ticket cache is made by kinit -c FILE:"+path)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, badFile(path, err, "")
	case !info.Mode().IsRegular():
		return nil, badFile(path, errors.New("this is no file"), "Name the file itself.")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, &fault.Error{
			Op:   opOpen,
			Err:  &Error{Kind: BadSource, Err: fmt.Errorf("%s may be read by others (mode %04o)", path, info.Mode().Perm())},
			Hint: "Make it yours alone: chmod 600 " + path,
		}
	case !ours(info):
		return nil, badFile(path, errors.New("the file belongs to somebody else"), "Only its owner and root may use it.")
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("the file is too large")
	}
	if err != nil {
		return nil, badFile(path, err, "")
	}
	return b, nil
}
