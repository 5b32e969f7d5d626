package smbcheck_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"cau/internal/sambatest"
	"cau/smbcheck"
)

func TestAManInTheMiddleIsCaught(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t, sambatest.Global("server signing = mandatory"))
	write(t, filepath.Join(s.Dir("plain"), "a.txt"), []byte("hello"))
	only := func(f frame) []frame { return []frame{f} }
	setupEnd := func(f frame) bool { return f.answer(setup) }
	for name, c := range map[string]struct {
		change func(fromServer bool, f frame) []frame
		share  string
		want   []error
	}{
		"guest bit in the end of the sign-in": {func(in bool, f frame) []frame {
			if in && setupEnd(f) {
				f[64+2] |= 1
				f.unsign()
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrGuest, smbcheck.ErrTampered}},
		"guest bit, and the share's answer forged": {func(in bool, f frame) []frame {
			if in && setupEnd(f) {
				f[64+2] |= 1
			}
			if in && f.answer(treeConnect) {
				f.unsign()
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrGuest, smbcheck.ErrTampered}},
		"signature stripped from the end of the sign-in": {func(in bool, f frame) []frame {
			if in && setupEnd(f) {
				f.unsign()
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"encryption taken out of the session's flags": {func(in bool, f frame) []frame {
			if in && setupEnd(f) {
				f[64+2] ^= 4
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"share flags forged and unsigned": {func(in bool, f frame) []frame {
			if in && f.answer(treeConnect) {
				f[64+5] |= 0x80
				f.unsign()
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"share answered twice": {func(in bool, f frame) []frame {
			if in && f.answer(treeConnect) {
				return []frame{f, f}
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"signing demand taken out of the negotiation": {func(in bool, f frame) []frame {
			if in && f.answer(negotiate) {
				f[64+2] &^= 2
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"client's dialect replaced": {func(in bool, f frame) []frame {
			if !in && f.plain() && f.command() == negotiate {
				binary.LittleEndian.PutUint16(f[64+36:], 0x0302)
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"asked to start over with an older dialect": {func(in bool, f frame) []frame {
			if in && f.answer(negotiate) {
				binary.LittleEndian.PutUint16(f[64+4:], 0x02FF)
			}
			return only(f)
		}, "plain", []error{smbcheck.ErrTampered}},
		"a server that demands encryption without a cipher": {func(in bool, f frame) []frame {
			if in && f.answer(negotiate) {
				// Another type hides the encryption context.
				for at := int(binary.LittleEndian.Uint32(f[64+60:])); at+8 <= len(f); at = (at + 8 + int(binary.LittleEndian.Uint16(f[at+2:])) + 7) &^ 7 {
					if f[at] == 2 {
						f[at] = 0x77
					}
				}
			}
			return only(f)
		}, "enc", []error{smbcheck.ErrTampered}},
	} {
		t.Run(name, func(t *testing.T) {
			m := startMiddle(t, s.Addr, c.change)
			conn, err := smbcheck.Connect(t.Context(), at(c.share, ""), asRoot, smbcheck.Options{Addr: m.addr, AllowOlder: true})
			if err == nil {
				defer func() { _ = conn.Close() }()
				// What comes after the share's answer is seen with the next one.
				if _, err = conn.Walk(t.Context(), smbcheck.Limits{}); err == nil {
					t.Fatal("believed")
				}
			}
			for _, want := range c.want {
				if errors.Is(err, want) {
					t.Log(err)
					return
				}
			}
			t.Errorf("%v", err)
		})
	}
	t.Run("nothing changed", func(t *testing.T) {
		m := startMiddle(t, s.Addr, func(_ bool, f frame) []frame { return only(f) })
		conn, err := smbcheck.Connect(t.Context(), at("plain", ""), asRoot, smbcheck.Options{Addr: m.addr})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := conn.ReadFile(t.Context(), "a.txt", 10, nil); err != nil || string(b) != "hello" {
			t.Errorf("%q %v", b, err)
		}
		_ = conn.Close()
	})
}

func TestAContentChangedOnTheWayIsAnError(t *testing.T) {
	t.Parallel()
	s := sambatest.Start(t)
	write(t, filepath.Join(s.Dir("plain"), "a.txt"), []byte("hello"))
	const read = 8
	for name, change := range map[string]func(f frame){
		"byte flipped":       func(f frame) { f[len(f)-1] ^= 1 },
		"and unsigned":       func(f frame) { f[len(f)-1] ^= 1; f.unsign() },
		"status made plain":  func(f frame) { f[8] ^= 1 },
		"cut in the message": func(f frame) { clear(f[64:]) },
	} {
		t.Run(name, func(t *testing.T) {
			m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
				if in && f.answer(read) {
					change(f)
				}
				return []frame{f}
			})
			conn, err := smbcheck.Connect(t.Context(), at("plain", ""), asRoot, smbcheck.Options{Addr: m.addr})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if b, err := conn.ReadFile(t.Context(), "a.txt", 10, nil); err == nil {
				t.Errorf("read %q", b)
			}
			if _, _, err := conn.HashFile(t.Context(), "a.txt", nil); err == nil {
				t.Error("hashed")
			}
		})
	}
}

func TestAFileThatChangesWhileItIsHashedIsNoticed(t *testing.T) {
	t.Parallel()
	const size = 6 << 20
	for name, change := range map[string]func(path string) error{
		"grown": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			_, err = f.WriteString("more")
			return err
		},
		"shrunk": func(path string) error { return os.Truncate(path, size/4) },
		"replaced": func(path string) error {
			if err := os.WriteFile(path+".new", make([]byte, size), 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
		"same size again": func(path string) error { return os.WriteFile(path, make([]byte, size), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			s := sambatest.Start(t)
			path := filepath.Join(s.Dir("plain"), "big.msu")
			write(t, path, make([]byte, size))
			var once sync.Once
			got := 0
			m := startMiddle(t, s.Addr, func(in bool, f frame) []frame {
				if in {
					got += len(f)
				}
				if in && got > size/8 {
					once.Do(func() {
						if err := change(path); err != nil {
							t.Error(err)
						}
					})
				}
				return []frame{f}
			})
			conn, err := smbcheck.Connect(t.Context(), at("plain", ""), asRoot, smbcheck.Options{Addr: m.addr})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, _, err := conn.HashFile(t.Context(), "big.msu", nil); !errors.Is(err, smbcheck.ErrChanged) {
				t.Errorf("%v", err)
			}
			if _, err := conn.Walk(t.Context(), smbcheck.Limits{}); err != nil {
				t.Errorf("the connection is of no use afterwards: %v", err)
			}
		})
	}
}
