//go:build linux || darwin

package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepPermissions gives to what from has: owner, group, mode, and extended attributes, which hold Linux' access lists and
// Samba's Windows ones. What cannot be given is an error, unless to has it already.
func keepPermissions(from, to string) error {
	old, err := os.Stat(from)
	if err != nil {
		return err
	}
	made, err := os.Stat(to)
	if err != nil {
		return err
	}
	had, ok1 := old.Sys().(*syscall.Stat_t)
	has, ok2 := made.Sys().(*syscall.Stat_t)
	if !ok1 || !ok2 {
		return errors.New("the file system does not say whose a file is")
	}
	if had.Uid != has.Uid || had.Gid != has.Gid {
		if err := os.Chown(to, int(had.Uid), int(had.Gid)); err != nil {
			return err
		}
	}
	if err := os.Chmod(to, old.Mode().Perm()); err != nil {
		return err
	}
	return keepAttributes(from, to)
}

func keepAttributes(from, to string) error {
	names, err := attributeNames(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		want, err := attribute(from, name)
		if err != nil {
			return err
		}
		if have, err := attribute(to, name); err == nil && bytes.Equal(want, have) {
			continue
		}
		if err := unix.Setxattr(to, name, want, 0); err != nil {
			return fmt.Errorf("the attribute %q: %w", name, err)
		}
	}
	return nil
}

// attributeNames are a file's extended attributes; none on a file system without them.
func attributeNames(path string) ([]string, error) {
	size, err := unix.Listxattr(path, nil)
	if errors.Is(err, unix.ENOTSUP) || err == nil && size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := make([]byte, size+1024)
	if size, err = unix.Listxattr(path, b); err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(b[:size]), func(c rune) bool { return c == 0 }), nil
}

func attribute(path, name string) ([]byte, error) {
	size, err := unix.Getxattr(path, name, nil)
	if err != nil {
		return nil, fmt.Errorf("the attribute %q: %w", name, err)
	}
	b := make([]byte, size+1)
	if size, err = unix.Getxattr(path, name, b); err != nil {
		return nil, fmt.Errorf("the attribute %q: %w", name, err)
	}
	return b[:size], nil
}
