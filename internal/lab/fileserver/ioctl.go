package fileserver

import "slices"

// Control codes, MS-SMB2 2.2.31 and MS-DFSC 2.2.
const (
	fsctlGetReferrals      uint32 = 0x00060194
	fsctlGetReferralsEx    uint32 = 0x000601B0
	fsctlValidateNegotiate uint32 = 0x00140204
	fsctlNetworkInterfaces uint32 = 0x001401FC
)

// ioctl answers MS-SMB2 2.2.31.
func (c *conn) ioctl(r *request) answer {
	body, ok := r.fixed(57, 56)
	if !ok {
		return fail(statusInvalidParameter)
	}
	input, ok := r.blob(le.Uint32(body[24:]), le.Uint32(body[28:]))
	if !ok {
		return fail(statusInvalidParameter)
	}
	const isFSCTL = 1
	if le.Uint32(body[48:]) != isFSCTL {
		return fail(statusNotSupported)
	}
	switch le.Uint32(body[4:]) {
	case fsctlValidateNegotiate:
		return c.validateNegotiate(body, input)
	case fsctlGetReferrals, fsctlGetReferralsEx:
		return fail(statusNotFound)
	case fsctlNetworkInterfaces:
		return fail(statusNotSupported)
	}
	return fail(statusInvalidDeviceRequest)
}

// validateNegotiate answers a client that wants to be sure nobody altered its
// NEGOTIATE; a difference ends the connection (MS-SMB2 3.3.5.15.12).
func (c *conn) validateNegotiate(body, in []byte) answer {
	const fixed, response = 24, 24
	if len(in) < fixed || le.Uint32(body[44:]) < response {
		return answer{hangUp: true}
	}
	count := int(le.Uint16(in[22:]))
	if len(in) < fixed+2*count {
		return answer{hangUp: true}
	}
	dialects := make([]uint16, count)
	for i := range dialects {
		dialects[i] = le.Uint16(in[fixed+2*i:])
	}
	if le.Uint32(in) != c.client.capabilities || [16]byte(in[4:20]) != c.client.guid ||
		le.Uint16(in[20:]) != c.client.mode || !slices.Equal(dialects, c.client.dialects) {
		return answer{hangUp: true}
	}
	w := builder{}
	w.u16(49, 0)
	w.u32(fsctlValidateNegotiate)
	w.raw(body[8:24])
	w.u32(headerSize+48, 0)
	w.u32(headerSize+48, response)
	w.u32(0, 0)
	w.u32(capLargeMTU)
	w.raw(c.server.guid[:])
	w.u16(securityMode, uint16(c.dialect))
	return answer{body: w.b}
}
