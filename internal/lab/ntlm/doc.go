// Package ntlm is the accepting side of NTLMv2, as a lab machine needs it.
//
//	WinRM listener ──bare tokens──────────┐
//	                                      ├─▶ ntlm.Acceptor ─▶ Accounts (who may sign in)
//	file server ──SPNEGO──▶ lab/spnego ───┘        │
//	                                               ▼
//	                     Identity, SessionKey (SMB signing), Session (WinRM sealing)
//
// The lab is a separate machine: this package imports nothing of the program it
// is used to test. It speaks one form of NTLM only, the one that an up-to-date
// Windows client speaks: NTLMv2, Unicode, extended session security, 128-bit
// keys and key exchange. Anything weaker is refused before an account is looked
// up, so that a client that would agree to less is found out.
package ntlm
