// Package kerberos is the lab's own Kerberos: a small domain controller and the
// accepting side of the machines behind it.
//
//	kinit, a client ──AS, TGS over TCP and UDP──▶ KDC ──Keytab──┐
//	                                                            ▼
//	WinRM, SMB client ──AP-REQ, bare or in SPNEGO──▶ Acceptor ──▶ Session (seal, unseal)
//
// It shares no line with the program's client, so that each tests the other;
// MIT's programs test both. What it leaves out, because nothing in the lab looks
// at it: the PAC (a ticket names its owner and no groups), other realms,
// delegation, smart cards, FAST, changing passwords, encryption types other than
// AES with SHA-1, addresses in tickets (carried, never checked), and a replay cache in the KDC (a replayed request only yields
// an answer that its sender cannot read).
//
// There is one clock in a lab, so tickets end exactly when they say; only a
// client's clock is allowed to be five minutes off.
package kerberos
