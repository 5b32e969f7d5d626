package fileserver

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

// Sizes offered in NEGOTIATE (MS-SMB2 2.2.4).
const (
	maxTransact = 1 << 20
	maxRead     = 1 << 20
	maxWrite    = 1 << 20
	smallWrite  = 64 << 10 // of a server without a writable share
)

// Bounds of one connection.
const (
	maxFrameBefore = 128 << 10            // before somebody signed in
	maxFrameAfter  = maxTransact + 64<<10 // afterwards
	maxSessions    = 16                   // signed in or about to
	maxChain       = maxCredits           // messages in one compound; each but CANCEL takes a credit
	logonTime      = 45 * time.Second     // to sign in, as Windows allows
	writeTime      = 30 * time.Second     // for the client to take one answer
	maxAnswer      = 4*maxRead + 1024<<10 // all answers of one compound
)

// conn is one connection. One goroutine owns it.
type conn struct {
	server *Server
	peer   net.Conn
	window window

	dialect  dialect // 0 before NEGOTIATE
	cipher   uint16  // 0: none
	preauth  preauthHash
	client   negotiated
	sessions map[uint64]*session
}

// errHangUp ends a connection whose client broke the protocol in a way that
// MS-SMB2 answers by disconnecting.
var errHangUp = errors.New("connection closed")

func (s *Server) serveConn(ctx context.Context, peer net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = peer.Close() })()
	defer func() { _ = peer.Close() }()
	c := &conn{server: s, peer: peer, sessions: map[uint64]*session{}}
	c.window.grant(1)
	defer c.end()
	if err := peer.SetReadDeadline(time.Now().Add(logonTime)); err != nil {
		return
	}
	for {
		frame, err := c.readFrame()
		if err != nil {
			return
		}
		answer, err := c.handleFrame(frame)
		if err != nil {
			return
		}
		if len(answer) == 0 {
			continue
		}
		if err := c.writeFrame(answer); err != nil {
			return
		}
	}
}

// end releases what the client left open.
func (c *conn) end() {
	for _, s := range c.sessions {
		s.closeAll()
	}
}

func (c *conn) signedIn() bool {
	for _, s := range c.sessions {
		if s.valid {
			return true
		}
	}
	return false
}

// readFrame reads one message behind its 4-byte length (MS-SMB2 2.1).
func (c *conn) readFrame() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.peer, head[:]); err != nil {
		return nil, err
	}
	most := uint32(maxFrameBefore)
	if c.signedIn() {
		most = maxFrameAfter
	}
	size := binary.BigEndian.Uint32(head[:]) // the first byte has to be 0, so a wrong one is too long
	if size < headerSize || size > most {
		return nil, errFrame
	}
	frame := make([]byte, size)
	_, err := io.ReadFull(c.peer, frame)
	return frame, err
}

func (c *conn) writeFrame(message []byte) error {
	if err := c.peer.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
	bufs := net.Buffers{head, message}
	_, err := bufs.WriteTo(c.peer)
	return err
}

// handleFrame answers one frame: a message, a compound, or either sealed. An
// error ends the connection; no answer and no error means there is nothing to say.
func (c *conn) handleFrame(frame []byte) ([]byte, error) {
	if len(frame) < 4 {
		return nil, errFrame
	}
	switch string(frame[:4]) {
	case magicPlain:
		return c.handleChain(frame, nil)
	case magicSealed:
		s, plain, err := c.unseal(frame)
		if err != nil {
			return nil, err
		}
		answer, err := c.handleChain(plain, s)
		if err != nil || len(answer) == 0 {
			return nil, err
		}
		return s.seal(answer)
	}
	return nil, errFrame
}

// unseal opens a transform message (MS-SMB2 2.2.41, 3.3.5.2.1.1).
func (c *conn) unseal(frame []byte) (*session, []byte, error) {
	if len(frame) < transformSize+headerSize {
		return nil, nil, errFrame
	}
	s := c.sessions[le.Uint64(frame[44:])]
	if s == nil || !s.valid || s.fromClient == nil || le.Uint16(frame[42:]) != 1 {
		return nil, nil, errHangUp
	}
	if uint64(le.Uint32(frame[36:])) != uint64(len(frame)-transformSize) {
		return nil, nil, errFrame
	}
	text := make([]byte, 0, len(frame))
	text = append(text, frame[transformSize:]...)
	text = append(text, frame[4:20]...)
	plain, err := s.fromClient.Open(text[:0], frame[20:32], text, frame[20:transformSize])
	if err != nil || len(plain) < headerSize || string(plain[:4]) != magicPlain {
		return nil, nil, errHangUp
	}
	return s, plain, nil
}

// seal wraps an answer into a transform message. The nonce counts, so that it
// never repeats under one key.
func (s *session) seal(plain []byte) ([]byte, error) {
	if s.nonce == 1<<64-1 {
		return nil, errHangUp
	}
	s.nonce++
	out := make([]byte, transformSize, transformSize+len(plain)+16)
	copy(out, magicSealed)
	le.PutUint64(out[20:], s.nonce)
	le.PutUint32(out[36:], uint32(len(plain)))
	le.PutUint16(out[42:], 1)
	le.PutUint64(out[44:], s.id)
	out = s.toClient.Seal(out, out[20:32], plain, out[20:transformSize])
	tag := len(out) - 16
	copy(out[4:20], out[tag:])
	return out[:tag], nil
}
