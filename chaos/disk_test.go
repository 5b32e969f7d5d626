package chaos_test

import (
	"os"
	"sync"

	"cau/internal/journal"
)

// disk is the journal's file as a machine has it that may lose its power: what was not flushed may be lost.
type disk struct {
	journal.Disk
	life *life
	path string

	mu sync.Mutex
	// flushed is how many bytes from the beginning are safe; written is how far the file reaches.
	flushed, written int64
}

func newDisk(inner journal.Disk, path string, l *life) *disk {
	d := &disk{Disk: inner, life: l, path: path}
	if info, err := os.Stat(path); err == nil {
		d.flushed, d.written = info.Size(), info.Size()
	}
	return d
}

func (d *disk) WriteAt(p []byte, at int64) (n int, err error) {
	err = d.life.around("write", func() error {
		n, err = d.Disk.WriteAt(p, at)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.written = max(d.written, at+int64(n))
		return err
	})
	if err != nil {
		n = 0
	}
	return n, err
}

func (d *disk) Sync() error {
	return d.life.around("flush", func() error {
		err := d.Disk.Sync()
		d.mu.Lock()
		defer d.mu.Unlock()
		if err == nil {
			d.flushed = d.written
		}
		return err
	})
}

func (d *disk) Truncate(size int64) error {
	return d.life.around("cut", func() error {
		err := d.Disk.Truncate(size)
		d.mu.Lock()
		defer d.mu.Unlock()
		if err == nil {
			d.written, d.flushed = size, min(d.flushed, size)
		}
		return err
	})
}

// lose leaves of the bytes that were not flushed what a crash may: the first part of them, followed by zeros or by
// nothing. draw gives a number from 0 to n-1.
func (d *disk) lose(draw func(n int) int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	loose := int(d.written - d.flushed)
	if loose <= 0 {
		return nil
	}
	kept := d.flushed + int64(draw(loose+1))
	if err := os.Truncate(d.path, kept); err != nil {
		return err
	}
	if draw(3) == 0 { // the file had grown before its data was there
		return os.Truncate(d.path, d.written)
	}
	return nil
}
