// Package wsmanserver is the WinRM listener of one lab node: WS-Management over plain HTTP as a default
// Windows Server offers it.
//
//	TCP ─▶ server (listen, cut) ─▶ logon (NTLM, bound to the connection) ─▶ frame (sealed bodies only)
//	                                                                           │
//	                     Runner ◀── shell, command ◀── dispatch (SOAP actions) ◀┘
//
// It refuses what a default WinRM service refuses: Basic, readable bodies (AllowUnencrypted=false), more
// shells than the quota, envelopes that are too large, unknown shells. What a command line does is the
// Runner's business, not this package's.
package wsmanserver
