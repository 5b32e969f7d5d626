package e2e_test

import (
	"slices"
	"strings"
	"testing"
)

// in starts a lab with a scenario of the root for commands that run one after the other.
func in(t *testing.T, scenario string) rehearsed {
	t.Helper()
	t.Parallel()
	w := quickly(t)
	return rehearsed{world: w, info: w.lab("--scenario", scenario, "--speed", speed)}
}

// refuses expects that a run is not begun and nothing touched, and gives what was said.
func (r *rehearsed) refuses(more ...string) string {
	r.t.Helper()
	r.result = r.want(3, apply(r.info, more...)...)
	r.look(promise{says: []string{"nothing was changed"}})
	if runs := strings.TrimSpace(r.want(0, "runs", "--json").out); runs != "[]" {
		r.t.Errorf("a run was begun: %s", runs)
	}
	return r.result.errOut
}

// takes expects a run that takes every node.
func (r *rehearsed) takes(more ...string) {
	r.t.Helper()
	r.result = r.want(0, apply(r.info, more...)...)
	r.facts = facts(r.t, r.result.out)
	p := succeeds()
	r.look(p)
	r.compare(p)
}

// accepted are the flags that accept each check by its name.
func accepted(ids ...string) []string {
	var list []string
	for _, id := range ids {
		list = append(list, "--accept", id)
	}
	return list
}

// rootOpen: whoever may write there stands in every run's way, accepted or not, but for who skips the checks of permissions.
func rootOpen(t *testing.T) {
	t.Helper()
	r := in(t, "root-open")
	const users = `BUILTIN\Users (S-1-5-32-545) may change it (modify, inherited`
	r.preview(map[string]string{
		"acl.root.writers fail":       users + "*the root",
		"acl.config.writers fail":     users + `*"DefaultHotfixConfig.xml"`,
		"acl.files.writers fail":      users + `*Everyone (S-1-1-0) may change it (full control, explicit): "CAUHotfix_All\Update2.msi"`,
		"acl.root.users-read pass":    "",
		"acl.owner pass":              "",
		"root.reparse-points pass":    "",
		"smb.integrity pass":          "",
		"acl.root.users-execute pass": "",
	})
	writers := []string{"acl.root.writers", "acl.config.writers", "acl.files.writers"}
	for _, said := range []string{r.refuses(), r.refuses(accepted(writers...)...)} { // R07: a failed check is not opened by accepting it
		for _, id := range writers {
			if !like(id+"*may change it", said) {
				t.Errorf("it does not say %s: %s", id, said)
			}
		}
		if strings.Contains(said, "--accept") {
			t.Errorf("it offers to accept what failed: %s", said)
		}
	}
	without := []string{"--arg", "DisableAclChecks=True"}
	skipped := map[string]string{}
	for _, id := range hidden {
		skipped[id+" warn"] = "DisableAclChecks skipped it"
	}
	r.preview(skipped, without...)
	r.takes(without...)
}

// hidden are the checks that need the permissions of the root.
var hidden = []string{"acl.root.users-read", "acl.root.users-execute", "acl.root.writers", "acl.config.writers", "acl.files.writers", "acl.owner"}

// rootHidden: what cannot be verified is accepted check by check, each by its name.
func rootHidden(t *testing.T) {
	t.Helper()
	r := in(t, "root-hidden")
	want := map[string]string{}
	for _, id := range hidden {
		want[id+" cannot-verify"] = "Not known of *read the permissions: access denied (0xC0000022"
	}
	r.preview(want)
	said := r.refuses()
	if !like(strings.Join(accepted(hidden...), " "), said) {
		t.Errorf("it does not say what to accept: %s", said)
	}
	for i, id := range hidden {
		others := slices.Delete(slices.Clone(hidden), i, i+1)
		if said := r.refuses(accepted(others...)...); !like("accept each by name: --accept "+id+"\n", said) || strings.Count(said, "--accept") != 1 {
			t.Errorf("with all but %s accepted it says %s", id, said)
		}
	}
	r.takes(accepted(hidden...)...)
}

// rootOlder: before SMB 3.1.1 nothing proves that signing is what the server wants, so it is to be accepted by name.
func rootOlder(t *testing.T) {
	t.Helper()
	r := in(t, "root-older")
	r.preview(map[string]string{"root.reach fail": "SMB 3.1.1 is wanted, it speaks 2.1, 3.0, 3.0.2"})
	if said := r.refuses(); !like("root.reach*SMB 3.1.1 is wanted*--allow-older-smb", said) {
		t.Errorf("it says %s", said)
	}
	const older = "--allow-older-smb"
	r.preview(map[string]string{
		"root.reach pass":             "over SMB 3.0.2",
		"smb.version warn":            "Newer versions may have been kept from us",
		"smb.integrity cannot-verify": "SMB 3.0.2 does not protect what was negotiated against a downgrade",
		"acl.root.writers pass":       "",
	}, older)
	if said := r.refuses(older); !like("--accept smb.integrity", said) {
		t.Errorf("it says %s", said)
	}
	r.takes(older, "--accept", "smb.integrity")
	for _, n := range r.state.Nodes {
		if n.Connection == nil || n.Connection.Dialect != "3.0.2" {
			t.Errorf("%s read the root over %+v", n.Name, n.Connection)
		}
	}
}
