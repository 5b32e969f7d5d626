package kerberos_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"cau/internal/kerberos"
)

// oddKDC answers the n-th message (from 1) with what script gives; nil hangs up. It hears every byte.
type oddKDC struct {
	listener net.Listener
	done     sync.WaitGroup
	mu       sync.Mutex
	heard    [][]byte
	open     []net.Conn
}

func newOddKDC(t *testing.T, script func(n int, message []byte) []byte) *oddKDC {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &oddKDC{listener: l}
	k.done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			k.mu.Lock()
			k.open = append(k.open, c)
			k.mu.Unlock()
			k.done.Go(func() {
				defer func() { _ = c.Close() }()
				var head [4]byte
				if _, err := io.ReadFull(c, head[:]); err != nil {
					return
				}
				message := make([]byte, binary.BigEndian.Uint32(head[:]))
				if _, err := io.ReadFull(c, message); err != nil {
					return
				}
				k.mu.Lock()
				k.heard = append(k.heard, message)
				n := len(k.heard)
				k.mu.Unlock()
				_, _ = c.Write(script(n, message))
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		k.mu.Lock()
		for _, c := range k.open {
			_ = c.Close()
		}
		k.mu.Unlock()
		k.done.Wait()
	})
	return k
}

func (k *oddKDC) messages() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.heard)
}

func (k *oddKDC) client(t *testing.T, more ...string) *kerberos.Client {
	t.Helper()
	c, err := kerberos.Open(kerberos.Config{
		User: "someone", Realm: "EXAMPLE.COM", Password: "Corr3ct-Horse", KDCs: append([]string{k.listener.Addr().String()}, more...), ConfigFile: "/dev/null",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// framed is a message as TCP carries it.
func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// says is a KRB_ERROR.
func says(t *testing.T, code int32, data []byte) []byte {
	t.Helper()
	e := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/EXAMPLE.COM"), "EXAMPLE.COM", code, "\x1b[2Jtext")
	e.EData = data
	b, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return framed(b)
}

// hints are ETYPE-INFO2 entries as METHOD-DATA.
func hints(t *testing.T, entries ...types.ETypeInfo2Entry) []byte {
	t.Helper()
	info, err := marshalASN1(entries)
	if err != nil {
		t.Fatal(err)
	}
	data, err := marshalASN1(types.PADataSequence{{PADataType: 19, PADataValue: info}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// extended is KERB-ERROR-DATA with an NTSTATUS (MS-KILE 2.2.1).
func extended(status uint32) []byte {
	value := append(binary.LittleEndian.AppendUint32(nil, status), make([]byte, 8)...)
	return append([]byte{0x30, 21, 0xa1, 3, 2, 1, 3, 0xa2, 14, 4, 12}, value...)
}

func TestEveryAnswerOfAKDCHasItsMeaning(t *testing.T) {
	for name, c := range map[string]struct {
		code  int32
		data  []byte
		want  kerberos.Kind
		final bool
	}{
		"wrong password":             {errorcode.KDC_ERR_PREAUTH_FAILED, nil, kerberos.Rejected, true},
		"revoked":                    {errorcode.KDC_ERR_CLIENT_REVOKED, nil, kerberos.Revoked, true},
		"locked out":                 {errorcode.KDC_ERR_CLIENT_REVOKED, extended(0xC0000234), kerberos.Locked, true},
		"disabled":                   {errorcode.KDC_ERR_CLIENT_REVOKED, extended(0xC0000072), kerberos.Revoked, true},
		"account expired, by status": {errorcode.KDC_ERR_CLIENT_REVOKED, extended(0xC0000193), kerberos.AccountExpired, true},
		"must change":                {errorcode.KDC_ERR_KEY_EXPIRED, nil, kerberos.PasswordExpired, true},
		"account expired":            {errorcode.KDC_ERR_NAME_EXP, nil, kerberos.AccountExpired, true},
		"unknown":                    {errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, nil, kerberos.UnknownUser, true},
		"skew":                       {errorcode.KRB_AP_ERR_SKEW, nil, kerberos.ClockSkew, true},
		"policy":                     {errorcode.KDC_ERR_POLICY, extended(0xC0000070), kerberos.Revoked, true},
		"no type":                    {errorcode.KDC_ERR_ETYPE_NOSUPP, nil, kerberos.Weak, false},
		"unknown realm's service":    {errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, nil, kerberos.UnknownService, false},
	} {
		for _, late := range []bool{false, true} { // at once, or to the proof
			k := newOddKDC(t, func(n int, _ []byte) []byte {
				if late && n == 1 {
					return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, types.ETypeInfo2Entry{EType: 18, Salt: "salt"}))
				}
				return says(t, c.code, c.data)
			})
			client := k.client(t)
			for range 2 {
				_, err := client.Initiate(t.Context(), "WSMAN/node1.example.com", nil)
				e := kind(t, err, c.want)
				if e.Final() != c.final || strings.ContainsRune(err.Error(), '\x1b') {
					t.Errorf("%s: %v", name, err)
				}
			}
			want := 1
			if late {
				want = 2
			}
			if !c.final {
				want++ // asked again, and answered at once
			}
			if k.messages() != want {
				t.Errorf("%s: the KDC heard %d messages, want %d", name, k.messages(), want)
			}
		}
	}
}

func TestAKDCThatTalksNonsenseLearnsNoProof(t *testing.T) {
	required := func(t *testing.T, entries ...types.ETypeInfo2Entry) []byte {
		t.Helper()
		return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, entries...))
	}
	for name, c := range map[string]struct {
		answer func(*testing.T) []byte
		want   kerberos.Kind
	}{
		"hang-up":       {func(*testing.T) []byte { return nil }, kerberos.Unreachable},
		"no size":       {func(*testing.T) []byte { return framed(nil) }, kerberos.Unreachable},
		"4 GB":          {func(*testing.T) []byte { return []byte{0xff, 0xff, 0xff, 0xff, 1} }, kerberos.Unreachable},
		"cut":           {func(*testing.T) []byte { return framed(make([]byte, 100))[:50] }, kerberos.Unreachable},
		"garbage":       {func(*testing.T) []byte { return framed([]byte("HTTP/1.1 400 Bad Request")) }, kerberos.Unproven},
		"garbled error": {func(*testing.T) []byte { return framed([]byte{0x7e, 3, 1, 2, 3}) }, kerberos.Unproven},
		"no hints":      {func(t *testing.T) []byte { t.Helper(); return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, nil) }, kerberos.Unproven},
		"garbled hints": {func(t *testing.T) []byte {
			t.Helper()
			return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, []byte{0x30, 9, 1})
		}, kerberos.Unproven},
		"only RC4": {func(t *testing.T) []byte { t.Helper(); return required(t, types.ETypeInfo2Entry{EType: 23}) }, kerberos.Weak},
		"only DES": {func(t *testing.T) []byte { t.Helper(); return required(t, types.ETypeInfo2Entry{EType: 3}) }, kerberos.Weak},
		"4 billion rounds": {func(t *testing.T) []byte {
			t.Helper()
			return required(t, types.ETypeInfo2Entry{EType: 18, S2KParams: []byte{0, 0, 0, 0}})
		}, kerberos.Unproven},
		"many rounds": {func(t *testing.T) []byte {
			t.Helper()
			return required(t, types.ETypeInfo2Entry{EType: 18, S2KParams: []byte{0xff, 0, 0, 0}})
		}, kerberos.Unproven},
		"odd key parameters": {func(t *testing.T) []byte {
			t.Helper()
			return required(t, types.ETypeInfo2Entry{EType: 18, S2KParams: []byte{1}})
		}, kerberos.Unproven},
	} {
		t.Run(name, func(t *testing.T) {
			k := newOddKDC(t, func(int, []byte) []byte { return c.answer(t) })
			_, err := k.client(t).Initiate(t.Context(), "WSMAN/node1.example.com", nil)
			_ = kind(t, err, c.want)
			if k.messages() != 1 {
				t.Errorf("it heard %d messages", k.messages())
			}
		})
	}
}

// A KDC that got the proof may have counted a failed logon, even if its answer is lost.
func TestR02_AProofWithoutAnAnswerIsSentToNoOtherKDC(t *testing.T) {
	second := newOddKDC(t, func(int, []byte) []byte { return says(t, errorcode.KDC_ERR_PREAUTH_FAILED, nil) })
	first := newOddKDC(t, func(n int, _ []byte) []byte {
		if n == 1 {
			return says(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, hints(t, types.ETypeInfo2Entry{EType: 18, Salt: "salt"}))
		}
		return nil
	})
	_, err := first.client(t, second.listener.Addr().String()).Initiate(t.Context(), "WSMAN/node1.example.com", nil)
	_ = kind(t, err, kerberos.NoAnswer)
	if first.messages() != 2 || second.messages() != 0 {
		t.Errorf("they heard %d and %d messages", first.messages(), second.messages())
	}
}

func TestACancelEndsTheWaitForAKDCAndACancelledContextAsksNone(t *testing.T) {
	heard, end := make(chan struct{}), make(chan struct{})
	k := newOddKDC(t, func(int, []byte) []byte { close(heard); <-end; return nil })
	defer close(end)
	c := k.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-heard; cancel() }()
	if _, err := c.Initiate(ctx, "WSMAN/node1.example.com", nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Initiate(ctx, "WSMAN/node1.example.com", nil); !errors.Is(err, context.Canceled) || k.messages() != 1 {
		t.Fatalf("%v after %d messages", err, k.messages())
	}
}

func TestAKDCThatIsSilentIsGivenUp(t *testing.T) {
	end := make(chan struct{})
	k := newOddKDC(t, func(int, []byte) []byte { <-end; return nil })
	defer close(end)
	c := k.client(t)
	c.Patience(50 * time.Millisecond)
	_, err := c.Initiate(t.Context(), "WSMAN/node1.example.com", nil)
	_ = kind(t, err, kerberos.Unreachable)
}

func TestWithoutAnyKDCTheHintSaysWhereToLook(t *testing.T) {
	c, err := kerberos.Open(kerberos.Config{User: "x@EXAMPLE.COM", Password: "p", KDCs: []string{"127.0.0.1:1"}, ConfigFile: "/dev/null"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	_, err = c.Initiate(t.Context(), "WSMAN/node1.example.com", nil)
	_ = kind(t, err, kerberos.Unreachable)
}
