package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/fault"
	"cau/internal/message"
	"cau/plugins"
)

// factKinds are the kinds of fact that the engine declares, read from its source: a list here would forget some.
func factKinds(t *testing.T) []engine.FactKind {
	t.Helper()
	files, err := filepath.Glob("../../engine/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("the engine's source is not there: %v", err)
	}
	var kinds []engine.FactKind
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "FactKind" {
				return true
			}
			for _, v := range spec.Values {
				if lit, ok := v.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					kinds = append(kinds, engine.FactKind(s))
				}
			}
			return true
		})
	}
	return kinds
}

func TestEveryKindOfFactThatTheEngineDeclaresHasATextOfItsOwn(t *testing.T) {
	kinds := factKinds(t)
	if len(kinds) < 30 {
		t.Fatalf("only %d kinds were found in the engine's source", len(kinds))
	}
	plan := &engine.Plan{Run: "7f3c0001", Cluster: "LAB-FC1"}
	said := map[string]engine.FactKind{}
	for _, kind := range kinds {
		// Nothing but the kind: a text must not depend on what a fact happens to carry.
		text := factText(message.Texts{}, plan, engine.Fact{Kind: kind})
		switch {
		case text == "" || strings.HasPrefix(text, "["):
			t.Errorf("%s has no text: add it to internal/message/facts.go", kind)
		case strings.Contains(text, "%"):
			t.Errorf("%s is shown as %q: give it a case in factText", kind, text)
		case said[text] != "":
			t.Errorf("%s and %s have the same text %q", kind, said[text], text)
		}
		said[text] = kind
		full := factText(message.Texts{}, plan, engine.Fact{Kind: kind, Node: "NODE1", Update: "u1", Data: everything()})
		if full == "" || strings.HasPrefix(full, "[") || strings.Contains(full, "%!") {
			t.Errorf("%s with all that a fact can carry is shown as %q", kind, full)
		}
	}
}

// everything is what facts carry, all at once.
func everything() engine.FactData {
	code := int64(1)
	return engine.FactData{
		By: "root (uid 0)", Verb: engine.VerbPause, Message: "a sentence", Cause: &fault.Cause{Message: "because"},
		Result: &plugins.Result{Outcome: plugins.Installed}, Script: &engine.ScriptFact{Name: "before.ps1", ExitCode: &code},
		Connection: &plugins.ShareConnection{Dialect: "3.1.1"}, Pending: []string{"CBS"}, Updates: []plugins.Update{{Name: "a.msu"}}, Pass: 2, Install: true, Plugin: "Microsoft.HotfixPlugin (2)", Skipped: []string{"u1"},
		NodeStatus: engine.NodeFailed, RunStatus: engine.RunFailed,
	}
}

func TestTheFoldKnowsEveryKindOfFactThatTheEngineDeclares(t *testing.T) {
	plan := &engine.Plan{Run: "7f3c0001", Cluster: "LAB-FC1"}
	for _, kind := range factKinds(t) {
		st := engine.NewState(plan)
		packed, err := engine.PackState(&st)
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Apply(engine.Fact{Kind: kind, Data: engine.FactData{Packed: packed}}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
