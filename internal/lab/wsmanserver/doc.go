// Package wsmanserver is the WinRM service of one lab node: WS-Management as Windows Server offers it.
//
//	TCP, TLS ─▶ endpoint, one per Listener ─▶ logon ─▶ frame (sealed bodies) ─▶ act ─▶ faults, rights, quotas
//	                                            │                                          │
//	                  ntlm, Kerberos (Handshake), Basic, certificate                       ▼
//	                                                            Runner ◀── command ◀── shell
//
// Shells and quotas belong to the service, connections and ways to sign in to a listener. A logon belongs to
// its TCP connection, except Basic and certificates, which sign each request.
//
// It refuses what a WinRM service refuses: readable bodies and Basic on plain HTTP without AllowUnencrypted,
// Basic and certificates for accounts of a domain, channel bindings of another channel, tickets that are over,
// accounts that are locked, people who are no administrators, and what is beyond a quota. Where it is not
// known which words Windows uses, fault.go says so.
//
// Inject makes it misbehave, as data. What a command line does is the Runner's business.
package wsmanserver
