package smbcheck_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

// taker takes what is copied, and does something before each piece.
type taker struct {
	before func(piece int) error
	pieces int
	most   int
	all    bytes.Buffer
}

func (k *taker) Write(p []byte) (int, error) {
	k.pieces++
	k.most = max(k.most, len(p))
	if k.before != nil {
		if err := k.before(k.pieces); err != nil {
			return 0, err
		}
	}
	return k.all.Write(p)
}

func content(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

func TestACopyIsTheFileInPieces(t *testing.T) {
	s := sambatest.Start(t)
	for share, size := range map[string]int{"plain": 9<<20 + 12345, "enc": 3 << 20} {
		want := content(size)
		write(t, filepath.Join(s.Dir(share), "root", "big.msu"), want)
		write(t, filepath.Join(s.Dir(share), "root", "empty"), nil)
		c := connect(t, s, at(share, "root"), smbcheck.Options{})
		k := &taker{}
		if err := c.CopyFile(t.Context(), "big.msu", k); err != nil || !bytes.Equal(k.all.Bytes(), want) {
			t.Errorf("%s: %d bytes, %v", share, k.all.Len(), err)
		}
		if k.pieces < size>>20 || k.most > 1<<20 {
			t.Errorf("%s: %d pieces of at most %d bytes", share, k.pieces, k.most)
		}
		k = &taker{}
		if err := c.CopyFile(t.Context(), "empty", k); err != nil || k.all.Len() != 0 {
			t.Errorf("%s, empty: %d bytes, %v", share, k.all.Len(), err)
		}
	}
}

func TestACopyOfAFileThatChangesMeanwhileIsAnError(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	path := filepath.Join(s.Dir("plain"), "root", "big.msu")
	for name, change := range map[string]func() error{
		"longer": func() error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("more")
			return errors.Join(err, f.Close())
		},
		"shorter": func() error { return os.Truncate(path, 5<<20) },
		"written": func() error { return os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)) },
		"replaced": func() error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, content(8<<20), 0o600))
		},
		"gone": func() error { return os.Remove(path) },
	} {
		write(t, path, content(8<<20))
		c := connect(t, s, at("plain", "root"), smbcheck.Options{})
		k := &taker{before: func(piece int) error {
			if piece == 1 {
				return change()
			}
			return nil
		}}
		if err := c.CopyFile(t.Context(), "big.msu", k); !errors.Is(err, smbcheck.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if k.all.Len() > 8<<20 {
			t.Errorf("%s: %d bytes, more than the file had when it was opened", name, k.all.Len())
		}
	}
}

func TestR33_ACopyStaysBelowTheRoot(t *testing.T) {
	s := sambatest.Start(t)
	write(t, filepath.Join(s.Dir("plain"), "outside.txt"), []byte("x"))
	write(t, filepath.Join(s.Dir("plain"), "root", "folder", "a"), []byte("x"))
	c := connect(t, s, at("plain", "root"), smbcheck.Options{})
	for path, want := range map[string]error{
		`..\outside.txt`: smbcheck.ErrName, `\outside.txt`: smbcheck.ErrName, `folder\a:stream`: smbcheck.ErrName, "": smbcheck.ErrName,
		"folder": smbcheck.ErrNotFile, "nothing.msu": smbcheck.ErrMissing,
	} {
		k := &taker{}
		if err := c.CopyFile(t.Context(), path, k); !errors.Is(err, want) || k.pieces != 0 {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestWhoeverTakesACopyMayFailOrBeSlow(t *testing.T) {
	t.Parallel()
	const silence = 4 * time.Second
	s := sambatest.Start(t)
	write(t, filepath.Join(s.Dir("plain"), "root", "big.msu"), content(6<<20))
	c := connect(t, s, at("plain", "root"), smbcheck.Options{Timeout: silence})
	full := errors.New("no room there")
	k := &taker{before: func(piece int) error {
		if piece == 2 {
			return full
		}
		return nil
	}}
	if err := c.CopyFile(t.Context(), "big.msu", k); !errors.Is(err, full) || k.pieces != 2 {
		t.Errorf("%d pieces, %v", k.pieces, err)
	}
	// The connection lives, and is not taken for a silent one while somebody else is slow.
	k = &taker{before: func(piece int) error {
		if piece == 2 {
			time.Sleep(silence + silence/2) // longer than the server may be silent
		}
		return nil
	}}
	if err := c.CopyFile(t.Context(), "big.msu", k); err != nil || k.all.Len() != 6<<20 {
		t.Errorf("slow: %d bytes, %v", k.all.Len(), err)
	}
	if err := c.CopyFile(t.Context(), "big.msu", shortWriter{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("short: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	k = &taker{before: func(int) error { cancel(); return nil }}
	if err := c.CopyFile(ctx, "big.msu", k); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// shortWriter breaks the contract of io.Writer.
type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestPartsOfAFileAreReadInAnyOrderAndAnErrorOfTheReaderIsItsOwn(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	path := filepath.Join(s.Dir("enc"), "parts.msi")
	if err := os.WriteFile(path, []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, at("enc", ""), smbcheck.Options{})
	own := errors.New("no such format")
	err := c.InspectFile(t.Context(), "parts.msi", nil, func(file io.ReaderAt, size int64) error {
		b := make([]byte, 3)
		for off, want := range map[int64]string{7: "789", 2: "234"} {
			if n, err := file.ReadAt(b, off); n != 3 || err != nil && !errors.Is(err, io.EOF) || string(b) != want {
				t.Errorf("%d at %d: %q %v", n, off, b, err)
			}
		}
		if n, err := file.ReadAt(b, 9); n != 1 || !errors.Is(err, io.EOF) || size != 10 {
			t.Errorf("%d %v, size %d", n, err, size)
		}
		return own
	})
	if !errors.Is(err, own) {
		t.Errorf("%v", err)
	}
	err = c.InspectFile(t.Context(), "parts.msi", nil, func(io.ReaderAt, int64) error {
		return os.WriteFile(path, []byte("longer than it was"), 0o644)
	})
	if !errors.Is(err, smbcheck.ErrChanged) {
		t.Errorf("changed meanwhile: %v", err)
	}
	if _, _, err := c.HashFile(t.Context(), "parts.msi", nil); err != nil {
		t.Errorf("the connection did not go on: %v", err)
	}
}
