// Package spnego wraps the NTLM handshake of a lab machine into the SPNEGO tokens
// that SMB clients send (RFC 4178, MS-SPNG).
//
//	SMB SESSION_SETUP ──NegTokenInit/Resp──▶ spnego.Acceptor ──bare──▶ ntlm.Acceptor
//
// NTLM is the only mechanism. A client that prefers Kerberos is told so and
// starts again with NTLM; one that sends bare NTLM is answered in kind.
package spnego
