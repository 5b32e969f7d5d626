package smbcheck_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"cau/internal/fault"
	"cau/smbcheck"
)

// negotiated is a frame with a NEGOTIATE answer of an SMB 3.1.1 server, without contexts.
func negotiated(status uint32, dialect uint16) string {
	m := make([]byte, 64+65)
	copy(m, "\xFESMB\x40")
	le.PutUint32(m[8:], status)
	m[16] = 1
	m[64] = 65
	le.PutUint16(m[64+4:], dialect)
	return string([]byte{0, 0, 0, byte(len(m))}) + string(m)
}

func TestAProbeOfWhatDoesNotAnswerAsAServerSaysWhy(t *testing.T) {
	zeros := strings.Repeat("\x00", 200)
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  error
	}{
		"closes at once":    {func(net.Conn) {}, smbcheck.ErrNotSMB},
		"closes when asked": {func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }, smbcheck.ErrNotSMB},
		"HTTP":              {say("HTTP/1.1 400 Bad Request\r\n\r\n"), smbcheck.ErrNotSMB},
		"zeros":             {say(zeros), smbcheck.ErrProtocol},
		"16 MiB claimed":    {say("\x00\xFF\xFF\xFF\xFESMB"), smbcheck.ErrProtocol},
		"64 KiB and one":    {say("\x00\x01\x00\x01\xFESMB" + strings.Repeat("\x00", 64<<10)), smbcheck.ErrProtocol},
		"63 bytes":          {say("\x00\x00\x00\x3F\xFESMB" + zeros[:59]), smbcheck.ErrProtocol},
		"half a message": {func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "\x00\x00\x00\x80\xFESMB")
		}, smbcheck.ErrBroken},
		"garbage in a frame":     {say("\x00\x00\x00\x60" + strings.Repeat("\xAA", 0x60)), smbcheck.ErrNotSMB},
		"an empty NEGOTIATE":     {say("\x00\x00\x00\x60\xFESMB\x40\x00" + zeros[:10] + "\x01" + zeros[:0x60-17]), smbcheck.ErrProtocol},
		"a sealed message":       {say("\x00\x00\x00\x60\xFDSMB" + zeros[:0x5C]), smbcheck.ErrProtocol},
		"another dialect":        {say(negotiated(0, 0x0302)), smbcheck.ErrProtocol},
		"start over":             {say(negotiated(0, 0x02FF)), smbcheck.ErrProtocol},
		"says nothing":           {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, smbcheck.ErrUnreachable},
		"one byte after another": {drip, smbcheck.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			opt := smbcheck.Options{Addr: startFake(t, c.serve)}
			if errors.Is(c.want, smbcheck.ErrUnreachable) {
				opt.Timeout = 100 * time.Millisecond
			}
			f, err := smbcheck.Probe(t.Context(), at("s", ""), opt)
			var e *fault.Error
			if !errors.Is(err, c.want) || !errors.As(err, &e) || fault.Hint(err) == "" {
				t.Errorf("%v, hint %q, want %v", err, fault.Hint(err), c.want)
			}
			if f.Dialects != nil || f.SMB1 {
				t.Errorf("facts all the same: %+v", f)
			}
		})
	}
}

// drip never lets the connection be silent for long.
func drip(c net.Conn) {
	_, _ = c.Read(make([]byte, 4096))
	for _, b := range []byte("\x00\x00\x01\x00" + strings.Repeat("\x00", 256)) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestAServerThatIsTooBusyHasNotRefusedADialect(t *testing.T) {
	const insufficientResources = 0xC000009A
	addr := startFake(t, say(negotiated(insufficientResources, 0)))
	_, err := smbcheck.Probe(t.Context(), at("s", ""), smbcheck.Options{Addr: addr})
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != insufficientResources {
		t.Errorf("%v", err)
	}
}

func TestAServerThatTakesNothingIsNotJoinable(t *testing.T) {
	for name, answer := range map[string]string{
		"every dialect refused": negotiated(0xC00000BB, 0),
		"SMB 1 whatever it is":  "\x00\x00\x00\x60\xFFSMB" + strings.Repeat("\x00", 0x5C),
	} {
		f, err := smbcheck.Probe(t.Context(), at("s", ""), smbcheck.Options{Addr: startFake(t, say(answer))})
		if err != nil || len(f.Dialects) != 0 || f.SMB1 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
		if err := f.Joinable(); !errors.Is(err, smbcheck.ErrNotSMB) {
			t.Errorf("%s: joinable: %v", name, err)
		}
	}
}

func TestAProbeIsBoundedAsAWhole(t *testing.T) {
	const patience = 400 * time.Millisecond
	slow := func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		time.Sleep(patience * 3 / 4)
		_, _ = io.WriteString(c, negotiated(0xC00000BB, 0))
		_, _ = io.Copy(io.Discard, c)
	}
	_, err := smbcheck.Probe(t.Context(), at("s", ""), smbcheck.Options{Addr: startFake(t, slow), Timeout: patience})
	if !errors.Is(err, smbcheck.ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

func TestAProbeThatIsGivenUpReturns(t *testing.T) {
	asked := make(chan struct{})
	addr := startFake(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		close(asked)
		_, _ = io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := smbcheck.Probe(ctx, at("s", ""), smbcheck.Options{Addr: addr}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestWhoeverIsNotThereIsUnreachable(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	opt := smbcheck.Options{Addr: l.Addr().String()}
	if _, err := smbcheck.Probe(t.Context(), at("s", ""), opt); !errors.Is(err, smbcheck.ErrUnreachable) || fault.Hint(err) == "" {
		t.Errorf("%v", err)
	}
	e, err := smbcheck.EnforcesEncryption(t.Context(), at("s", ""), asRoot, opt)
	if !errors.Is(err, smbcheck.ErrUnreachable) || e.Verdict != smbcheck.Unknown || e.Reason == "" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestWhyAServerCannotBeJoinedNamesWhatItHas(t *testing.T) {
	good := smbcheck.ServerFacts{
		Dialects: []smbcheck.Dialect{smbcheck.SMB311}, Ciphers: []smbcheck.Cipher{smbcheck.AES128CCM},
		SigningAlgorithms: []smbcheck.SigningAlgorithm{smbcheck.AESCMAC},
	}
	with := func(change func(*smbcheck.ServerFacts)) smbcheck.ServerFacts {
		f := good
		change(&f)
		return f
	}
	for name, c := range map[string]struct {
		facts smbcheck.ServerFacts
		want  error
		names string
	}{
		"all there":           {good, nil, ""},
		"no encryption":       {with(func(f *smbcheck.ServerFacts) { f.Ciphers = nil }), nil, ""},
		"AES-256":             {with(func(f *smbcheck.ServerFacts) { f.Ciphers = []smbcheck.Cipher{smbcheck.AES256CCM, smbcheck.AES256GCM} }), smbcheck.ErrCipher, "AES-256-CCM, AES-256-GCM"},
		"GMAC":                {with(func(f *smbcheck.ServerFacts) { f.SigningAlgorithms = []smbcheck.SigningAlgorithm{smbcheck.AESGMAC} }), smbcheck.ErrSigning, "AES-GMAC"},
		"older":               {with(func(f *smbcheck.ServerFacts) { f.Dialects = []smbcheck.Dialect{smbcheck.SMB210, smbcheck.SMB302} }), smbcheck.ErrDialect, "2.1, 3.0.2"},
		"SMB 1":               {smbcheck.ServerFacts{SMB1: true}, smbcheck.ErrNotSMB, "SMB 1 only"},
		"nothing known of it": {smbcheck.ServerFacts{}, smbcheck.ErrNotSMB, "no version"},
	} {
		err := c.facts.Joinable()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (!strings.Contains(err.Error(), c.names) || fault.Hint(err) == "") {
			t.Errorf("%s: %v does not name %s; hint %q", name, err, c.names, fault.Hint(err))
		}
	}
}
