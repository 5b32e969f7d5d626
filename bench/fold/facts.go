package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"cau/engine"
	"cau/internal/journal"
	"cau/plugins"
)

const (
	nodes   = 64
	updates = 20
)

// longPlan is a run of as many nodes as a cluster may have.
func longPlan() *engine.Plan {
	p := &engine.Plan{
		Version: engine.PlanVersion, Run: "0123abcd", Created: time.Now().UTC(), Program: "bench", Cluster: "LAB-FC1", Address: "lab", Lab: "bench",
		Speed: 1, Plugin: "Microsoft.HotfixPlugin", Options: engine.DefaultOptions(),
	}
	for i := range nodes {
		n := engine.NodePlan{Name: fmt.Sprintf("NODE%d", i+1), Address: fmt.Sprintf("node%d:5985", i+1)}
		for j := range updates {
			n.Updates = append(n.Updates, plugins.Update{ID: fmt.Sprintf("u%d", j), Name: fmt.Sprintf("Update%d.msu", j), Plugin: p.Plugin, Rule: "MSU"})
		}
		p.Nodes = append(p.Nodes, n)
	}
	return p
}

// longRun are the facts of a run that has gone through most of its nodes and waited long before each: as many as are wanted.
func longRun(p *engine.Plan, count int) []engine.Fact {
	at := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	facts := make([]engine.Fact, 0, count)
	add := func(kind engine.FactKind, node, update string, data engine.FactData) {
		at = at.Add(time.Second)
		facts = append(facts, engine.Fact{Kind: kind, Time: at, Node: node, Update: update, Data: data, MayIgnore: kind.Ignorable()})
	}
	add(engine.FactRunStarted, "", "", engine.FactData{Message: "cau bench"})
	for i, n := range p.Nodes[:len(p.Nodes)-1] {
		for len(facts) < (count-10)*(i+1)/len(p.Nodes)-3*updates {
			add(engine.FactGateWaiting, n.Name, "", engine.FactData{Message: fmt.Sprintf("Before %s: Roles are still moving: VM%02d, FS-Data.", n.Name, len(facts)%97)})
		}
		add(engine.FactPauseIntent, n.Name, "", engine.FactData{})
		add(engine.FactDrainDone, n.Name, "", engine.FactData{})
		for _, u := range n.Updates {
			add(engine.FactInstallIntent, n.Name, u.ID, engine.FactData{Job: "0123abcd-" + u.ID + "-1", Boot: "134000000000000000", BootRead: at})
			add(engine.FactInstallDone, n.Name, u.ID, engine.FactData{Job: "0123abcd-" + u.ID + "-1", Result: &plugins.Result{Outcome: plugins.Installed}})
		}
		add(engine.FactRescanDone, n.Name, "", engine.FactData{})
		add(engine.FactResumeIntent, n.Name, "", engine.FactData{Failback: engine.FailbackImmediate})
		add(engine.FactResumeDone, n.Name, "", engine.FactData{})
		add(engine.FactSettleDone, n.Name, "", engine.FactData{})
		add(engine.FactNodeEnded, n.Name, "", engine.FactData{NodeStatus: engine.NodeSucceeded})
	}
	last := p.Nodes[len(p.Nodes)-1].Name
	for len(facts) < count {
		add(engine.FactGateWaiting, last, "", engine.FactData{Message: fmt.Sprintf("Before %s: Roles are still moving: VM%02d.", last, len(facts)%97)})
	}
	return facts
}

// write puts the facts into a journal, and gives its size in bytes.
func write(path string, facts []engine.Fact) (int64, error) {
	w, err := journal.OpenThrough(path, func(d journal.Disk) journal.Disk { return unflushed{d} })
	if err != nil {
		return 0, err
	}
	for _, f := range facts {
		data, err := json.Marshal(f)
		if err != nil {
			return 0, err
		}
		if _, err := w.Append(data); err != nil {
			return 0, err
		}
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
