package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// measured is what a process needed in its life. Memory is in bytes.
type measured struct {
	cpu            time.Duration
	resident, most int64
	threads, files int
}

// clockTick is the unit of times in /proc/PID/stat: USER_HZ, 100 a second on every Linux that Go runs on (proc(5)).
const clockTick = 10 * time.Millisecond

// watch reads the entry of the run's process five times a second, until it is gone.
func watch(ctx context.Context, run string) (measured, error) {
	pid, err := find(run)
	if err != nil {
		return measured{}, err
	}
	var m measured
	var sum, times int64
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		resident, err := m.look(pid)
		if errors.Is(err, os.ErrNotExist) || err == nil && resident == 0 {
			break
		}
		if err != nil {
			return m, err
		}
		sum, times = sum+resident, times+1
		select {
		case <-tick.C:
		case <-ctx.Done():
			return m, ctx.Err()
		}
	}
	if times == 0 {
		return m, errors.New("the run's process was gone before it could be looked at")
	}
	m.resident = sum / times
	return m, nil
}

// find is the run's process by its command line.
func find(run string) (int, error) {
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), "coordinate\x00"+run) {
			return strconv.Atoi(filepath.Base(filepath.Dir(path)))
		}
	}
	return 0, fmt.Errorf("the process of run %s was not found in /proc", run)
}

// look reads the entry once and gives the resident memory, 0 of a process that has ended.
func (m *measured) look(pid int) (int64, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, err
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0, err
	}
	// After the program's name in brackets: state is the first field, utime and stime the twelfth and thirteenth.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("%s/stat has %d fields", dir, len(fields))
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		return 0, err
	}
	m.cpu = time.Duration(user+system) * clockTick
	m.most = max(m.most, kilobytes(status, "VmHWM:"))
	m.threads = max(m.threads, int(kilobytes(status, "Threads:")/1024))
	if open, err := os.ReadDir(filepath.Join(dir, "fd")); err == nil {
		m.files = max(m.files, len(open))
	}
	return kilobytes(status, "VmRSS:"), nil
}

// kilobytes is the value of a line of /proc/PID/status in bytes; 0 where there is none.
func kilobytes(status []byte, name string) int64 {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				n, err := strconv.ParseInt(f[0], 10, 64)
				if err == nil {
					return n * 1024
				}
			}
		}
	}
	return 0
}
