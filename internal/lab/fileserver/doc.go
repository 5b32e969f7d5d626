// Package fileserver is a small SMB server for the lab: it shares folders for
// reading, on loopback only, to clients that sign in with NTLM.
//
//	net.Listener ─▶ Server ─▶ conn (frames, credits, dialect)
//	                            │  every message: opened, verified, answered in order
//	                            ├─▶ session (who; keys that sign and seal)
//	                            │     └─▶ tree (a Share) ─▶ handle (a file or folder of its fs.FS)
//	                            └─▶ lab/spnego ─▶ lab/ntlm ─▶ Accounts
//
// It speaks SMB 3.1.1 (preauthentication integrity, AES-CMAC signing, AES-128-GCM
// encryption), and 3.0.2, 3.0 and 2.1 without encryption. Signing is always
// required. Nothing can be changed through it: every attempt is answered with
// STATUS_ACCESS_DENIED, as a Windows share with read permission does.
//
// One goroutine serves one connection and handles its messages one by one; that
// is all the concurrency there is, and Serve waits for it.
package fileserver
