package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain also plays the second process: one that opens the journal and says whether it was let in.
func TestMain(m *testing.M) {
	if path := os.Getenv("CAU_TEST_OPEN_JOURNAL"); path != "" {
		_, err := Open(path)
		switch {
		case errors.Is(err, ErrLocked):
			os.Exit(7)
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func openElsewhere(t *testing.T, path string) int {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0])
	c.Env = append(os.Environ(), "CAU_TEST_OPEN_JOURNAL="+path)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v %s", err, out)
	}
	return c.ProcessState.ExitCode()
}

func TestR25_ThereIsOneWriterOnThisHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second writer in this process: %v", err)
	}
	if code := openElsewhere(t, path); code != 7 {
		t.Errorf("a second writer in another process ended %d, want 7 (locked)", code)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if code := openElsewhere(t, path); code != 0 {
		t.Errorf("after the writer closed, another process ended %d", code)
	}
	if _, err := w.Append([]byte("1")); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestR25_AReaderBesideTheWriterSeesEveryRecordOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for k := range each {
				if _, err := w.Append(fmt.Appendf(nil, `{"w":%d,"k":%d}`, i, k)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	r, err := OpenReader(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	for seen := int64(0); seen < writers*each; {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			runtime.Gosched() // the writers have not come that far
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen++; rec.N != seen {
			t.Fatalf("record %d came as number %d", rec.N, seen)
		}
	}
	wg.Wait()
}

// disk is storage that fails as told.
type disk struct {
	*os.File
	writeRoom int
	syncErr   error
	truncErr  error
}

func (d *disk) WriteAt(p []byte, at int64) (int, error) {
	if len(p) <= d.writeRoom {
		return d.File.WriteAt(p, at)
	}
	n, err := d.File.WriteAt(p[:d.writeRoom], at)
	return n, errors.Join(err, &os.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC})
}

func (d *disk) Sync() error { return errors.Join(d.syncErr, d.File.Sync()) }

func (d *disk) Truncate(n int64) error { return errors.Join(d.truncErr, d.File.Truncate(n)) }

func onDisk(t *testing.T) (*Writer, *disk, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	f, ok := w.file.(*os.File)
	if !ok {
		t.Fatal("the writer's storage is not a file")
	}
	d := &disk{File: f, writeRoom: 1 << 20}
	w.file = d
	return w, d, path
}

func TestAFullDiskLeavesTheJournalWholeAndItCanGoOn(t *testing.T) {
	w, d, path := onDisk(t)
	if _, err := w.Append([]byte("1")); err != nil {
		t.Fatal(err)
	}
	before := bytesOf(t, path)
	d.writeRoom = 20
	if _, err := w.Append([]byte("2")); !errors.Is(err, ErrFull) {
		t.Fatalf("%v, want ErrFull", err)
	}
	if string(bytesOf(t, path)) != string(before) {
		t.Fatal("part of the record stayed in the journal")
	}
	d.writeRoom = 1 << 20
	if n, err := w.Append([]byte("3")); err != nil || n != 2 {
		t.Fatalf("after space came back: %d, %v", n, err)
	}
	if got, err := readAll(bytesOf(t, path), 0); err != nil || !equal(got, []string{"1", "3"}) {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestR25_NothingIsAcknowledgedAfterAFailedFlush(t *testing.T) {
	w, d, _ := onDisk(t)
	d.syncErr = syscall.EIO
	if _, err := w.Append([]byte("1")); !errors.Is(err, syscall.EIO) {
		t.Fatalf("%v", err)
	}
	d.syncErr = nil
	if n, err := w.Append([]byte("2")); err == nil {
		t.Fatalf("record %d was acknowledged although an earlier flush failed", n)
	}
}

func TestATailThatCannotBeCutEndsTheWriter(t *testing.T) {
	w, d, _ := onDisk(t)
	d.writeRoom, d.truncErr = 20, syscall.EIO
	if _, err := w.Append([]byte("1")); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("%v", err)
	}
	d.writeRoom, d.truncErr = 1<<20, nil
	if _, err := w.Append([]byte("2")); err == nil {
		t.Fatal("a record was written behind a torn one")
	}
}

func TestADiskThatIsPutInFrontOfAJournalSeesWhatIsReadAndWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.jsonl")
	full := func(f Disk) Disk {
		file, ok := f.(*os.File)
		if !ok {
			t.Fatalf("the disk is a %T", f)
		}
		return &disk{File: file, writeRoom: 10}
	}
	w, err := OpenThrough(path, full)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Append([]byte("1")); !errors.Is(err, ErrFull) {
		t.Errorf("a record longer than the disk's room: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
