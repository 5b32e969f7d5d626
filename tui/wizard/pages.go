package wizard

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cau/engine"
	"cau/internal/check"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/page"
)

// acceptKey starts the keys of the fields that accept a check by its id.
const acceptKey = "accept:"

func (w *Wizard) gettingStarted(p *page.Page) {
	name := message.Clean(w.overview.Cluster)
	if w.overview.Simulated {
		p.Lines = append(p.Lines, page.Line{Tone: page.Warn, Text: w.texts.T(message.WizardSimulated, name)})
	} else {
		p.Lines = append(p.Lines, page.Line{Tone: page.Strong, Text: name})
	}
	p.Lines = append(p.Lines, page.Line{Text: w.texts.T(message.WizardReached, message.Clean(w.overview.Reached))})
	for _, key := range []message.Key{message.WizardStep1, message.WizardStep2, message.WizardStep3} {
		p.Lines = append(p.Lines, page.Line{Indent: 1, Text: w.texts.T(key)})
	}
	if w.overview.ActiveRun != "" {
		p.Blocked = w.texts.T(message.WizardActiveRun, w.overview.ActiveRun)
	}
}

// scan is the work of the pages that show the plan.
func (w *Wizard) scan(ctx context.Context, note func(string)) error {
	req, err := w.request()
	if err != nil {
		return err
	}
	plan, err := w.services.Preview(ctx, req, note)
	if err != nil {
		return err
	}
	w.plan = plan
	return nil
}

func (w *Wizard) checksPage(p *page.Page) {
	switch {
	case w.plan == nil:
		p.Work = w.scan
		return
	case w.writing:
		p.Work = w.write
		return
	}
	blocking := w.plan.Blocking()
	// What failed is named before what only could not be verified.
	slices.SortStableFunc(blocking, func(a, b check.Result) int { return rank(a.Outcome) - rank(b.Outcome) })
	offered := map[string]bool{}
	for _, r := range attentionFirst(check.Grouped(w.plan.Checks)) {
		p.Lines = append(p.Lines, w.checkLines(r)...)
		if r.Outcome == check.CannotVerify && !offered[r.ID] {
			offered[r.ID] = true
			p.Fields = append(p.Fields, page.Field{
				Key: acceptKey + r.ID, Kind: page.Bool, Caption: w.texts.T(message.WizardAccept, r.ID), Help: message.Clean(r.Evidence), Value: truth(w.accept[r.ID]),
			})
		}
	}
	if len(blocking) > 0 {
		p.Blocked = w.texts.T(message.WizardChecksBlock, len(blocking), blocking[0].ID)
		if !slices.ContainsFunc(blocking, func(r check.Result) bool { return r.Outcome != check.CannotVerify }) {
			p.Blocked = w.texts.T(message.WizardChecksAccept, len(blocking))
		}
	}
	w.offerConfig(p)
}

// attentionFirst puts what stands in the way before what could not be verified, warnings, and passes.
func attentionFirst(groups []check.Group) []check.Group {
	slices.SortStableFunc(groups, func(a, b check.Group) int { return rank(a.Outcome) - rank(b.Outcome) })
	return groups
}

func rank(o check.Outcome) int {
	return map[check.Outcome]int{check.Pass: 3, check.Warn: 2, check.CannotVerify: 1}[o]
}

func (w *Wizard) checkLines(r check.Group) []page.Line {
	title := r.ID
	if c, ok := check.Lookup(r.ID); ok {
		title = c.Title
	}
	if len(r.Subjects) > 0 {
		title += " (" + message.Clean(strings.Join(r.Subjects, ", ")) + ")"
	}
	tone := map[check.Outcome]page.Tone{check.Pass: page.Good, check.Warn: page.Warn, check.CannotVerify: page.Ask}[r.Outcome]
	if tone == "" {
		tone = page.Bad
	}
	if r.Outcome == check.Pass && r.Evidence != "" {
		title += ": " + message.Clean(r.Evidence)
		r.Evidence = ""
	}
	lines := []page.Line{{Tone: tone, Text: w.texts.T(message.Outcome(string(r.Outcome))) + "  " + title}}
	if r.Evidence != "" {
		lines = append(lines, page.Line{Tone: page.Muted, Indent: 2, Text: message.Clean(r.Evidence)})
	}
	if r.Outcome != check.Pass && r.Remedy != "" {
		lines = append(lines, page.Line{Indent: 2, Text: "→ " + message.Clean(r.Remedy)})
	}
	return lines
}

func (w *Wizard) previewPage(p *page.Page) {
	if w.plan == nil {
		p.Work = w.scan
		return
	}
	p.Lines = append(p.Lines, page.Line{Tone: page.Strong, Text: w.texts.T(message.WizardPlanSource, message.Clean(w.plan.Source))})
	for _, f := range w.plan.Further {
		p.Lines = append(p.Lines, page.Line{Tone: page.Strong, Text: w.texts.T(message.PluginThen, message.Clean(f.Instance), message.Clean(f.Source))})
	}
	if w.plan.Options.InstallOrder == engine.InstallFirst {
		p.Lines = append(p.Lines, page.Line{Text: w.texts.T(message.PlanInstallFirst)})
	}
	p.Lines = append(p.Lines, w.scriptLines()...)
	p.Lines = append(p.Lines, w.signatureLines()...)
	for i, n := range w.plan.Nodes {
		p.Lines = append(p.Lines, page.Line{Tone: page.Strong, Text: fmt.Sprintf("%d. %s  %s", i+1, message.Clean(n.Name), w.texts.T(message.CLIPlanNode, n.Roles, len(n.Updates)))})
		if n.NotTaken != "" {
			p.Lines = append(p.Lines, page.Line{Tone: page.Muted, Indent: 1, Text: w.texts.T(message.CLIPlanNotTaken, message.Clean(n.NotTaken))})
		}
		p.Lines = append(p.Lines, w.outageLines(n, 1)...)
		p.Lines = append(p.Lines, w.deliveryLines(n)...)
		for _, remark := range n.Remarks {
			p.Lines = append(p.Lines, page.Line{Tone: page.Muted, Indent: 1, Text: message.Clean(remark)})
		}
		for _, u := range n.Updates {
			p.Lines = append(p.Lines, w.updateLines(u)...)
		}
	}
	var ignored []plugins.Ignored
	for _, pp := range w.plan.Instances() {
		ignored = append(ignored, pp.Ignored...)
	}
	if len(ignored) > 0 {
		p.Lines = append(p.Lines, page.Line{Tone: page.Strong, Text: w.texts.T(message.CLIPlanIgnored)})
		for _, g := range ignored {
			text := message.Clean(g.Path) + ": " + message.Clean(g.Reason)
			if g.DidYouMean != "" {
				text += " " + w.texts.T(message.CLIDidYouMean, message.Clean(g.DidYouMean))
			}
			p.Lines = append(p.Lines, page.Line{Tone: page.Warn, Indent: 1, Text: text})
		}
	}
	if updates(w.plan) == 0 && !slices.ContainsFunc(w.plan.Nodes, func(n engine.NodePlan) bool { return n.RestartOnly }) {
		p.Blocked = w.texts.T(message.WizardNothingToDo)
	}
}

func (w *Wizard) updateLines(u plugins.Update) []page.Line {
	name := u.Name
	if len(u.Files) > 0 {
		name = u.Files[0].Path
	}
	head := message.Clean(name) + "  [" + message.Clean(u.Rule) + "]"
	if len(w.plan.Further) > 0 {
		head += "  " + message.Clean(u.Plugin)
	}
	if u.MayRestart {
		head += "  " + w.texts.T(message.CLIPlanMayRestart)
	}
	lines := []page.Line{{Indent: 1, Text: head}}
	if a := u.About; a != nil {
		if text := a.Text(); text != "" {
			lines = append(lines, page.Line{Indent: 2, Text: w.texts.T(message.CLIAbout, message.Clean(text), message.Clean(a.Source))})
		}
		if a.Problem != "" {
			lines = append(lines, page.Line{Tone: page.Warn, Indent: 2, Text: message.Clean(a.Problem)})
		}
	}
	if u.ListedAs != "" {
		lines = append(lines, page.Line{Tone: page.Good, Indent: 2, Text: w.texts.T(message.CLIListedAs, message.Clean(u.ListedAs))})
	}
	if u.Command.Program != "" {
		lines = append(lines, page.Line{Tone: page.Muted, Indent: 2, Text: message.Clean(u.Command.String())})
	}
	if len(u.Files) > 0 {
		text := "sha256 " + u.Files[0].SHA256 + "  " + strconv.FormatInt(u.Files[0].Size, 10) + " bytes"
		if on := u.Files[0].HashedOn; on != "" {
			text += "  " + w.texts.T(message.CLIHashedOn, message.Clean(on))
		}
		lines = append(lines, page.Line{Tone: page.Muted, Indent: 2, Text: text})
	}
	if u.Identity != "" {
		lines = append(lines, page.Line{Tone: page.Muted, Indent: 2, Text: message.Clean(u.Identity)})
	}
	for _, warning := range u.Warnings {
		lines = append(lines, page.Line{Tone: page.Warn, Indent: 2, Text: message.Clean(warning)})
	}
	return lines
}

// scriptLines say which scripts run, when, and as whom.
func (w *Wizard) scriptLines() []page.Line {
	o := w.plan.Options
	as := w.texts.T(message.WizardScriptSystem)
	if o.ScriptAs == engine.ScriptAsCaller {
		as = w.texts.T(message.WizardScriptCaller)
	}
	var lines []page.Line
	for _, s := range []struct {
		key    message.Key
		script *engine.Script
	}{{message.WizardScriptPre, w.plan.PreScript}, {message.WizardScriptPost, w.plan.PostScript}} {
		if s.script != nil {
			lines = append(lines,
				page.Line{Text: w.texts.T(s.key, message.Clean(s.script.Name), as, o.ScriptTimeoutMinutes)},
				page.Line{Tone: page.Muted, Indent: 1, Text: w.texts.T(message.WizardScriptHash, s.script.SHA256, len(s.script.Text))})
		}
	}
	return lines
}

// signatureLines say what is done about updates without a valid signature.
func (w *Wizard) signatureLines() []page.Line {
	policy := w.plan.Options.SignaturePolicy
	files := slices.ContainsFunc(w.plan.Nodes, func(n engine.NodePlan) bool {
		return slices.ContainsFunc(n.Updates, func(u plugins.Update) bool { return len(u.Files) > 0 })
	})
	if policy == "" || !files {
		return nil
	}
	return []page.Line{{Text: w.texts.T(message.WizardSignatures, w.texts.T(message.SignaturePolicy(string(policy))))}}
}

// deliveryLines say how a node's files come to it, and why so where that was asked.
func (w *Wizard) deliveryLines(n engine.NodePlan) []page.Line {
	if n.Delivery == "" {
		return nil
	}
	return []page.Line{w.deliveryLine(string(n.Delivery), n, 1)}
}

func (w *Wizard) deliveryLine(head string, n engine.NodePlan, indent int) page.Line {
	text, reason := w.texts.T(message.Delivery(string(n.Delivery))), message.Clean(n.DeliveryReason)
	tone := page.Muted
	switch {
	case n.Delivery == plugins.DeliveryPush:
		tone = page.Plain
		if reason != "" {
			text += ". " + reason
		}
	case reason != "":
		text = reason // it says that the node reads, and how
	}
	return page.Line{Tone: tone, Indent: indent, Text: w.texts.T(message.WizardDelivery, head, text)}
}

// deliveries are all nodes' ways, those of the pushed ones with the reason: files go over this host then.
func (w *Wizard) deliveries() []page.Line {
	var pulling []string
	var lines []page.Line
	for _, n := range w.plan.Nodes {
		switch n.Delivery {
		case plugins.DeliveryPush:
			lines = append(lines, w.deliveryLine(message.Clean(n.Name), n, 0))
		case plugins.DeliveryPull:
			pulling = append(pulling, message.Clean(n.Name))
		case plugins.DeliveryAuto:
		}
	}
	if len(pulling) > 0 {
		lines = slices.Insert(lines, 0, page.Line{Text: w.texts.T(message.WizardPulling, strings.Join(pulling, ", "))})
	}
	return lines
}

func (w *Wizard) confirmationPage(p *page.Page) {
	if w.plan == nil {
		p.Work = w.scan
		return
	}
	p.Next = w.texts.T(message.WizardUpdate)
	name := message.Clean(w.plan.Cluster)
	if w.plan.Lab != "" {
		name += " (" + w.texts.T(message.Simulated) + ")"
	}
	p.Lines = append(p.Lines,
		page.Line{Tone: page.Strong, Text: w.texts.T(message.WizardSummary, name, len(w.plan.Nodes), updates(w.plan))},
		page.Line{Text: w.texts.T(message.WizardStopsAt, w.plan.FailureBudget+1)},
		page.Line{Text: w.texts.T(message.WizardAttempts, w.plan.Options.MaxRetriesPerNode+1)})
	for _, o := range engine.UnusualOptions(w.plan.Options) {
		p.Lines = append(p.Lines, page.Line{Indent: 1, Text: message.Clean(o)})
	}
	p.Lines = append(p.Lines, w.others()...)
	p.Lines = append(p.Lines, w.scriptLines()...)
	p.Lines = append(p.Lines, w.signatureLines()...)
	p.Lines = append(p.Lines, w.outages()...)
	p.Lines = append(p.Lines, w.deliveries()...)
	for _, id := range w.plan.Accepted {
		p.Lines = append(p.Lines, page.Line{Tone: page.Ask, Text: w.texts.T(message.WizardAccepted, id)})
	}
	cau, invoke := w.services.CommandLines(w.plan)
	p.Lines = append(p.Lines, page.Line{Tone: page.Muted, Text: w.texts.T(message.WizardSameWithCau)}, page.Line{Tone: page.Code, Indent: 1, Text: cau})
	if invoke != "" {
		p.Lines = append(p.Lines, page.Line{Tone: page.Muted, Text: w.texts.T(message.WizardSameWithCAU)}, page.Line{Tone: page.Code, Indent: 1, Text: invoke})
	}
	if blocking := w.plan.Blocking(); len(blocking) > 0 {
		p.Blocked = w.texts.T(message.WizardChecksBlock, len(blocking), blocking[0].ID)
	}
}

func updates(plan *engine.Plan) int {
	n := 0
	for _, node := range plan.Nodes {
		n += len(node.Updates)
	}
	return n
}

func truth(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
