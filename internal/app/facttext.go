package app

import (
	"slices"
	"strings"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// factText is a fact as one line for people. The node stands beside it, not in it.
func factText(t message.Texts, plan *engine.Plan, f engine.Fact) string {
	d := f.Data
	key := message.Fact(string(f.Kind))
	if text, ok := durableText(t, key, f); ok {
		return text
	}
	if text, ok := outOfServiceText(t, f); ok {
		return text
	}
	switch f.Kind {
	case engine.FactRunStarted:
		return t.T(key, plan.Run, plan.Cluster)
	case engine.FactControl:
		return controlText(t, key, plan, f)
	case engine.FactRunHeld, engine.FactGateWaiting:
		return t.T(key, reason(d))
	case engine.FactRunEnded:
		return t.T(key, t.T(message.Status(string(d.RunStatus))))
	case engine.FactStageIntent:
		if pushed(plan, f.Node) {
			return t.T(message.Fact("stage.push"))
		}
		if ofOthers(plan, f.Node) {
			return t.T(message.Fact("stage.others"))
		}
		if downloads(plan, f.Node) {
			return t.T(message.Fact("stage.download"))
		}
	case engine.FactStageDone:
		if d.Cause == nil && ofOthers(plan, f.Node) {
			return t.T(message.Fact("stage.others-done"))
		}
		return unstagedText(t, plan, f, stageText(t, key, d, pushed(plan, f.Node)))
	case engine.FactMaintenanceIntent:
		if d.On {
			return t.T(message.Fact("maintenance.on"))
		}
		return t.T(message.Fact("maintenance.off"))
	case engine.FactInstallIntent:
		return t.T(key, updateName(plan, f))
	case engine.FactInstallDone:
		return installText(t, key, updateName(plan, f), d.Result)
	case engine.FactRescanDone:
		if len(d.Pending) > 0 {
			return t.T(message.Fact("rescan.pending"), strings.Join(d.Pending, ", "))
		}
	case engine.FactScriptIntent, engine.FactScriptDone:
		return scriptText(t, key, d)
	case engine.FactLooked, engine.FactUndoDone, engine.FactWatchBegun, engine.FactWatchEnded, engine.FactRunWatching, engine.FactInstallerEndedLate, engine.FactReturnedLate,
		engine.FactFollowUpsAsked, engine.FactRunAsking, engine.FactRunReleased, engine.FactRunTimeUp, engine.FactRunNoMoreNodes, engine.FactRunWarned, engine.FactCredentialLost, engine.FactCredentialBack, engine.FactScriptEndedLate:
		if d.Message != "" { // it says more than the kind does
			return d.Message
		}
	case engine.FactNotTaken:
		return t.T(key, d.Message)
	case engine.FactNodeRetried:
		return t.T(key, d.Attempt, plan.Options.MaxRetriesPerNode+1, d.Cause.String())
	case engine.FactFollowUpsFound, engine.FactFollowUpsLeft, engine.FactFollowUpsAnswered:
		return followUpsText(t, key, f)
	case engine.FactPluginFailed:
		return pluginText(t, key, d)
	case engine.FactNodeFailing, engine.FactCleanFailed:
		return t.T(key, reason(d))
	case engine.FactNodeEnded:
		if status := t.T(message.Status(string(d.NodeStatus))); d.Cause != nil {
			return t.T(message.Fact("node.ended.because"), status, d.Cause.String())
		}
		return t.T(key, t.T(message.Status(string(d.NodeStatus))))
	default:
	}
	return t.T(key)
}

// controlText says what was asked and by whom (R06); for a node that stands beside it.
func controlText(t message.Texts, key message.Key, plan *engine.Plan, f engine.Fact) string {
	what := string(f.Data.Verb)
	switch f.Data.Verb { //nolint:exhaustive // the others say it all
	case engine.VerbMark:
		what += " " + updateName(plan, f) + " as " + string(f.Data.Outcome)
	case engine.VerbFollowUps:
		what += map[bool]string{true: " install", false: " leave"}[f.Data.Install]
	}
	return t.T(key, what, f.Data.By)
}

// pushed tells whether files are pushed to the node.
func pushed(plan *engine.Plan, node string) bool {
	for _, n := range plan.Nodes {
		if n.Name == node {
			return n.Delivery == plugins.DeliveryPush
		}
	}
	return false
}

// downloads tells whether nothing that the node gets in the plan is a file that comes from here or from a share.
func downloads(plan *engine.Plan, node string) bool {
	for _, n := range plan.Nodes {
		if n.Name == node {
			return len(n.Updates) > 0 && !slices.ContainsFunc(n.Updates, func(u plugins.Update) bool { return len(u.Files) > 0 || u.Identity == "" })
		}
	}
	return false
}

// unstagedText names the updates that did not come, behind what is said of the others.
func unstagedText(t message.Texts, plan *engine.Plan, f engine.Fact, text string) string {
	for _, u := range f.Data.Unstaged {
		text += "; " + t.T(message.Fact("stage.unstaged"), updateName(plan, engine.Fact{Node: f.Node, Update: u.Update}), reason(engine.FactData{Cause: u.Cause}))
	}
	return text
}

func stageText(t message.Texts, key message.Key, d engine.FactData, pushed bool) string {
	if d.Cause != nil {
		return t.T(message.Fact("stage.failed"), d.Cause.String())
	}
	c := d.Connection
	if c == nil { // what came, came from no share
		return t.T(message.Fact("stage.downloaded"))
	}
	protection := "not signed"
	switch {
	case c.Encrypted:
		protection = "encrypted"
	case c.Signed:
		protection = "signed"
	}
	if pushed {
		return t.T(message.Fact("stage.pushed"), c.Dialect, protection)
	}
	return t.T(key, c.Dialect, protection, c.Account)
}

func scriptText(t message.Texts, key message.Key, d engine.FactData) string {
	if d.Script == nil {
		return t.T(key)
	}
	switch {
	case d.Cause != nil:
		return t.T(message.Fact("script.failed"), d.Script.Name, d.Cause.String())
	case key == message.Fact(string(engine.FactScriptDone)):
		return t.T(message.Fact("script.ended"), d.Script.Name, orName(d.Script.Account, string(d.Script.As)))
	case d.Script.Phase == plugins.PhasePost:
		return t.T(message.Fact("script.post"), d.Script.Name, string(d.Script.As))
	}
	return t.T(message.Fact("script.pre"), d.Script.Name, string(d.Script.As))
}

// followUpsText names what became applicable beyond the preview (R08).
func followUpsText(t message.Texts, key message.Key, f engine.Fact) string {
	d := f.Data
	names := make([]string, 0, len(d.Updates))
	for _, u := range d.Updates {
		names = append(names, u.Name)
	}
	switch list := strings.Join(names, ", "); {
	case f.Kind == engine.FactFollowUpsAnswered && d.By != "" && d.Install:
		return t.T(message.Fact("follow-ups.yes.by"), d.By)
	case f.Kind == engine.FactFollowUpsAnswered && d.By != "":
		return t.T(message.Fact("follow-ups.leave.by"), d.By)
	case f.Kind == engine.FactFollowUpsFound && list != "":
		return t.T(message.Fact("follow-ups.install"), list, d.Pass)
	case f.Kind == engine.FactFollowUpsLeft && list != "":
		return t.T(message.Fact("follow-ups.leave"), list, d.Message)
	case f.Kind == engine.FactFollowUpsLeft && d.Cause != nil:
		return t.T(message.Fact("follow-ups.unknown"), d.Cause.String())
	}
	return t.T(key)
}

// pluginText says which plug-in failed, why, and what that skips.
func pluginText(t message.Texts, key message.Key, d engine.FactData) string {
	if d.Plugin == "" {
		return t.T(key)
	}
	skipped := t.T(message.Fact("plugin.skipped.one"))
	if n := len(d.Skipped); n != 1 {
		skipped = t.T(message.Fact("plugin.skipped.many"), n)
	}
	return t.T(message.Fact("plugin.failed.why"), d.Plugin, reason(engine.FactData{Cause: d.Cause}), skipped)
}

func installText(t message.Texts, key message.Key, name string, r *plugins.Result) string {
	if r == nil {
		return t.T(key, name, string(plugins.Unknown))
	}
	outcome := string(r.Outcome)
	if r.ExitCode != nil {
		outcome = t.T(message.Fact("install.exit"), outcome, r.ExitCode.Int32())
	}
	if r.Signature != nil && !r.Signature.Valid {
		outcome = t.T(message.Fact("install.signature"), outcome, r.Signature.Status)
	}
	if r.RestartRequired {
		outcome = t.T(message.Fact("install.restart"), outcome)
	}
	return t.T(key, name, outcome)
}

// reason is the sentence that says why: the message, or the cause.
func reason(d engine.FactData) string {
	if d.Message != "" {
		return d.Message
	}
	if d.Cause != nil {
		return d.Cause.String()
	}
	return (&fault.Cause{Message: "no reason was given"}).String()
}

func updateName(plan *engine.Plan, f engine.Fact) string {
	for _, n := range plan.Nodes {
		for _, u := range n.Updates {
			if n.Name == f.Node && u.ID == f.Update {
				return u.Name
			}
		}
	}
	if f.Data.Message != "" {
		return f.Data.Message // it is not in the preview, and the fact names it itself
	}
	return f.Update
}
