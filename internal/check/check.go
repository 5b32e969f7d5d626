package check

import "strings"

// Outcome is how a check ended (R07).
type Outcome string

// The four outcomes. CannotVerify is never a pass: it opens a gate only when its id was accepted by name.
const (
	Pass         Outcome = "pass"
	Warn         Outcome = "warn"
	Fail         Outcome = "fail"
	CannotVerify Outcome = "cannot-verify"
)

// Scope is what a check looks at.
type Scope string

// The scopes of the catalogue.
const (
	ScopeTransport Scope = "transport"
	ScopeNode      Scope = "node"
	ScopeCluster   Scope = "cluster"
	ScopeRoot      Scope = "root"
	// ScopeRun is about the run itself: when its administrator lets it begin a node.
	ScopeRun Scope = "run"
	// ScopeUpdates is about Windows Update's agents on the nodes, where a plan has its plug-in.
	ScopeUpdates Scope = "updates"
)

// Check is one entry of the catalogue. IDs are stable: scripts accept by them.
type Check struct {
	ID    string
	Title string
	Scope Scope
}

// Result is the answer to one check about one subject.
type Result struct {
	ID      string  `json:"id"`
	Outcome Outcome `json:"outcome"`
	// Subject is what was looked at: a node's name, a path; empty for the whole.
	Subject string `json:"subject,omitempty"`
	// Evidence is what was seen, in one or two sentences.
	Evidence string `json:"evidence"`
	// Remedy is what to do when the outcome is not pass.
	Remedy string `json:"remedy"`
}

// Conditional tells the checks that are asked only where something gives a reason to: how long a sign-in lasts where its end is
// known, whether encryption can be avoided where encryption is required, whether an option has anything to act on, who serves
// the root or resolves names where that is known, what the administrator's own options say of when a node may be begun, what Windows Update's agents answer.
// Whoever has the reason answers them; that nobody did means that nobody had it.
func Conditional(id string) bool {
	switch id {
	case "winrm.credential", "smb.encryption.enforced", "options.plugins", "cluster.root-server", "cluster.names":
		return true
	}
	return strings.HasPrefix(id, "run.") || strings.HasPrefix(id, "wu.")
}

// Gate tells whether results let a run start (R07), and which of them stand in the way.
// Accepted holds the ids accepted by name; it opens cannot-verify only, never fail.
func Gate(results []Result, accepted []string) (blocking []Result) {
	ok := make(map[string]bool, len(accepted))
	for _, id := range accepted {
		ok[id] = true
	}
	for _, r := range results {
		switch r.Outcome {
		case Pass, Warn:
		case CannotVerify:
			if !ok[r.ID] {
				blocking = append(blocking, r)
			}
		default:
			blocking = append(blocking, r)
		}
	}
	return blocking
}

// Lookup finds a check by id.
func Lookup(id string) (Check, bool) {
	for _, c := range Catalogue() {
		if c.ID == id {
			return c, true
		}
	}
	return Check{}, false
}
