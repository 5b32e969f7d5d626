package kerberos_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/types"

	"cau/internal/kerberos"
)

const service = "WSMAN/node1.example.com"

// asksForProof is a KDC that wants a proof and then does as told.
func asksForProof(t *testing.T, verdict func() []byte) *oddKDC {
	t.Helper()
	return newOddKDC(t, func(n int, _ []byte) []byte {
		if n == 1 {
			return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, types.ETypeInfo2Entry{EType: 18, Salt: "salt"}))
		}
		return verdict()
	})
}

// Each node's logon asks for a ticket; a proof that may count as a failed logon must not leave for each of them.
func TestR02_AProofWithoutAVerdictIsNotRepeatedForTheNextNode(t *testing.T) {
	for name, c := range map[string]struct {
		verdict func() []byte
		want    kerberos.Kind
	}{
		"hang-up":  {func() []byte { return nil }, kerberos.NoAnswer},
		"cut":      {func() []byte { return framed(make([]byte, 100))[:50] }, kerberos.NoAnswer},
		"garbage":  {func() []byte { return framed([]byte("HTTP/1.1 400 Bad Request")) }, kerberos.Unproven},
		"an error": {func() []byte { return framed([]byte{0x7e, 3, 1, 2, 3}) }, kerberos.Unproven},
	} {
		t.Run(name, func(t *testing.T) {
			k := asksForProof(t, c.verdict)
			client := k.client(t)
			var group sync.WaitGroup
			for range 64 {
				group.Go(func() {
					_, err := client.Initiate(t.Context(), service, nil)
					var e *kerberos.Error
					if !errors.As(err, &e) || e.Kind != c.want || !e.Final() {
						t.Errorf("got %v", err)
					}
				})
			}
			group.Wait()
			if k.messages() != 2 {
				t.Errorf("the KDC heard %d messages", k.messages())
			}
		})
	}
}

func TestR02_ACancelledLogonWhoseProofIsOutIsNotRepeated(t *testing.T) {
	arrived, end := make(chan struct{}, 4), make(chan struct{})
	k := asksForProof(t, func() []byte { arrived <- struct{}{}; <-end; return nil })
	defer close(end)
	c := k.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := c.Initiate(ctx, service, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	_, err := c.Initiate(t.Context(), service, nil)
	if e := kind(t, err, kerberos.NoAnswer); !e.Final() || k.messages() != 2 {
		t.Fatalf("%v after %d messages", err, k.messages())
	}
}

// A secret that got tickets before may be asked for anew, but not as often as the nodes ask.
func TestR02_AProvenSecretWithoutAVerdictRests(t *testing.T) {
	k := newOddKDC(t, func(n int, _ []byte) []byte {
		if n%2 == 1 {
			return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, types.ETypeInfo2Entry{EType: 18, Salt: "salt"}))
		}
		return nil
	})
	c := k.client(t)
	c.Outdated()
	for range 8 {
		_, err := c.Initiate(t.Context(), service, nil)
		if e := kind(t, err, kerberos.NoAnswer); e.Final() {
			t.Fatalf("got %v", err)
		}
	}
	if k.messages() != 2 {
		t.Fatalf("the KDC heard %d messages", k.messages())
	}
	_ = kind(t, c.Refused(), kerberos.NoAnswer)
	c.Later(time.Now().Add(2 * time.Minute))
	if err := c.Refused(); err != nil {
		t.Fatalf("after its rest: %v", err)
	}
	_, err := c.Initiate(t.Context(), service, nil)
	if _ = kind(t, err, kerberos.NoAnswer); k.messages() != 4 {
		t.Fatalf("%v: the KDC heard %d messages", err, k.messages())
	}
}

// A KDC that is none could make the proof cheap to guess from.
func TestR03_AKDCThatWantsHardlyAnyWorkForTheKeyLearnsNoProof(t *testing.T) {
	k := newOddKDC(t, func(int, []byte) []byte {
		return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, types.ETypeInfo2Entry{EType: 18, Salt: "s", S2KParams: []byte{0, 0, 0, 1}}))
	})
	_, err := k.client(t).Initiate(t.Context(), service, nil)
	if _ = kind(t, err, kerberos.Unproven); k.messages() != 1 {
		t.Fatalf("%v: the KDC heard %d messages", err, k.messages())
	}
}

func TestCloseEndsALogonThatIsUnderWay(t *testing.T) {
	arrived, end := make(chan struct{}, 4), make(chan struct{})
	k := newOddKDC(t, func(int, []byte) []byte { arrived <- struct{}{}; <-end; return nil })
	defer close(end)
	c := k.client(t)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Initiate(t.Context(), service, nil)
		failed <- err
	}()
	<-arrived
	c.Close()
	if err := <-failed; err == nil || !strings.Contains(err.Error(), "closed by us") {
		t.Fatalf("got %v", err)
	}
}
