package smbcheck_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

const (
	negotiate   = 0
	setup       = 1
	treeConnect = 3
)

// frame is one SMB2 message passing the man in the middle.
type frame []byte

func (f frame) plain() bool     { return len(f) >= 64 && f[0] == 0xFE }
func (f frame) command() uint16 { return binary.LittleEndian.Uint16(f[12:]) }
func (f frame) status() uint32  { return binary.LittleEndian.Uint32(f[8:]) }
func (f frame) unsign()         { f[16] &^= 8; clear(f[48:64]) }
func (f frame) answer(command uint16) bool {
	return f.plain() && f.command() == command && f.status() == 0
}

// middle is a man in the middle: every frame passes through change, which may alter or replace it; a nil frame hangs up. Both directions of a
// connection come from goroutines of their own.
type middle struct {
	addr   string
	change func(fromServer bool, f frame) []frame
	// flood may tell what follows after a frame of the server's, again and again, until the client goes; nil for nothing.
	flood func(f frame) frame
}

func startMiddle(t *testing.T, server string, change func(fromServer bool, f frame) []frame) *middle {
	t.Helper()
	return startFlood(t, server, change, func(frame) frame { return nil })
}

func startFlood(t *testing.T, server string, change func(fromServer bool, f frame) []frame, flood func(f frame) frame) *middle {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &middle{addr: l.Addr().String(), change: change, flood: flood}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			both := func() { _ = client.Close(); _ = upstream.Close() }
			all.Go(func() { defer both(); m.pass(client, upstream, false) })
			all.Go(func() { defer both(); m.pass(upstream, client, true) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return m
}

func (m *middle) pass(from io.Reader, to io.Writer, fromServer bool) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return
		}
		f := make(frame, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(from, f); err != nil {
			return
		}
		for _, g := range m.change(fromServer, f) {
			if g == nil || put(to, g) != nil {
				return
			}
		}
		if !fromServer {
			continue
		}
		for more := m.flood(f); more != nil; {
			if put(to, more) != nil {
				return
			}
		}
	}
}

func put(to io.Writer, f frame) error {
	_, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...))
	return err
}
