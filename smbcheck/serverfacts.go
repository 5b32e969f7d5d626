package smbcheck

import (
	"fmt"
	"slices"
	"strings"
)

// ServerFacts is what a file server tells everybody who asks, before any sign-in. Nothing in it is proven: no key exists
// yet, so whatever is between here and the server may have made it up. It explains, and it may speak against a server;
// it never speaks for one. Connect's Facts are what is proven.
type ServerFacts struct {
	// Dialects are those that the server takes when one is offered alone, the oldest first.
	Dialects []Dialect `json:"dialects"`
	// SMB1: the server takes NT LM 0.12 when nothing else is offered.
	SMB1 bool `json:"smb1"`
	// SigningEnabled: at least one dialect's answer says that the server can sign. SigningRequired: every dialect's answer
	// says that it demands it (MS-SMB2 2.2.4, SecurityMode).
	SigningEnabled  bool `json:"signing_enabled"`
	SigningRequired bool `json:"signing_required"`
	// Ciphers are those that the server takes over SMB 3.1.1 when one is offered alone, in the order of their numbers. A
	// server that speaks 3.0 and not 3.1.1 has AES-128-CCM here if it says that it can encrypt.
	Ciphers []Cipher `json:"ciphers"`
	// SigningAlgorithms are those that the server takes over SMB 3.1.1 when one is offered alone, in the order of their
	// numbers; AES-CMAC alone where it does not negotiate them. It is empty without 3.1.1.
	SigningAlgorithms []SigningAlgorithm `json:"signing_algorithms"`
	// Capabilities is from the answer over the newest dialect (MS-SMB2 2.2.4).
	Capabilities uint32 `json:"capabilities"`
}

// Joinable says whether this program could connect over SMB 3.1.1, which Connect wants, as far as the server's own words
// go. It is nil, or a fault.Error with one of these causes:
//   - ErrNotSMB: the server speaks SMB 1 at most;
//   - ErrDialect: it speaks older dialects only, which it names (Options.AllowOlder takes them);
//   - ErrCipher: it speaks none of our ciphers; it names those that it has. A Windows node may well speak them;
//   - ErrSigning: it wants signatures of another kind; it names those that it takes.
func (f ServerFacts) Joinable() error {
	const op = "join the file server"
	if len(f.Dialects) == 0 {
		if f.SMB1 {
			return explain(op, fmt.Errorf("%w: it speaks SMB 1 only", ErrNotSMB))
		}
		return explain(op, fmt.Errorf("%w: it took no version of SMB", ErrNotSMB))
	}
	if !slices.Contains(f.Dialects, SMB311) {
		return explain(op, fmt.Errorf("%w: SMB %s is wanted, it speaks %s", ErrDialect, SMB311, list(f.Dialects)))
	}
	if len(f.Ciphers) > 0 && !slices.ContainsFunc(f.Ciphers, Cipher.ours) {
		return explain(op, fmt.Errorf("%w: it has %s", ErrCipher, list(f.Ciphers)))
	}
	if !slices.Contains(f.SigningAlgorithms, AESCMAC) {
		return explain(op, fmt.Errorf("%w: it takes %s", ErrSigning, list(f.SigningAlgorithms)))
	}
	return nil
}

// list writes names with commas, or "none".
func list[T fmt.Stringer](all []T) string {
	if len(all) == 0 {
		return "none"
	}
	names := make([]string, len(all))
	for i, x := range all {
		names[i] = x.String()
	}
	return strings.Join(names, ", ")
}
