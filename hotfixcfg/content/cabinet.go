package content

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of a cabinet. An .msu holds a handful of files.
const (
	maxCabFiles = 256
	maxCabName  = 256
	// maxCabBlock is the most that one data block holds uncompressed ([MS-CAB] 2.4).
	maxCabBlock = 32 << 10
	// maxCabOutput bounds what is decompressed to get at one file.
	maxCabOutput = 8 << 20
)

var errCabinet = errors.New("the cabinet is damaged")

// cabinet is a Microsoft cabinet ([MS-CAB]): its folders, which are streams of data blocks, and the files in them.
type cabinet struct {
	r       io.ReaderAt
	folders []cabFolder
	files   []cabFile
	// reserved bytes stand in each data block before its data.
	reserved int
}

type cabFolder struct {
	at          int64
	blocks      int
	compression uint16
}

type cabFile struct {
	name   string
	size   uint32
	offset uint32 // in its folder, uncompressed
	folder uint16
}

// openCabinet reads header, folders and files ([MS-CAB] 2.1 to 2.3).
func openCabinet(r io.ReaderAt) (*cabinet, error) {
	h := make([]byte, 36)
	if _, err := r.ReadAt(h, 0); err != nil {
		return nil, err
	}
	if string(h[:4]) != "MSCF" {
		return nil, errors.New("it is no cabinet")
	}
	c := &cabinet{r: r}
	files := int64(binary.LittleEndian.Uint32(h[16:]))
	folderCount, fileCount, flags := int(binary.LittleEndian.Uint16(h[26:])), int(binary.LittleEndian.Uint16(h[28:])), binary.LittleEndian.Uint16(h[30:])
	if fileCount > maxCabFiles {
		return nil, fmt.Errorf("it holds %d files", fileCount)
	}
	at, folderReserve := int64(36), int64(0)
	if flags&4 != 0 {
		sizes := make([]byte, 4)
		if _, err := r.ReadAt(sizes, at); err != nil {
			return nil, err
		}
		at += 4 + int64(binary.LittleEndian.Uint16(sizes))
		folderReserve, c.reserved = int64(sizes[2]), int(sizes[3])
	}
	for _, part := range []uint16{1, 2} { // the names of the cabinet before and after, each with its disk's
		if flags&part == 0 {
			continue
		}
		for range 2 {
			name, err := c.name(at)
			if err != nil {
				return nil, err
			}
			at += int64(len(name)) + 1
		}
	}
	for range folderCount {
		b := make([]byte, 8)
		if _, err := r.ReadAt(b, at); err != nil {
			return nil, err
		}
		c.folders = append(c.folders, cabFolder{int64(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint16(b[4:])), binary.LittleEndian.Uint16(b[6:]) & 0x0F})
		at += 8 + folderReserve
	}
	return c, c.readFiles(files, fileCount)
}

func (c *cabinet) readFiles(at int64, count int) error {
	for range count {
		b := make([]byte, 16)
		if _, err := c.r.ReadAt(b, at); err != nil {
			return err
		}
		name, err := c.name(at + 16)
		if err != nil {
			return err
		}
		c.files = append(c.files, cabFile{name, binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint16(b[8:])})
		at += 16 + int64(len(name)) + 1
	}
	return nil
}

// name reads a name up to its zero.
func (c *cabinet) name(at int64) (string, error) {
	b := make([]byte, maxCabName)
	n, err := c.r.ReadAt(b, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	zero := bytes.IndexByte(b[:n], 0)
	if zero < 0 {
		return "", errCabinet
	}
	return string(b[:zero]), nil
}

// read gives the content of a file in a folder that is stored or MSZIP; another compression is errNotRead.
func (c *cabinet) read(f cabFile) ([]byte, error) {
	const stored, mszip = 0, 1
	if int(f.folder) >= len(c.folders) {
		return nil, errNotRead // it goes on in another cabinet
	}
	folder := c.folders[f.folder]
	if folder.compression != stored && folder.compression != mszip {
		return nil, errNotRead
	}
	from, to := int64(f.offset), int64(f.offset)+int64(f.size)
	if to > maxCabOutput && folder.compression == mszip {
		return nil, errNotRead
	}
	var out, history []byte
	at, pos := folder.at, int64(0)
	for range folder.blocks {
		h := make([]byte, 8)
		if _, err := c.r.ReadAt(h, at); err != nil {
			return nil, err
		}
		packed, size := int64(binary.LittleEndian.Uint16(h[4:])), int64(binary.LittleEndian.Uint16(h[6:]))
		at += 8 + int64(c.reserved)
		if size > maxCabBlock || size == 0 || folder.compression == stored && packed != size {
			return nil, errCabinet
		}
		if folder.compression == mszip || pos+size > from {
			block := make([]byte, packed)
			if _, err := c.r.ReadAt(block, at); err != nil {
				return nil, err
			}
			if folder.compression == mszip {
				var err error
				if block, err = unzip(block, size, history); err != nil {
					return nil, err
				}
				history = block
			}
			if pos+size > from {
				out = append(out, block[max(from-pos, 0):min(to-pos, size)]...)
			}
		}
		at, pos = at+packed, pos+size
		if pos >= to {
			return out, nil
		}
	}
	return nil, errCabinet
}

// unzip is one block of MSZIP: "CK" and a deflate stream, with the block before it as dictionary ([MS-MCI] 2.1).
func unzip(b []byte, size int64, history []byte) ([]byte, error) {
	if len(b) < 2 || string(b[:2]) != "CK" {
		return nil, errCabinet
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(flate.NewReaderDict(bytes.NewReader(b[2:]), history), out); err != nil {
		return nil, errCabinet
	}
	return out, nil
}
