package content

import (
	"errors"
	"io"
)

// Bounds of what is read of one file.
const (
	// blockSize is the unit of reading; formats jump, and a share answers a block as fast as a few bytes.
	blockSize = 16 << 10
	// maxBlocks bounds how many blocks are fetched (8 MiB), maxKept how many are in memory (512 KiB).
	maxBlocks = 512
	maxKept   = 32
	// maxReads bounds the work that a chain of small reads makes: a package has a read for each sector of its directory and of
	// its stream of small streams, some hundreds.
	maxReads = 1 << 14
)

var errBounds = errors.New("it leads around in circles, or would have to be read as a whole")

// bounded reads a file in blocks and stops a format's reader that asks for more than any honest file makes it.
type bounded struct {
	file    io.ReaderAt
	size    int64
	fetched int
	reads   int
	kept    map[int64][]byte
	order   []int64 // of kept, the oldest first
	// failed is the file's own error, which says nothing about the format.
	failed error
}

func newBounded(file io.ReaderAt, size int64) *bounded {
	return &bounded{file: file, size: size, kept: map[int64][]byte{}}
}

// ReadAt reads from the blocks.
func (b *bounded) ReadAt(p []byte, off int64) (int, error) {
	if b.reads++; b.reads > maxReads {
		return 0, errBounds
	}
	if off < 0 || off >= b.size {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && off < b.size {
		block, err := b.block(off / blockSize)
		if err != nil {
			return n, err
		}
		c := copy(p[n:], block[off%blockSize:])
		n, off = n+c, off+int64(c)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (b *bounded) block(i int64) ([]byte, error) {
	if have, ok := b.kept[i]; ok {
		return have, nil
	}
	if b.failed != nil {
		return nil, b.failed
	}
	if b.fetched++; b.fetched > maxBlocks {
		return nil, errBounds
	}
	block := make([]byte, min(blockSize, b.size-i*blockSize))
	if n, err := b.file.ReadAt(block, i*blockSize); n < len(block) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		b.failed = err
		return nil, err
	}
	if len(b.order) == maxKept {
		delete(b.kept, b.order[0])
		b.order = b.order[1:]
	}
	b.kept[i], b.order = block, append(b.order, i)
	return block, nil
}
