package coordinator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// maxSocketPath is what fits a socket's address everywhere: 104 bytes with the final zero on macOS, 108 elsewhere
// (unix(4), unix(7)).
const maxSocketPath = 103

// listen opens the control socket and writes its real path into the run's folder. The lock of the run is held, so
// what lies there is left over. It returns the function that closes and removes both.
func (h *Home) listen(ctx context.Context, run string) (net.Listener, func() error, error) {
	l, path, err := h.bind(ctx, run)
	if err != nil {
		return nil, nil, err
	}
	note := h.in(run, socketFile)
	remove := func() error {
		return errors.Join(ignoreClosed(l.Close()), removeIfThere(path), removeIfThere(note))
	}
	err = removeIfThere(note)
	if err == nil {
		err = writeSynced(note, []byte(path+"\n"))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("write the socket's path: %w", err), remove())
	}
	return l, remove, nil
}

// bind prefers the run's folder; its path can be too long for a socket, and its file system may not have them.
func (h *Home) bind(ctx context.Context, run string) (net.Listener, string, error) {
	var first error
	if path := h.in(run, "control"); len(path) <= maxSocketPath {
		l, err := listenAt(ctx, path)
		if err == nil {
			return l, path, nil
		}
		first = err
	}
	dir, err := shortDir()
	if err != nil {
		return nil, "", errors.Join(first, err)
	}
	// Homes are told apart: two of them may hold a run of one id.
	sum := sha256.Sum256([]byte(h.RunDir(run)))
	path := filepath.Join(dir, hex.EncodeToString(sum[:8]))
	l, err := listenAt(ctx, path)
	if err != nil {
		return nil, "", errors.Join(first, err)
	}
	return l, path, nil
}

func listenAt(ctx context.Context, path string) (net.Listener, error) {
	if err := removeIfThere(path); err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	var c net.ListenConfig
	l, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	if err := socketForUs(path); err != nil {
		return nil, errors.Join(fmt.Errorf("open the control socket: %w", err), l.Close(), removeIfThere(path))
	}
	return l, nil
}

// shortDir is a folder of our own below the temporary folder, where others may write: one that is not ours alone
// is refused, since its owner could stand between viewer and coordinator.
func shortDir() (string, error) {
	dir := filepath.Join(os.TempDir(), "cau-"+strconv.Itoa(os.Getuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the folder of the control socket: %w", err)
	}
	if err := oursAlone(dir); err != nil {
		return "", fmt.Errorf("use %s for the control socket: %w", dir, err)
	}
	return dir, nil
}

// socketPath reads where the run's control socket is.
func (h *Home) socketPath(run string) (string, error) {
	data, err := readBounded(h.in(run, socketFile), 4096)
	if err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(data)), nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
