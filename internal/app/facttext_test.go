package app

import (
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

func TestEveryKindOfFactHasWords(t *testing.T) {
	plan := &engine.Plan{Run: "7f3c0001", Cluster: "LAB-FC1", Nodes: []engine.NodePlan{{Name: "NODE1", Updates: []plugins.Update{{ID: "u1", Name: "Update1.msu"}}}}}
	code := fault.Code(3010)
	for kind, f := range map[engine.FactKind]engine.Fact{
		engine.FactRunStarted: {}, engine.FactRunContinued: {}, engine.FactRunPaused: {}, engine.FactUpToDate: {}, engine.FactNotTaken: {Data: engine.FactData{Message: "SkipNodes names it."}}, engine.FactStageIntent: {}, engine.FactPauseIntent: {},
		engine.FactDrainDone: {}, engine.FactUndoIntent: {}, engine.FactUndoDone: {}, engine.FactMaintenanceIntent: {}, engine.FactMaintenanceDone: {}, engine.FactRestartIntent: {},
		engine.FactRestartAgain: {}, engine.FactRestartProven: {}, engine.FactRescanIntent: {}, engine.FactRescanDone: {}, engine.FactResumeIntent: {}, engine.FactResumeDone: {},
		engine.FactSettleDone: {}, engine.FactCleanDone: {}, engine.FactCleanFailed: {}, engine.FactNodeFailing: {}, engine.FactGateWaiting: {},
		engine.FactRunHeld:      {Data: engine.FactData{Message: "another run appeared"}},
		engine.FactRunEnded:     {Data: engine.FactData{RunStatus: engine.RunSucceeded}},
		engine.FactNodeEnded:    {Data: engine.FactData{NodeStatus: engine.NodeFailed, Cause: &fault.Cause{Message: "because"}}},
		engine.FactNodeRetried:  {Data: engine.FactData{Attempt: 1, Cause: &fault.Cause{Message: "because"}}},
		engine.FactControl:      {Data: engine.FactData{Verb: engine.VerbPause, By: "root (uid 0)"}},
		engine.FactStageDone:    {Data: engine.FactData{Connection: &plugins.ShareConnection{Dialect: "3.1.1", Signed: true, Account: `LAB\NODE1$`}}},
		engine.FactScriptIntent: {Data: engine.FactData{Script: &engine.ScriptFact{Phase: plugins.PhasePre, Name: "before.ps1", As: engine.ScriptAsSystem}}},
		engine.FactScriptDone:   {Data: engine.FactData{Script: &engine.ScriptFact{Name: "after.ps1"}, Cause: &fault.Cause{Message: "exit code 1"}}},
		engine.FactWatchBegun:   {}, engine.FactWatchEnded: {}, engine.FactRunWatching: {}, engine.FactInstallerEndedLate: {}, engine.FactReturnedLate: {},
		engine.FactInstallIntent: {Node: "NODE1", Update: "u1"},
		engine.FactInstallDone:   {Node: "NODE1", Update: "u1", Data: engine.FactData{Result: &plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true}}},
	} {
		f.Kind = kind
		text := factText(message.Texts{}, plan, f)
		if text == "" || strings.Contains(text, "[fact.") || strings.Contains(text, "%!") {
			t.Errorf("%s: %q", kind, text)
		}
	}
	untouched := engine.Fact{Kind: engine.FactUndoDone, Node: "NODE1", Data: engine.FactData{Message: "Somebody else paused the node."}}
	if got := factText(message.Texts{}, plan, untouched); got != "Somebody else paused the node." {
		t.Errorf("%q", got)
	}
	done := engine.Fact{Kind: engine.FactInstallDone, Node: "NODE1", Update: "u1", Data: engine.FactData{Result: &plugins.Result{Outcome: plugins.Installed, ExitCode: &code, RestartRequired: true}}}
	if got := factText(message.Texts{}, plan, done); got != "Update1.msu: installed (exit 3010), restart needed" {
		t.Errorf("%q", got)
	}
	done.Data.Result.Signature = &plugins.Signature{Status: "NotSigned"}
	if got := factText(message.Texts{}, plan, done); got != "Update1.msu: installed (exit 3010), signature not valid: NotSigned, restart needed" {
		t.Errorf("%q", got)
	}
	plan.Nodes[0].Delivery = plugins.DeliveryPush
	staged := engine.Fact{Kind: engine.FactStageDone, Node: "NODE1", Data: engine.FactData{Connection: &plugins.ShareConnection{Dialect: "3.1.1", Signed: true}}}
	if got := factText(message.Texts{}, plan, staged); got != "holds its updates, verified (pushed over SMB 3.1.1, signed)" {
		t.Errorf("%q", got)
	}
	plan.Nodes[0].Delivery, staged.Data.Connection = "", nil
	if got := factText(message.Texts{}, plan, staged); got != "has downloaded its updates" {
		t.Errorf("%q", got)
	}
	staged.Data.Unstaged = []engine.Unstaged{{Update: "u1", Cause: &fault.Cause{Message: "NODE1: no room"}}}
	if got := factText(message.Texts{}, plan, staged); !strings.HasPrefix(got, "has downloaded its updates; Update1.msu did not come: ") || !strings.Contains(got, "no room") {
		t.Errorf("%q", got)
	}
	staged.Data.Unstaged = nil
	plan.Nodes[0].Updates[0].Identity = "UpdateID 1 revision 2"
	if got := factText(message.Texts{}, plan, engine.Fact{Kind: engine.FactStageIntent, Node: "NODE1"}); got != "downloads its updates" {
		t.Errorf("%q", got)
	}
	plan.Nodes[0].Updates[0].Identity = ""
	ran := engine.Fact{Kind: engine.FactScriptDone, Node: "NODE1", Data: engine.FactData{Script: &engine.ScriptFact{Name: "before.ps1", As: engine.ScriptAsSystem, Account: `NT AUTHORITY\SYSTEM`}}}
	if got := factText(message.Texts{}, plan, ran); got != `before.ps1 ended as NT AUTHORITY\SYSTEM` {
		t.Errorf("%q", got)
	}
}
