package engine_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"cau/engine"
	"cau/plugins"
)

func TestOptionsSayWhatIsWrongWithThem(t *testing.T) {
	for name, c := range map[string]struct {
		change func(o *engine.Options)
		want   string
	}{
		"none":            {func(*engine.Options) {}, ""},
		"scripts":         {func(o *engine.Options) { o.PreUpdateScript, o.PostUpdateScript = "a.ps1", `C:\x y\B.PS1` }, ""},
		"no script":       {func(o *engine.Options) { o.PreUpdateScript = "a.cmd" }, "PreUpdateScript is not the path of a PowerShell script (.ps1)"},
		"control":         {func(o *engine.Options) { o.PostUpdateScript = "a\x1b.ps1" }, "PostUpdateScript holds a control character"},
		"long":            {func(o *engine.Options) { o.PostUpdateScript = strings.Repeat("x", 257) + ".ps1" }, "PostUpdateScript is longer than 260 characters"},
		"script as":       {func(o *engine.Options) { o.ScriptAs = "root" }, `ScriptAs is "root"; it takes system or caller`},
		"script time":     {func(o *engine.Options) { o.ScriptTimeoutMinutes = 1441 }, "ScriptTimeoutMinutes is 1441; it takes 1 to 1440"},
		"window":          {func(o *engine.Options) { o.Window = "Sat,Sun 22:00-05:00 Europe/Stockholm" }, ""},
		"no window":       {func(o *engine.Options) { o.Window = "22:00 UTC" }, `Window is "22:00 UTC": "22:00" is neither a time of day to a time of day, as 22:00-05:00, nor a list of Sun,Mon,Tue,Wed,Thu,Fri,Sat`},
		"last begin":      {func(o *engine.Options) { o.StartNoNodeAfter = "04:00 Europe/Stockholm" }, ""},
		"no last begin":   {func(o *engine.Options) { o.StartNoNodeAfter = "4 a.m.\x1b" }, `StartNoNodeAfter is "4 a.m.\x1b": "4" is neither a moment, as 2026-11-30T04:00:00+01:00, nor a time of day`},
		"signature":       {func(o *engine.Options) { o.SignaturePolicy = "" }, `SignaturePolicy is ""; it takes warn, require or ignore`},
		"delivery":        {func(o *engine.Options) { o.Delivery = "post" }, `Delivery is "post"; it takes auto, pull or push`},
		"failback":        {func(o *engine.Options) { o.FailbackMode = "now" }, `FailbackMode is "now"; it takes Immediate, NoFailback or Policy`},
		"caller, require": {func(o *engine.Options) { o.ScriptAs, o.SignaturePolicy, o.Delivery = "caller", "require", "push" }, ""},
	} {
		o := engine.DefaultOptions()
		c.change(&o)
		var got []string
		for _, p := range o.Validate(nil) {
			got = append(got, p.Error())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestR09_ScriptsArePinnedWhenThePlanIsMade(t *testing.T) {
	in := planInput(clusterOf(nil), each(numbered(2), "u"))
	withScripts(&in)
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
	// sha256sum of "Write-Output silence"
	if s := back.PreScript; s == nil || s.Name != "silence.ps1" || string(s.Text) != "Write-Output silence" || s.SHA256 != "9a992f192981b89eb31323ad631f4104d7c56123c3aefc7a5d396f7b1f8af2f7" {
		t.Errorf("%+v", s)
	}
	if s := back.PostScript; s == nil || s.Name != "ring.ps1" {
		t.Errorf("%+v", s)
	}
	cau, invoke := engine.CommandLines(p)
	if !strings.Contains(cau, ` --pre-update-script /home/ann/silence.ps1 --post-update-script 'C:\scripts\ring.ps1' --yes`) ||
		!strings.Contains(invoke, ` -PreUpdateScript '/home/ann/silence.ps1' -PostUpdateScript 'C:\scripts\ring.ps1' -Force`) {
		t.Errorf("%s\n%s", cau, invoke)
	}
}

func TestWhatCAUHasNoParameterForIsOnOurOwnCommandLineAlone(t *testing.T) {
	in := planInput(clusterOf(nil), each(numbered(2), "u"))
	withScripts(&in)
	in.Options.ScriptAs, in.Options.ScriptTimeoutMinutes, in.Options.SignaturePolicy, in.Options.Delivery = engine.ScriptAsCaller, 5, plugins.SignatureIgnore, plugins.DeliveryPush
	p, err := engine.BuildPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	cau, invoke := engine.CommandLines(p)
	if !strings.Contains(cau, " --script-as caller --script-timeout-minutes 5 --signature-policy ignore --delivery push --yes") || strings.Contains(invoke, "caller") || strings.Contains(invoke, "ignore") || strings.Contains(invoke, "push") {
		t.Errorf("%s\n%s", cau, invoke)
	}
	p.Options.PreUpdateScript, p.Options.PostUpdateScript = "", ""
	if cau, _ := engine.CommandLines(p); strings.Contains(cau, "--script") {
		t.Errorf("without a script the line is refused: %s", cau)
	}
	if p.Nodes[0].Delivery != plugins.DeliveryPush && p.Nodes[len(p.Nodes)-1].Delivery != plugins.DeliveryPush {
		t.Errorf("%+v", p.Nodes)
	}
}

func TestAScriptThatCannotBePinnedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		text []byte
		says string
	}{
		"not read": {"a.ps1", nil, "PreUpdateScript names a file that is empty or was not read"},
		"too big":  {"a.ps1", bytes.Repeat([]byte("x"), engine.MaxScriptBytes+1), "524289 bytes"},
		"no path":  {"", []byte("x"), "PreUpdateScript names no file"},
	} {
		in := planInput(clusterOf(nil), each(numbered(2), "u"))
		in.Options.PreUpdateScript, in.PreScript = c.path, c.text
		if _, err := engine.BuildPlan(in); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
