// Package fileserver is a small SMB server for the lab: it shares folders, most of
// them for reading, on loopback only, to clients that sign in with NTLM.
//
//	net.Listener ─▶ Server ─▶ conn (frames, credits, dialect)
//	                            │  every message: opened, verified, answered in order
//	                            ├─▶ session (who; keys that sign and seal)
//	                            │     └─▶ tree (a Share) ─▶ handle (a file or folder of its fs.FS)
//	                            │                             └─▶ object (a Writable's, by all who have it open)
//	                            └─▶ lab/spnego ─▶ lab/ntlm ─▶ Accounts
//
// It speaks SMB 3.1.1 (preauthentication integrity, AES-CMAC signing, AES-128-GCM
// encryption), and 3.0.2, 3.0 and 2.1 without encryption. Signing is always
// required. A share that has no Writable cannot be changed: every attempt is
// answered with STATUS_ACCESS_DENIED, as a Windows share with read permission
// does. In one that has, files are made, written, renamed and removed; its folders
// stay, and times, attributes and byte range locks are refused because they would
// not be kept.
//
// Descriptors are what was set, on a share's root or on single files and folders,
// and what is inherited from there, computed as NTFS does. They are shown, and keep
// nobody out: who may read, write, or read permissions is decided by account.
//
// One goroutine serves one connection and handles its messages one by one. What
// connections have in common is who has which file of a writable share open. Serve
// waits for its goroutines.
package fileserver
