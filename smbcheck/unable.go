package smbcheck

import (
	"encoding/binary"
	"net"
	"slices"
)

// unable is a connection on which the SMB library does not say that it could encrypt, which it otherwise always does. A
// server then treats it as one of the clients that cannot. What the library computes from the NEGOTIATE that it
// believes it sent is wrong afterwards (3.1.1's keys), so it is used up to the end of the sign-in and no further.
type unable struct {
	net.Conn
	under []byte // a frame that is not complete yet, its length included
}

// Write passes on whole frames.
func (u *unable) Write(p []byte) (int, error) {
	u.under = append(u.under, p...)
	for len(u.under) >= 4 {
		n := 4 + int(binary.BigEndian.Uint32(u.under))
		if len(u.under) < n {
			break
		}
		hideEncryption(u.under[4:n])
		if _, err := u.Conn.Write(u.under[:n]); err != nil {
			return 0, err
		}
		u.under = slices.Delete(u.under, 0, n)
	}
	return len(p), nil
}

// hideEncryption takes what says that a client can encrypt out of its NEGOTIATE (MS-SMB2 2.2.3): the capability, and the
// context of 3.1.1, whose kind becomes one that every server ignores. The length stays.
func hideEncryption(m []byte) {
	const fixed, reserved = 36, 0x100 // MS-SMB2 2.2.3.1: SMB2_CONTEXTTYPE_RESERVED
	if len(m) < headerSize+fixed || header(m).valid() != nil || header(m).sealed() || header(m).command() != cmdNegotiate {
		return
	}
	body := m[headerSize:]
	le.PutUint32(body[8:], le.Uint32(body[8:])&^capEncryption)
	dialects, n := body[fixed:], int(le.Uint16(body[2:]))
	if n != 1 || len(dialects) < 2 || Dialect(le.Uint16(dialects)) != SMB311 {
		return
	}
	at := int64(le.Uint32(body[28:]))
	for range le.Uint16(body[32:]) {
		at = (at + 7) &^ 7
		if at < headerSize+fixed || at+8 > int64(len(m)) {
			return
		}
		if le.Uint16(m[at:]) == contextEncryption {
			le.PutUint16(m[at:], reserved)
		}
		at += 8 + int64(le.Uint16(m[at+2:]))
	}
}
