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
//   - On plain HTTP nothing but sealed bodies crosses the wire, in both directions; there is no fallback to
//     clear text or Basic (R03). On TLS the certificate is verified and bound to the logon.
//   - A Credential is tried on one node first, and a rejected one is never tried again, anywhere (R02).
//   - Secrets are in no error and no String (R04).
//   - What a peer sends is bounded and checked before it is parsed, and printable before it is shown (R33).
//   - Every context reaches the socket; a cancelled one sends nothing.
//   - An operation that may have reached the node is not sent twice.
package wsman
