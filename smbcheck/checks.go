package smbcheck

import (
	"errors"
	"fmt"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/shellword"
)

// Seen is what the smb checks are about.
type Seen struct {
	// Location is for remedies.
	Location Location
	Facts    Facts
	// Server is what the server says to anybody; nil where it was not asked.
	Server *ServerFacts
	// RequireEncryption asks for smb.encryption and smb.encryption.enforced; Enforcement is what was found out about the second.
	RequireEncryption bool
	Enforcement       Enforcement
}

// Checks answers the smb.* checks. smb.encryption and smb.encryption.enforced are answered only if the caller requires
// encryption. A fact that is not proven is never a pass (R07); one that already speaks against the share counts, proven or not.
func Checks(s Seen) []check.Result {
	f := s.Facts
	out := []check.Result{version(f, s.Server), integrity(f, s.Location)}
	if s.RequireEncryption {
		out = append(out, encryption(f, s.Location), enforced(f, s.Enforcement, s.Location))
	}
	return append(out, guest(f), dfs(f))
}

const (
	unprovenSession = "the end of the sign-in is not signed with the session's key"
	unprovenShare   = "the share's answer could not be verified"
	unprovenOlder   = "SMB %s does not protect what was negotiated against a downgrade"

	remedyUnproven = "Sign in again over SMB 3.1.1; if it stays, look for something on the way that changes messages."
)

// encryptShare is the command that makes a share demand encryption.
func (l Location) encryptShare() string {
	return "Set-SmbShare -Name " + shellword.PowerShell(l.Share) + " -EncryptData $true"
}

func version(f Facts, server *ServerFacts) check.Result {
	r := check.Result{ID: "smb.version", Evidence: fmt.Sprintf("SMB %s.", f.Dialect)}
	switch {
	case f.Dialect < SMB202:
		return failed(r, "Turn SMB 3 on at the file server.")
	case !f.SetupVerified:
		return unverified(r, unprovenSession)
	}
	r = passed(r)
	if !f.DowngradeProtected {
		r.Outcome, r.Remedy = check.Warn, "Turn SMB 3.1.1 on at the file server."
		r.Evidence += " Newer versions may have been kept from us: before 3.1.1 nothing protects the negotiation."
	}
	if server != nil && server.SMB1 {
		r.Outcome, r.Remedy = check.Warn, onServer+"Set-SmbServerConfiguration -EnableSMB1Protocol $false"
		r.Evidence += " The server still answers SMB 1, which protects nothing."
	}
	return r
}

func integrity(f Facts, at Location) check.Result {
	r := check.Result{ID: "smb.integrity"}
	switch {
	case f.EncryptData:
		r.Evidence = "The share or the session demands encryption, which protects integrity too."
		if !f.SetupVerified {
			return unverified(r, unprovenSession)
		}
		if !f.ShareVerified && f.SessionFlags&sessionEncrypt == 0 {
			return unverified(r, unprovenShare)
		}
		return passed(r)
	case !f.SigningRequired:
		// This connection was signed all the same, and each node's is looked at before the first byte of a file. But whoever
		// else writes there may be writing over connections that are not, and CAU's documentation asks for one or the other.
		r.Evidence = fmt.Sprintf("The server requires neither signing nor encryption. This connection was signed because we demanded it (%d messages came signed).", f.Received.Signed)
		return failed(r, onServer+"Set-SmbServerConfiguration -RequireSecuritySignature $true; or "+at.encryptShare())
	}
	r.Evidence = "The server requires signing."
	switch {
	case !f.SetupVerified:
		return unverified(r, unprovenSession)
	case !f.DowngradeProtected:
		return unverified(r, fmt.Sprintf(unprovenOlder, f.Dialect))
	}
	return passed(r)
}

func encryption(f Facts, at Location) check.Result {
	r := check.Result{ID: "smb.encryption"}
	if !f.EncryptData {
		r.Evidence = "Neither the share nor the session demands encryption."
		return failed(r, onServer+at.encryptShare())
	}
	r.Evidence = fmt.Sprintf("Encryption is demanded, with %s; %d messages came sealed.", f.Cipher, f.Received.Sealed)
	switch {
	case !f.SetupVerified:
		return unverified(r, unprovenSession)
	case !f.ShareVerified && f.SessionFlags&sessionEncrypt == 0:
		return unverified(r, unprovenShare)
	}
	return passed(r)
}

// enforced tells whether a client that does not encrypt is kept out too. It is about others: this connection, and those of the
// nodes, are looked at themselves.
func enforced(f Facts, e Enforcement, at Location) check.Result {
	const remedy = onServer + "Set-SmbServerConfiguration -RejectUnencryptedAccess $true; Get-SmbServerConfiguration shows it."
	r := check.Result{ID: "smb.encryption.enforced", Evidence: e.Reason, Remedy: remedy}
	switch {
	case !f.EncryptData:
		r.Evidence = "Encryption is not demanded, so it is not enforced either."
		return failed(r, onServer+at.encryptShare())
	case e.Verdict == NotEnforced, e.Verdict == Enforced && !e.Proven:
		r.Outcome = check.Warn
	case e.Verdict == Enforced:
		r.Outcome, r.Remedy = check.Pass, ""
	default:
		r.Outcome = check.CannotVerify
		if r.Evidence == "" {
			r.Evidence = "It was not tried."
		}
	}
	return r
}

func guest(f Facts) check.Result {
	r := check.Result{ID: "smb.guest"}
	if f.Guest {
		r.Evidence = "The session is a guest's or anonymous."
		return failed(r, "Sign in with an account that the file server knows.")
	}
	r.Evidence = "The session belongs to the account that signed in."
	if !f.SetupVerified {
		return unverified(r, unprovenSession)
	}
	return passed(r)
}

func dfs(f Facts) check.Result {
	r := check.Result{ID: "smb.dfs"}
	switch {
	case f.DFSRoot:
		r.Evidence = "The share is the root of a DFS namespace."
		return failed(r, hintDFS)
	case f.DFS:
		r.Evidence = "The share is in a DFS namespace."
		return failed(r, hintDFS)
	}
	r.Evidence = "The share is not part of a DFS namespace."
	if !f.SetupVerified {
		return unverified(r, unprovenSession)
	}
	if !f.ShareVerified {
		return unverified(r, unprovenShare)
	}
	return passed(r)
}

// Unreachable answers what an error of Connect or Walk tells about a root beyond that it cannot be read.
func Unreachable(err error) []check.Result {
	for _, known := range []struct {
		cause   error
		id      string
		outcome check.Outcome
	}{
		{ErrDFS, "smb.dfs", check.Fail},
		{ErrGuest, "smb.guest", check.Fail},
		{ErrReparse, "root.reparse-points", check.Fail},
		{ErrTampered, "smb.integrity", check.Fail},
		{ErrNotSMB, "smb.version", check.Fail},
		{ErrDialect, "smb.version", check.CannotVerify},
		{ErrCipher, "smb.encryption", check.CannotVerify},
		{ErrSigning, "smb.integrity", check.CannotVerify},
	} {
		if errors.Is(err, known.cause) {
			r := check.Result{ID: known.id, Outcome: known.outcome, Evidence: reason(err) + ".", Remedy: fault.Hint(err)}
			if errors.Is(err, ErrCipher) || errors.Is(err, ErrSigning) {
				r.Remedy += " Or let the nodes tell, which may speak it: cau doctor --cluster ADDRESS --root ROOT."
			}
			return []check.Result{r}
		}
	}
	return nil
}

// ReparsePoints answers root.reparse-points from a whole walk.
func ReparsePoints(entries []Entry) check.Result {
	r := check.Result{ID: "root.reparse-points"}
	var found []string
	for _, e := range entries {
		if e.Reparse {
			found = append(found, shown(e.Path))
		}
	}
	if len(found) == 0 {
		r.Evidence = fmt.Sprintf("None among %d files and folders.", len(entries))
		return passed(r)
	}
	const named = 5
	r.Evidence = fmt.Sprintf("%d: %s", len(found), strings.Join(found[:min(named, len(found))], ", "))
	if len(found) > named {
		r.Evidence += ", …"
	}
	return failed(r, "Put the files there themselves, not links: what a link leads to can change without the root changing.")
}

func passed(r check.Result) check.Result {
	r.Outcome = check.Pass
	return r
}

func failed(r check.Result, remedy string) check.Result {
	r.Outcome, r.Remedy = check.Fail, remedy
	return r
}

func unverified(r check.Result, why string) check.Result {
	r.Outcome, r.Remedy = check.CannotVerify, remedyUnproven
	r.Evidence += " Not proven: " + why + "."
	return r
}
