package fileserver

import (
	"crypto/rand"
	"crypto/sha512"
	"slices"
	"time"
)

// dialect is a protocol revision (MS-SMB2 2.2.3).
type dialect uint16

const (
	smb210 dialect = 0x0210
	smb300 dialect = 0x0300
	smb302 dialect = 0x0302
	smb311 dialect = 0x0311
)

// preferred are the dialects spoken, best first.
func preferred() []dialect { return []dialect{smb311, smb302, smb300, smb210} }

// spoken are those that this server speaks.
func (s *Server) spoken() []dialect {
	all := preferred()
	if s.config.Newest == 0 {
		return all
	}
	return all[slices.Index(all, dialect(s.config.Newest)):]
}

const (
	capLargeMTU     uint32 = 0x4
	signingEnabled  uint16 = 0x1
	signingRequired uint16 = 0x2

	contextPreauth    uint16 = 1
	contextEncryption uint16 = 2
	hashSHA512        uint16 = 1
	cipherAES128GCM   uint16 = 2
)

const securityMode = signingEnabled | signingRequired

// negotiated is what the client said in NEGOTIATE; FSCTL_VALIDATE_NEGOTIATE_INFO
// compares it.
type negotiated struct {
	capabilities uint32
	guid         [16]byte
	mode         uint16
	dialects     []uint16
}

// preauthHash chains all messages up to the end of the logon (MS-SMB2 3.1.4.4), so
// that 3.1.1's keys are wrong if any of them was altered.
type preauthHash [sha512.Size]byte

func (p *preauthHash) add(message []byte) {
	h := sha512.New()
	h.Write(p[:])
	h.Write(message)
	h.Sum(p[:0])
}

// negotiate answers MS-SMB2 2.2.3.
func (c *conn) negotiate(r *request) answer {
	const fixed = 36
	body, ok := r.fixed(fixed, fixed)
	if !ok {
		return fail(statusInvalidParameter)
	}
	count := int(le.Uint16(body[2:]))
	const most = 64
	if count == 0 || count > most || len(body) < fixed+2*count {
		return fail(statusInvalidParameter)
	}
	client := negotiated{mode: le.Uint16(body[4:]), capabilities: le.Uint32(body[8:]), guid: [16]byte(body[12:28])}
	for i := range count {
		client.dialects = append(client.dialects, le.Uint16(body[fixed+2*i:]))
	}
	spoken := c.server.spoken()
	at := slices.IndexFunc(spoken, func(d dialect) bool { return slices.Contains(client.dialects, uint16(d)) })
	if at < 0 {
		return fail(statusNotSupported)
	}
	chosen := spoken[at]
	var contexts []byte
	if chosen == smb311 {
		offer, s := r.offers(le.Uint32(body[28:]), int(le.Uint16(body[32:])))
		if s != statusOK {
			return fail(s)
		}
		if offer.cipher {
			c.cipher = cipherAES128GCM
		}
		var err error
		if contexts, err = answerContexts(offer, c.cipher); err != nil {
			return answer{hangUp: true}
		}
		c.preauth.add(r.raw)
	}
	c.dialect, c.client = chosen, client
	a := answer{body: c.server.negotiateBody(chosen, contexts)}
	if chosen == smb311 {
		a.seen = c.preauth.add
	}
	return a
}

func (s *Server) negotiateBody(chosen dialect, contexts []byte) []byte {
	const fixed = 64
	w := builder{}
	w.u16(65, securityMode, uint16(chosen), 0)
	w.raw(s.guid[:])
	w.u32(capLargeMTU, maxTransact, maxRead, s.maxWrite)
	w.u64(filetime(time.Now()), 0)
	w.u16(headerSize+fixed, uint16(len(s.hint)))
	w.u32(0)
	w.raw(s.hint)
	if contexts != nil {
		w.align8()
		le.PutUint16(w.b[6:], le.Uint16(contexts))
		le.PutUint32(w.b[60:], headerSize+uint32(len(w.b)))
		w.raw(contexts[2:])
	}
	return w.b
}

// offer is what a 3.1.1 client's negotiate contexts offer.
type offer struct {
	hash       bool
	encryption bool // the context is there
	cipher     bool // and names AES-128-GCM
}

// offers reads the contexts (MS-SMB2 2.2.3.1). Unknown ones are passed over, a
// second one of the same kind is an error (3.3.5.4).
func (r *request) offers(offset uint32, count int) (offer, status) {
	var o offer
	const most = 16
	if count > most || uint64(offset) > uint64(len(r.raw)) {
		return o, statusInvalidParameter
	}
	b := r.raw[offset:]
	seenHash := false
	for range count {
		if len(b) < 8 || len(b) < 8+int(le.Uint16(b[2:])) {
			return o, statusInvalidParameter
		}
		kind, data := le.Uint16(b), b[8:8+int(le.Uint16(b[2:]))]
		switch kind {
		case contextPreauth:
			ids, ok := idList(data, 4)
			if seenHash || !ok {
				return o, statusInvalidParameter
			}
			seenHash, o.hash = true, slices.Contains(ids, hashSHA512)
		case contextEncryption:
			ids, ok := idList(data, 2)
			if o.encryption || !ok {
				return o, statusInvalidParameter
			}
			o.encryption, o.cipher = true, slices.Contains(ids, cipherAES128GCM)
		}
		b = b[min(len(b), (8+len(data)+7)&^7):]
	}
	switch {
	case !seenHash:
		return o, statusInvalidParameter
	case !o.hash:
		return o, statusNoHashOverlap
	}
	return o, statusOK
}

// idList reads a count and, behind the fixed part, that many 16-bit ids.
func idList(data []byte, fixed int) ([]uint16, bool) {
	if len(data) < fixed {
		return nil, false
	}
	count := int(le.Uint16(data))
	if count == 0 || len(data) < fixed+2*count {
		return nil, false
	}
	ids := make([]uint16, count)
	for i := range ids {
		ids[i] = le.Uint16(data[fixed+2*i:])
	}
	return ids, true
}

// answerContexts encodes the contexts of the response behind their number.
func answerContexts(o offer, cipher uint16) ([]byte, error) {
	var salt [32]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, err
	}
	contexts := builder{}
	contexts.u16(contextPreauth, 6+uint16(len(salt)), 0, 0)
	contexts.u16(1, uint16(len(salt)), hashSHA512)
	contexts.raw(salt[:])
	number := uint16(1)
	if o.encryption {
		contexts.align8()
		contexts.u16(contextEncryption, 4, 0, 0)
		contexts.u16(1, cipher)
		number++
	}
	w := builder{}
	w.u16(number)
	w.raw(contexts.b)
	return w.b, nil
}
