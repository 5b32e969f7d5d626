package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MaxBody is the largest body of a record, in bytes.
const MaxBody = 1 << 20

// maxLine bounds a line: the body and what is around it (number, two hashes, time, names: less than 512 bytes).
const maxLine = MaxBody + 512

// Record is one line of the journal.
type Record struct {
	// N counts from 1 without gaps.
	N int64
	// Time is when the record was written, by the writer's wall clock (UTC). It decides nothing.
	Time time.Time
	// Body is what was appended, as compact JSON.
	Body json.RawMessage
}

// ErrTooLarge says that a body is larger than MaxBody.
var ErrTooLarge = fmt.Errorf("the record is larger than %d bytes", MaxBody)

// BrokenError says that the journal was damaged or changed: a record is not the one that was written.
type BrokenError struct {
	// Record is the number of the first record that cannot be trusted; Offset is where its line starts, in bytes.
	Record, Offset int64
	Why            string
}

// Error names record, place and reason.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the journal is damaged at record %d (byte %d): %s", e.Record, e.Offset, e.Why)
}

// link is the chain's end: the hash that the next record names as its predecessor.
type link [sha256.Size]byte

const (
	shaKey   = `,"sha":"`
	shaEnd   = `"}`
	tailSize = len(shaKey) + 2*sha256.Size + len(shaEnd)
)

// encode makes the line of a record, with its newline, and the chain's new end.
func encode(n int64, prev link, t time.Time, body []byte) ([]byte, link, error) {
	var b bytes.Buffer
	b.WriteString(`{"n":` + strconv.FormatInt(n, 10) + `,"prev":"` + hex.EncodeToString(prev[:]) + `","t":"` + t.UTC().Format(time.RFC3339Nano) + `","body":`)
	before := b.Len()
	if err := json.Compact(&b, body); err != nil {
		return nil, prev, fmt.Errorf("the record is not JSON: %w", err)
	}
	if b.Len()-before > MaxBody {
		return nil, prev, ErrTooLarge
	}
	sum := link(sha256.Sum256(b.Bytes()))
	b.WriteString(shaKey + hex.EncodeToString(sum[:]) + shaEnd + "\n")
	return b.Bytes(), sum, nil
}

// decode reads one line without its newline and checks that it follows prev as record n.
func decode(line []byte, n int64, prev link) (Record, link, error) {
	cut := len(line) - tailSize
	if cut < 0 || !bytes.HasPrefix(line[cut:], []byte(shaKey)) || !bytes.HasSuffix(line, []byte(shaEnd)) {
		return Record{}, prev, errors.New("the line does not end with its hash")
	}
	sum := link(sha256.Sum256(line[:cut]))
	if hex.EncodeToString(sum[:]) != string(line[cut+len(shaKey):len(line)-len(shaEnd)]) {
		return Record{}, prev, errors.New("its hash is not that of its content")
	}
	var in struct {
		N    int64           `json:"n"`
		Prev string          `json:"prev"`
		T    time.Time       `json:"t"`
		Body json.RawMessage `json:"body"`
	}
	if err := json.Unmarshal(append(line[:cut:cut], '}'), &in); err != nil {
		return Record{}, prev, fmt.Errorf("it is not a record: %w", err)
	}
	if in.N != n {
		return Record{}, prev, fmt.Errorf("it says that it is record %d", in.N)
	}
	if in.Prev != hex.EncodeToString(prev[:]) {
		return Record{}, prev, errors.New("it does not follow the record before it")
	}
	if len(in.Body) == 0 {
		return Record{}, prev, errors.New("it has no body")
	}
	return Record{N: in.N, Time: in.T, Body: in.Body}, sum, nil
}

// torn tells whether rest, which has no newline, can be what a crash left of one Append: the beginning of a line,
// possibly followed by zeros where a file system grew the file before it wrote the data. A whole record followed
// by anything else was once acknowledged, so its newline was changed: that is damage.
func torn(rest []byte) bool {
	rest = bytes.TrimRight(rest, "\x00")
	d := json.NewDecoder(bytes.NewReader(rest))
	var whole json.RawMessage
	if d.Decode(&whole) != nil {
		return true
	}
	return d.InputOffset() == int64(len(rest))
}
