package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func write(tb testing.TB, path string, bodies ...string) {
	tb.Helper()
	w, err := Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	for _, b := range bodies {
		if _, err := w.Append([]byte(b)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

// readAll reads records from the bytes of a journal until the end or the first error.
func readAll(data []byte, from int64) ([]string, error) {
	r := newReader(bytes.NewReader(data), from)
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

func bytesOf(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func samples(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(`{"kind":"k%d","text":"\u00e5 \" %s"}`, i, strings.Repeat("x", i))
	}
	return out
}

func equal(a, b []string) bool {
	return strings.Join(a, "\n") == strings.Join(b, "\n") && len(a) == len(b)
}

func TestRecordsComeBackInOrderAndTheWriterGoesOnAfterThem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	want := samples(5)
	write(t, path, want[:3]...)
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if w.n != 3 {
		t.Fatalf("opened with %d records, want 3", w.n)
	}
	for i, b := range want[3:] {
		if n, err := w.Append([]byte(b)); err != nil || n != int64(4+i) {
			t.Fatalf("Append = %d, %v", n, err)
		}
	}
	got, err := readAll(bytesOf(t, path), 0)
	if err != nil || !equal(got, want) {
		t.Fatalf("%q, %v", got, err)
	}
	got, err = readAll(bytesOf(t, path), 4)
	if err != nil || !equal(got, want[3:]) {
		t.Fatalf("from record 4: %q, %v", got, err)
	}
}

func TestALineIsOneRecordWithItsHashLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, "{\n \"a\": 1\n}")
	var line struct {
		N         int64
		Prev, Sha string
		T         time.Time
		Body      json.RawMessage
	}
	data := bytesOf(t, path)
	if bytes.Count(data, []byte("\n")) != 1 {
		t.Fatalf("%q is not one line", data)
	}
	if err := json.Unmarshal(data, &line); err != nil {
		t.Fatal(err)
	}
	if line.N != 1 || line.Prev != strings.Repeat("0", 64) || len(line.Sha) != 64 || line.T.IsZero() || string(line.Body) != `{"a":1}` {
		t.Fatalf("%+v", line)
	}
}

func TestAppendRefusesWhatIsNotARecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	for _, bad := range []string{"", "{", "{} {}", "\x00"} {
		if _, err := w.Append([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if _, err := w.Append([]byte(`"` + strings.Repeat("x", MaxBody) + `"`)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large a body: %v", err)
	}
	largest := `"` + strings.Repeat("x", MaxBody-2) + `"`
	if _, err := w.Append([]byte(largest)); err != nil {
		t.Errorf("the largest body: %v", err)
	}
	if got, err := readAll(bytesOf(t, path), 0); err != nil || !equal(got, []string{largest}) {
		t.Errorf("the journal holds %d records, %v", len(got), err)
	}
}

func TestR25_AnyTruncationGivesAPrefixAndTheLockHolderCutsTheTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	want := samples(4)
	write(t, path, want...)
	data := bytesOf(t, path)
	for cut := range len(data) + 1 {
		whole := bytes.Count(data[:cut], []byte("\n"))
		for _, tail := range []string{"", "\x00\x00\x00"} {
			have := slices.Concat(data[:cut], []byte(tail))
			got, err := readAll(have, 0)
			if err != nil || !equal(got, want[:whole]) {
				t.Fatalf("cut at %d, tail %q: %q, %v", cut, tail, got, err)
			}
			torn := filepath.Join(t.TempDir(), "torn.jsonl")
			if err := os.WriteFile(torn, have, 0o600); err != nil {
				t.Fatal(err)
			}
			write(t, torn, `"after"`)
			got, err = readAll(bytesOf(t, torn), 0)
			if err != nil || !equal(got, append(want[:whole:whole], `"after"`)) {
				t.Fatalf("cut at %d, tail %q, then written: %q, %v", cut, tail, got, err)
			}
		}
	}
}

func TestR25_AReaderNeverCutsATail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, samples(2)...)
	data := append(bytesOf(t, path), `{"n":3,"pr`...)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for range 2 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("%v, want the end before the incomplete line", err)
	}
	if !bytes.Equal(bytesOf(t, path), data) {
		t.Fatal("the reader changed the file")
	}
	write(t, path, `"third"`)
	rec, err := r.Next()
	if err != nil || rec.N != 3 || string(rec.Body) != `"third"` {
		t.Fatalf("after the tail was replaced: %+v, %v", rec, err)
	}
}

func TestR25_AFlippedByteIsDetectedWithItsRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	want := samples(3)
	write(t, path, want...)
	data := bytesOf(t, path)
	for at := range data {
		for _, mask := range []byte{0x01, 0x20, 0x80, 0xff} {
			record := bytes.Count(data[:at], []byte("\n")) + 1
			flipped := bytes.Clone(data)
			flipped[at] ^= mask
			got, err := readAll(flipped, 0)
			var broken *BrokenError
			if !errors.As(err, &broken) {
				t.Fatalf("byte %d ^ %#x: %q, %v", at, mask, got, err)
			}
			if broken.Record != int64(record) || !equal(got, want[:record-1]) {
				t.Fatalf("byte %d ^ %#x of record %d: said record %d after %q", at, mask, record, broken.Record, got)
			}
		}
	}
}

func TestR25_MovedRemovedAndRepeatedRecordsAreDetected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, samples(3)...)
	l := bytes.SplitAfter(bytesOf(t, path), []byte("\n"))
	var after link
	if _, sum, err := decode(bytes.TrimSuffix(l[0], []byte("\n")), 1, link{}); err == nil {
		after = sum
	}
	misnumbered, _, err := encode(3, after, time.Now(), []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.jsonl")
	write(t, other, `"another journal"`, `"its second record"`)
	o := bytes.SplitAfter(bytesOf(t, other), []byte("\n"))
	for name, lines := range map[string][][]byte{
		"first removed":     {l[1], l[2]},
		"middle removed":    {l[0], l[2]},
		"swapped":           {l[0], l[2], l[1]},
		"repeated":          {l[0], l[0]},
		"of another":        {l[0], o[1]},
		"a number left out": {l[0], misnumbered},
		"empty line":        {l[0], []byte("\n"), l[1]},
		"line without hash": {l[0], []byte(`{"n":2,"body":1}` + "\n")},
	} {
		var broken *BrokenError
		if got, err := readAll(bytes.Join(lines, nil), 0); !errors.As(err, &broken) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestADamagedJournalIsNotOpenedForWriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	write(t, path, samples(3)...)
	data := bytes.Replace(bytesOf(t, path), []byte(`"k1"`), []byte(`"k9"`), 1)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.Record != 2 {
		t.Fatalf("%v", err)
	}
	if !bytes.Equal(bytesOf(t, path), data) {
		t.Fatal("the damaged journal was changed")
	}
}

func TestALineWithoutEndIsBounded(t *testing.T) {
	_, err := readAll(bytes.Repeat([]byte("{"), 3*maxLine), 0)
	var broken *BrokenError
	if !errors.As(err, &broken) {
		t.Fatalf("%v", err)
	}
}

func TestAnyBodiesAndAnyCutGiveAPrefix(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.String(), 1, 8).Draw(t, "texts")
		var data []byte
		var prev link
		var want []string
		for i, s := range texts {
			body, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			line, sum, err := encode(int64(i+1), prev, time.Unix(int64(i), 0), body)
			if err != nil {
				t.Fatal(err)
			}
			data, prev, want = append(data, line...), sum, append(want, string(body))
		}
		cut := rapid.IntRange(0, len(data)).Draw(t, "cut")
		whole := bytes.Count(data[:cut], []byte("\n"))
		got, err := readAll(data[:cut], 0)
		if err != nil || !equal(got, want[:whole]) {
			t.Fatalf("%q, %v", got, err)
		}
		path := filepath.Join(dir, "any.jsonl")
		if err := os.WriteFile(path, data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if w.n != int64(whole) {
			t.Fatalf("opened with %d records, want %d", w.n, whole)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReader(f *testing.F) {
	path := filepath.Join(f.TempDir(), "journal.jsonl")
	write(f, path, samples(3)...)
	good := bytesOf(f, path)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(append(bytes.Clone(good), 0, 0, 0))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readAll(data, 0)
		var broken *BrokenError
		if err != nil && !errors.As(err, &broken) {
			t.Fatalf("%v is not a *BrokenError", err)
		}
		for _, b := range got {
			if !json.Valid([]byte(b)) {
				t.Fatalf("gave %q as a body", b)
			}
		}
		if err == nil && len(got) != bytes.Count(data, []byte("\n")) {
			t.Fatalf("%d records of %d lines without an error", len(got), bytes.Count(data, []byte("\n")))
		}
	})
}
