package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cau/engine"
	"cau/internal/check"
	"cau/plugins"
)

func clusterOf(roles map[string]int) engine.ClusterView {
	v := engine.ClusterView{Name: "CONTOSO-FC1"}
	for _, n := range []string{"NODE4", "NODE3", "NODE2", "NODE1"} {
		v.Nodes = append(v.Nodes, engine.MemberView{Name: n, DynamicWeight: 1})
		for range roles[n] {
			v.Groups = append(v.Groups, engine.GroupView{Name: "r", Owner: strings.ToLower(n)})
		}
	}
	v.Groups = append(v.Groups, engine.GroupView{Name: "Cluster Group", Owner: "NODE1", Core: true})
	return v
}

func TestR14_NodesComeByNodeOrderThenFewestRolesThenName(t *testing.T) {
	roles := map[string]int{"NODE1": 2, "NODE2": 0, "NODE3": 2, "NODE4": 1}
	for _, c := range []struct{ order, want []string }{
		{nil, []string{"NODE2", "NODE4", "NODE1", "NODE3"}},
		{[]string{"node3"}, []string{"NODE3", "NODE2", "NODE4", "NODE1"}},
		{[]string{"NODE1", "NODE4", "NODE3", "NODE2"}, []string{"NODE1", "NODE4", "NODE3", "NODE2"}},
	} {
		in := planInput(clusterOf(roles), each([]string{"NODE3"}, "u"))
		in.Options.NodeOrder = c.order
		p, err := engine.BuildPlan(in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range p.Nodes {
			got = append(got, n.Name)
			if n.Roles != roles[n.Name] || n.Address != n.Name+":5985" || n.Updates == nil || (len(n.Updates) > 0) != (n.Name == "NODE3") {
				t.Errorf("%+v", n)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("order %v gives %v", c.order, got)
		}
	}
}

func TestR08_APlanReadBackIsThePlanThatWasWritten(t *testing.T) {
	in := planInput(clusterOf(nil), each(numbered(4), "u"))
	in.Arguments = plugins.Arguments{"HotfixRootFolderPath": `\\fs1\updates\root`}
	in.Created = time.Now()
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back engine.Plan
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*p, back); diff != "" {
		t.Error(diff)
	}
	if p.Speed != 1 || p.FailureBudget != 0 || p.Version != engine.PlanVersion {
		t.Errorf("%+v", p)
	}
}

func TestR04_ASecretArgumentIsInNoPlanAndNoCommandLine(t *testing.T) {
	in := planInput(clusterOf(nil), nil)
	in.Arguments = plugins.Arguments{"Token": "s3cr3t", "Path": "x"}
	in.Specs = []plugins.OptionSpec{{Name: "Token", Kind: plugins.KindSecret}, {Name: "Path"}}
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	cau, invoke := engine.CommandLines(p)
	if err != nil || strings.Contains(string(raw)+cau+invoke, "s3cr3t") || p.Arguments["Path"] != "x" {
		t.Errorf("%s\n%s\n%s", raw, cau, invoke)
	}
}

func TestABadPlanIsRefusedWithEveryReason(t *testing.T) {
	for name, c := range map[string]struct {
		change func(in *engine.PlanInput)
		says   string
	}{
		"run id":              {func(in *engine.PlanInput) { in.Run = "0123ABCD" }, "eight hex digits"},
		"no nodes":            {func(in *engine.PlanInput) { in.View.Nodes = nil }, "no nodes"},
		"no address":          {func(in *engine.PlanInput) { in.Addresses = nil }, `no address is known for the node "NODE1"`},
		"options":             {func(in *engine.PlanInput) { in.Options.RebootTimeoutMinutes = 0 }, "RebootTimeoutMinutes is 0"},
		"node order":          {func(in *engine.PlanInput) { in.Options.NodeOrder = []string{"NODE9"} }, "NODE9"},
		"accepts a wildcard":  {func(in *engine.PlanInput) { in.Accepted = []string{"acl.*"} }, "not the id of a check"},
		"control character":   {func(in *engine.PlanInput) { in.Arguments = plugins.Arguments{"P": "a\x1b[2Jb"} }, "control character"},
		"text that runs back": {func(in *engine.PlanInput) { in.Address = "host\u202e" }, "control character"},
		"foreign node":        {func(in *engine.PlanInput) { in.Scan.Updates["NODE9"] = []plugins.Update{{ID: "u"}} }, "NODE9"},
		"update id":           {func(in *engine.PlanInput) { in.Scan.Updates["NODE1"] = []plugins.Update{{ID: "U 1"}} }, "[a-z0-9-]"},
		"update id twice":     {func(in *engine.PlanInput) { in.Scan.Updates["NODE1"] = []plugins.Update{{ID: "u"}, {ID: "u"}} }, "twice"},
	} {
		in := planInput(clusterOf(nil), map[string][]string{"NODE2": {"u"}})
		c.change(&in)
		if p, err := engine.BuildPlan(in); err == nil || !strings.Contains(err.Error(), c.says) || p != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	in := planInput(clusterOf(nil), nil)
	in.Options.StageNodesAtOnce = 0
	_, err := engine.BuildPlan(in)
	var oe engine.OptionError
	if !errors.As(err, &oe) || oe.Name != "StageNodesAtOnce" {
		t.Errorf("a field's error must be found by its name: %v", err)
	}
}

func TestR07_AChecksThatNobodyAnsweredIsNotVerified(t *testing.T) {
	in := planInput(clusterOf(nil), nil)
	in.Checks = []check.Result{{ID: "node.admin", Subject: "NODE2", Outcome: check.Pass}, {ID: "winrm.reach", Outcome: check.Pass}, {ID: "node.admin", Subject: "NODE1", Outcome: check.Pass}}
	in.Scan.Checks = []check.Result{{ID: "smb.guest", Outcome: check.Pass}}
	in.Accepted = []string{"cluster.host", "cluster.host"}
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	outcome := map[string]check.Outcome{}
	var order []string
	for _, r := range p.Checks {
		outcome[r.ID] = r.Outcome
		order = append(order, r.ID+r.Subject)
	}
	if outcome["cluster.host"] != check.CannotVerify || outcome["layout"] != check.CannotVerify || outcome["smb.guest"] != check.Pass {
		t.Errorf("%v", outcome)
	}
	if _, ok := outcome["smb.encryption.enforced"]; ok {
		t.Error("whether encryption can be avoided is asked only where it is required")
	}
	if _, ok := outcome["node.share-read"]; ok {
		t.Error("staging proves node.share-read; a plan does not list it")
	}
	if order[0] != "winrm.reach" || slices.Index(order, "node.adminNODE1") != slices.Index(order, "node.adminNODE2")-1 {
		t.Errorf("%v", order)
	}
	if slices.ContainsFunc(p.Blocking(), isCheck("cluster.host")) || !slices.ContainsFunc(p.Blocking(), isCheck("layout")) || len(p.Accepted) != 1 {
		t.Errorf("blocking %v, accepted %v", p.Blocking(), p.Accepted)
	}
	in.Scan.Checks = nil
	if p, err = engine.BuildPlan(in); err != nil || slices.ContainsFunc(p.Checks, isCheck("layout")) {
		t.Errorf("a plug-in without a root has no root checks: %v", err)
	}
}

func TestBothCommandLinesSayTheSameRun(t *testing.T) {
	in := planInput(clusterOf(nil), nil)
	in.Arguments = plugins.Arguments{"HotfixRootFolderPath": `\\fs1\it's here\root`, "RequireSMBEncryption": "False"}
	one := 1
	in.Options.MaxFailedNodes, in.Options.NodeOrder, in.Options.RequireAllNodesOnline = &one, []string{"NODE2", "NODE1"}, true
	in.Options.DrainTimeoutMinutes, in.Options.FailbackMode = 90, engine.FailbackNone
	in.Accepted = []string{"acl.root.writers"}
	in.Reach = []string{"--user", `CONTOSO\admin`, "--allow-older-smb", "", "--smb-port", "4450"}
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	cau, invoke := engine.CommandLines(p)
	if want := `cau apply --cluster cluster1 --user 'CONTOSO\admin' --allow-older-smb --smb-port 4450 --plugin Test.Plugin --arg 'HotfixRootFolderPath=\\fs1\it'\''s here\root' --arg RequireSMBEncryption=False` +
		` --max-failed-nodes 1 --node-order NODE2,NODE1 --require-all-nodes-online --drain-timeout-minutes 90 --failback-mode NoFailback --accept acl.root.writers --yes`; cau != want {
		t.Errorf("\n got %s\nwant %s", cau, want)
	}
	if want := `Invoke-CauRun -ClusterName 'CONTOSO-FC1' -CauPluginName 'Test.Plugin' -CauPluginArguments @{ 'HotfixRootFolderPath'='\\fs1\it''s here\root'; 'RequireSMBEncryption'='False' }` +
		` -MaxFailedNodes 1 -MaxRetriesPerNode 3 -NodeOrder 'NODE2','NODE1' -RequireAllNodesOnline -RebootTimeoutMinutes 15 -FailbackMode 'NoFailback' -Force`; invoke != want {
		t.Errorf("\n got %s\nwant %s", invoke, want)
	}
	p.Lab = "lab1"
	if cau, _ := engine.CommandLines(p); !strings.HasPrefix(cau, "cau apply --lab --user") {
		t.Error(cau)
	}
}

func TestR33_WhateverAnArgumentHoldsItStaysOneWordInBothShells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 '\"$`\\;|&<>(){}*?!#~=%\u2018\u2019\u201a\u201bå日-")), 0, 20, -1).Draw(t, "value")
		in := planInput(clusterOf(nil), nil)
		in.Arguments = plugins.Arguments{"P": value}
		p, err := engine.BuildPlan(in)
		if err != nil {
			t.Fatal(err)
		}
		cau, invoke := engine.CommandLines(p)
		if words := posixWords(cau); !slices.Contains(words, "P="+value) || len(words) != 9 {
			t.Fatalf("%q reads as %q", cau, words)
		}
		_, rest, _ := strings.Cut(invoke, "@{ 'P'=")
		if got, after := powershellString(rest); got != value || after != " } -MaxFailedNodes 0 -MaxRetriesPerNode 3 -RebootTimeoutMinutes 15 -FailbackMode 'Immediate' -Force" {
			t.Fatalf("%q reads as %q, then %q", invoke, got, after)
		}
	})
}

// posixWords splits as a shell does what consists of plain characters, single quotes and backslashes.
func posixWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted, escaped, begun := false, false, false
	for _, r := range line {
		switch {
		case quoted && r == '\'':
			quoted = false
		case quoted || escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\'':
			quoted, begun = true, true
		case r == '\\':
			escaped, begun = true, true
		case r == ' ':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case strings.ContainsRune("\"$`;|&<>(){}*?!#~", r):
			words, begun = append(words, "UNQUOTED "+string(r)), true
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return append(words, word.String())
}

// powershellString reads one single-quoted string and gives what follows it.
func powershellString(s string) (value, after string) {
	const quotes = "'\u2018\u2019\u201a\u201b"
	runes := []rune(s)
	var out []rune
	for i := 1; i < len(runes); i++ {
		if !strings.ContainsRune(quotes, runes[i]) {
			out = append(out, runes[i])
			continue
		}
		if i+1 < len(runes) && strings.ContainsRune(quotes, runes[i+1]) {
			out = append(out, runes[i+1])
			i++
			continue
		}
		return string(out), string(runes[i+1:])
	}
	return "", "not closed"
}
