package kerberos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	// maxRequest bounds a message over TCP; real ones have 1 to 12 KiB.
	maxRequest = 64 << 10
	// maxDatagram is the longest answer over UDP, the default of Windows' MaxDatagramReplySize.
	maxDatagram = 1465
	// maxConns bounds the TCP connections; a client needs one per request.
	maxConns = 256
	// patience is how long a connection may take for its next message or for taking an answer.
	patience = 10 * time.Second
)

// Start listens on a loopback address for TCP and UDP; port 0 finds a port that
// is free for both. It fails for any other address: the lab's domain is nobody
// else's.
func (k *KDC) Start(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("kerberos: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("kerberos: %s is not a loopback address", host)
	}
	k.listening.Lock()
	defer k.listening.Unlock()
	if k.stream != nil || k.closed {
		return errors.New("kerberos: started before")
	}
	// The UDP port beside a free TCP port may be taken: look for another pair then.
	for tries := 0; ; tries++ {
		if err = k.listen(address); err == nil {
			break
		}
		if port != "0" || tries == 20 {
			return fmt.Errorf("kerberos: %w", err)
		}
	}
	k.running.Go(k.acceptStreams)
	k.running.Go(k.answerDatagrams)
	return nil
}

func (k *KDC) listen(address string) error {
	var lc net.ListenConfig
	stream, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	datagrams, err := lc.ListenPacket(context.Background(), "udp", stream.Addr().String())
	if err != nil {
		return errors.Join(err, stream.Close())
	}
	k.stream, k.datagrams, k.address = stream, datagrams, stream.Addr().String()
	return nil
}

// Address is host:port of TCP and UDP alike; empty before Start.
func (k *KDC) Address() string {
	k.listening.Lock()
	defer k.listening.Unlock()
	return k.address
}

// Close ends all connections and waits for everything that Start began. It may be
// called more than once.
func (k *KDC) Close() {
	k.listening.Lock()
	k.closed = true
	if k.stream != nil {
		_ = k.stream.Close()
		_ = k.datagrams.Close()
	}
	for c := range k.conns {
		_ = c.Close()
	}
	k.listening.Unlock()
	k.running.Wait()
}

func (k *KDC) acceptStreams() {
	for {
		c, err := k.stream.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors, or a client that gave up: neither ends the domain
			time.Sleep(10 * time.Millisecond)
			continue
		}
		k.serve(c)
	}
}

func (k *KDC) serve(c net.Conn) {
	k.listening.Lock()
	defer k.listening.Unlock()
	if k.closed || len(k.conns) >= maxConns {
		_ = c.Close()
		return
	}
	k.conns[c] = struct{}{}
	k.running.Go(func() {
		k.answerStream(c)
		_ = c.Close()
		k.listening.Lock()
		delete(k.conns, c)
		k.listening.Unlock()
	})
}

// answerStream reads messages behind a length of four bytes, RFC 4120 7.2.2.
func (k *KDC) answerStream(c net.Conn) {
	var head [4]byte
	for {
		if c.SetDeadline(time.Now().Add(patience)) != nil {
			return
		}
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[:])
		if size > maxRequest {
			_ = writeFramed(c, k.tooLong())
			return
		}
		request := make([]byte, size)
		if _, err := io.ReadFull(c, request); err != nil {
			return
		}
		out := k.answer(request)
		if out == nil || writeFramed(c, out) != nil {
			return
		}
	}
}

func writeFramed(c net.Conn, message []byte) error {
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...))
	return err
}

func (k *KDC) answerDatagrams() {
	buffer := make([]byte, maxRequest)
	for {
		n, from, err := k.datagrams.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // an ICMP answer to an earlier datagram
			continue
		}
		k.mu.Lock()
		k.overUDP++
		k.mu.Unlock()
		out := k.answer(buffer[:n])
		if len(out) > maxDatagram {
			out = k.refusal(refuse(errorcode.KRB_ERR_RESPONSE_TOO_BIG, ""), types.PrincipalName{})
		}
		if out != nil {
			_, _ = k.datagrams.WriteTo(out, from)
		}
	}
}

func (k *KDC) tooLong() []byte {
	k.mu.Lock()
	k.requests++
	k.malform++
	k.mu.Unlock()
	return k.refusal(refuse(errorcode.KRB_ERR_FIELD_TOOLONG, ""), types.PrincipalName{})
}
