package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Position is a place between two records: what was read up to there need not be read again. The zero value is the
// beginning.
type Position struct {
	// Record is the number of the last record before it, 0 at the beginning; Offset is where that one's line ends, in bytes.
	Record int64 `json:"record"`
	Offset int64 `json:"offset"`
	// Link is that record's hash in hex: it stands for everything before it.
	Link string `json:"link"`
}

// ErrOtherPosition says that a position is none of this journal's: it lies behind its end, inside of a record, or the record
// before it is another one or damaged. Whoever has it reads from the beginning.
var ErrOtherPosition = errors.New("the position is not one of this journal")

// Position is where the reader stands: behind the last record that it read.
func (r *Reader) Position() Position {
	if r.n == 0 {
		return Position{}
	}
	return Position{Record: r.n, Offset: r.at, Link: hex.EncodeToString(r.prev[:])}
}

// OpenReaderAt opens the journal at path for reading what follows a position. It trusts the position as far as the one
// record before it proves: that record is whole, it has the number, and its hash is the position's; everything before is
// bound by that hash, and not read. Otherwise the error is ErrOtherPosition. A missing file gives os.ErrNotExist.
func OpenReaderAt(path string, p Position) (*Reader, error) {
	r, err := OpenReader(path, p.Record+1)
	if err != nil || p.Record == 0 {
		return r, err
	}
	if err := r.startAt(p); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// startAt looks at the record before p and goes on behind it.
func (r *Reader) startAt(p Position) error {
	link, err := hex.DecodeString(p.Link)
	if p.Record < 1 || p.Offset < 1 || err != nil || len(link) != len(r.prev) {
		return fmt.Errorf("%w: it is none", ErrOtherPosition)
	}
	from := max(0, p.Offset-maxLine-1)
	buf := make([]byte, p.Offset-from)
	n, err := r.src.ReadAt(buf, from)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return &readError{err}
	case n < len(buf):
		return fmt.Errorf("%w: the journal is shorter", ErrOtherPosition)
	}
	line, whole := bytes.CutSuffix(buf, []byte("\n"))
	if i := bytes.LastIndexByte(line, '\n'); i >= 0 {
		line = line[i+1:]
	} else if from > 0 {
		whole = false
	}
	if !whole {
		return fmt.Errorf("%w: no record ends there", ErrOtherPosition)
	}
	prev, err := namedPrev(line)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOtherPosition, err)
	}
	_, sum, err := decode(line, p.Record, prev)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrOtherPosition, err)
	case !bytes.Equal(sum[:], link):
		return fmt.Errorf("%w: another record %d lies there", ErrOtherPosition, p.Record)
	}
	r.n, r.prev, r.at, r.buf = p.Record, sum, p.Offset, nil
	return nil
}

// namedPrev is the predecessor that a line names. Whether it is the right one is what the line's own hash stands for.
func namedPrev(line []byte) (link, error) {
	var in struct {
		Prev string `json:"prev"`
	}
	var prev link
	if err := json.Unmarshal(line, &in); err != nil {
		return prev, err
	}
	data, err := hex.DecodeString(in.Prev)
	if err != nil || len(data) != len(prev) {
		return prev, errors.New("it names no predecessor")
	}
	copy(prev[:], data)
	return prev, nil
}

// Position is where the next record will be written.
func (w *Writer) Position() Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.n == 0 {
		return Position{}
	}
	return Position{Record: w.n, Offset: w.at, Link: hex.EncodeToString(w.prev[:])}
}
