// Package spnego wraps the NTLM handshake of a lab machine into the SPNEGO tokens
// that SMB clients send (RFC 4178, MS-SPNG).
//
//	SMB SESSION_SETUP ──NegTokenInit/Resp──▶ spnego.Acceptor ──bare──▶ ntlm.Acceptor
//
// NTLM is the only mechanism here: a token of Kerberos ([PrefersKerberos]) is for
// whoever holds the machine's keys. A client that prefers another mechanism is told
// so and starts again with NTLM; one that sends bare NTLM is answered in kind.
package spnego
