// Package smbcheck reads a hotfix root on an SMB share and says what is proven about the connection.
//
//	plugins/hotfix -> smbcheck -> go-smb2 over our own net.Conn (the tap)
//	                  smbcheck -> kerberos (tickets), check, fault (types)
//
//	ParseUNC -> Probe   -> ServerFacts (nothing proven) -> Joinable
//	         -> Connect -> Facts  -> Checks
//	                    -> Walk   -> ReparsePoints
//	                    -> ReadFile, HashFile
//	         -> EnforcesEncryption, after Connect
//
// The SMB library keeps to itself what it negotiated, and believes two answers that it never
// verifies. So its connection passes through a tap that records the handshake; with the session key
// the record is then verified here, and a fact counts only with that proof. The tap also refuses what
// comes unsigned after the sign-in, and unencrypted where encryption is demanded. Nothing that the server
// says about names, sizes or counts is trusted: every list, read and frame has a bound, every call a
// deadline, and a connection on which anything went wrong once is not used again.
package smbcheck
