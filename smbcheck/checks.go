package smbcheck

import (
	"errors"
	"fmt"
	"strings"

	"cau/internal/check"
	"cau/internal/fault"
)

// Checks answers the smb.* checks from the facts of a connection. smb.encryption is answered only
// if the caller requires encryption. A fact that is not proven is never a pass (R07); one that
// already speaks against the share fails, proven or not.
func Checks(f Facts, requireEncryption bool) []check.Result {
	out := []check.Result{version(f), integrity(f)}
	if requireEncryption {
		out = append(out, encryption(f))
	}
	return append(out, guest(f), dfs(f))
}

const (
	unprovenSession = "the end of the sign-in is not signed with the session's key"
	unprovenShare   = "the share's answer could not be verified"
	unprovenOlder   = "SMB %s does not protect what was negotiated against a downgrade"

	remedyUnproven = "Sign in again over SMB 3.1.1; if it stays, look for something on the way that changes messages."
	remedySigning  = "On the file server: Set-SmbServerConfiguration -RequireSecuritySignature $true, or Set-SmbShare -Name <share> -EncryptData $true."
	remedyEncrypt  = "On the file server: Set-SmbShare -Name <share> -EncryptData $true."
)

func version(f Facts) check.Result {
	r := check.Result{ID: "smb.version", Evidence: fmt.Sprintf("SMB %s.", f.Dialect)}
	switch {
	case f.Dialect < SMB202:
		return failed(r, "Turn SMB 3 on at the file server.")
	case !f.SetupVerified:
		return unverified(r, unprovenSession)
	}
	if !f.DowngradeProtected {
		r.Evidence += " Newer versions may have been kept from us: before 3.1.1 nothing protects the negotiation."
	}
	return passed(r)
}

func integrity(f Facts) check.Result {
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
		// What was seen is a signed connection; what the server would let others do is worth a warning. A node's own
		// connection is looked at by the node itself, before the first byte of a file.
		r.Evidence = fmt.Sprintf("This connection was signed because we demanded it (%d messages came signed); the server itself requires neither signing nor encryption.", f.Received.Signed)
		switch {
		case !f.SetupVerified:
			return unverified(r, unprovenSession)
		case f.Received.Signed == 0:
			return failed(r, remedySigning)
		}
		r.Outcome, r.Remedy = check.Warn, remedySigning
		return r
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

func encryption(f Facts) check.Result {
	r := check.Result{ID: "smb.encryption"}
	if !f.EncryptData {
		r.Evidence = "Neither the share nor the session demands encryption."
		return failed(r, remedyEncrypt)
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
	} {
		if errors.Is(err, known.cause) {
			return []check.Result{{ID: known.id, Outcome: known.outcome, Evidence: reason(err) + ".", Remedy: fault.Hint(err)}}
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
