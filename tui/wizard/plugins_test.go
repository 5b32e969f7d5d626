package wizard_test

import (
	"context"
	"strings"
	"testing"

	"cau/engine"
	"cau/internal/message"
	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/tuitest"
	"cau/tui/wizard"
)

// several has two plug-ins that can run and one that cannot.
type several struct {
	*tuitest.Services
	asked backend.Request
}

func (s *several) Plugins() []backend.PluginInfo {
	query := plugins.OptionSpec{Name: "QueryString", Kind: plugins.KindText, Default: "IsInstalled=0", Caption: "Query string"}
	return append(s.Services.Plugins(),
		backend.PluginInfo{Name: "Microsoft.WindowsUpdatePlugin", Options: []plugins.OptionSpec{query}, Validate: func(a plugins.Arguments) []plugins.ArgumentError {
			if strings.Contains(a["QueryString"], "Colour") {
				return []plugins.ArgumentError{{Name: "QueryString", Problem: "asks for a colour"}}
			}
			return nil
		}},
		backend.PluginInfo{Name: "Microsoft.RollingUpgradePlugin", Refused: "cau does not upgrade."})
}

func (s *several) Preview(ctx context.Context, req backend.Request, note func(string)) (*engine.Plan, error) {
	s.asked = req
	return s.Services.Preview(ctx, req, note)
}

func startSeveral(t *testing.T) (*several, *wizard.Wizard) {
	t.Helper()
	s := &several{Services: &tuitest.Services{}}
	overview, err := s.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s, wizard.New(s, message.Texts{}, overview)
}

func TestSeveralPluginsAreChosenInOrderEachWithItsOwnArguments(t *testing.T) {
	t.Parallel()
	s, w := startSeveral(t)
	if f := field(t, goTo(t, w, wizard.Plugin), "plugin"); f.Value != plugins.Default {
		t.Errorf("chosen before anybody chose is %s", f.Value)
	}
	w.Set("plugin", "Microsoft.HotfixPlugin")
	w.Set("then:0", "Microsoft.WindowsUpdatePlugin")
	w.Set("then:1", "Microsoft.HotfixPlugin")
	if p := w.Page(); len(p.Fields) != 4 || field(t, p, "then:2").Value != "none" || p.Blocked != "" {
		t.Fatalf("%+v", p)
	}
	p := goTo(t, w, wizard.AdditionalOptions)
	if f := field(t, p, "1:QueryString"); f.Value != "IsInstalled=0" || f.Caption != "2. Query string" {
		t.Errorf("%+v", f)
	}
	w.Set("1:QueryString", "Colour=1")
	if f := field(t, w.Page(), "1:QueryString"); f.Problem != "asks for a colour" || w.Page().Blocked == "" {
		t.Errorf("%+v", f)
	}
	w.Set("1:QueryString", "IsHidden=0")
	w.Set("2:HotfixRootFolderPath", `\\fs2\share\root`)
	w.Set("7:HotfixRootFolderPath", "nowhere")
	goTo(t, w, wizard.Confirmation)
	r := s.asked
	if r.Plugin != "Microsoft.HotfixPlugin" || r.Arguments["HotfixRootFolderPath"] != `\\FS1\Hotfixes\Root` || len(r.Further) != 2 ||
		r.Further[0].Plugin != "Microsoft.WindowsUpdatePlugin" || r.Further[0].Arguments["QueryString"] != "IsHidden=0" || r.Further[1].Arguments["HotfixRootFolderPath"] != `\\fs2\share\root` {
		t.Errorf("%+v", r)
	}
}

func TestAPluginThatIsTakenOutAgainVoidsThePlanAndOneThatIsRefusedBlocksThePage(t *testing.T) {
	t.Parallel()
	s, w := startSeveral(t)
	goTo(t, w, wizard.Plugin)
	w.Set("then:0", "Microsoft.WindowsUpdatePlugin")
	goTo(t, w, wizard.Confirmation)
	for w.Page().ID != wizard.Plugin {
		w.Back()
	}
	w.Set("then:0", "Microsoft.RollingUpgradePlugin")
	if p := w.Page(); p.Blocked != "cau does not upgrade." || w.Next() == nil {
		t.Errorf("%+v", p)
	}
	w.Set("then:0", "none")
	if p := w.Page(); len(p.Fields) != 2 || p.Blocked != "" {
		t.Errorf("%+v", p)
	}
	goTo(t, w, wizard.Confirmation)
	if len(s.asked.Further) != 0 {
		t.Errorf("%+v", s.asked.Further)
	}
	for range 6 {
		w.Back()
	}
	goTo(t, w, wizard.Plugin)
	w.Set("plugin", "Microsoft.RollingUpgradePlugin")
	if w.Page().Blocked == "" {
		t.Error("a plug-in that is refused can be chosen")
	}
}

func TestWithOnePluginNothingIsAskedAboutFurtherOnes(t *testing.T) {
	t.Parallel()
	w := start(t, &tuitest.Services{})
	if p := goTo(t, w, wizard.Plugin); len(p.Fields) != 1 {
		t.Errorf("%+v", p.Fields)
	}
}
