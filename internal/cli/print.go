package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// json prints v in one line.
func (p *program) json(v any) error {
	enc := json.NewEncoder(p.streams.Out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// fact prints one fact; an error means that nobody reads any more.
func (p *program) fact(f Fact, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintf(p.streams.Out, "%s\n", f.Raw)
		return err
	}
	if f.Text == "" {
		return nil
	}
	node := f.Node
	if node == "" {
		node = "-"
	}
	_, err := fmt.Fprintf(p.streams.Out, "%s  %-12s %s\n", f.Time.Local().Format("15:04:05"), message.Clean(node), message.Clean(f.Text))
	return err
}

// mark is the glyph of an outcome; the word always stands beside it.
func mark(o check.Outcome) string {
	switch o {
	case check.Pass:
		return "✓"
	case check.Warn:
		return "!"
	case check.CannotVerify:
		return "?"
	case check.Fail:
	}
	return "✗"
}

// printChecks prints what was found. Neighbours with the same words for it share them: a root that cannot be read leaves a dozen.
func (p *program) printChecks(results []check.Result) {
	groups := check.Grouped(results)
	for i, r := range groups {
		title := r.ID
		if c, ok := check.Lookup(r.ID); ok {
			title = c.Title
		}
		if len(r.Subjects) > 0 {
			title += " (" + message.Clean(strings.Join(r.Subjects, ", ")) + ")"
		}
		p.line(fmt.Sprintf("  %s %-13s %-23s %s", mark(r.Outcome), p.texts.T(message.Outcome(string(r.Outcome))), r.ID, title))
		if i+1 < len(groups) && groups[i+1].Outcome == r.Outcome && groups[i+1].Evidence == r.Evidence && groups[i+1].Remedy == r.Remedy {
			continue
		}
		if r.Evidence != "" {
			p.line("      " + message.Clean(r.Evidence))
		}
		if r.Outcome != check.Pass && r.Remedy != "" {
			p.line("      → " + message.Clean(r.Remedy))
		}
	}
}

func (p *program) printPlan(plan *engine.Plan) {
	name := message.Clean(plan.Cluster)
	if plan.Lab != "" {
		name += " (" + p.texts.T(message.Simulated) + ")"
	}
	p.line(p.texts.T(message.CLIPlanHead, name, plan.Plugin, message.Clean(plan.Source)))
	for _, f := range plan.Further {
		p.line(p.texts.T(message.PluginThen, f.Instance, message.Clean(f.Source)))
	}
	p.line("")
	p.line(p.texts.T(message.CLIPlanChecks))
	p.printChecks(plan.Checks)
	p.line("")
	p.line(p.texts.T(message.CLIPlanNodes, len(plan.Nodes), plan.FailureBudget+1, plan.Options.MaxRetriesPerNode+1))
	for i, n := range plan.Nodes {
		p.line(fmt.Sprintf("  %d. %s  %s", i+1, message.Clean(n.Name), p.texts.T(message.CLIPlanNode, n.Roles, len(n.Updates))))
		if n.NotTaken != "" {
			p.line("     " + p.texts.T(message.CLIPlanNotTaken, message.Clean(n.NotTaken)))
		}
		if n.DeliveryReason != "" {
			p.line("     " + string(n.Delivery) + ": " + message.Clean(n.DeliveryReason))
		}
		for _, l := range p.outageLines(plan, n) {
			p.line("     " + l)
		}
		for _, remark := range n.Remarks {
			p.line("     " + message.Clean(remark))
		}
		for _, u := range n.Updates {
			of := ""
			if len(plan.Further) > 0 {
				of = u.Plugin
			}
			p.printUpdate("     ", u, of)
		}
	}
	for _, l := range p.takingLines(plan) {
		p.line("  " + l)
	}
	for _, o := range engine.UnusualOptions(plan.Options) {
		p.line("  " + message.Clean(o))
	}
	p.printScripts(plan)
	for _, pp := range plan.Instances() {
		p.printIgnored(pp.Ignored)
	}
	cau, invoke := p.services.CommandLines(plan)
	p.line("")
	p.line("  " + cau)
	if invoke != "" {
		p.line("  " + invoke)
	}
}

// printIgnored lists what would not be installed.
func (p *program) printIgnored(ignored []plugins.Ignored) {
	if len(ignored) == 0 {
		return
	}
	p.line("")
	p.line(p.texts.T(message.CLIPlanIgnored))
	for _, g := range ignored {
		hint := ""
		if g.DidYouMean != "" {
			hint = " " + p.texts.T(message.CLIDidYouMean, message.Clean(g.DidYouMean))
		}
		p.line("  " + message.Clean(g.Path) + ": " + message.Clean(g.Reason) + hint)
	}
}

// printScripts says what runs around each node's updates, as whom, and what is done about signatures.
func (p *program) printScripts(plan *engine.Plan) {
	as := p.texts.T(message.CLIScriptSystem)
	if plan.Options.ScriptAs == engine.ScriptAsCaller {
		as = p.texts.T(message.CLIScriptCaller)
	}
	for _, s := range []struct {
		when   message.Key
		script *engine.Script
	}{{message.CLIPlanPreScript, plan.PreScript}, {message.CLIPlanPostScript, plan.PostScript}} {
		if s.script != nil {
			p.line("")
			p.line(p.texts.T(s.when, message.Clean(s.script.Name), as, plan.Options.ScriptTimeoutMinutes))
			p.line("  sha256 " + s.script.SHA256)
		}
	}
	if plan.Options.SignaturePolicy != "" && holdsFiles(plan) {
		p.line("")
		p.line(p.texts.T(message.CLIPlanSignatures, string(plan.Options.SignaturePolicy)))
	}
}

// holdsFiles tells whether the plan installs files: what Windows Update's agent brings it checks itself.
func holdsFiles(plan *engine.Plan) bool {
	return slices.ContainsFunc(plan.Nodes, func(n engine.NodePlan) bool {
		return slices.ContainsFunc(n.Updates, func(u plugins.Update) bool { return len(u.Files) > 0 })
	})
}

func (p *program) printState(s engine.State, e engine.ETA) {
	sim := ""
	if s.Simulated {
		sim = " (" + p.texts.T(message.Simulated) + ")"
	}
	p.line(p.texts.T(message.CLIStateHead, s.Run, message.Clean(s.Cluster)+sim, p.texts.T(message.Status(string(s.Status)))))
	switch {
	case s.Status.Ended():
	case s.StopNowBy != "":
		p.line("  " + p.texts.T(message.CLIStopNowAsked, message.Clean(s.StopNowBy)))
	case s.StopAsked:
		p.line("  " + p.texts.T(message.CLIStopAsked))
	case s.PauseAsked && s.Status != engine.RunPaused:
		p.line("  " + p.texts.T(message.CLIPauseAsked))
	}
	if s.Waiting != "" {
		p.line("  " + message.Clean(s.Waiting))
	}
	if line := p.etaLine(s, e); line != "" {
		p.line("  " + line)
	}
	w := tabwriter.NewWriter(p.streams.Out, 0, 0, 2, ' ', 0)
	for _, n := range s.Nodes {
		summary := p.texts.T(message.CLIStateNode, installed(n), len(n.Updates), n.Restarts)
		if n.Attempt > 1 {
			summary += ", " + p.texts.T(message.CLIStateAttempt, n.Attempt, max(n.Attempt, s.Attempts))
		}
		if own := e.Nodes[n.Name]; own.Known() {
			summary += ", " + p.texts.T(message.ETANode, message.HoursMinutes(own.Remaining))
		}
		if words := p.nodeWords(n); words != "" {
			summary += ", " + words
		}
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", message.Clean(n.Name), p.texts.T(message.Status(string(n.Status))), n.Phase, summary)
		for _, u := range n.Updates {
			code := ""
			if u.ExitCode != nil {
				code = "exit " + strconv.FormatInt(*u.ExitCode, 10)
			}
			outcome := string(u.Outcome)
			switch {
			case outcome == "":
				outcome = "-"
			case u.MarkedBy != "":
				outcome += ", " + p.texts.T(message.CLIMarked, message.Clean(u.MarkedBy))
			}
			_, _ = fmt.Fprintf(w, "    %s\t%s\t%s\t%s\n", message.Clean(u.Name), outcome, code, message.Clean(u.Rule))
		}
	}
	_ = w.Flush()
	p.rolesDown(s)
	p.compared(s)
	said := false
	for _, n := range s.Nodes {
		for _, before := range n.Earlier {
			if before.Cause != nil {
				p.line("  ! " + p.texts.T(message.Earlier(before.Status == engine.NodeCanceled), before.Attempt, message.Clean(before.Cause.String())))
			}
		}
		p.cause(n.Cause)
		said = said || n.Cause != nil && s.Cause != nil && *n.Cause == *s.Cause
	}
	if !said {
		p.cause(s.Cause)
	}
}

func (p *program) cause(c *fault.Cause) {
	if c == nil {
		return
	}
	p.line("  ✗ " + message.Clean(c.String()))
	if c.Hint != "" {
		p.line("    → " + message.Clean(c.Hint))
	}
}

func installed(n engine.NodeRun) int {
	count := 0
	for _, u := range n.Updates {
		if u.Outcome.Final() {
			count++
		}
	}
	return count
}

func (p *program) printLab(l LabInfo) {
	p.line(p.texts.T(message.CLILabHead, l.ID, l.Cluster, len(l.Nodes), l.Scenario, l.Speed))
	names := make([]string, 0, len(l.Nodes))
	for n := range l.Nodes {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		p.line("  " + n + "  " + l.Nodes[n])
	}
	p.line("  " + p.texts.T(message.CLILabRoot, l.Root))
	p.line("  " + p.texts.T(message.CLILabUser, l.User, l.PasswordFile))
}
