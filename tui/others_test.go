package tui

import (
	"context"
	"testing"

	"cau/plugins"
	"cau/tui/backend"
	"cau/tui/tuitest"
)

func TestOtherPeoplesPluginIsChosenFilledInAskedAndConfirmedInTheWizard(t *testing.T) {
	t.Parallel()
	services := &tuitest.Services{Others: []backend.PluginInfo{{
		Name: "Example.Flasher", Description: "Flashes.", Others: true,
		Options: []plugins.OptionSpec{
			{Name: "Text", Kind: plugins.KindText, Caption: "Text to flash", Help: "Short."},
			{Name: "Force", Kind: plugins.KindBool, Default: "False", Caption: "Flash in any case"},
		},
		Check: func(_ context.Context, args plugins.Arguments) ([]plugins.ArgumentError, error) {
			if args["Text"] == "" {
				return []plugins.ArgumentError{{Name: "Text", Problem: "is wanted"}}, nil
			}
			return nil, nil
		},
	}}}
	s := newStage(t, 120, 40, services)
	s.press("enter", "enter")
	s.press("right") // the hotfix plug-in stands before it
	s.wants("Example.Flasher", "Flashes.")
	s.press("tab", "tab", "enter", "shift+tab", "shift+tab", "enter")
	s.wants("Text to flash", "Flash in any case", "Short.")
	s.press("shift+tab", "shift+tab", "enter")
	s.wants("is wanted")
	if n := len(services.Previews()); n > 0 {
		t.Fatalf("%d previews with a bad argument", n)
	}
	s.typeText("abc")
	s.press("shift+tab", "shift+tab", "enter")
	s.wants("✓ Additional Options", "DefaultHotfixConfig.xml: 3 extension rules")
	if r := services.Previews(); len(r) != 1 || r[0].Plugin != "Example.Flasher" || r[0].Arguments["Text"] != "abc" || r[0].Arguments["Force"] != "False" {
		t.Errorf("%+v", r)
	}
	s.press("enter", "enter")
	s.wants("Confirmation", "Example.Flasher is not one of CAU's", "/opt/example/flash", "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9", "may: write:stage", "program:install")
}

func TestWhoChoosesAPluginBehindTheFirstStaysAtItsField(t *testing.T) {
	t.Parallel()
	s := newStage(t, 120, 40, &tuitest.Services{Others: []backend.PluginInfo{{Name: "Example.Flasher", Description: "Flashes."}}})
	s.press("enter", "enter", "right") // one choice further, so that the first field has something to lose
	s.wants("▸ Plug-in    ‹ Example.Flasher ›")
	s.press("tab", "right", "right")
	s.wants("  Plug-in    ‹ Example.Flasher ›", "▸ Then also  ‹ Example.Flasher ›")
	s.press("left")
	s.wants("  Plug-in    ‹ Example.Flasher ›", "▸ Then also  ‹ Microsoft.HotfixPlugin ›")
	s.press("left") // the field behind it goes again
	s.wants("  Plug-in    ‹ Example.Flasher ›", "▸ Then also  ‹ nothing more ›")
}
