// Package kerberos proves who we are to a Windows service without showing it a password, makes the service prove
// itself, and seals what is said afterwards.
//
//	wsman -> kerberos.Client.Initiate -> KDC (AS and TGS exchange, TCP)
//	              |                      token for the service, its answer verified
//	              +-> Initiator.Accept -> SecurityContext.Wrap, Unwrap (RFC 4121)
//
// Messages and encryption types are github.com/jcmturner/gokrb5's. The exchanges are ours, because its client hides
// error codes, ignores contexts, believes lengths that a peer sends, and repeats a password that was refused.
//
// What stays true here:
//
//   - A password, or a keytab's key, that a KDC refused is never sent again, and one whose outcome is unknown
//     is not repeated by itself (R02).
//   - Only AES. A service that does not prove itself is an error (mutual authentication).
//   - Files that others may read are refused; secrets are in no error and no String (R04).
//   - Everything from outside (KDC, service, files) is bounded before it is parsed (R33).
package kerberos
