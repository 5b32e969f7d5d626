//go:build unix

package kerberos_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cau/internal/kerberos"
)

// Where caches lie by default anybody may put something in our way.
func TestAPipeInPlaceOfACacheIsRefusedAndNotWaitedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "krb5cc")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []kerberos.Config{{CCache: "FILE:" + path, ConfigFile: "/dev/null"}, {User: "u@R", Keytab: path, ConfigFile: "/dev/null"}} {
		done := make(chan error, 1)
		go func() {
			_, err := kerberos.Open(cfg)
			done <- err
		}()
		select {
		case err := <-done:
			_ = kind(t, err, kerberos.BadSource)
		case <-time.After(20 * time.Second):
			if f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
				_ = f.Close() // lets the reader go
			}
			t.Fatal("it waits for a writer")
		}
	}
}

func TestAKrb5ConfWithoutAnEndIsRefused(t *testing.T) {
	endless := filepath.Join(t.TempDir(), "krb5.conf")
	if err := os.WriteFile(endless, []byte("include /dev/zero\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := kerberos.Open(kerberos.Config{User: "u@R", Password: "p", ConfigFile: endless})
	if _ = kind(t, err, kerberos.BadSource); !strings.Contains(err.Error(), "too large") {
		t.Fatalf("got %v", err)
	}
}
