package coordinator

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Executable copies the running program to <cacheDir>/bin/<SHA-256>/cau once and returns the copy's path: the file
// that "go run" executes disappears with it, and a replaced installation must not change a run under way.
func Executable(cacheDir string) (string, error) {
	path, err := copyProgram(cacheDir)
	if err != nil {
		return "", fmt.Errorf("copy the program to %s: %w", cacheDir, err)
	}
	return path, nil
}

func copyProgram(cacheDir string) (path string, err error) {
	bin, err := filepath.Abs(filepath.Join(cacheDir, "bin"))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return "", err
	}
	src, err := openSelf()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	sum, err := sumOf(src)
	if err != nil {
		return "", err
	}
	name := "cau"
	if runtime.GOOS == "windows" {
		name = "cau.exe"
	}
	path = filepath.Join(bin, sum, name)
	if whole(path, sum) {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+name+"-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(tmp, src)
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Chmod(tmp.Name(), 0o700) //nolint:gosec // it is a program, for its owner alone
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil && !whole(path, sum) { // another process may have been faster, and on Windows its copy may be running
		return "", errors.Join(err, removeIfThere(tmp.Name()))
	}
	return path, removeIfThere(tmp.Name())
}

// whole tells whether the file at path has the content that its name promises.
func whole(path, sum string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	is, err := sumOf(f)
	return err == nil && is == sum
}

func sumOf(r io.Reader) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// openSelf opens the running program; on Linux even when its file is gone.
func openSelf() (*os.File, error) {
	if runtime.GOOS == "linux" {
		return os.Open("/proc/self/exe")
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}
