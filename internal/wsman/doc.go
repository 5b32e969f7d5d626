// Package wsman reaches one Windows node over WinRM.
//
//	winnode -> wsman.Node.Run -> one WinRS shell -> one authenticated connection -> WinRM on the node
//
// A Node owns a connection and a shell and runs one command at a time. The messages are masterzen/winrm's,
// behind our guards; the connection, the authentication and the sealing are ours, because a security
// context is a TCP connection and whoever owns one must own the other.
//
// What stays true here:
//
//   - On plain HTTP nothing but sealed bodies (Kerberos, NTLM) crosses the wire, in both directions; there is no
//     fallback to clear text or Basic (R03). Basic and client certificates exist by name only, on TLS only. On TLS
//     the certificate is verified, and bound to the logon where the mechanism can.
//   - A Credential is tried on one node first; one that is refused, or whose first proof gets no verdict, is never tried
//     again, anywhere; and one proof is under way at a time, two where one hangs (R02). A Kerberos ticket is no such
//     proof: what one node thinks of it says nothing about the secret.
//   - Secrets are in no error and no String (R04).
//   - What a peer sends is bounded and checked before it is parsed, and printable before it is shown (R33).
//   - Every context reaches the socket; a cancelled one sends nothing.
//   - An operation that may have reached the node is not sent twice.
package wsman
