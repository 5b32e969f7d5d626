package journal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// rest reads on from p until the end.
func rest(tb testing.TB, path string, p Position) ([]string, error) {
	tb.Helper()
	r, err := OpenReaderAt(path, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var out []string
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, string(rec.Body))
	}
}

// positions are those after every record, the beginning first.
func positions(tb testing.TB, path string) []Position {
	tb.Helper()
	r, err := OpenReader(path, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	out := []Position{r.Position()}
	for {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			tb.Fatal(err)
		}
		out = append(out, r.Position())
	}
}

func TestR25_ReadingGoesOnBehindAPositionAndChecksTheChainFromThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	want := samples(5)
	write(t, path, want...)
	at := positions(t, path)
	for i, p := range at {
		if got, err := rest(t, path, p); err != nil || !equal(got, want[i:]) {
			t.Errorf("after record %d: %q, %v", i, got, err)
		}
	}
	data := bytesOf(t, path)
	data[len(data)-tailSize-3] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var broken *BrokenError
	if _, err := rest(t, path, at[3]); !errors.As(err, &broken) || broken.Record != 5 {
		t.Errorf("damage behind the position: %v, want record 5", err)
	}
}

func TestR25_APositionThatDoesNotFitIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, samples(5)...)
	at := positions(t, path)
	other := filepath.Join(t.TempDir(), "other.jsonl")
	write(t, other, `"another"`, `"journal"`, `"of"`, `"five"`, `"records"`)
	foreign := positions(t, other)[3]
	with := func(p Position, change func(*Position)) Position { change(&p); return p }
	for name, p := range map[string]Position{
		"another number":       with(at[3], func(p *Position) { p.Record++ }),
		"another offset":       with(at[3], func(p *Position) { p.Offset-- }),
		"one record further":   with(at[3], func(p *Position) { p.Offset = at[4].Offset }),
		"another link":         with(at[3], func(p *Position) { p.Link = at[2].Link }),
		"no link":              with(at[3], func(p *Position) { p.Link = "" }),
		"no offset":            with(at[3], func(p *Position) { p.Offset = 0 }),
		"behind the end":       with(at[5], func(p *Position) { p.Offset += 1000 }),
		"of another journal":   foreign,
		"a number below zero":  with(at[3], func(p *Position) { p.Record = -3 }),
		"an offset below zero": with(at[3], func(p *Position) { p.Offset = -3 }),
	} {
		if got, err := rest(t, path, p); !errors.Is(err, ErrOtherPosition) {
			t.Errorf("%s: %q, %v, want ErrOtherPosition", name, got, err)
		}
	}
}

func TestR25_APositionIsNoProofOfARecordThatWasChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, samples(4)...)
	at := positions(t, path)
	data := bytesOf(t, path)
	for i := at[2].Offset; i < at[3].Offset; i++ {
		flipped := bytes.Clone(data)
		flipped[i] ^= 0x20
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rest(t, path, at[3]); !errors.Is(err, ErrOtherPosition) {
			t.Fatalf("byte %d of the record before the position is another: %v", i, err)
		}
	}
}

func TestAWriterStandsWhereAReaderEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	for _, b := range samples(3) {
		if _, err := w.Append([]byte(b)); err != nil {
			t.Fatal(err)
		}
		if at := positions(t, path); at[len(at)-1] != w.Position() {
			t.Fatalf("the writer stands at %+v, a reader at %+v", w.Position(), at[len(at)-1])
		}
	}
}
